"""OpenAI Responses: a flat list of items; `function_call_output` answers `function_call` by call_id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headroom.tools.definitions import RETRIEVE_TOOL, is_retrieve_tool
from headroom.wire.dialects.base import Answer
from headroom.wire.hidden import Before, HiddenTurns, Json, OurCall, Round, look_of, waiting_look
from headroom.wire.usage import added

_DONE_BY_THE_PROVIDER = ("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call")
_ASKS_THE_CLIENT = ("mcp_approval_request",)
_MODEL_MADE = ("reasoning", "mcp_list_tools", "compaction", "program")


class Responses:
    """See `Dialect`."""

    def read(self, response: Mapping[str, Any]) -> Round:
        asks = response.get("status") in (None, "completed")
        return self.said(response["output"], asks, response.get("usage") or {})

    def said(self, items: list[Json], asks: bool, usage: Json) -> Round:
        """A round from its output items."""
        calls = [OurCall(item["call_id"], item.get("arguments")) for item in items if is_ours(item)]
        return Round(items, calls, any(map(_is_for_the_client, items)), asks, usage)

    def visible(self, response: Mapping[str, Any], rounds: list[Round], offered: bool) -> Json:
        usage: Json = {}
        for said in rounds:
            usage = added(usage, said.usage)
        out = without_our_tool(response) if offered else {**response}
        out["output"] = [item for said in rounds for item in said.parts if not is_ours(item)]
        return {**out, "usage": usage} if usage else out

    def follow_up(self, body: Mapping[str, Any], said: Round, answers: Mapping[str, str]) -> Json:
        outputs = _outputs(said, answers)
        if body.get("conversation"):  # the provider has written down the rest by itself
            return {**body, "input": outputs}
        return {**body, "input": [*_as_items(body["input"]), *_sendable(said.parts, body), *outputs]}

    def remember(self, messages: list[Any], rounds: list[Round], turns: HiddenTurns) -> None:
        visible = [item for said in rounds for item in said.parts if not is_ours(item)]
        look = _look(visible)
        if look:
            turns.keep(look, Before(messages).upto(len(messages)), rounds)
        if rounds[-1].calls:  # a client that leaves the state to the provider sends its outputs alone
            for item in visible:
                if item.get("call_id"):
                    turns.keep(waiting_look(item["call_id"]), "", rounds[-1:])

    def restored(self, body: Mapping[str, Any], sent: list[Any], turns: HiddenTurns, answer: Answer) -> list[Any]:
        messages = _as_items(body["input"])
        before, out, done = Before(messages), [], 0
        for start, end in _runs(messages):
            look = _look(messages[start:end])
            turn = turns.find(look, before.upto(start)) if look and turns.may_know(look) else None
            if turn is not None:
                out += [*sent[done:start], *_put_back(turn.rounds, sent[start:end], body, answer)]
                done = end
        waiting = self._awaited(messages, turns, answer) if len(turns) else []
        return [*waiting, *out, *sent[done:]] if done or waiting else sent

    def _awaited(self, messages: list[Any], turns: HiddenTurns, answer: Answer) -> list[Json]:
        """Outputs for calls of ours that lie with the provider beside calls that `messages` answer."""
        known = {item.get("call_id") for item in messages if isinstance(item, Mapping) and _is_for_the_client(item)}
        found: dict[str, Json] = {}
        for item in messages:
            call_id = item.get("call_id") if isinstance(item, Mapping) else None
            if not isinstance(call_id, str) or call_id in known or not turns.may_know(waiting_look(call_id)):
                continue
            turn = turns.find(waiting_look(call_id), "")
            if turn is not None:
                found |= {output["call_id"]: output for output in _outputs(turn.rounds[-1], answer(turn.rounds[-1]))}
        return list(found.values())


def is_ours(item: object) -> bool:
    """Whether an item is a call of our tool."""
    return isinstance(item, Mapping) and item.get("type") == "function_call" and item.get("name") == RETRIEVE_TOOL


def without_our_tool(response: Mapping[str, Any]) -> Json:
    """A copy of a response object that does not repeat the tool which we added to the request."""
    tools = response.get("tools")
    if not isinstance(tools, list):
        return {**response}
    return {
        **response,
        "tools": [tool for tool in tools if not (isinstance(tool, Mapping) and is_retrieve_tool(str(tool.get("name") or "")))],
    }


def _is_for_the_client(item: Mapping[str, Any]) -> bool:
    """Whether an item waits for the client: any call but ours and those that the provider carries out itself."""
    kind = str(item.get("type") or "")
    called = kind.endswith("_call") and kind not in _DONE_BY_THE_PROVIDER and not is_ours(item)
    return called or kind in _ASKS_THE_CLIENT


def _is_model_made(item: object) -> bool:
    if not isinstance(item, Mapping):
        return False
    kind = str(item.get("type") or "message")
    if kind == "message":
        return item.get("role") == "assistant"
    return kind in _MODEL_MADE or kind.endswith("_call")


def _runs(items: list[Any]) -> list[tuple[int, int]]:
    """Where the model's turns are: stretches of items that it made, start and end."""
    runs: list[tuple[int, int]] = []
    for index, item in enumerate(items):
        if not _is_model_made(item):
            continue
        if runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs


def _sendable(items: list[Json], body: Mapping[str, Any]) -> list[Json]:
    """Items as input. Thoughts that the provider neither keeps nor has sealed into the item cannot be sent back."""
    if body.get("store") is not False:
        return items
    return [item for item in items if item.get("type") != "reasoning" or item.get("encrypted_content")]


def _outputs(said: Round, answers: Mapping[str, str]) -> list[Json]:
    return [{"type": "function_call_output", "call_id": call.id, "output": answers[call.id]} for call in said.calls]


def _put_back(rounds: list[Round], visible: list[Any], body: Mapping[str, Any], answer: Answer) -> list[Any]:
    """A turn's items: the client's own copies of the last round, ours in between, earlier rounds before them."""
    *finished, last = rounds
    items: list[Any] = []
    for said in finished:
        items += [*_sendable(said.parts, body), *_outputs(said, answer(said))]
    earlier = sum(not is_ours(item) for said in finished for item in said.parts)
    own = visible[earlier:]
    if len(own) == sum(not is_ours(item) for item in last.parts):
        remaining = iter(own)
        items += [item if is_ours(item) else next(remaining) for item in last.parts]
    else:
        items += _sendable(last.parts, body)
    return [*items, *_outputs(last, answer(last))]


def _as_items(value: Any) -> list[Any]:
    return [{"role": "user", "content": value}] if isinstance(value, str) else list(value)


def _look(items: list[Any]) -> str:
    ids = [str(item.get("call_id") or "") for item in items if isinstance(item, Mapping)]
    return look_of(ids, (text for item in items if isinstance(item, Mapping) for text in _words(item.get("content"))))


def _words(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(part.get("text") or "") for part in content or [] if isinstance(part, Mapping)]
