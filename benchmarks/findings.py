"""Why the numbers are what they are: savings and losses by kind, what is still sent, every lost value in its place."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import judge
from judge import Loss, Message
from replays import Played
from tables import clipped, percent, table

SIZES = (165, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
"""Bounds of the size classes, in tokens of an output as it came."""
SIZE_CLASSES = (*(f"{low:,}-{high - 1:,}" for low, high in pairwise((0, *SIZES))), f"{SIZES[-1]:,} and more")
NOT_AN_OUTPUT = "(not an output)"
EXAMPLES = 6
AROUND = 90
"""Characters shown on each side of a lost value."""


# --- savings and losses by kind -----------------------------------------------------------------------------------------


@dataclass
class KindSums:
    """What one kind of output came to."""

    outputs: int = 0
    before: int = 0
    after: int = 0
    sent_before: int = 0
    sent_after: int = 0
    lost: list[str] = field(default_factory=list)
    turns: set[tuple[str, str, int]] = field(default_factory=set)
    """(source, session, turn) of the turns that missed a value."""


def by_kind(played: list[Played]) -> dict[str, KindSums]:
    """Every tool output, and what else was shortened. `before` and `after` count it once, `sent_...` once a prompt."""
    sums: dict[str, KindSums] = {}
    for one in played:
        for index, after in enumerate(one.last_tokens):
            if index not in one.kinds or not (_is_output(one, index) or after < one.prepared.tokens[index]):
                continue
            kind = sums.setdefault(one.kinds[index], KindSums())
            kind.outputs += 1
            kind.before += one.prepared.tokens[index]
            kind.after += after
            kind.sent_before += one.prepared.tokens[index] * _times_sent(one, index)
            kind.sent_after += one.sent[index]
        for loss in one.lost:
            holder = holder_of(loss, one.prepared.messages)
            kind = sums.setdefault(one.kinds.get(holder, "?"), KindSums())
            kind.lost.append(loss.value)
            kind.turns.add((one.session.source, one.session.name, loss.turn))
    return dict(sorted(sums.items(), key=lambda pair: pair[1].sent_after - pair[1].sent_before))


def holder_of(loss: Loss, messages: list[Message]) -> int:
    """The index of the newest tool output before the turn that held the lost value; -1 if none did."""
    for index in range(loss.turn - 1, -1, -1):
        message = messages[index]
        if message["role"] == "tool" and loss.value in judge.plain(judge.text_of(message.get("content"))):
            return index
    return -1


def print_by_kind(played: list[Played]) -> None:
    """The table of kinds, the one that saves most first."""
    sums = by_kind(played)
    everything = sum(one.tally.before for one in played)
    rows = []
    for kind, own in sums.items():
        saved, sent_saved = own.before - own.after, own.sent_before - own.sent_after
        rows.append(
            [
                *(kind, str(own.outputs), f"{own.before:,}", f"{saved:,}", percent(saved / max(1, own.before))),
                *(f"{own.sent_before:,}", f"{sent_saved:,}", percent(sent_saved / max(1, everything)), f"{own.sent_after:,}"),
                *(str(len(own.lost)), str(len(own.turns)), _examples(own.lost)),
            ]
        )
    head = ["kind", "outputs", "tokens", "saved", "saved %", "tokens × prompts", "saved × prompts", "points of saved", "still sent"]
    table("By kind", [*head, "lost values", "missed turns", "such as"], rows)


def _examples(values: list[str]) -> str:
    return ", ".join(clipped(value, 40) for value, _ in Counter(values).most_common(EXAMPLES))


def _times_sent(one: Played, index: int) -> int:
    turns = [turn.at for turn in one.prepared.turns]
    return len(turns) - bisect_right(turns, index)


# --- what is still sent ---------------------------------------------------------------------------------------------------


def remaining(played: list[Played], label: Callable[[Played, int], str]) -> list[tuple[str, int, int]]:
    """(label, tokens sent over all prompts, what they would have been uncompressed), most first."""
    after: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for one in played:
        for index, count in enumerate(one.sent):
            name = label(one, index)
            after[name] += count
            before[name] += one.prepared.tokens[index] * _times_sent(one, index)
    return [(name, count, before[name]) for name, count in after.most_common()]


def print_remaining(played: list[Played]) -> None:
    """Three tables: by role, by kind, by size of the output as it came."""
    whole = max(1, sum(one.tally.after for one in played))
    labels: dict[str, Callable[[Played, int], str]] = {
        "role": lambda one, index: str(one.prepared.messages[index]["role"]),
        "kind of tool output": _kind_of,
        "tokens of the tool output as it came": _size_of,
    }
    for name, label in labels.items():
        sums = remaining(played, label)
        if label is _size_of:
            sums.sort(key=lambda found: _class_order(found[0]))
        rows = [[row, f"{after:,}", percent(after / whole), percent(1 - after / max(1, before))] for row, after, before in sums]
        table(f"Still sent, by {name}", [name, "tokens × prompts", "% of all", "saved %"], rows)


def _is_output(one: Played, index: int) -> bool:
    return bool(one.prepared.messages[index]["role"] == "tool")


def _kind_of(one: Played, index: int) -> str:
    return one.kinds.get(index, "?") if _is_output(one, index) else NOT_AN_OUTPUT


def _size_of(one: Played, index: int) -> str:
    return SIZE_CLASSES[bisect_right(SIZES, one.prepared.tokens[index])] if _is_output(one, index) else NOT_AN_OUTPUT


def _class_order(name: str) -> int:
    return SIZE_CLASSES.index(name) if name in SIZE_CLASSES else -1


# --- lost values ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """A lost value in its place."""

    source: str
    session: str
    loss: Loss
    tool: str
    size: int
    """Tokens of the output that held it."""
    kept: int
    """... as it was last sent."""
    kind: str
    age: int
    """How many messages before the turn it arrived."""
    line: str
    words: str
    """Of the assistant, around the value."""


def findings(played: list[Played]) -> Iterator[Finding]:
    """Every loss, in the order of sources, sessions and turns."""
    for one in played:
        messages = one.prepared.messages
        for loss in one.lost:
            holder = holder_of(loss, messages)
            text = judge.plain(judge.text_of(messages[holder].get("content"))) if holder >= 0 else ""
            yield Finding(
                source=one.session.source,
                session=one.session.name,
                loss=loss,
                tool=_tool_of(messages, holder),
                size=one.prepared.tokens[holder],
                kept=one.last_tokens[holder],
                kind=one.kinds.get(holder, "?"),
                age=loss.turn - holder,
                line=_around(text, loss.value, whole_line=True),
                words=_around(judge.said(messages[loss.turn]), loss.value, whole_line=False),
            )


def print_lost(played: list[Played]) -> None:
    """Each in four lines."""
    print("\n### Lost values")
    for found in findings(played):
        loss = found.loss
        reached = "" if loss.reached else ", NOT REACHABLE"
        print(f"\n{loss.value}  ({found.source} {found.session}, turn {loss.turn}{reached})")
        print(f"  stood in: {found.tool}, {found.kind}, {found.size} tokens, {found.kept} shown, {found.age} messages before")
        print(f"  line:     {found.line}")
        print(f"  used in:  {found.words}")


def _tool_of(messages: list[Message], holder: int) -> str:
    wanted = messages[holder].get("tool_call_id")
    for message in reversed(messages[: max(0, holder)]):
        for call in message.get("tool_calls") or ():
            if call.get("id") == wanted:
                return str(call.get("function", {}).get("name", "?"))
    return "?"


def _around(text: str, value: str, *, whole_line: bool) -> str:
    at = text.find(value)
    if at < 0:
        return "?"
    start, end = max(0, at - AROUND), at + len(value) + AROUND
    if whole_line:
        start = max(start, text.rfind("\n", 0, at) + 1)
        newline = text.find("\n", at)
        end = min(end, newline if newline >= 0 else end)
    return " ".join(text[start:end].split())
