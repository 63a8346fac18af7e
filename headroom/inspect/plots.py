"""Plots as SVG inside a page. Colours come from the page's style, so they follow light and dark.

Places are in percent of the width and heights in pixels, so that words keep their size on a narrow screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from headroom.inspect.page import share, text

ROW = 40
MOST_BARS = 25
MOST_RANKED = 200
"""Bars: of more sessions each bar stands for several."""
HEIGHT = 180
NOTHING = '<p class="soft">Nothing to show.</p>'


def bars(name: str, rows: Sequence[tuple[str, int, int]]) -> str:
    """One bar for each (label, tokens before, tokens saved): what was saved, and what was sent."""
    filled = [row for row in rows if row[1] > 0]
    shown = filled[:MOST_BARS]
    if not shown:
        return NOTHING
    most = max(before for _, before, _ in shown)
    lines = [_bar(place * ROW, row, most) for place, row in enumerate(shown)]
    more = len(filled) - len(shown)
    note = f'<p class="soft">and {more:,} more, in the table</p>' if more else ""
    return _svg(name, ROW * len(shown), lines) + note


def _bar(y: int, row: tuple[str, int, int], most: int) -> str:
    label, before, saved = row
    whole, part = 100 * before / most, 100 * max(0, saved) / most
    return (
        f"<g><title>{text(label)}: {before:,} tokens, {saved:,} saved</title>"
        f'<text x="0" y="{y + 15}">{text(_short(label))}</text>'
        f'<text class="soft" x="100%" y="{y + 15}" text-anchor="end">{before:,}, {share(saved, before)}</text>'
        f'<rect class="before" x="0" y="{y + 21}" width="{whole:.2f}%" height="10"/>'
        f'<rect class="saved" x="0" y="{y + 21}" width="{part:.2f}%" height="10"/></g>'
    )


def _short(label: str) -> str:
    """So that a narrow screen has room for it and for the figures beside it. Names that differ, differ at an end."""
    return label if len(label) <= 34 else f"{label[:20]}…{label[-13:]}"


def ranked(name: str, shares: Sequence[float]) -> str:
    """Every session's saved share (0 to 1), the least first: one thin bar each, or one for several."""
    if not shares:
        return NOTHING
    least_first = sorted(min(1.0, max(0.0, part)) for part in shares)
    shown = [least_first[len(least_first) * place // MOST_RANKED] for place in range(MOST_RANKED)]
    shown = least_first if len(least_first) <= MOST_RANKED else shown
    slot = 100 / max(12, len(shown))
    lines = []
    for place, part in enumerate(shown):
        tall = HEIGHT * part
        size = f'width="{slot * 0.8:.3f}%" height="{tall:.1f}"'
        lines.append(f'<rect class="saved" x="{place * slot:.3f}%" y="{20 + HEIGHT - tall:.1f}" {size}/>')
    for percent in (0, 25, 50, 75, 100):
        y = 20 + HEIGHT * (1 - percent / 100)
        lines.append(f'<line x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="on" x="0" y="{y - 4:.1f}">{percent}%</text>')
    return _svg(name, HEIGHT + 24, lines)


def _svg(name: str, height: int, lines: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{height}" role="img" aria-label="{text(name)}">'
    return f"{head}<title>{text(name)}</title>{''.join(lines)}</svg>"
