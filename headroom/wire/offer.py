"""Whether a request is offered `headroom_retrieve`, and whether it may be digested: decided by the request alone.

A tool list that changes within a conversation loses the provider's cache from its first byte, so the tool is there
from the first request on, needed or not. Where the model could not call it, texts are only folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headroom.tools.definitions import RETRIEVE_TOOL, definition, is_retrieve_tool


@dataclass(frozen=True, slots=True)
class Offer:
    """What a request allows. `tools` and `tool_choice`: in place of its own, None: its own stay."""

    ours: bool
    """The tool is in the list because of us: its calls are ours to answer and never reach the client."""
    lossless: bool
    """Fold only: the model could not get back what a digest leaves out."""
    tools: list[Any] | None = None
    tool_choice: Any = None

    def applied(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """`body` with our tool in it; the same object if nothing is offered."""
        if self.tools is None:
            return body
        changed = {**body, "tools": self.tools}
        if self.tool_choice is not None:
            changed["tool_choice"] = self.tool_choice
        return changed


_FOLD_ONLY = Offer(ours=False, lossless=True)


def offer(body: Mapping[str, Any], dialect: str, *, retrieval: bool = True, known_thread: bool = False) -> Offer:
    """What is offered to a request. With `retrieval` off, only a tool that the client brings itself allows digests.

    `known_thread`: the request goes on with a conversation that the provider keeps and that was begun with our tool.
    """
    tools = body.get("tools")
    own = tools if isinstance(tools, list) else []
    choice = body.get("tool_choice")
    if any(is_retrieve_tool(_name_of(tool)) for tool in own):
        return Offer(ours=False, lossless=_is_out_of_reach(choice) or _keeps_state_elsewhere(body))
    if not retrieval or not _can_be_answered(body, dialect):
        return _FOLD_ONLY
    if _goes_on_with_a_thread(body):  # its tools are with the provider, ours among them if the thread was begun here
        return Offer(ours=True, lossless=not known_thread or _is_out_of_reach(choice))
    if not own and choice not in (None, "auto", {"type": "auto"}):
        return _FOLD_ONLY  # a choice without tools: ours would change what it means
    allowed = _with_ours_allowed(choice)
    lossless = _is_out_of_reach(choice) and allowed is None
    return Offer(ours=True, lossless=lossless, tools=[*own, definition(dialect)], tool_choice=allowed)


def _can_be_answered(body: Mapping[str, Any], dialect: str) -> bool:
    """Whether the answer to this request comes back through us, once, in a form that can be answered in turn."""
    if body.get("tools") is not None and not isinstance(body["tools"], list):
        return False
    if dialect == "openai":
        return body.get("n") in (None, 1) and "functions" not in body  # several answers, or the tools of old
    return not body.get("background")  # the client fetches that answer by itself, later


def _is_out_of_reach(choice: Any) -> bool:
    """Whether `tool_choice` keeps the model from calling our tool: none, or another one by name."""
    if not isinstance(choice, Mapping):
        return bool(choice == "none")
    return choice.get("type") not in ("auto", "any", "required") and not is_retrieve_tool(_name_of(choice))


def _with_ours_allowed(choice: Any) -> Any:
    """A `tool_choice` that lists the allowed tools, with ours among them; None for any other."""
    if not isinstance(choice, Mapping) or choice.get("type") != "allowed_tools":
        return None
    inner = choice.get("allowed_tools")
    if isinstance(inner, Mapping) and isinstance(inner.get("tools"), list):
        ours = {"type": "function", "function": {"name": RETRIEVE_TOOL}}
        return {**choice, "allowed_tools": {**inner, "tools": [*inner["tools"], ours]}}
    if isinstance(choice.get("tools"), list):
        return {**choice, "tools": [*choice["tools"], {"type": "function", "name": RETRIEVE_TOOL}]}
    return None


def _keeps_state_elsewhere(body: Mapping[str, Any]) -> bool:
    """Whether calls lie with the provider: then an output does not tell that it answers the client's own retrieval."""
    return bool(body.get("previous_response_id") or body.get("conversation"))


def _goes_on_with_a_thread(body: Mapping[str, Any]) -> bool:
    thread = body.get("thread")
    return isinstance(thread, Mapping) and thread.get("type") == "continue" and "tools" not in body


def _name_of(tool: object) -> str:
    if not isinstance(tool, Mapping):
        return ""
    function = tool.get("function")
    name = function.get("name") if isinstance(function, Mapping) else tool.get("name")
    return name if isinstance(name, str) else ""
