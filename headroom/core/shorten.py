"""One text, shortened: unwrap it, find who understands it, wrap the result again. Knows no messages and no store."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from headroom.core import relookups, router
from headroom.core.config import CompressConfig
from headroom.core.detect import Sample, unwrap_all
from headroom.core.rereads import VisibleLines
from headroom.core.spans import Span, json_spans, machine_spans
from headroom.core.tokens import CHARACTERS_PER_TOKEN
from headroom.core.types import ContentKind, Request, Shortened
from headroom.core.worth import Query

_PLACES_IN_MARKS = (
    (re.compile(r"(\[… [\d,]{1,15} \w{1,12}), \d{1,15}-\d{1,15}"), r"\1"),
    (re.compile(r"(\[… [\d,]{1,15} lines as) in lines \d{1,15}-\d{1,15}"), r"\1 above"),
    (re.compile(r"\[… (line|row) \d{1,15}\]"), r"[… 1 \1]"),
)
"""Lines and rows are counted within their span, and a reader would count in the whole text: there are no places in its marks."""
MOST_BIAS = 1e6
"""Beyond any text: a larger bias would only overflow."""

RequestFor = Callable[[ContentKind], Request]
"""The request to make of a compressor of this kind: budgets differ by kind."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of trying to shorten one text."""

    kind: ContentKind = ""
    """Of the compressor that shortened it, or of the last that was asked."""
    shortened: Shortened | None = None
    marker_at: int = -1
    """Where in `shortened.text` a marker line belongs; -1: at the end."""
    failure: str = ""
    """An exception inside a compressor, if there was one: the text stays, and the report tells."""
    wrap: Callable[[str], str] | None = None
    """Puts the envelope back around the text and its marker; None if there is none."""
    body: str = ""
    """What came, out of its envelope."""
    points_back: bool = False
    """Whether parts of the text are pointers to earlier outputs."""


def requests(query: Query, config: CompressConfig, *, bias: float = 1.0, lossless: bool = False, at_least: int = 0) -> RequestFor:
    """Requests with the configured budgets, scaled by `bias`; a digest may always keep `at_least` tokens."""

    def request(kind: ContentKind) -> Request:
        budget = config.budget_for(kind).scaled(min(bias, MOST_BIAS), at_least)
        return Request(query, budget.tokens, budget.share, lossless, budget_most=budget.most, outline=config.outline)

    return request


def shorten_output(text: str, request_for: RequestFor, visible: VisibleLines | None) -> Attempt:
    """Shorten a tool output; what `visible` shows already becomes a pointer to there."""
    body, wrap = unwrap_all(text)
    if visible is None:
        return replace(_mixed(body, request_for) or _ask(body, request_for), wrap=wrap, body=body)

    def knowing(kind: ContentKind) -> Request:
        return replace(request_for(kind), seen=lambda lines: visible.seen(lines, text))

    attempt = _mixed(body, request_for) or _ask(body, knowing)
    return _fold_relookups(_fold_rereads(text, replace(attempt, wrap=wrap, body=body), visible), visible)


def _fold_rereads(text: str, attempt: Attempt, visible: VisibleLines) -> Attempt:
    """Point to what an earlier output still shows, in what is left of `text`."""
    if attempt.marker_at >= 0 or attempt.failure:
        return attempt
    shortened = attempt.shortened or Shortened(attempt.body, "", lossy=False)
    folded = visible.fold(shortened.text, text)
    if folded is None:
        return attempt
    note = f"{shortened.note}, " if shortened.note else ""
    note += f"{folded.lines} lines shown earlier"
    return replace(attempt, shortened=replace(shortened, text=folded.text, note=note), points_back=True)


def _fold_relookups(attempt: Attempt, visible: VisibleLines) -> Attempt:
    """Point to what the same record showed when it was last returned, if that is shorter than `attempt`."""
    shortest = attempt.body if attempt.shortened is None else attempt.shortened.text
    if attempt.failure or len(shortest) < relookups.LEAST_CHARACTERS:
        return attempt
    folded = visible.records.fold(attempt.body)
    if folded is None or len(folded.text) + relookups.LEAST_GAIN > len(shortest):
        return attempt
    note = f"{folded.values} values shown earlier"
    return replace(attempt, kind="json_records", shortened=Shortened(folded.text, note, lossy=False), points_back=True)


def shorten_user_text(text: str, request_for: RequestFor, least_tokens: int) -> Attempt:
    """Shorten the large machine-made spans of a user's text; every character between them stays."""
    spans = machine_spans(text, int(least_tokens * CHARACTERS_PER_TOKEN))
    return _replace_spans(text, spans, request_for, user=True) if spans else Attempt()


def _mixed(text: str, request_for: RequestFor) -> Attempt | None:
    """JSON documents between words: None unless they are most of the text."""
    if text.lstrip()[:1] in ("{", "["):
        return None
    spans = json_spans(text, 400)
    if sum(span.end - span.start for span in spans) < 0.5 * len(text):
        return None
    attempt = _replace_spans(text, spans, request_for, user=False)
    return attempt if attempt.shortened or attempt.failure else None


def _replace_spans(text: str, spans: list[Span], request_for: RequestFor, *, user: bool) -> Attempt:
    total = sum(span.end - span.start for span in spans)
    pieces: list[str] = []
    done: list[Attempt] = []
    end = 0
    marker_at = -1
    for span in spans:
        body = text[span.start : span.end]
        attempt = _ask(body, _share(request_for, len(body) / max(1, total)), user=user)
        if attempt.failure:
            return attempt
        pieces.append(text[end : span.start])
        if attempt.shortened is not None:
            pieces.append(_without_places(attempt.shortened.text))
            done.append(attempt)
            marker_at = sum(map(len, pieces))
        else:
            pieces.append(body)
        end = span.end
    if not done:
        return Attempt(router.route_kind(text))
    pieces.append(text[end:])
    notes = "; ".join(dict.fromkeys(a.shortened.note for a in done if a.shortened and a.shortened.note))
    lossy = any(a.shortened.lossy for a in done if a.shortened)
    return Attempt(done[0].kind, Shortened("".join(pieces), notes, lossy), marker_at)


def _without_places(text: str) -> str:
    for mark, without in _PLACES_IN_MARKS:
        text = mark.sub(without, text)
    return text


def _share(request_for: RequestFor, part: float) -> RequestFor:
    def request(kind: ContentKind) -> Request:
        whole = request_for(kind)
        return replace(whole, budget_tokens=int(whole.budget_tokens * part), budget_most=int(whole.budget_most * part))

    return request


def _ask(text: str, request_for: RequestFor, *, user: bool = False) -> Attempt:
    kind = ""
    sample = Sample(text)
    for compressor in router.candidates(sample):
        if user and compressor.kind in router.NEVER_IN_USER_TEXT:
            continue
        try:
            if not compressor.claims(sample):
                continue
            kind = kind or compressor.kind
            shortened = compressor.compress(text, request_for(compressor.kind))
        except Exception as broken:  # a bug of ours must cost a saving, never the user's request
            return Attempt(compressor.kind, failure=f"{type(broken).__name__}: {broken}")
        if shortened is not None:
            return Attempt(compressor.kind, shortened)
    return Attempt(kind)
