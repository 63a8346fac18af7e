"""A small scatter plot with lines, as SVG text: readable axes, a legend by the points, light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 860, 520
LEFT, RIGHT, TOP, BOTTOM = 78, 40, 56, 66
MOST_TICKS = 8
LABEL_HALF, LABEL_CHARACTER = 7, 6.2
"""Half of a label's height, and the width of one of its characters."""
DOT, THREAD = 6, 2
"""Half of the room that a point takes, and a line."""
COLOURS = (("#0b6bcb", "#6cb6ff"), ("#c2410c", "#ffa657"), ("#15803d", "#7ee787"), ("#7e22ce", "#d2a8ff"), ("#a16207", "#e3b341"))
"""(on light, on dark), one a series."""


@dataclass(frozen=True)
class Point:
    """A place in the units of the axes."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Series:
    """Points of one colour; `joined` draws a line through them in their order."""

    name: str
    points: Sequence[Point]
    joined: bool = True


@dataclass(frozen=True)
class _Box:
    left: float
    right: float
    top: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, half: float) -> _Box:
        return cls(x - half, x + half, y - half, y + half)

    def covers(self, other: _Box) -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    step: float
    start: float
    end: float

    def place(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        return [self.low + self.step * i for i in range(round((self.high - self.low) / self.step) + 1)]


def scatter(title: str, x_name: str, y_name: str, series: Sequence[Series]) -> str:
    """The whole SVG document. The values of both axes are percent, none above 100."""
    points = [point for one in series for point in one.points]
    across = _axis([point.x for point in points], LEFT, WIDTH - RIGHT)
    up = _axis([point.y for point in points], HEIGHT - BOTTOM, TOP)
    places = [[(across.place(point.x), up.place(point.y)) for point in one.points] for one in series]
    taken = [_Box.around(x, y, DOT) for own in places for x, y in own]
    for one, own in zip(series, places, strict=True):
        taken += _thread(own) if one.joined else []
    body = [_frame(title, x_name, y_name, across, up)]
    body += [_line(number, own) for number, (one, own) in enumerate(zip(series, places, strict=True)) if one.joined]
    body += [_points(number, one, own, taken) for number, (one, own) in enumerate(zip(series, places, strict=True))]
    body.append(_legend(series))
    return "\n".join([_head(title), _style(len(series)), *body, "</svg>", ""])


def _thread(places: Sequence[tuple[float, float]]) -> list[_Box]:
    """Small boxes all along a line, so that labels keep off it."""
    boxes = []
    for (x, y), (next_x, next_y) in pairwise(places):
        steps = int(math.hypot(next_x - x, next_y - y) / THREAD) + 1
        boxes += [_Box.around(x + (next_x - x) * i / steps, y + (next_y - y) * i / steps, THREAD) for i in range(steps)]
    return boxes


def _axis(values: Sequence[float], start: float, end: float) -> _Axis:
    low, high = min(values), max(values)
    span = max(high - low, 1.0)
    step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50, 100) if span * 1.1 / step <= MOST_TICKS)
    bottom, top = math.floor((low - 0.04 * span) / step) * step, math.ceil((high + 0.04 * span) / step) * step
    return _Axis(bottom, min(top, max(100, high)), step, start, end)


def _head(title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12"><title>{escape(title)}</title>'
    )


def _style(count: int) -> str:
    light = [f".s{i} {{ stroke: {_colour(i)[0]}; fill: {_colour(i)[0]} }}" for i in range(count)]
    dark = [f".s{i} {{ stroke: {_colour(i)[1]}; fill: {_colour(i)[1]} }}" for i in range(count)]
    rules = [
        ".page { fill: #ffffff } .ink { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d1d9e0 }",
        *light,
        "path.line { fill: none; stroke-width: 2 } text { stroke: none !important }",
        "@media (prefers-color-scheme: dark) {",
        ".page { fill: #0d1117 } .ink { fill: #f0f6fc } .faint { fill: #9198a1 } .grid { stroke: #3d444d }",
        *dark,
        "path.line { fill: none }",
        "}",
    ]
    return "<style>\n" + "\n".join(rules) + "\n</style>"


def _colour(number: int) -> tuple[str, str]:
    return COLOURS[number % len(COLOURS)]


def _frame(title: str, x_name: str, y_name: str, across: _Axis, up: _Axis) -> str:
    parts = [f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>']
    parts.append(f'<text class="ink" x="{LEFT}" y="26" font-size="16" font-weight="600">{escape(title)}</text>')
    for tick in across.ticks():
        x = across.place(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text class="faint" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:g}%</text>')
    for tick in up.ticks():
        y = up.place(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text class="faint" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}%</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text class="ink" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 18}" text-anchor="middle">{escape(x_name)}</text>')
    parts.append(f'<text class="ink" x="20" y="{middle}" text-anchor="middle" transform="rotate(-90 20 {middle})">{escape(y_name)}</text>')
    return "\n".join(parts)


def _line(number: int, places: Sequence[tuple[float, float]]) -> str:
    stops = " L ".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return f'<path class="line s{number}" d="M {stops}"/>'


def _points(number: int, series: Series, places: Sequence[tuple[float, float]], taken: list[_Box]) -> str:
    parts = []
    for point, (x, y) in zip(series.points, places, strict=True):
        parts.append(f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
        box = _free_place(x, y, len(point.label) * LABEL_CHARACTER, taken)
        taken.append(box)
        at = f'x="{(box.left + box.right) / 2:.1f}" y="{box.bottom - 3:.1f}"'
        parts.append(f'<text class="s{number}" {at} text-anchor="middle">{escape(point.label)}</text>')
    return "\n".join(parts)


def _free_place(x: float, y: float, width: float, taken: list[_Box]) -> _Box:
    """Where a label covers nothing and stays on the page: beside its point, above or below it, then farther off."""
    middles = [(x + 9 + width / 2, y), (x - 9 - width / 2, y)]
    for off in (15, 24, 33, 42):
        middles += [(x + shift, y + drop) for drop in (-off, off) for shift in (0, width / 2, -width / 2)]
    for middle_x, middle_y in middles:
        box = _Box(middle_x - width / 2, middle_x + width / 2, middle_y - LABEL_HALF, middle_y + LABEL_HALF)
        on_page = box.left >= LEFT and box.right <= WIDTH - 4 and box.top >= TOP - 2 and box.bottom <= HEIGHT - BOTTOM
        if on_page and not any(box.covers(other) for other in taken):
            return box
    return _Box(x + 9, x + 9 + width, y - LABEL_HALF, y + LABEL_HALF)


def _legend(series: Sequence[Series]) -> str:
    parts = []
    x = float(LEFT)
    for number, one in enumerate(series):
        parts.append(f'<circle class="s{number}" cx="{x + 5:.1f}" cy="42" r="4.5"/>')
        parts.append(f'<text class="ink" x="{x + 15:.1f}" y="46">{escape(one.name)}</text>')
        x += 34 + len(one.name) * LABEL_CHARACTER
    return "\n".join(parts)
