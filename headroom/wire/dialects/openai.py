"""OpenAI chat completions: calls are `tool_calls` of the assistant's message, answers messages of the role "tool"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headroom.tools.definitions import RETRIEVE_TOOL
from headroom.wire.dialects.base import Answer, given
from headroom.wire.hidden import Before, HiddenTurns, Json, OurCall, Round, look_of
from headroom.wire.usage import added

CUT_OFF = ("length", "content_filter")
BETWEEN_TEXTS = "\n\n"
"""Two rounds' words are two paragraphs of the client's one text."""


class OpenAIChat:
    """See `Dialect`. A round has one part: its message."""

    def read(self, response: Mapping[str, Any]) -> Round:
        choice = response["choices"][0]
        return self.said(choice["message"], choice.get("finish_reason"), response.get("usage") or {})

    def said(self, message: Json, finish_reason: Any, usage: Json) -> Round:
        """A round from its message."""
        made = message.get("tool_calls") or []
        calls = [OurCall(call["id"], call["function"].get("arguments")) for call in made if is_ours(call)]
        others = len(calls) < len(made) or bool(message.get("function_call"))
        return Round([message], calls, others, finish_reason not in CUT_OFF, usage)

    def visible(self, response: Mapping[str, Any], rounds: list[Round], offered: bool) -> Json:
        usage: Json = {}
        for said in rounds:
            usage = added(usage, said.usage)
        choice = response["choices"][0]
        message = _joined([said.parts[0] for said in rounds])
        finish = finish_reason(choice.get("finish_reason"), rounds[-1])
        choices = [{**choice, "message": message, "finish_reason": finish}, *response["choices"][1:]]
        return {**response, "choices": choices, **({"usage": usage} if usage else {})}

    def follow_up(self, body: Mapping[str, Any], said: Round, answers: Mapping[str, str]) -> Json:
        return {**body, "messages": [*body["messages"], *_exchange(said, answers)]}

    def remember(self, messages: list[Any], rounds: list[Round], turns: HiddenTurns) -> None:
        look = _look(_joined([said.parts[0] for said in rounds]))
        if look:
            turns.keep(look, Before(messages).upto(len(messages)), rounds)

    def restored(self, body: Mapping[str, Any], sent: list[Any], turns: HiddenTurns, answer: Answer) -> list[Any]:
        messages = body["messages"]
        before, out, done = Before(messages), [], 0
        for index, message in enumerate(messages):
            look = _look(message) if isinstance(message, Mapping) and message.get("role") == "assistant" else ""
            turn = turns.find(look, before.upto(index)) if look and turns.may_know(look) else None
            if turn is not None:
                out += [*sent[done:index], *_put_back(turn.rounds, sent[index], answer)]
                done = index + 1
        return [*out, *sent[done:]] if done else sent


def is_ours(call: object) -> bool:
    """Whether a tool call is one of our tool."""
    function = call.get("function") if isinstance(call, Mapping) else None
    return isinstance(function, Mapping) and function.get("name") == RETRIEVE_TOOL


def finish_reason(reason: Any, said: Round) -> Any:
    """Why the client's message ends: not for tools, if the only calls were ours."""
    return "stop" if reason == "tool_calls" and said.calls and not said.others else reason


def _joined(messages: list[Json]) -> Json:
    """One message that says what all of them say, without our calls."""
    joined = dict(messages[-1])
    if len(messages) > 1:
        if not isinstance(joined.get("content"), list):  # some write parts; those of the last round stand
            joined["content"] = joined_text(message.get("content") for message in messages)
        for key in ("reasoning_content", "reasoning"):
            thoughts = joined_text(message.get(key) for message in messages)
            if thoughts is not None:
                joined[key] = thoughts
    if joined.get("tool_calls"):
        joined["tool_calls"] = [call for call in joined["tool_calls"] if not is_ours(call)]
        if not joined["tool_calls"]:
            del joined["tool_calls"]
    return joined


def joined_text(texts: Iterable[Any]) -> str | None:
    """The texts that say something, as paragraphs; None if none does."""
    said = [text for text in texts if isinstance(text, str) and text]
    return BETWEEN_TEXTS.join(said) if said else None


def _exchange(said: Round, answers: Mapping[str, str]) -> list[Json]:
    message = given(said.parts[0], "refusal", "annotations", "audio", "function_call", "reasoning_content", "reasoning")
    return [{"role": "assistant", **message}, *_results(said, answers)]


def _results(said: Round, answers: Mapping[str, str]) -> list[Json]:
    return [{"role": "tool", "tool_call_id": call.id, "content": answers[call.id]} for call in said.calls]


def _put_back(rounds: list[Round], message: Json, answer: Answer) -> list[Json]:
    *finished, last = rounds
    messages = [part for said in finished for part in _exchange(said, answer(said))]
    own = dict(message)
    if any(said.parts[0].get("content") for said in finished):  # the client has all words in one
        own["content"] = _in_the_shape_of(message.get("content"), last.parts[0].get("content"))
    if last.calls:
        visible = iter(message.get("tool_calls") or [])
        own["tool_calls"] = [call if is_ours(call) else next(visible, call) for call in last.parts[0]["tool_calls"]]
    return [*messages, own, *(_results(last, answer(last)) if last.calls else ())]


def _in_the_shape_of(content: Any, text: Any) -> Any:
    """`text` as the client writes texts: with its cache mark, if it sent one block."""
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], Mapping) and text:
        return [{**content[0], "text": text}]
    return text


def _look(message: Mapping[str, Any]) -> str:
    calls = message.get("tool_calls")
    ids = [str(call.get("id") or "") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"text": content}]
    return look_of(ids, (str(part.get("text") or "") for part in parts if isinstance(part, Mapping)))
