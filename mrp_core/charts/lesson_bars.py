"""Horizontal bars of a lesson: one a name, with its interval, and a level to compare with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One value with its 95 % interval, in units on screen; ``chosen`` is where the control stands, ``faint`` what lies beyond it."""

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    chosen: bool = False
    faint: bool = False


@dataclass(frozen=True, kw_only=True)
class BarsFrame:
    """Bars from top to bottom, and a vertical line at ``level``."""

    bars: tuple[Bar, ...]
    x_title: str
    level: float
    unit: str
    top: float

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"name": b.name, self.x_title: b.value, "low": b.low, "high": b.high} for b in self.bars]


def bars_frame(bars: Sequence[Bar], *, x_title: str, level: float = math.nan, unit: str = "") -> BarsFrame:
    """The axis reaches beyond the longest interval, with room for the numbers at the bars' ends."""
    most = max((v for b in bars for v in (b.value, b.high, level) if math.isfinite(v)), default=1.0)
    return BarsFrame(bars=tuple(bars), x_title=x_title, level=level, unit=unit, top=1.2 * most or 1.0)


def bars_figure(frame: BarsFrame, colours: Palette, *, height: int = 310) -> go.Figure:
    """Draw the bars; numbers are points of text at the ends, since small windows hide annotations."""
    names = [b.name for b in frame.bars]
    ends = [b.high if math.isfinite(b.high) else b.value for b in frame.bars]
    inks = [colours.pick if b.chosen else colours.grey if b.faint else colours.trained for b in frame.bars]
    up = [e - b.value for e, b in zip(ends, frame.bars, strict=True)]
    down = [b.value - b.low if math.isfinite(b.low) else 0.0 for b in frame.bars]
    bars = {"type": "bar", "orientation": "h", "y": names, "x": [b.value for b in frame.bars], "width": 0.62, "name": frame.x_title, "hovertext": [_told(b, frame.unit) for b in frame.bars],
            "hoverinfo": "text", "marker": {"color": inks, "opacity": [0.35 if b.faint else 0.85 for b in frame.bars], "pattern": {"shape": ["/" if b.faint else "" for b in frame.bars], "size": 5}},
            "error_x": {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.3, "width": 4, "color": colours.text}}
    texts = {"type": "scatter", "mode": "text", "y": names, "x": ends, "text": [f"\u00a0\u00a0{b.value:.1f}{frame.unit}" for b in frame.bars], "textposition": "middle right", "hoverinfo": "skip",
             "name": "values", "textfont": {"size": 13, "color": colours.text}, "cliponaxis": False}
    rule = [{"type": "line", "x0": frame.level, "x1": frame.level, "yref": "y domain", "y0": 0, "y1": 1, "line": {"color": colours.grey, "width": 1.3, "dash": "dot"}}]
    left = min(190, 20 + round(6.7 * max((len(n) for n in names), default=8)))
    return figure(colours, height=height, x_title=frame.x_title, y_title="", margin=(left, 14, 8, 52), x={"range": [0, frame.top], "ticksuffix": frame.unit, "nticks": 5},
                  y={"autorange": "reversed", "showgrid": False, "tickfont": {"size": 13, "color": colours.text}}, data=[bars, texts], shapes=rule if math.isfinite(frame.level) else [])


def _told(b: Bar, unit: str) -> str:
    return f"{b.name}: {b.value:.1f}{unit}" + (f" [{b.low:.1f}, {b.high:.1f}]" if math.isfinite(b.low) else "")
