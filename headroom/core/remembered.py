"""Conversations seen lately, so that a turn costs its new messages and not the whole conversation.

Purely a shortcut: what is remembered is found by content, and equals what would be computed afresh. A conversation
is taken out while a call works on it, so no two threads ever share one. Bounded in number and in characters.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from headroom.core.conversation import Conversation, says_the_same
from headroom.core.types import Message

MOST_CONVERSATIONS = 256
MOST_CHARACTERS = 64_000_000


@dataclass(frozen=True, slots=True)
class Match:
    """A remembered conversation and how many of its messages begin the one at hand."""

    conversation: Conversation
    length: int


class RememberedConversations:
    """Keyed by `settings`: whatever else the results depend on (configuration, namespace, encoding)."""

    def __init__(self, most: int = MOST_CONVERSATIONS, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._most_characters = most_characters
        self._entries: list[tuple[object, Conversation]] = []
        self._lock = threading.Lock()

    def take(self, settings: object, messages: Sequence[Message], biases: dict[int, float]) -> Match | None:
        """The one that shares the longest beginning with `messages`; taken out if `messages` only goes on from it."""
        if not messages:
            return None
        first = messages[0]
        with self._lock:
            best: Match | None = None
            for position in range(len(self._entries) - 1, -1, -1):
                known, conversation = self._entries[position]
                if known != settings or conversation.messages[0] != first:
                    continue
                length = _shared(conversation, messages, biases)
                if length and (best is None or length > best.length):
                    best = Match(conversation, length)
                    if length == len(conversation):
                        found = position
            if best is not None and best.length == len(best.conversation):
                del self._entries[found]
            return best

    def give(self, settings: object, conversation: Conversation) -> None:
        """Remember it for the next turn; the oldest are forgotten."""
        if not conversation.messages or conversation.characters > self._most_characters:
            return
        with self._lock:
            self._entries.append((settings, conversation))
            total = sum(entry.characters for _, entry in self._entries)
            while len(self._entries) > self._most or total > self._most_characters:
                total -= self._entries.pop(0)[1].characters

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


def _shared(conversation: Conversation, messages: Sequence[Message], biases: dict[int, float]) -> int:
    """How many leading messages, biases included, are equal and say the same."""
    length = _equal(conversation, messages, biases)
    for index in conversation.delicate:
        if index >= length:
            break
        if not says_the_same(conversation.messages[index], messages[index]):
            return index
    return length


def _equal(conversation: Conversation, messages: Sequence[Message], biases: dict[int, float]) -> int:
    known = conversation.messages
    most = min(len(known), len(messages))
    if not biases and not conversation.biased and known[most - 1] == messages[most - 1] and known[:most] == messages[:most]:
        return most  # the ordinary case, compared at the speed of C
    for index in range(most):
        if known[index] != messages[index] or conversation.biases[index] != biases.get(index, 1.0):
            return index
    return most
