"""Names written beside their lines: each takes the free place nearest to one of its own points."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Place = tuple[float, float]
_OFFSETS: tuple[tuple[float, float, str], ...] = (
    (12, 0, "left"), (-12, 0, "right"), (10, 16, "left"), (-10, 16, "right"), (10, -16, "left"), (-10, -16, "right"), (0, 22, "center"), (0, -22, "center"),
    (16, 34, "left"), (-16, 34, "right"), (16, -34, "left"), (-16, -34, "right"), (20, 56, "left"), (-20, 56, "right"), (20, -56, "left"), (-20, -56, "right"),
)


_NARROW = " ijltrf.,:;|()[]'"


@dataclass(frozen=True)
class Label:
    """Where a name goes: its anchor in data units, the shift in pixels and the side of the text that touches it."""

    text: str
    x: float
    y: float
    dx: float
    dy: float
    anchor: str


def place(names: Mapping[str, Sequence[Place]], obstacles: Sequence[Place], x_range: Place, y_range: Place, *, sizes: Sequence[Place] = ((700, 380),),
          lines: Sequence[Sequence[Place]] = ()) -> list[Label]:
    """Find a place for each name, one after the other.

    Args:
        names: Text -> points of its series, in data units, in the order in which places are given.
        obstacles: Points that text should not cover.
        x_range, y_range: Fixed ranges of the axes.
        sizes: Assumed sizes of the plot in pixels: a place must be good in all of them.
        lines: Lines that text should not cross.
    """
    plots = [_Plot(size, x_range, y_range, obstacles, lines) for size in sizes]
    labels = []
    for text, points in names.items():
        if not points:
            continue
        farther = np.tile([0.02 * (abs(dx) + abs(dy)) for dx, dy, _ in _OFFSETS], len(points))
        best = int((np.sum([plot.cost(text, points) for plot in plots], axis=0) + farther).argmin())
        for plot in plots:
            plot.put(text, points, best)
        point, (dx, dy, anchor) = points[best // len(_OFFSETS)], _OFFSETS[best % len(_OFFSETS)]
        labels.append(Label(text, point[0], point[1], dx, dy, anchor))
    return labels


class _Plot:
    """The plot at one size: what is drawn in it, and the names that have a place already."""

    def __init__(self, size: Place, x_range: Place, y_range: Place, obstacles: Sequence[Place], lines: Sequence[Sequence[Place]]) -> None:
        self.size, self.origin = size, np.array([x_range[0], y_range[0]])
        self.scale = np.array(size) / [x_range[1] - x_range[0], y_range[1] - y_range[0]]
        self.taken = np.concatenate([self._pixels(obstacles), *(_dense(self._pixels(line)) for line in lines)])
        self.placed = np.empty((0, 4))

    def cost(self, text: str, points: Sequence[Place]) -> NDArray[np.float64]:
        return _cost(self._candidates(text, points), self.taken, self.placed, self.size)

    def put(self, text: str, points: Sequence[Place], which: int) -> None:
        self.placed = np.concatenate([self.placed, self._candidates(text, points)[which:which + 1]])

    def _candidates(self, text: str, points: Sequence[Place]) -> NDArray[np.float64]:
        shifts = np.array([(dx, dy) for dx, dy, _ in _OFFSETS])
        at = (self._pixels(points)[:, None, :] + shifts).reshape(-1, 2)
        return _boxes(at, [anchor for _, _, anchor in _OFFSETS] * len(points), text)

    def _pixels(self, places: Sequence[Place]) -> NDArray[np.float64]:
        return (np.asarray(places, dtype=np.float64).reshape(-1, 2) - self.origin) * self.scale


def _boxes(at: NDArray[np.float64], anchors: Sequence[str], text: str) -> NDArray[np.float64]:
    """Left, bottom, right and top of the text at each place, [n, 4] in pixels."""
    wide = sum(3.7 if c in _NARROW else 6.8 for c in text) + 4
    left = at[:, 0] - wide * np.array([{"left": 0.0, "right": 1.0, "center": 0.5}[anchor] for anchor in anchors])
    return np.column_stack([left, at[:, 1] - 9, left + wide, at[:, 1] + 9])


def _cost(boxes: NDArray[np.float64], taken: NDArray[np.float64], placed: NDArray[np.float64], size: Place) -> NDArray[np.float64]:
    """How badly each box sits: points covered, other names overlapped, pixels outside the plot."""
    left, bottom, right, top = (side[:, None] for side in boxes.T)
    covered = ((left - 3 <= taken[:, 0]) & (taken[:, 0] <= right + 3) & (bottom - 2 <= taken[:, 1]) & (taken[:, 1] <= top + 2)).sum(1)
    overlapped = ((left < placed[:, 2]) & (placed[:, 0] < right) & (bottom < placed[:, 3]) & (placed[:, 1] < top)).sum(1)
    outside = np.maximum(0.0, np.stack([-boxes[:, 0], boxes[:, 2] - size[0], -boxes[:, 1], boxes[:, 3] - size[1]])).sum(0)
    return covered + 40 * overlapped + 2 * outside


def _dense(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points every 8 pixels along a line, so that a box over it is seen."""
    out = [line]
    for a, b in itertools.pairwise(line):
        n = max(1, int(np.abs(b - a).max() / 8))
        out.append(a + (b - a) * np.arange(n)[:, None] / n)
    return np.concatenate(out)
