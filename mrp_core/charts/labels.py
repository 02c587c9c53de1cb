"""Names written beside their lines: each takes the free place nearest to one of its own points."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Place = tuple[float, float]
_OFFSETS: tuple[tuple[float, float, str], ...] = (
    (12, 0, "left"), (-12, 0, "right"), (10, 16, "left"), (-10, 16, "right"), (10, -16, "left"), (-10, -16, "right"), (0, 22, "center"), (0, -22, "center"),
    (16, 34, "left"), (-16, 34, "right"), (16, -34, "left"), (-16, -34, "right"), (20, 56, "left"), (-20, 56, "right"), (20, -56, "left"), (-20, -56, "right"),
)


@dataclass(frozen=True)
class Label:
    """Where a name goes: its anchor in data units, the shift in pixels and the side of the text that touches it."""

    text: str
    x: float
    y: float
    dx: float
    dy: float
    anchor: str


def place(names: Mapping[str, Sequence[Place]], obstacles: Sequence[Place], x_range: Place, y_range: Place, *, size: tuple[float, float] = (700, 380),
          lines: Sequence[Sequence[Place]] = ()) -> list[Label]:
    """Find a place for each name, one after the other.

    Args:
        names: Text -> points of its series, in data units, in the order in which places are given.
        obstacles: Points that text should not cover.
        x_range, y_range: Fixed ranges of the axes.
        size: Assumed size of the plot in pixels.
        lines: Lines that text should not cross.
    """
    width, height = size
    to_pixels = lambda p: ((p[0] - x_range[0]) / (x_range[1] - x_range[0]) * width, (p[1] - y_range[0]) / (y_range[1] - y_range[0]) * height)  # noqa: E731
    taken = [to_pixels(p) for p in obstacles] + [q for line in lines for q in _dense([to_pixels(p) for p in line])]
    boxes: list[tuple[float, float, float, float]] = []
    labels = []
    for text, points in names.items():
        best: tuple[float, Label, tuple[float, float, float, float]] | None = None
        for point in points:
            px, py = to_pixels(point)
            for dx, dy, anchor in _OFFSETS:
                box = _box(px + dx, py + dy, anchor, text)
                cost = _cost(box, taken, boxes, width, height) + 0.02 * (abs(dx) + abs(dy))
                if best is None or cost < best[0]:
                    best = (cost, Label(text, point[0], point[1], dx, dy, anchor), box)
        if best is not None:
            labels.append(best[1])
            boxes.append(best[2])
    return labels


def _box(x: float, y: float, anchor: str, text: str) -> tuple[float, float, float, float]:
    wide = 7.2 * len(text) + 4
    left = x if anchor == "left" else x - wide if anchor == "right" else x - wide / 2
    return left, y - 9, left + wide, y + 9


def _cost(box: tuple[float, float, float, float], taken: Sequence[Place], boxes: Sequence[tuple[float, float, float, float]], width: float, height: float) -> float:
    left, bottom, right, top = box
    covered = sum(left - 3 <= x <= right + 3 and bottom - 2 <= y <= top + 2 for x, y in taken)
    overlapped = sum(left < b[2] and b[0] < right and bottom < b[3] and b[1] < top for b in boxes)
    outside = max(0.0, -left) + max(0.0, right - width) + max(0.0, -bottom) + max(0.0, top - height)
    return covered + 40 * overlapped + 2 * outside


def _dense(line: Sequence[Place]) -> list[Place]:
    """Points every 8 pixels along a line, so that a box over it is seen."""
    out: list[Place] = []
    for (x0, y0), (x1, y1) in itertools.pairwise(line):
        n = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) / 8))
        out += [(x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n) for i in range(n)]
    return out
