"""How OpenAI chat, OpenAI Responses and Anthropic write one reply: whole, and as a stream of events."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.scripted_model import Call, Reply, Request

Json = dict[str, Any]


class OpenAIChat:
    def __init__(self, request: Request, reply: Reply) -> None:
        self.request, self.reply = request, reply
        self.base: Json = {"id": f"chatcmpl-{request.number}", "created": 1_700_000_000, "model": request.body.get("model", "scripted")}
        tokens_in, tokens_out = _usage(request, reply)
        self.usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        self.stop = "tool_calls" if reply.calls else "stop"
        self.calls = [
            {"id": id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}
            for id, call in _with_ids(request, reply, "call")
        ]

    def whole(self) -> Json:
        message: Json = {"role": "assistant", "content": self.reply.text or None, "refusal": None}
        if self.calls:
            message["tool_calls"] = self.calls
        choice = {"index": 0, "message": message, "finish_reason": self.stop, "logprobs": None}
        return {**self.base, "object": "chat.completion", "choices": [choice], "usage": self.usage}

    def events(self) -> Iterator[tuple[str, Json]]:
        yield self._chunk({"role": "assistant", "content": "" if self.reply.text else None})
        for piece in _pieces(self.reply.text):
            yield self._chunk({"content": piece})
        for index, call in enumerate(self.calls):
            function = call["function"]
            assert isinstance(function, dict)
            yield self._chunk({"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]})
            for piece in _pieces(function["arguments"]):
                yield self._chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield self._chunk({}, self.stop)
        if (self.request.body.get("stream_options") or {}).get("include_usage"):
            yield "", {**self.base, "object": "chat.completion.chunk", "choices": [], "usage": self.usage}

    def _chunk(self, delta: Json, stop: str | None = None) -> tuple[str, Json]:
        return "", {**self.base, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": stop}]}


class Anthropic:
    def __init__(self, request: Request, reply: Reply) -> None:
        self.blocks: list[Json] = []
        if reply.thinking:
            self.blocks.append({"type": "thinking", "thinking": reply.thinking, "signature": "c2lnbmF0dXJl"})
        if reply.text:
            self.blocks.append({"type": "text", "text": reply.text})
        for id, call in _with_ids(request, reply, "toolu"):
            self.blocks.append({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments})
        self.stop = "tool_use" if reply.calls else "end_turn"
        self.tokens_in, self.tokens_out = _usage(request, reply)
        model = request.body.get("model", "scripted")
        self.base: Json = {"id": f"msg_{request.number}", "type": "message", "role": "assistant", "model": model, "stop_sequence": None}

    def whole(self) -> Json:
        usage = {"input_tokens": self.tokens_in, "output_tokens": self.tokens_out}
        return {**self.base, "content": self.blocks, "stop_reason": self.stop, "usage": usage}

    def events(self) -> Iterator[tuple[str, Json]]:
        usage = {"input_tokens": self.tokens_in, "output_tokens": 1}
        yield _typed("message_start", message={**self.base, "content": [], "stop_reason": None, "usage": usage})
        yield _typed("ping")
        for index, block in enumerate(self.blocks):
            start, deltas = _ANTHROPIC_DELTAS[block["type"]](block)
            yield _typed("content_block_start", index=index, content_block=start)
            for delta in deltas:
                yield _typed("content_block_delta", index=index, delta=delta)
            yield _typed("content_block_stop", index=index)
        yield _typed("message_delta", delta={"stop_reason": self.stop, "stop_sequence": None}, usage={"output_tokens": self.tokens_out})
        yield _typed("message_stop")


_ANTHROPIC_DELTAS: dict[str, Callable[[Json], tuple[Json, list[Json]]]] = {
    "text": lambda block: ({"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]),
    "thinking": lambda block: (
        {"type": "thinking", "thinking": "", "signature": ""},
        [
            *({"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])),
            {"type": "signature_delta", "signature": block["signature"]},
        ],
    ),
    "tool_use": lambda block: (
        {**block, "input": {}},
        [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(json.dumps(block["input"]))],
    ),
}


class Responses:
    def __init__(self, request: Request, reply: Reply) -> None:
        number = request.number
        self.items: list[Json] = []
        if reply.thinking:
            summary = [{"type": "summary_text", "text": reply.thinking}]
            self.items.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary, "encrypted_content": None})
        if reply.text:
            part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
            self.items.append({"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [part]})
        for id, call in _with_ids(request, reply, "call"):
            item = {"type": "function_call", "id": f"fc_{id}", "call_id": id, "name": call.name, "status": "completed"}
            self.items.append({**item, "arguments": json.dumps(call.arguments)})
        tokens_in, tokens_out = _usage(request, reply)
        self.response: Json = {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 1_700_000_000,
            "model": request.body.get("model", "scripted"),
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "instructions": request.body.get("instructions"),
            "metadata": {},
            "output": self.items,
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "top_p": 1.0,
            "text": request.body.get("text") or {"format": {"type": "text"}},
            "tool_choice": request.body.get("tool_choice", "auto"),
            "tools": request.body.get("tools") or [],
            "usage": {
                "input_tokens": tokens_in,
                "output_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }

    def whole(self) -> Json:
        return self.response

    def events(self) -> Iterator[tuple[str, Json]]:
        for number, (name, data) in enumerate(self._events()):
            yield name, {**data, "sequence_number": number}

    def _events(self) -> Iterator[tuple[str, Json]]:
        begun = {**self.response, "output": [], "status": "in_progress", "usage": None}
        yield _typed("response.created", response=begun)
        yield _typed("response.in_progress", response=begun)
        for index, item in enumerate(self.items):
            where = {"output_index": index, "item_id": item["id"]}
            if item["type"] == "message":
                part = item["content"][0]
                inner = {**where, "content_index": 0}
                yield _typed("response.output_item.added", output_index=index, item={**item, "content": [], "status": "in_progress"})
                yield _typed("response.content_part.added", **inner, part={**part, "text": ""})
                for piece in _pieces(part["text"]):
                    yield _typed("response.output_text.delta", **inner, delta=piece, logprobs=[])
                yield _typed("response.output_text.done", **inner, text=part["text"], logprobs=[])
                yield _typed("response.content_part.done", **inner, part=part)
            elif item["type"] == "function_call":
                yield _typed("response.output_item.added", output_index=index, item={**item, "arguments": "", "status": "in_progress"})
                for piece in _pieces(item["arguments"]):
                    yield _typed("response.function_call_arguments.delta", **where, delta=piece)
                yield _typed("response.function_call_arguments.done", **where, name=item["name"], arguments=item["arguments"])
            else:
                yield _typed("response.output_item.added", output_index=index, item={**item, "summary": []})
                text = item["summary"][0]["text"]
                inner = {**where, "summary_index": 0}
                yield _typed("response.reasoning_summary_part.added", **inner, part={"type": "summary_text", "text": ""})
                for piece in _pieces(text):
                    yield _typed("response.reasoning_summary_text.delta", **inner, delta=piece)
                yield _typed("response.reasoning_summary_text.done", **inner, text=text)
                yield _typed("response.reasoning_summary_part.done", **inner, part=item["summary"][0])
            yield _typed("response.output_item.done", output_index=index, item=item)
        yield _typed("response.completed", response=self.response)


DIALECTS: dict[str, Callable[[Request, Reply], Any]] = {"openai": OpenAIChat, "anthropic": Anthropic, "responses": Responses}


def _typed(name: str, /, **data: Any) -> tuple[str, Json]:
    return name, {"type": name, **data}


def _with_ids(request: Request, reply: Reply, prefix: str) -> list[tuple[str, Call]]:
    return [(call.id or f"{prefix}_{request.number}_{index}", call) for index, call in enumerate(reply.calls)]


def _pieces(text: str) -> list[str]:
    """A text as a model streams it: a few characters at a time."""
    return re.findall(r".{1,7}", text, re.DOTALL)


def _usage(request: Request, reply: Reply) -> tuple[int, int]:
    return reply.usage or (input_tokens(request), 5)


def input_tokens(request: Request) -> int:
    return max(1, len(request.raw) // 4)
