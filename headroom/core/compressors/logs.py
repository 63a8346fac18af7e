"""Logs and command output: errors whole, what is rare, what was asked for, the ends; the rest as a count of templates."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from headroom.core import tokens
from headroom.core.compressors.lines import choosing as chooser
from headroom.core.compressors.lines.blocks import BLOCK_MARK, fold_blocks
from headroom.core.compressors.lines.folds import Folded, fold_lines
from headroom.core.compressors.lines.labels import label
from headroom.core.compressors.lines.templates import Templates, repeats_templates, templates_of
from headroom.core.compressors.lines.units import Shown, Units, choose_units, show, units_of
from headroom.core.compressors.lines.worths import LOG, Weights, worths_of
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

_STAMPED = re.compile(
    r"\s*(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|\[?\d\d:\d\d:\d\d"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|ts=|time=|\[?\d{1,6}[.:]\d{3,6}\]?\s"
    r"|[\[<(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE|info|warn|error|debug)\b[\]>):]?"
    r"|[IWEF]\d{4} |\{\"(?:level|time|ts|timestamp|severity)\"|\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4})"
)
_CLAIM_LINES = 40
_MARGIN = 1.1
"""A text barely over its allowance is left whole: what a digest would save, its marks cost."""
_LEAST_SAVED = 80
"""Characters that a fold must save: its marker costs about as much."""
_LEAST_HIDDEN = 0.1
"""The share of a text that a digest must leave out to be worth its marks."""
_TABLE_LINES = 100
_TABLE_TOKENS = 110
_TABLE_ROWS = 5


class Logs:
    """Machine-written lines in the order of time."""

    kind: ContentKind = "logs"

    def claims(self, sample: Sample) -> bool:
        """Time stamps or levels at the beginning of lines, terminal codes, or few templates for many lines."""
        if "\x1b[" in sample.head or _has_progress(sample.head):
            return True
        lines = [line[:200] for line in sample.lines[:_CLAIM_LINES] if line.strip()]
        if len(lines) < 4:
            return False
        if sum(_STAMPED.match(line) is not None for line in lines) >= 0.3 * len(lines):
            return True
        return len(lines) >= 12 and repeats_templates(lines, 0.4)

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold; digest if the fold is over the allowance. See `Compressor.compress`."""
        folded = fold_blocks(fold_lines(text, formatting=True, lossless=request.lossless))
        return shorten_lines(text, folded, request, LOG, _MARGIN)


def _has_progress(head: str) -> bool:
    returns = head.count("\r")
    return returns > 2 and returns > head.count("\r\n") + 1


def shorten_lines(text: str, folded: Folded, request: Request, weights: Weights, margin: float) -> Shortened | None:
    """`folded` if it is within the allowance (or `margin` times that), else its digest; None if neither is worth it."""
    whole = folded.text()
    fold = None
    if len(whole) + _LEAST_SAVED <= len(text):
        fold = Shortened(whole, ", ".join(folded.done) or "trailing blanks removed", folded.lossy)
    size = tokens.estimate(whole)
    allowance = request.allowance(size)
    if request.lossless or size <= margin * allowance:
        return fold
    units = units_of(folded)
    seen = request.seen(units.texts) if request.seen and units.joined is None else bytearray()
    if 1 in seen:
        chooser.charge_pointers(units.costs, seen)
        if sum(units.costs) <= margin * allowance:
            return fold
    templates = templates_of(units.texts)
    worths = worths_of(units.texts, templates, request.query, weights)
    chooser.prefer_seen(worths, seen)
    with_table = weights is LOG and not templates.coarse and len(units.texts) >= _TABLE_LINES
    keep = choose_units(units, worths, allowance - _TABLE_TOKENS * with_table)
    shown = show(units, keep)
    if not shown.omitted and not shown.cut:
        return fold
    table = left_out(units, templates, keep) if with_table else []
    body = shown.text
    if table:
        body += "\n[… left out: " + "; ".join(f"{times:,}x {name}" for times, name in table) + "]"
    if shown.hidden < _LEAST_HIDDEN * len(whole) or len(body) >= len(whole):
        return fold
    return Shortened(body, _note(units, shown, folded), True)


def left_out(units: Units, templates: Templates, keep: bytearray) -> list[tuple[int, str]]:
    """(lines, label) of the templates that most of the left-out lines have, most frequent first; a short table."""
    omitted: Counter[int] = Counter()
    lines: defaultdict[int, list[str]] = defaultdict(list)
    cut = units.joined or bytes(len(keep))
    for index, template in enumerate(templates.ids):
        if keep[index] or cut[index] or cut[index + 1 : index + 2] == b"\x01":
            continue  # pieces of long lines are not lines
        if units.texts[index].startswith(BLOCK_MARK) and units.last[index] > units.first[index]:
            continue  # a mark of ours: no line looks like it
        omitted[template] += units.last[index] - units.first[index] + 1
        lines[template].append(units.texts[index])
    wanted = max(5, sum(omitted.values()) // 50)
    frequent = sorted((t for t, times in omitted.items() if times >= wanted), key=lambda t: (-omitted[t], t))[:_TABLE_ROWS]
    return [(omitted[t], label(lines[t])) for t in frequent if lines[t][0].strip()]


def _note(units: Units, shown: Shown, folded: Folded) -> str:
    words = []
    if shown.omitted:
        words.append(f"{shown.omitted:,} of {units.total_lines:,} line{'s' * (units.total_lines != 1)} left out")
    if shown.cut:
        words.append(f"{shown.cut:,} long line{'s' * (shown.cut != 1)} cut")
    return ", ".join([*words, *folded.done[:2]])
