"""Time and memory against lines, as an SVG that reads on light and dark pages alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from math import log10
from typing import NamedTuple

WIDTH, HEIGHT = 900, 430
_LEFT, _TOP, _PANEL_WIDTH, _PANEL_HEIGHT, _GAP = 62, 40, 350, 290, 98
_COLOURS = ("a", "b", "c", "d", "e")
_MARKS = ("circle", "square", "diamond", "triangle", "ring")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2937 }
.title { font-weight: 600; font-size: 13px }
.small { font-size: 11px; fill: #4b5563 }
.grid { stroke: #d1d5db; stroke-width: 1 }
.axis { stroke: #6b7280; stroke-width: 1 }
.bar { stroke: #b91c1c; stroke-width: 1.5; stroke-dasharray: 6 4 }
.barname { fill: #b91c1c }
.line { fill: none; stroke-width: 2 }
.a { stroke: #6b7280; fill: #6b7280 } .b { stroke: #0369a1; fill: #0369a1 } .c { stroke: #b45309; fill: #b45309 }
.d { stroke: #15803d; fill: #15803d } .e { stroke: #7e22ce; fill: #7e22ce }
path.line { fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e5e7eb } .small { fill: #9ca3af } .grid { stroke: #374151 } .axis { stroke: #9ca3af }
.bar { stroke: #f87171 } .barname { fill: #f87171 }
.a { stroke: #9ca3af; fill: #9ca3af } .b { stroke: #38bdf8; fill: #38bdf8 } .c { stroke: #fbbf24; fill: #fbbf24 }
.d { stroke: #4ade80; fill: #4ade80 } .e { stroke: #c084fc; fill: #c084fc }
path.line { fill: none }
}
"""


class Point(NamedTuple):
    """How long ``series`` took for so many lines, and the most memory it held."""

    series: str
    lines: int
    seconds: float
    megabytes: float


class _Axis(NamedTuple):
    """Powers of ten from ``low`` to ``high`` onto ``start`` and on for ``size`` pixels."""

    low: int
    high: int
    start: float
    size: float

    def at(self, value: float) -> float:
        return self.start + (log10(value) - self.low) / (self.high - self.low) * self.size

    def ticks(self) -> list[int]:
        return list(range(self.low, self.high + 1))


def svg(points: Sequence[Point], bar_mb: float, caption: str) -> str:
    """The picture: seconds on the left, memory with its bar on the right; ``caption`` says where it was measured."""
    series = list(dict.fromkeys(point.series for point in points))
    lines = [point.lines for point in points]
    right = _LEFT + _PANEL_WIDTH + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>Time and memory against lines</title><style>{_STYLE}</style>",
    ]
    panels: list[tuple[float, str, Callable[[Point], float], Callable[[int], str], list[float]]] = [
        (_LEFT, "Processor seconds", lambda point: point.seconds, _seconds, []),
        (right, "Memory of the process, MB", lambda point: point.megabytes, lambda power: f"{10**power:,}", [bar_mb]),
    ]
    for left, title, value, name, bars in panels:
        across = _axis(lines, left, _PANEL_WIDTH)
        up = _axis([*map(value, points), *bars], _TOP + _PANEL_HEIGHT, -_PANEL_HEIGHT)
        parts += _frame(across, up, title, name)
        parts += [_bar(across, up, each) for each in bars]
        for number, each in enumerate(series):
            found = sorted((point.lines, value(point)) for point in points if point.series == each)
            parts += _curve([(across.at(x), up.at(y)) for x, y in found], number)
    return "\n".join(
        [*parts, *_legend(series), f'<text class="small" x="{_LEFT}" y="422">{escape(caption)}</text></svg>\n']
    )


def _axis(values: Iterable[float], start: float, size: float) -> _Axis:
    powers = [log10(value) for value in values]
    low, high = int(min(powers) // 1), int(-(-max(powers) // 1))
    return _Axis(low, max(high, low + 1), start, size)


def _frame(across: _Axis, up: _Axis, title: str, name: Callable[[int], str]) -> list[str]:
    parts = [f'<text class="title" x="{across.start}" y="{_TOP - 16}">{title}</text>']
    for power in up.ticks():
        y = up.at(10.0**power)
        parts.append(_line("grid", across.start, y, across.start + across.size, y))
        parts.append(f'<text x="{across.start - 8}" y="{y + 4:.1f}" text-anchor="end">{name(power)}</text>')
    for power in across.ticks():
        x = across.at(10.0**power)
        parts.append(_line("grid", x, _TOP, x, _TOP + _PANEL_HEIGHT))
        parts.append(f'<text x="{x:.1f}" y="{_TOP + _PANEL_HEIGHT + 18}" text-anchor="middle">{_count(power)}</text>')
    middle = across.start + across.size / 2
    parts.append(f'<text x="{middle}" y="{_TOP + _PANEL_HEIGHT + 36}" text-anchor="middle">lines</text>')
    return [*parts, _line("axis", across.start, _TOP + _PANEL_HEIGHT, across.start + across.size, _TOP + _PANEL_HEIGHT)]


def _bar(across: _Axis, up: _Axis, value: float) -> str:
    y = up.at(value)
    text = f'<text class="barname" x="{across.start + 6}" y="{y - 6:.1f}">bar: {value:.0f} MB</text>'
    return _line("bar", across.start, y, across.start + across.size, y) + text


def _curve(places: Sequence[tuple[float, float]], number: int) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return [f'<path class="line {colour}" d="M{path}"/>', *(_mark(x, y, number) for x, y in places)]


def _mark(x: float, y: float, number: int) -> str:
    """Each curve has a marker shape of its own: not everybody can distinguish the colours."""
    colour, shape = _COLOURS[number % len(_COLOURS)], _MARKS[number % len(_MARKS)]
    if shape in ("circle", "ring"):
        hollow = ' style="fill-opacity:.25;stroke-width:2"' if shape == "ring" else ""
        return f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"{hollow}/>'
    corners = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "diamond": ((0, -5), (5, 0), (0, 5), (-5, 0)),
        "triangle": ((0, -5), (5, 4), (-5, 4)),
    }[shape]
    return f'<path class="{colour}" d="M{" L".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners)} Z"/>'


def _legend(series: Sequence[str]) -> list[str]:
    parts, x = [], float(_LEFT)
    for number, name in enumerate(series):
        parts.append(_mark(x + 5, 394, number))
        parts.append(f'<text x="{x + 16:.0f}" y="398">{escape(name)}</text>')
        x += 34 + 6.6 * len(name)
    return parts


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _count(power: int) -> str:
    return f"{10 ** (power - 6):,} M" if power >= 6 else f"{10**power:,}"


def _seconds(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"
