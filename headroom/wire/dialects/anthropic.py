"""Anthropic Messages: calls are `tool_use` blocks of the assistant, answers `tool_result` blocks of the next user message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headroom.tools.definitions import RETRIEVE_TOOL
from headroom.wire.dialects.base import Answer
from headroom.wire.hidden import Before, HiddenTurns, Json, OurCall, Round, look_of, waiting_look
from headroom.wire.usage import added

_SET_BY_THE_FIRST_REQUEST = ("tools", "system")
"""Fields that a thread keeps and refuses to be told again."""


class Anthropic:
    """See `Dialect`."""

    def read(self, response: Mapping[str, Any]) -> Round:
        return self.said(response["content"], response.get("stop_reason"), response.get("usage") or {}, str(response.get("id") or ""))

    def said(self, blocks: list[Json], stop_reason: Any, usage: Json, id: str) -> Round:
        """A round from its content blocks."""
        calls = [OurCall(block["id"], block.get("input")) for block in blocks if is_ours(block)]
        others = any(block.get("type") == "tool_use" and not is_ours(block) for block in blocks)
        return Round(blocks, calls, others, stop_reason == "tool_use", usage, id=id)

    def visible(self, response: Mapping[str, Any], rounds: list[Round], offered: bool) -> Json:
        blocks = [block for said in rounds for block in said.parts if not is_ours(block)]
        usage: Json = {}
        for said in rounds:
            usage = added(usage, said.usage)
        stop = stop_reason(response.get("stop_reason"), rounds[-1])
        return {**response, "content": blocks, "stop_reason": stop, "usage": usage}

    def follow_up(self, body: Mapping[str, Any], said: Round, answers: Mapping[str, str]) -> Json:
        if thread_of(body):  # the provider has written down the rest by itself
            rest = {key: value for key, value in body.items() if key not in _SET_BY_THE_FIRST_REQUEST}
            onward = {"type": "continue", "previous_message_id": said.id}
            return {**rest, "messages": [{"role": "user", "content": _results(said, answers)}], "thread": onward}
        return {**body, "messages": [*body["messages"], *_exchange(said, answers)]}

    def remember(self, messages: list[Any], rounds: list[Round], turns: HiddenTurns) -> None:
        look = _look([block for said in rounds for block in said.parts if not is_ours(block)])
        if look:
            turns.keep(look, Before(messages).upto(len(messages)), rounds)
        if rounds[-1].calls:  # a client that leaves the state to the provider sends its outputs alone
            for block in rounds[-1].parts:
                if block.get("type") == "tool_use" and not is_ours(block):
                    turns.keep(waiting_look(block["id"]), "", rounds[-1:])

    def restored(self, body: Mapping[str, Any], sent: list[Any], turns: HiddenTurns, answer: Answer) -> list[Any]:
        messages = body["messages"]
        if (thread_of(body) or {}).get("type") == "continue":
            return _with_awaited(sent, turns, answer)
        before, out, done = Before(messages), [], 0
        for index, message in enumerate(messages):
            content = message.get("content") if isinstance(message, Mapping) and message.get("role") == "assistant" else None
            look = _look(_as_blocks(content)) if content else ""
            turn = turns.find(look, before.upto(index)) if look and turns.may_know(look) else None
            if turn is None:
                continue
            following = sent[index + 1] if index + 1 < len(sent) else None
            replaced = _put_back(turn.rounds, sent[index], following, answer)
            if replaced is not None:
                out += [*sent[done:index], *replaced]
                done = index + 2 if turn.rounds[-1].calls else index + 1
        return [*out, *sent[done:]] if done else sent


def thread_of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The conversation that the provider keeps, if it keeps this one."""
    thread = body.get("thread")
    return thread if isinstance(thread, Mapping) else None


def is_ours(block: object) -> bool:
    """Whether a content block is a call of our tool."""
    return isinstance(block, Mapping) and block.get("type") == "tool_use" and block.get("name") == RETRIEVE_TOOL


def stop_reason(reason: Any, said: Round) -> Any:
    """Why the client's message ends: not for tools, if the only calls were ours."""
    return "end_turn" if reason == "tool_use" and said.calls and not said.others else reason


def _exchange(said: Round, answers: Mapping[str, str]) -> list[Json]:
    blocks = [block for block in said.parts if block.get("type") != "text" or block.get("text")]  # empty texts are refused
    return [{"role": "assistant", "content": blocks}, {"role": "user", "content": _results(said, answers)}]


def _results(said: Round, answers: Mapping[str, str]) -> list[Json]:
    return [{"type": "tool_result", "tool_use_id": call.id, "content": answers[call.id]} for call in said.calls]


def _with_awaited(sent: list[Any], turns: HiddenTurns, answer: Answer) -> list[Any]:
    """`sent` with results for calls of ours that lie with the provider beside calls that it answers."""
    for index, message in enumerate(sent):
        blocks = _as_blocks(message.get("content")) if isinstance(message, Mapping) and message.get("role") == "user" else []
        looks = [waiting_look(str(block.get("tool_use_id"))) for block in blocks if isinstance(block, Mapping)]
        turn = next((found for look in looks if turns.may_know(look) and (found := turns.find(look, ""))), None)
        if turn is not None:
            results = _results(turn.rounds[-1], answer(turn.rounds[-1]))
            return [*sent[:index], {**message, "content": [*results, *blocks]}, *sent[index + 1 :]]
    return sent


def _put_back(rounds: list[Round], message: Json, following: Any, answer: Answer) -> list[Json] | None:
    """The messages of a turn in place of the one that the client has of it, and of the one after it if that answers calls."""
    *finished, last = rounds
    messages = [part for said in finished for part in _exchange(said, answer(said))]
    own = _as_blocks(message["content"])
    earlier = sum(not is_ours(block) for said in finished for block in said.parts)
    blocks = _with_ours(last.parts, own[earlier:])
    messages.append({**message, "content": blocks})
    if not last.calls:
        return messages
    if not isinstance(following, Mapping) or following.get("role") != "user":
        return None  # calls without answers: the client goes another way than expected
    results = _results(last, answer(last))
    return [*messages, {**following, "content": [*results, *_as_blocks(following.get("content"))]}]


def _with_ours(parts: list[Json], visible: list[Any]) -> list[Any]:
    """A round's blocks: the client's own copies of them, ours in between; as the model wrote them if a block is missing."""
    if len(visible) != sum(not is_ours(part) for part in parts):
        return [part for part in parts if part.get("type") != "text" or part.get("text")]
    remaining = iter(visible)
    return [part if is_ours(part) else next(remaining) for part in parts]


def _as_blocks(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def _look(blocks: list[Any]) -> str:
    kinds = [block for block in blocks if isinstance(block, Mapping)]
    ids = [str(block.get("id") or "") for block in kinds if block.get("type") == "tool_use"]
    return look_of(ids, (str(block.get("text") or "") for block in kinds if block.get("type") == "text"))
