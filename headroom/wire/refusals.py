"""When a provider refuses a request for what we made of it: what it said, and the request that it may take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from headroom.wire.hidden import Json, Round

NOT_SHOWN = "This did not fit into the conversation. Ask for less of it: with query, or with lines."
FORGOTTEN = "The answer is no longer at hand. Ask again if you still need it."
_NO_OUTPUT = re.compile(r"No tool output found for function call (call_[\w-]+|[\w-]+)")
_NO_FOLLOWER = re.compile(r"Item '(\w+)' of type 'reasoning' was provided without its required following item")
_NO_RESULT = re.compile(r"without `tool_result` blocks immediately after: ([\w-]+(?:, [\w-]+)*)")
_REFUSES = r"(?:support|enable|unrecogni[sz]ed|unknown|unexpected|permitted|not allowed)"
_TOOLS = r"(?:\btools?\b|\bfunction.?call|tool.?(?:choice|calling))"
_NO_TOOLS = re.compile(f"{_REFUSES}.{{0,60}}{_TOOLS}|{_TOOLS}.{{0,60}}{_REFUSES}", re.IGNORECASE)
"""There are many servers, and each says it in its own words."""


def mended(sent: Mapping[str, Any], client_body: Mapping[str, Any], dialect: str, answer: Any) -> tuple[str, Json | None]:
    """What is wrong, by a name for each case, and the body that puts it right; ("", None) if it is nothing of ours.

    "tools": the model takes none, and the client brought none: the caller makes the body. "output ..." and "item ...":
    hidden rounds that only the provider still knows of, after a restart of ours.
    """
    words = _words_of(answer)
    if dialect == "responses":
        missing = _NO_OUTPUT.search(words)
        if missing:
            output = {"type": "function_call_output", "call_id": missing[1], "output": FORGOTTEN}
            return f"output {missing[1]}", {**sent, "input": [output, *_items(sent)]}
        orphan = _NO_FOLLOWER.search(words)
        if orphan:
            return f"item {orphan[1]}", {**sent, "input": [item for item in _items(sent) if item.get("id") != orphan[1]]}
    lost = _NO_RESULT.search(words) if client_body.get("thread") else None
    messages = None if lost is None else _with_results(sent["messages"], lost[1].split(", "))
    if lost is not None and messages is not None:
        return f"results {lost[1]}", {**sent, "messages": messages}
    if not client_body.get("tools") and _NO_TOOLS.search(words):
        return "tools", dict(client_body)
    return "", None


def _with_results(messages: list[Any], call_ids: list[str]) -> list[Any] | None:
    """Results for calls of ours before the client's own; None if it gives none, for then the mistake is its own."""
    content = messages[0].get("content") if messages else None
    blocks = content if isinstance(content, list) else []
    known = {block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"}
    results = [{"type": "tool_result", "tool_use_id": call_id, "content": FORGOTTEN} for call_id in call_ids if call_id not in known]
    return [{**messages[0], "content": [*results, *blocks]}, *messages[1:]] if known and results else None


def without_answers(body: Mapping[str, Any], said: Round) -> Json:
    """`body` with a word in place of each of the newest answers: one of them was probably too long."""
    said.answers = {call.id: NOT_SHOWN for call in said.calls}
    key = "input" if "input" in body else "messages"
    return {**body, key: [_with_short_answers(message, said.answers) for message in body[key]]}


def _with_short_answers(message: Any, answers: Mapping[str, str]) -> Any:
    if not isinstance(message, Mapping):
        return message
    if message.get("type") == "function_call_output" and message.get("call_id") in answers:
        return {**message, "output": answers[message["call_id"]]}
    if message.get("role") == "tool" and message.get("tool_call_id") in answers:
        return {**message, "content": answers[message["tool_call_id"]]}
    content = message.get("content")
    if message.get("role") == "user" and isinstance(content, list):
        return {**message, "content": [_with_short_answer(block, answers) for block in content]}
    return message


def _with_short_answer(block: Any, answers: Mapping[str, str]) -> Any:
    if isinstance(block, Mapping) and block.get("type") == "tool_result" and block.get("tool_use_id") in answers:
        return {**block, "content": answers[block["tool_use_id"]]}
    return block


def _items(body: Mapping[str, Any]) -> list[Any]:
    value = body.get("input")
    return [{"role": "user", "content": value}] if isinstance(value, str) else list(value or [])


def _words_of(answer: Any) -> str:
    if isinstance(answer, bytes):
        return answer.decode("utf-8", "replace")
    return answer if isinstance(answer, str) else json.dumps(answer, default=str, ensure_ascii=False)
