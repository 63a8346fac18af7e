"""What must hold for one conversation whatever is in it. Says what does not."""

from __future__ import annotations

import copy
import random
from typing import Any

from headroom import CompressConfig, FormatError, MemoryStore, compress
from headroom.core import marker, pipeline
from headroom.core.tokens import count
from headroom.tools.retrieve import call
from tests.conversations import texts_at

NO_ANSWERS = ("No original is stored", "The original could not be read")


def violations(messages: list[Any], dice: random.Random) -> list[str]:
    """The promises that compress() breaks on `messages`, in words. FormatError is an answer; anything else propagates."""
    config = CompressConfig.preset(dice.choice(("gentle", "balanced", "firm")))
    before, store = copy.deepcopy(messages), MemoryStore()
    try:
        result = fresh(messages, store, config)
    except FormatError:
        return []
    found = [] if messages == before else ["the caller's messages were changed"]
    old: dict[Any, str] = {}
    new: dict[Any, str] = {}
    texts_at(messages, old.__setitem__)
    texts_at(result.messages, new.__setitem__)
    if list(old) != list(new):
        return [*found, "another shape"]
    changed = {report.path for report in result.blocks if report.changed}
    if {path for path in old if old[path] != new[path]} != changed:
        found.append("a text changed without a report")
    for report in result.blocks:
        found += _of_block(report, store)
    if fresh(result.messages, store, config).messages != result.messages:
        found.append("not idempotent")
    n, later = dice.randrange(len(messages) + 1), MemoryStore()
    if fresh(messages[:n], later, config).messages != result.messages[:n]:
        found.append("not causal")
    if compress(messages, "gpt-4o", store=later, config=config).messages != result.messages:
        found.append("a turn that goes on from what is remembered differs")
    return found


def fresh(messages: list[Any], store: MemoryStore, config: CompressConfig) -> Any:
    """compress() as a new process would do it."""
    pipeline._remembered.clear()
    return compress(messages, "gpt-4o", store=store, config=config)


def _of_block(report: Any, store: MemoryStore) -> list[str]:
    found = []
    if report.failed:
        found.append(f"a compressor raised: {report.reason}")
    if not report.changed:
        return found
    if count(report.after) >= count(report.before):
        found.append("not smaller")
    if report.lossy and report.reference is None:
        found.append("something left out without a reference")
    if report.reference is not None and store.get(report.reference) != report.before:
        found.append("the original is not what retrieval gives")
    if report.reference is not None and marker.find(report.after) != marker.Marker(report.reference, report.lossy):
        found.append("the marker does not say what was done")
    if report.reference is not None and not report.before.startswith(_asked(store, ref=report.reference)[:1_000]):
        found.append("the tool gives another text")
    if report.reference is not None and _asked(store, ref=report.reference, query="worker-3 failed").startswith(NO_ANSWERS):
        found.append("the tool cannot search the original")
    return found


def _asked(store: MemoryStore, **arguments: str) -> str:
    """What a model gets for its call of the tool."""
    return call("headroom_retrieve", arguments, store=store)
