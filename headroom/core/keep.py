"""Originals first: nothing shorter is sent before its original is stored, and no marker whose original is gone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from headroom.core.conversation import Conversation
from headroom.core.store.base import CompressionStore


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of storing a conversation's originals."""

    failure: str = ""
    """Why the originals must be sent instead; "" if all of them are stored."""
    held: list[str] = field(default_factory=list)
    """References in markers that came with the messages and that this store knows."""
    renamed: dict[str, str] = field(default_factory=dict)
    """References that another text had taken already, and the longer ones given in their place."""


def keep(conversation: Conversation, namespace: str, store: CompressionStore | Callable[[], CompressionStore]) -> Kept:
    """See to it that every reference of `conversation` resolves: store what is new, and again what is gone.

    One look and at most one write, whatever the length of the conversation. Any trouble, of whatever class a store
    of the caller's own may raise, is reported and not raised.
    """
    originals, arrived = conversation.originals, conversation.arrived
    if not originals and not arrived:
        return Kept()
    try:
        opened = store() if callable(store) else store
        known = [reference for reference in originals if reference not in conversation.unsaved]
        gone = opened.missing([*known, *arrived], namespace) if known or arrived else set()
        elsewhere = conversation.saved_in() is not opened  # in another store the same reference may be another text's
        wanted = [reference for reference in originals if elsewhere or reference in conversation.unsaved or reference in gone]
        given = opened.put_many([originals[reference] for reference in wanted], namespace) if wanted else []
    except Exception as broken:  # a store is somebody's code and somebody's disk: its trouble costs a saving only
        return Kept(failure=f"{type(broken).__name__}: {broken}")
    conversation.unsaved.clear()
    conversation.saved_in = _weakly(opened)
    renamed = {old: new for old, new in zip(wanted, given, strict=True) if old != new}
    return Kept(held=[reference for reference in arrived if reference not in gone], renamed=renamed)


def _weakly(store: CompressionStore) -> Callable[[], CompressionStore | None]:
    try:
        return weakref.ref(store)
    except TypeError:  # a class with __slots__: taken for another one each time
        return lambda: None
