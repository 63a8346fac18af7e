"""Plots as SVG inside a page. Colours come from the page's style, so they follow light and dark."""

from __future__ import annotations

from collections.abc import Sequence

from headroom.inspect.page import share, text

WIDTH, LABEL, ROW = 1000, 250, 26
MOST_BARS = 25
MOST_LABEL = 29


def bars(name: str, rows: Sequence[tuple[str, int, int]]) -> str:
    """One bar for each (label, tokens before, tokens saved): what was saved, and what was sent."""
    shown = [row for row in rows if row[1] > 0][:MOST_BARS]
    most = max((before for _, before, _ in shown), default=0)
    if not most:
        return '<p class="soft">Nothing to show.</p>'
    room = WIDTH - LABEL - 190
    lines = []
    for place, (label, before, saved) in enumerate(shown):
        y, whole = place * ROW, room * before / most
        part = room * max(0, saved) / most
        short = label if len(label) <= MOST_LABEL else label[: MOST_LABEL - 1] + "…"
        lines.append(
            f"<g><title>{text(label)}: {before:,} tokens, {saved:,} saved</title>"
            f'<text x="{LABEL - 10}" y="{y + 17}" text-anchor="end">{text(short)}</text>'
            f'<rect class="saved" x="{LABEL}" y="{y + 4}" width="{part:.1f}" height="{ROW - 8}"/>'
            f'<rect class="before" x="{LABEL + part:.1f}" y="{y + 4}" width="{max(0.0, whole - part):.1f}" height="{ROW - 8}"/>'
            f'<text class="soft" x="{LABEL + whole + 8:.1f}" y="{y + 17}">{before:,}, {share(saved, before)}</text></g>'
        )
    return _svg(name, ROW * len(shown), lines)


def ranked(name: str, shares: Sequence[float]) -> str:
    """Every session's saved share (0 to 1), the least first: one thin bar each."""
    if not shares:
        return '<p class="soft">Nothing to show.</p>'
    height, left = 180, 50
    slot = (WIDTH - left) / len(shares)
    lines = []
    for percent in (0, 25, 50, 75, 100):
        y = 10 + height * (1 - percent / 100)
        lines.append(f'<line x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="soft" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{percent}%</text>')
    for place, part in enumerate(sorted(shares)):
        tall = height * min(1.0, max(0.0, part))
        x, wide = left + place * slot, max(0.5, min(24.0, slot * 0.85))
        lines.append(f'<rect class="saved" x="{x:.1f}" y="{10 + height - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>')
    return _svg(name, height + 20, lines)


def _svg(name: str, height: int, lines: list[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{text(name)}">{"".join(lines)}</svg>'
