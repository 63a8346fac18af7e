"""The body that LiteLLM is about to send to a provider, in that provider's own shape: shorter texts put in place.

Synchronous calls show a callback nothing earlier that it may change. Providers differ in where a tool's output stands
(`tool_result` blocks, `functionResponse` parts, ...), not in its words, so the words are what is looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

CONVERSATIONS = ("messages", "contents", "input")
"""The keys under which providers take a conversation."""

_SACRED_ROLES = frozenset(("assistant", "model", "system", "developer", "CHATBOT", "SYSTEM"))
_SACRED_TYPES = frozenset(("function_call", "custom_tool_call", "tool_use", "reasoning"))

_SIGNED = ("AWS4", "Signature")


class Text(Protocol):
    """A text that came and what leaves in its place: a `BlockReport`."""

    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...


def can_change(arguments: Mapping[str, Any]) -> bool:
    """Whether what is changed in the body will be sent. `arguments` are the "additional_args" of `log_pre_api_call`.

    Not if it is text by then, and not if it is signed: clouds of AWS and Oracle sign the bytes of the body.
    """
    body = arguments.get("complete_input_dict")
    if not isinstance(body, dict) or not any(isinstance(body.get(key), (list, str)) for key in CONVERSATIONS):
        return False
    headers = arguments.get("headers")
    names_and_values = headers.items() if isinstance(headers, Mapping) else ()
    return not any(str(name).lower() == "authorization" and str(value).startswith(_SIGNED) for name, value in names_and_values)


def put_texts(body: dict[str, Any], texts: Iterable[Text]) -> int:
    """Put each changed text in the place of its original, in copies of what the body holds; how many were put.

    A text that came more than once and leaves in different forms is put by order, and left alone if the body does
    not hold it as often as the conversation did.
    """
    conversations = {key: body[key] for key in CONVERSATIONS if key in body}
    replacements = _Replacements(texts, Counter(_leaves(list(conversations.values()))))
    for key, value in conversations.items():
        body[key] = replacements.put(value)
    return replacements.count


class _Replacements:
    def __init__(self, texts: Iterable[Text], held: Mapping[str, int]) -> None:
        forms: dict[str, list[str]] = {}
        for text in texts:
            forms.setdefault(text.before, []).append(text.after)
        self._forms: dict[str, Iterator[str]] = {}
        self.count = 0
        for before, afters in forms.items():
            if len(set(afters)) == 1:
                afters = afters[:1] * held[before]
            if len(afters) == held[before]:
                self._forms[before] = iter(afters)

    def put(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            new_items = [self.put(item) for item in value]
            return new_items if any(new is not old for new, old in zip(new_items, value, strict=True)) else value
        if isinstance(value, dict) and not _is_sacred(value):
            new_values = {key: self.put(inner) for key, inner in value.items()}
            return new_values if any(new_values[key] is not value[key] for key in value) else value
        return value

    def _text(self, text: str) -> str:
        forms = self._forms.get(text)
        if forms is None:
            return text
        after = next(forms)
        self.count += after != text
        return after


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict) and not _is_sacred(value):
        for inner in value.values():
            yield from _leaves(inner)


def _is_sacred(value: dict[str, Any]) -> bool:
    """The assistant's words and calls, and instructions, are never changed, whatever they repeat."""
    return value.get("role") in _SACRED_ROLES or value.get("type") in _SACRED_TYPES
