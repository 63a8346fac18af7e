"""A scripted model that keeps conversations for its clients, as Anthropic's threads do: a request sends only what is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.scripted_dialects import Anthropic
from tests.scripted_model import Reply, Request

Json = dict[str, Any]


class Threads:
    """A script for ScriptedModel; `script` is asked with the whole conversation, as if the client had sent it."""

    def __init__(self, script: Callable[[Request], Reply | str]) -> None:
        self._script = script
        self._kept: dict[str, tuple[list[Json], Any]] = {}
        self.whole: list[Request] = []
        """The requests so far, each with its whole conversation."""

    def __call__(self, request: Request) -> Reply:
        thread, messages, tools = request.body.get("thread"), request.body["messages"], request.body.get("tools")
        if thread and thread["type"] == "continue":
            assert "tools" not in request.body and "system" not in request.body, "a thread keeps the ones that it began with"
            before, tools = self._kept[thread["previous_message_id"]]
            messages = [*before, *messages]
        missing = _unanswered(messages)
        if missing:
            words = f"messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}."
            return Reply(status=400, error=words)
        whole = replace(request, body={**request.body, "messages": messages, "tools": tools})
        self.whole.append(whole)
        said = self._script(whole)
        reply = Reply(said) if isinstance(said, str) else said
        if thread:
            self._kept[f"msg_{request.number}"] = ([*messages, {"role": "assistant", "content": Anthropic(request, reply).blocks}], tools)
        return reply


def _unanswered(messages: list[Json]) -> list[str]:
    """Ids of calls whose results do not follow at once: what Anthropic refuses."""
    missing = []
    for message, following in zip(messages, [*messages[1:], {}], strict=True):
        content = message.get("content")
        if message["role"] == "assistant" and isinstance(content, list):
            after = following.get("content")
            given = {block.get("tool_use_id") for block in after} if isinstance(after, list) else set()
            missing += [block["id"] for block in content if block["type"] == "tool_use" and block["id"] not in given]
    return missing
