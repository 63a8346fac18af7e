"""Texts as the caller's own redactor leaves them: before anything reads, stores or shortens them.

What could be stored is every tool output and every user text, so these are what it sees; and what leaves is what it
left, whether or not the text is then shortened. What it made of a text is remembered by a hash of the text, so that a
turn costs its new texts; what it took out is not kept.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence

from headroom.core.errors import ConfigError
from headroom.core.hooks import CompressionHooks
from headroom.core.messages import join, split
from headroom.core.types import Message, Path

MOST_REMEMBERED = 2_000
"""Texts for each redactor."""
MOST_CHARACTERS = 1_000_000
"""Of a redacted text that is remembered."""

WITHHELD = "[withheld: the redactor failed on this text]"

_Known = OrderedDict[bytes, "str | None"]
_remembered: weakref.WeakKeyDictionary[CompressionHooks, _Known] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def redacted(messages: list[Message], hooks: CompressionHooks) -> tuple[list[Message], frozenset[Path]]:
    """The messages with redacted texts, and where these are; other messages are the same objects. Raises what the hook raises."""
    if not redacts(hooks):
        return messages, frozenset()
    redact, known = hooks.redact, _known_by(hooks)
    out = list(messages)
    paths: set[Path] = set()
    for index, message in enumerate(messages):
        replacements = _replacements(index, message, redact, known)
        if replacements:
            out[index] = join(message, replacements)
            paths.update(path for path, _ in replacements)
    return out, frozenset(paths)


def redacts(hooks: CompressionHooks) -> bool:
    """Whether these hooks have a redactor at all."""
    return getattr(type(hooks), "redact", None) not in (None, CompressionHooks.redact)


class WithholdingHooks(CompressionHooks):
    """The caller's hooks for a program that must go on: where `redact` raises, that text alone is withheld, in plain sight.

    Without this the request would go out as it came, with all that `redact` has taken out of its other texts.
    """

    def __init__(self, hooks: CompressionHooks, failed: Callable[[Exception], None]) -> None:
        self._hooks = hooks
        self._failed = failed
        self.pre_compress = hooks.pre_compress  # type: ignore[method-assign]
        self.compute_biases = hooks.compute_biases  # type: ignore[method-assign]
        self.post_compress = hooks.post_compress  # type: ignore[method-assign]

    def redact(self, text: str) -> str:
        """What the caller's own makes of it, or WITHHELD."""
        try:
            return _checked(self._hooks.redact(text))
        except Exception as error:
            self._failed(error)
            return WITHHELD


def _replacements(index: int, message: Message, redact: Callable[[str], str], known: _Known) -> Sequence[tuple[Path, str]]:
    texts = ((block.path, _after(block.text, redact, known)) for block in split(index, message).blocks)
    return [(path, text) for path, text in texts if text is not None]


def _after(text: str, redact: Callable[[str], str], known: _Known) -> str | None:
    """What `redact` makes of a text; None if it leaves it as it is."""
    key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    with _lock:
        if key in known:
            known.move_to_end(key)
            return known[key]
    after = _checked(redact(text))
    changed = None if after == text else after
    if changed is None or len(changed) <= MOST_CHARACTERS:
        with _lock:
            known[key] = changed
            if len(known) > MOST_REMEMBERED:
                known.popitem(last=False)
    return changed


def _checked(after: object) -> str:
    if isinstance(after, str):
        return after
    raise ConfigError(f"redact must return a str, not {type(after).__name__}")


def _known_by(hooks: CompressionHooks) -> _Known:
    try:
        with _lock:
            return _remembered.setdefault(hooks, OrderedDict())
    except TypeError:  # neither hashable nor weakly referable: asked anew each time
        return OrderedDict()
