"""Lines of a lesson: a few named series with their bands, levels to compare with, and where the control stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from mrp_core.charts.labels import Label, place
from mrp_core.charts.palette import Palette, figure

Role = Literal["first", "second", "third", "limit"]
Level = tuple[float, str]
SIZES = ((275, 235), (420, 235), (620, 235))
"""Pixels of the plot on a phone, in a column and over the whole page; names are placed for all three."""
_DASHES = {"first": "solid", "second": "dash", "third": "dot", "limit": "dashdot"}
_SYMBOLS = {"first": "circle", "second": "square", "third": "diamond", "limit": "x"}


@dataclass(frozen=True, kw_only=True)
class LessonLine:
    """One series.

    Attributes:
        name: Written beside it.
        x, y: Equally long, in units on screen; NaN where nothing is known.
        low, high: Ends of the 95 % band, or empty.
        role: Colour, dash and symbol; "limit" has no marks.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    role: Role = "first"


@dataclass(frozen=True, kw_only=True)
class LinesFrame:
    """All that the chart shows.

    Attributes:
        mark: Where the control stands on x; NaN for nowhere.
        levels: (value, name) of horizontal lines.
        unit: After each number on the y axis, such as " %".
        log_x: Whether x is drawn on a logarithmic axis.
        ticks: (x, text) of the x axis; empty for its own.
    """

    lines: tuple[LessonLine, ...]
    x_title: str
    y_title: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    mark: float
    levels: tuple[Level, ...]
    unit: str
    log_x: bool
    ticks: tuple[Level, ...]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        nothing = lambda line: (math.nan,) * len(line.x)  # noqa: E731
        return [{"series": line.name, self.x_title: x, self.y_title: y, "low": a, "high": b} for line in self.lines
                for x, y, a, b in zip(line.x, line.y, line.low or nothing(line), line.high or nothing(line), strict=True)]


def lines_frame(lines: Sequence[LessonLine], *, x_title: str, y_title: str, mark: float = math.nan, levels: Sequence[Level] = (), unit: str = "", log_x: bool = False,
                ticks: Sequence[Level] = (), y_range: tuple[float, float] | None = None) -> LinesFrame:
    """Arrange series; ranges hold everything that is drawn, so that nothing but the mark moves with the control. On a logarithmic axis the range is in powers of ten."""
    xs = [_at(x, log_x) for line in lines for x in line.x]
    ys = [v for line in lines for v in (*line.y, *line.low, *line.high) if math.isfinite(v)] + [v for v, _ in levels]
    ys = ys or [0.0, 1.0]
    pad_x, pad_y = 0.03 * (max(xs) - min(xs)) or 0.1, 0.08 * (max(ys) - min(ys)) or 0.1
    return LinesFrame(lines=tuple(lines), x_title=x_title, y_title=y_title, x_range=(min(xs) - pad_x, max(xs) + pad_x), y_range=y_range or (min(ys) - pad_y, max(ys) + pad_y), mark=mark,
                      levels=tuple(levels), unit=unit, log_x=log_x, ticks=tuple(ticks))


def lines_figure(frame: LinesFrame, colours: Palette, *, height: int = 310) -> go.Figure:
    """Draw the series with their names beside them; the mark is a line through all of them, with a diamond on each."""
    log = frame.log_x
    x_axis = {"range": list(frame.x_range), **({"tickvals": [_at(v, log) for v, _ in frame.ticks], "ticktext": [t for _, t in frame.ticks]} if frame.ticks else {})}
    data = [trace for line in frame.lines for trace in _traces(line, frame, colours)]
    shapes = [{"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": v, "y1": v, "line": {"color": colours.grey, "width": 1.2, "dash": "dot"}} for v, _ in frame.levels]
    if math.isfinite(frame.mark):
        at = _at(frame.mark, log)
        shapes.append({"type": "line", "yref": "y domain", "y0": 0, "y1": 1, "x0": at, "x1": at, "line": {"color": colours.pick, "width": 1.6}})
    return figure(colours, height=height, x_title=frame.x_title, y_title=frame.y_title, margin=(62, 14, 10, 52), x=x_axis, y={"range": list(frame.y_range), "ticksuffix": frame.unit, "nticks": 6},
                  data=[*data, *_names(frame, colours)], shapes=shapes)


def ink(role: Role, colours: Palette) -> str:
    """The colour of a role."""
    return {"first": colours.trained, "second": colours.noisy, "third": colours.free, "limit": colours.soft}[role]


def _at(x: float, log: bool) -> float:
    return math.log10(x) if log else x


def _traces(line: LessonLine, frame: LinesFrame, colours: Palette) -> list[dict[str, object]]:
    """Band, line and the diamond of one series."""
    colour, xs = ink(line.role, colours), [_at(x, frame.log_x) for x in line.x]
    out: list[dict[str, object]] = []
    if line.low:
        ring = [(x, v) for x, v in zip(xs, line.high, strict=True) if math.isfinite(v)] + [(x, v) for x, v in zip(xs, line.low, strict=True) if math.isfinite(v)][::-1]
        out.append({"type": "scatter", "x": [x for x, _ in ring], "y": [v for _, v in ring], "mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": colour, "opacity": 0.16,
                    "hoverinfo": "skip", "name": f"{line.name}: 95 % band"})
    hover = [f"{line.name}<br>{frame.x_title}: {x:g}<br>{y:.3g}{frame.unit}" + (f" [{a:.3g}, {b:.3g}]" if line.low else "")
             for x, y, a, b in zip(line.x, line.y, line.low or line.y, line.high or line.y, strict=True)]
    out.append({"type": "scatter", "x": xs, "y": list(line.y), "mode": "lines" if line.role == "limit" else "lines+markers", "name": line.name, "hovertext": hover, "hoverinfo": "text",
                "line": {"color": colour, "width": 2.2, "dash": _DASHES[line.role]}, "marker": {"size": 5 if len(xs) > 12 else 7, "symbol": _SYMBOLS[line.role]}})
    chosen = [(at, y) for at, x, y in zip(xs, line.x, line.y, strict=True) if x == frame.mark and math.isfinite(y)]
    if chosen:
        out.append({"type": "scatter", "x": [chosen[0][0]], "y": [chosen[0][1]], "mode": "markers", "hoverinfo": "skip", "name": f"{line.name}: chosen",
                    "marker": {"symbol": "diamond-open", "size": 15, "color": colours.pick, "line": {"width": 2.4, "color": colours.pick}}})
    return out


def _names(frame: LinesFrame, colours: Palette) -> list[dict[str, object]]:
    """Names as points of text, since small windows hide annotations; a lone series is named by the chart's title."""
    points = {line.name: [(_at(x, frame.log_x), y) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)] for line in frame.lines}
    named = points if len(points) > 1 else {}
    wide = frame.x_range[1] - frame.x_range[0]
    rules = {name: [(frame.x_range[0] + share * wide, v) for share in (0.98, 0.6, 0.3, 0.02)] for v, name in frame.levels if name}
    drawn = [*points.values(), *([(frame.x_range[0], v), (frame.x_range[1], v)] for v, _ in frame.levels)]
    if math.isfinite(frame.mark):
        at = _at(frame.mark, frame.log_x)
        drawn += [[(at, frame.y_range[0]), (at, frame.y_range[1])]]
    inks = {line.name: ink(line.role, colours) for line in frame.lines}
    tall = (frame.y_range[1] - frame.y_range[0]) / SIZES[0][1]
    return [_text(label, tall, inks.get(label.text, colours.soft)) for label in place(named | rules, [], frame.x_range, frame.y_range, sizes=list(SIZES), lines=drawn)]


def _text(label: Label, per_pixel: float, colour: str) -> dict[str, object]:
    """A name at its place: the height is the same in all windows, and the distance to the side is made of narrow spaces."""
    space = "\u00a0" * round(max(0.0, abs(label.dx) - 5) / 3.3)
    text = {"left": space + label.text, "right": label.text + space, "center": label.text}[label.anchor]
    position = {"left": "middle right", "right": "middle left", "center": "middle center"}[label.anchor]
    return {"type": "scatter", "x": [label.x], "y": [label.y + label.dy * per_pixel], "mode": "text", "text": [text], "textposition": position, "hoverinfo": "skip", "cliponaxis": False,
            "name": f"name: {label.text}", "textfont": {"size": 13, "color": colour}}
