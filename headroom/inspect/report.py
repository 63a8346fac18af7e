"""The page of a folder of transcripts: what would have been saved, in tables and plots."""

from __future__ import annotations

from headroom.inspect.figures import Figures, Sum
from headroom.inspect.page import document, share, table, text, totals
from headroom.inspect.plots import MOST_RANKED, bars, ranked

MOST_SESSIONS = 500
"""In the table, the ones with the most tokens."""
MOST_PROBLEMS = 100

MOST_OPEN_ROWS = 25
"""Of the table of sessions: a longer one is folded away."""

HEADINGS = ["tokens before", "saved", "share", "share in all requests", "texts", "shortened"]


def report_page(figures: Figures, name: str) -> str:
    """The page. `name`: the folder, for its title."""
    total = figures.total
    head = totals(
        [
            ("Conversations", f"{len(figures.sessions):,}"),
            ("Requests", f"{total.requests:,}"),
            ("Tokens, every text once", f"{total.before:,}"),
            ("Saved, every text once", share(total.saved, total.before)),
            ("Tokens, all requests", f"{total.sent_before:,}"),
            ("Saved, all requests", share(total.sent_saved, total.sent_before)),
        ]
    )
    notes = [
        "A request sends the conversation so far, so a text counts in every request that it was a part of.",
        "Instructions and tool lists that a transcript does not hold are not counted, nor what retrievals would have cost.",
        "" if figures.exact else "Tokens are estimates where a model has no public vocabulary.",
    ]
    about = "".join(f'<p class="soft">{text(note)}</p>' for note in notes if note)
    parts = [
        f"<header><h1>{text(name)}: what would have been saved</h1></header><section>{head}{about}</section>",
        _sums("kind of text", figures.by_kind(), total),
        _sums("tool", figures.by_tool(), total),
        _sessions(figures),
        _problems(figures.problems),
    ]
    return document(f"{name}: what would have been saved", "".join(parts))


def _sums(what: str, sums: list[tuple[str, Sum]], total: Sum) -> str:
    plot = bars(f"Tokens by {what}", [(name, part.before, part.saved) for name, part in sums])
    rows = [[name, *_cells(part)] for name, part in sums]
    legend = '<p class="legend"><span><i class="saved"></i>saved</span><span><i class="kept"></i>sent on</span></p>'
    sums_table = table(f"By {what}", [what, *HEADINGS], rows, ["all", *_cells(total)])
    return f"<section><h2>By {what}</h2>{plot}{legend}{sums_table}</section>"


def _cells(part: Sum) -> list[str]:
    shares = [share(part.saved, part.before), share(part.sent_saved, part.sent_before)]
    return [f"{part.before:,}", f"{part.saved:,}", *shares, f"{part.texts:,}", f"{part.shortened:,}"]


def _sessions(figures: Figures) -> str:
    largest = sorted(figures.sessions, key=lambda session: -session[1].before)[:MOST_SESSIONS]
    plot = ranked("Share saved of all requests, session by session", [_part(total) for _, total in figures.sessions])
    rows = [[name, f"{total.requests:,}", *_cells(total)] for name, total in largest]
    more = len(figures.sessions) - len(largest)
    if more:
        rest = figures.total.without([total for _, total in largest])
        rows.append([f"{more:,} smaller ones", f"{rest.requests:,}", *_cells(rest)])
    foot = ["all", f"{figures.total.requests:,}", *_cells(figures.total)]
    shown = table("By session", ["session", "requests", *HEADINGS], rows, foot)
    if len(rows) > MOST_OPEN_ROWS:
        shown = f"<details><summary>{len(rows):,} rows, the largest session first</summary>{shown}</details>"
    each = "one bar a session" if len(figures.sessions) <= MOST_RANKED else f"{MOST_RANKED} of {len(figures.sessions):,}"
    caption = f'<p class="soft">Share saved of all requests, {each}, the least first.</p>'
    return f"<section><h2>By session</h2>{plot}{caption}{shown}</section>"


def _part(total: Sum) -> float:
    return total.sent_saved / total.sent_before if total.sent_before else 0.0


def _problems(problems: list[str]) -> str:
    if not problems:
        return ""
    told = "".join(f"<li>{text(problem)}</li>" for problem in problems[:MOST_PROBLEMS])
    more = f"<li>and {len(problems) - MOST_PROBLEMS:,} more</li>" if len(problems) > MOST_PROBLEMS else ""
    return f"<section><h2>Not read</h2><ul>{told}{more}</ul></section>"
