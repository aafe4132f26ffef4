"""A line chart as SVG, without a library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 40, 50
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8a4fbf", "#b8860b", "#444444")
TICKS = 4

Points = Sequence[tuple[float, float]]


def chart(title: str, across: str, up: str, lines: Mapping[str, Points]) -> str:
    """One line for each name, both axes from zero."""
    points = [point for line in lines.values() for point in line]
    widest, highest = max(x for x, _ in points), max(y for _, y in points) * 1.1

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + x / widest * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - y / highest * (HEIGHT - TOP - BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 22, title, size=14),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, anchor="middle"),
        _text(12, TOP - 8, up),
    ]
    for tick in range(TICKS + 1):
        part = tick / TICKS
        (x, zero), (start, y) = at(widest * part, 0), at(0, highest * part)
        parts += [
            f'<path d="M{start:.1f} {y:.1f} H{WIDTH - RIGHT}" stroke="#ddd"/>',
            _text(start - 6, y + 4, f"{highest * part:.0f}", anchor="end"),
            _text(x, zero + 18, f"{widest * part:,.0f}", anchor="middle"),
        ]
    for index, (name, line) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in line)
        parts += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            _text(WIDTH - RIGHT + 12, TOP + 10 + 18 * index, name, colour=colour),
        ]
    return "\n".join([*parts, "</svg>", ""])


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#222"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
