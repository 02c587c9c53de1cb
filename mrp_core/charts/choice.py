"""The small frontier beside the suggestions: what the limits leave, what is suggested, and what is pinned."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from mrp_core.charts.frontier import FrontierFrame, Mark, frontier_frame
from mrp_core.charts.frontier_figure import SYMBOLS, hover
from mrp_core.charts.labels import place
from mrp_core.charts.palette import Palette, figure, words
from mrp_core.config import StudyConfig
from mrp_core.judging import METRIC, Limits
from mrp_core.measurement import METRICS
from mrp_core.results import Summary
from mrp_core.suggesting import LEAKAGE, Advice
from mrp_core.wording import say

UTILITY = "accuracy"
ROOMY = 0.4
"""Share of the width from which on the region is named on the chart."""


@dataclass(frozen=True, kw_only=True)
class ChoiceFrame:
    """What the small frontier shows, in units on screen.

    Attributes:
        front: Marks, staircase and ranges.
        allowed: Keys of the settings whose mean meets every limit.
        suggested: Keys, in the order of the cards.
        nearest: Key of the setting that misses the limits by the least, where none meets them all, or "".
        pinned: Keys that are pinned and on the chart.
        most: Largest leakage that the limits leave; infinite without such a limit on this axis.
        least: Least accuracy that they leave; minus infinity without.
    """

    front: FrontierFrame
    allowed: frozenset[str]
    suggested: tuple[str, ...]
    nearest: str
    pinned: tuple[str, ...]
    most: float
    least: float

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{**row, "within the limits": str(row["setting"] in self.allowed).lower(), "suggested": self.number(str(row["setting"])), "pinned": str(row["setting"] in self.pinned).lower()}
                for row in self.front.rows()]

    def number(self, key: str) -> str:
        """Number of a suggestion's card, or ""."""
        return str(self.suggested.index(key) + 1) if key in self.suggested else ""


def choice_frame(summaries: Sequence[Summary], config: StudyConfig, advice: Advice, limits: Limits, pinned: Sequence[str] = (), x: str = LEAKAGE) -> ChoiceFrame:
    """Arrange a study's settings on leakage and accuracy, with what the limits leave.

    Args:
        summaries: As they were given to :func:`mrp_core.suggesting.advise`.
        config: The study's.
        advice: What was suggested within the limits.
        limits: Those on accuracy and on ``x`` bound the region; the others show in which marks are filled.
        pinned: Keys of pinned settings of this study.
        x: The metric of leakage.
    """
    front = frontier_frame(summaries, config, x=x)
    drawn = {m.key for m in front.marks}
    most = limits.tpr if limits.tpr is not None and METRIC["tpr"] == x else None
    return ChoiceFrame(front=front, allowed=frozenset(j.setting.key for j in advice.judged if j.allowed), suggested=tuple(s.judged.setting.key for s in advice.suggestions),
                       nearest=advice.nearest.setting.key if advice.nearest is not None else "", pinned=tuple(k for k in pinned if k in drawn),
                       most=math.inf if most is None else METRICS[x].shown(most), least=-math.inf if limits.accuracy is None else METRICS[UTILITY].shown(limits.accuracy))


def choice_figure(frame: ChoiceFrame, colours: Palette, *, height: int = 340, width: int = 560) -> go.Figure:
    """Draw it: the region that the limits leave is tinted; settings within all limits are filled; suggestions are numbered diamonds, or the nearest is one, pins are ringed.

    Args:
        frame: Numbers on screen.
        colours: Light or dark.
        height: In pixels.
        width: About how many pixels wide it will be drawn; numbers are placed for this.
    """
    front = frame.front
    x_range, y_range = _with_limits(frame)
    chosen, ringed = [m for m in front.marks if m.key in (*frame.suggested, frame.nearest)], [m for m in front.marks if m.key in frame.pinned]
    stairs = [_trace([p[0] for p in front.stairs], [p[1] for p in front.stairs], "attained", line={"color": colours.trained, "width": 1.5})] if front.stairs else []
    marks = [_marks(front, [m for m in front.marks if (m.key in frame.allowed) == inside], inside, colours) for inside in (False, True)]
    return figure(colours, height=height, x_title=f"{front.x_title}   ({say('less leaks ←')})", y_title=front.y_title, x={"range": x_range},
                  y={"range": y_range, "ticksuffix": " %" if front.y_title.endswith("%") else ""}, shapes=_region(frame, colours, x_range, y_range),
                  data=[*stairs, _bars(chosen, colours), *marks, _around(ringed, "pinned", "circle-open", 16, colours.free), _around(chosen, "suggested", "diamond-open", 17, colours.pick)],
                  annotations=_names(frame, chosen, ringed, colours, x_range, y_range, (width - 80, height - 70)))


def _with_limits(frame: ChoiceFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ranges of the axes, wide enough to show where a limit lies."""
    (left, right), (low, high) = frame.front.x_range, frame.front.y_range
    if math.isfinite(frame.most):
        right = max(right, frame.most + 0.04 * (right - left))
    if math.isfinite(frame.least):
        low, high = min(low, frame.least - 0.04 * (high - low)), max(high, min(102.0, frame.least + 0.12 * (high - low)))
    return (left, right), (low, high)


def _region(frame: ChoiceFrame, colours: Palette, x_range: tuple[float, float], y_range: tuple[float, float]) -> list[dict[str, Any]]:
    """The tinted box, and a dashed line for each limit that bounds it."""
    if not _bounded(frame):
        return []
    right, bottom = min(frame.most, x_range[1]), max(frame.least, y_range[0])
    line = {"color": colours.pick, "width": 1.4, "dash": "dash"}
    upright = [{"type": "line", "x0": right, "x1": right, "y0": bottom, "y1": y_range[1], "line": line}] if math.isfinite(frame.most) else []
    level = [{"type": "line", "x0": x_range[0], "x1": right, "y0": bottom, "y1": bottom, "line": line}] if math.isfinite(frame.least) else []
    box = {"type": "rect", "x0": x_range[0], "x1": right, "y0": bottom, "y1": y_range[1], "fillcolor": colours.pick_band, "line": {"width": 0}, "layer": "below"}
    return [box, *upright, *level]


def _bounded(frame: ChoiceFrame) -> bool:
    return math.isfinite(frame.most) or math.isfinite(frame.least)


def _trace(x: Sequence[float | None], y: Sequence[float | None], name: str, **more: Any) -> dict[str, Any]:
    return {"type": "scatter", "x": x, "y": y, "mode": "lines", "hoverinfo": "skip", "name": name, **more}


def _bars(group: Sequence[Mark], colours: Palette) -> dict[str, Any]:
    xs = [v for m in group for v in (m.x_low, m.x_high, None, m.x, m.x, None)]
    ys = [v for m in group for v in (m.y, m.y, None, m.y_low, m.y_high, None)]
    return _trace(xs, ys, "95 % intervals", line={"color": colours.pick, "width": 1.3}, opacity=0.7)


def _marks(front: FrontierFrame, group: Sequence[Mark], inside: bool, colours: Palette) -> dict[str, Any]:
    edge = colours.trained if inside else colours.grey
    return _trace([m.x for m in group], [m.y for m in group], "within the limits" if inside else "outside of the limits", mode="markers", hoverinfo="text", hovertext=[hover(front, m) for m in group],
                  marker={"symbol": [SYMBOLS[m.kind] for m in group], "size": 7, "color": edge if inside else colours.surface, "line": {"color": edge, "width": 1.3}})


def _around(group: Sequence[Mark], name: str, symbol: str, size: int, colour: str) -> dict[str, Any]:
    return _trace([m.x for m in group], [m.y for m in group], name, mode="markers", marker={"symbol": symbol, "size": size, "color": colour, "line": {"width": 2.2, "color": colour}})


def _names(frame: ChoiceFrame, chosen: Sequence[Mark], ringed: Sequence[Mark], colours: Palette, x_range: tuple[float, float], y_range: tuple[float, float],
           size: tuple[float, float]) -> list[dict[str, Any]]:
    bold = {f"{frame.number(m.key)}: {m.label}" if m.key in frame.suggested else say("nearest: {label}").format(label=m.label): [(m.x, m.y)] for m in chosen}
    texts = bold | {say("pinned: {label}").format(label=m.label): [(m.x, m.y)] for m in ringed if m not in chosen}
    wide, high = x_range[1] - x_range[0], y_range[1] - y_range[0]
    roomy = _bounded(frame) and min(frame.most, x_range[1]) - x_range[0] > ROOMY * wide
    out = [words(x_range[0], y_range[1], say("what your limits leave"), colours.soft, valign="top", shift=(6, -4), name="fixed")] if roomy else []
    strip = [[(x_range[0], y_range[1] - high * 14 / size[1]), (x_range[0] + wide * 150 / size[0], y_range[1] - high * 14 / size[1])]] if roomy else []
    obstacles = [(m.x, m.y) for m in frame.front.marks] + [p for m in chosen for p in ((m.x_low, m.y), (m.x_high, m.y), (m.x, m.y_low), (m.x, m.y_high))]
    for label in place(texts, obstacles, x_range, y_range, lines=[*([frame.front.stairs] if frame.front.stairs else []), *strip], sizes=[size]):
        text, ink = (f"<b>{html.escape(label.text)}</b>", colours.pick) if label.text in bold else (html.escape(label.text), colours.free)
        out.append(words(label.x, label.y, text, ink, anchor=label.anchor, shift=(label.dx, label.dy), name="series"))
    return out
