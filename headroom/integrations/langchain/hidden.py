"""What a reply keeps for later requests: the calls of headroom_retrieve that the application never saw, and their answers.

They travel in the reply's own `response_metadata["headroom"]`, as JSON, and are put back where the model made them when
the reply comes back: the model keeps what it was told, and nothing is kept in the process. Where a framework drops
`response_metadata`, the conversation is as it would be without those calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from headroom.tools.definitions import is_retrieve_tool

KEY = "headroom"
"""Where it stands in `response_metadata`."""
_CALL_BLOCKS = ("tool_use", "tool_call", "function_call", "tool_call_chunk")
Json = dict[str, Any]


def calls_of(message: AIMessage) -> tuple[list[Json], bool]:
    """The calls of headroom_retrieve in a reply, as {"id", "name", "args"}, and whether there are other calls beside them."""
    every: list[Json] = [*message.tool_calls, *message.invalid_tool_calls]  # type: ignore[list-item]  # typed dicts
    ours = [call for call in every if is_retrieve_tool(call.get("name") or "")]
    return ours, len(ours) < len(every)


def is_call_block(block: Any) -> bool:
    """Whether a block of a message's content is a part of a call."""
    return isinstance(block, dict) and block.get("type") in _CALL_BLOCKS


def is_our_block(block: Any) -> bool:
    """Whether a block of a message's content is a call of headroom_retrieve."""
    return is_call_block(block) and is_retrieve_tool(str(block.get("name") or ""))


def round_of(message: AIMessage, answers: Sequence[Json]) -> Json:
    """A reply that asked for originals and nothing else, with the answers ({"id", "text"}): JSON, to be put back whole."""
    kept = {name: getattr(message, name) for name in ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs", "id", "name")}
    plain = {key: value for key, value in message.response_metadata.items() if isinstance(value, (str, int)) and key != KEY}
    round_: Json = _json({"message": {**kept, "response_metadata": plain}, "answers": list(answers)})
    return round_


def messages_of(round_: Json) -> list[BaseMessage]:
    """The messages of a round: the reply and the answers, the same each time."""
    return [AIMessage(**round_["message"]), *answers_of(round_["answers"])]


def answers_of(answers: Iterable[Json]) -> list[BaseMessage]:
    """The answers as tool messages."""
    return [ToolMessage(answer["text"], tool_call_id=answer["id"], name=answer["name"]) for answer in answers]


def without_calls(message: AIMessage) -> tuple[AIMessage, Json]:
    """A copy of the reply without our calls, and the calls with their places: JSON."""
    raw = message.additional_kwargs.get("tool_calls")
    fields: dict[str, Any] = {"tool_calls": message.tool_calls, "invalid_tool_calls": message.invalid_tool_calls}
    if isinstance(message.content, list):
        fields["content"] = message.content
    if isinstance(raw, list):
        fields["raw"] = raw
    removed: Json = {}
    for name, items in fields.items():
        ours = [position for position, item in enumerate(items) if _is_ours(item, name)]
        if ours:
            removed[name] = [[position, items[position]] for position in ours]
            fields[name] = [item for position, item in enumerate(items) if position not in ours]
    return _with_fields(message, fields), _json(removed)


def with_calls(message: AIMessage, removed: Json) -> AIMessage:
    """The reply with our calls back in their places; what the application has changed since stays changed."""
    fields: dict[str, Any] = {}
    for name, items in removed.items():
        there = message.additional_kwargs.get("tool_calls", []) if name == "raw" else getattr(message, name)
        if isinstance(there, list):
            fields[name] = _inserted(there, items)
    return _with_fields(message, fields)


def put_back(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The conversation as the model knows it. Messages that hide nothing are the same objects."""
    out: list[BaseMessage] = []
    for message in messages:
        hidden = message.response_metadata.get(KEY) if isinstance(message, AIMessage) else None
        if isinstance(message, AIMessage) and isinstance(hidden, dict) and ("rounds" in hidden or "beside" in hidden):
            out += _as_it_was(message, hidden)
        else:
            out.append(message)
    return out


def _as_it_was(message: AIMessage, hidden: Json) -> list[BaseMessage]:
    metadata = {key: value for key, value in message.response_metadata.items() if key != KEY}
    own = hidden.get("own") or {}
    if own.get("response_id"):
        metadata["id"] = own["response_id"]
    content = _without_earlier(message.content, hidden)
    update = {"content": content, "response_metadata": metadata, **({"id": own["id"]} if own.get("id") else {})}
    beside = hidden.get("beside") or {}
    whole = with_calls(message.model_copy(update=update), beside.get("calls") or {})
    rounds = [told for round_ in hidden.get("rounds") or () for told in messages_of(round_)]
    return [*rounds, whole, *answers_of(beside.get("answers") or ())]


def _without_earlier(content: Any, hidden: Json) -> Any:
    """The content without what earlier rounds said, which stands in those; unless the application has changed it."""
    earlier = hidden.get("earlier") or {}
    rest, blocks = earlier.get("text") or "", earlier.get("blocks") or 0
    if isinstance(content, str):
        return content.removeprefix(rest)
    told = {block.get("id") for round_ in hidden.get("rounds") or () for block in _blocks(round_["message"]["content"])} - {None}
    for position, block in enumerate(content):
        words = text_of(block)
        if words and words == rest[: len(words)]:
            rest = rest[len(words) :]
        elif words and rest and words.startswith(rest):  # LangChain joins texts of one index
            return [{**block, "text": words[len(rest) :]}, *content[position + 1 :]]
        elif not rest and (position >= blocks or words) and _blocks([block])[0].get("id") not in told:
            return content[position:]
        elif words:
            return content
    return content if rest else []


def _blocks(content: Any) -> list[Json]:
    """The blocks of a content; an empty one for whatever is none."""
    return [block if isinstance(block, dict) else {} for block in content] if isinstance(content, list) else []


def text_of(block: Any) -> str:
    """The words in a block of content."""
    if isinstance(block, str):
        return block
    text = block.get("text") if isinstance(block, dict) and block.get("type") == "text" else None
    return text if isinstance(text, str) else ""


def _is_ours(item: Any, field: str) -> bool:
    if field == "content":
        return is_our_block(item)
    body = item.get("function") or item if isinstance(item, dict) else {}
    return is_retrieve_tool(str(body.get("name") or ""))


def _with_fields(message: AIMessage, fields: dict[str, Any]) -> AIMessage:
    update = {name: value for name, value in fields.items() if name != "raw"}
    if "raw" in fields:
        others = {key: value for key, value in message.additional_kwargs.items() if key != "tool_calls"}
        update["additional_kwargs"] = {**others, "tool_calls": fields["raw"]} if fields["raw"] else others
    return message.model_copy(update=update)


def _inserted(items: list[Any], ours: list[Any]) -> list[Any]:
    out = list(items)
    for position, item in ours:
        out.insert(position, item)
    return out


def _json(value: Any) -> Any:
    """As it will be when a checkpoint or a cache gives it back: what is sent must be the same before and after."""
    return json.loads(json.dumps(value, default=str))
