"""Knobs of many studies: each study a line over its knobs and results, and how much each knob tells the better half apart."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure
from mrp_core.importance import Value, Varied
from mrp_core.wording import say


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One upright axis.

    Attributes:
        label: Words under it.
        values: One a study, as they are.
        places: Where each value stands, from 0 (bottom) to 1; NaN where there is none.
        ticks: (place, text) of its ends, or of every choice.
    """

    label: str
    values: tuple[Value, ...]
    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, kw_only=True)
class LinesFrame:
    """Studies as lines over axes: knobs first, results last."""

    studies: tuple[str, ...]
    axes: tuple[Axis, ...]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, one study a row, for the page and for export."""
        return [{say("study"): name, **{a.label: a.values[i] for a in self.axes}} for i, name in enumerate(self.studies)]


@dataclass(frozen=True, kw_only=True)
class SharesFrame:
    """(label, share) of each knob, largest first; the shares sum to 1."""

    shares: tuple[tuple[str, float], ...]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{say("knob"): label, say("share"): share} for label, share in self.shares]


def lines_frame(studies: Sequence[str], knobs: Sequence[Varied], results: Mapping[str, Sequence[float]]) -> LinesFrame:
    """Lay studies out over their knobs, spaced as the knobs' sliders are, and over their results.

    Args:
        studies: Titles, one a study.
        knobs: Those that vary.
        results: Label -> one number a study, higher is better; NaN leaves a gap.
    """
    axes = [_numeric(k.knob.label, [float(v) for v in k.values], k.logarithmic) if k.numeric else _choices(k) for k in knobs]
    return LinesFrame(studies=tuple(studies), axes=(*axes, *(_numeric(label, values, False) for label, values in results.items())))


def shares_frame(knobs: Sequence[Varied], shares: Mapping[str, float]) -> SharesFrame:
    """Name the knobs of :func:`mrp_core.importance.importances` in words."""
    labels = {k.name: k.knob.label for k in knobs}
    return SharesFrame(shares=tuple((labels[name], share) for name, share in shares.items()))


def lines_figure(frame: LinesFrame, colours: Palette, *, pick: int | None = None, height: int = 360) -> go.Figure:
    """Draw one line a study over upright axes; plotly's own parallel coordinates can't be read aloud or reached by keyboard.

    Args:
        frame: Places from 0 to 1.
        colours: Light or dark.
        pick: The study that stands out.
        height: In pixels.
    """
    count = len(frame.axes)
    fig = figure(colours, height=height, x_title="", y_title="", margin=(24, 24, 12, 64),
                 x={"range": [-0.35, count - 0.65], "tickvals": list(range(count)), "ticktext": [_wrapped(a.label) for a in frame.axes], "ticks": "", "showline": False},
                 y={"range": [-0.09, 1.09], "showticklabels": False, "showgrid": False})
    for i in range(count):
        fig.add_shape(type="line", x0=i, x1=i, y0=0, y1=1, line={"color": colours.soft, "width": 1})
    order = [i for i in range(len(frame.studies)) if i != pick] + ([pick] if pick is not None else [])
    for i in order:
        chosen = i == pick
        fig.add_scatter(x=list(range(count)), y=[None if math.isnan(a.places[i]) else a.places[i] for a in frame.axes], mode="lines+markers", name=html.escape(frame.studies[i]),
                        hovertext=[f"<b>{html.escape(frame.studies[i])}</b><br>{html.escape(a.label)}: {html.escape(_text(a.values[i]))}" for a in frame.axes], hoverinfo="text",
                        opacity=1 if chosen else 0.65, line={"color": colours.pick if chosen else colours.trained, "width": 3 if chosen else 1.5, "dash": "solid" if chosen else "dot"},
                        marker={"size": 8 if chosen else 6, "symbol": "diamond" if chosen else "circle"})
    fig.update_layout(annotations=[{"x": i, "y": place, "text": html.escape(text), "showarrow": False, "xanchor": "left", "xshift": 6, "yshift": 9 if place > 0.5 else -9,
                                    "font": {"size": 12, "color": colours.soft}} for i, a in enumerate(frame.axes) for place, text in a.ticks])
    return fig


def shares_figure(frame: SharesFrame, colours: Palette) -> go.Figure:
    """One bar a knob, largest on top, its share beside it."""
    labels, shares = [label for label, _ in frame.shares], [100 * share for _, share in frame.shares]
    left = min(220, 26 + round(6.6 * max((len(label) for label in labels), default=10)))
    return figure(colours, height=70 + 27 * max(2, len(labels)), x_title=say("share of what tells the better half apart, %"), y_title="", margin=(left, 60, 8, 48),
                  x={"range": [0, 100], "showgrid": True}, y={"autorange": "reversed", "showgrid": False, "tickfont": {"color": colours.text}},
                  data=[{"type": "bar", "orientation": "h", "x": shares, "y": labels, "text": [f"{s:.0f} %" for s in shares], "textposition": "outside", "cliponaxis": False,
                         "hoverinfo": "skip", "marker": {"color": colours.trained}}])


def _numeric(label: str, values: Sequence[float], logarithmic: bool) -> Axis:
    known = [v for v in values if not math.isnan(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    scale = math.log if logarithmic else float
    wide = (scale(high) - scale(low)) or 1.0
    places = tuple((scale(v) - scale(low)) / wide if not math.isnan(v) else math.nan for v in values)
    return Axis(label=label, values=tuple(values), places=places, ticks=((0.0, _text(low)), (1.0, _text(high))) if high > low else ((0.0, _text(low)),))


def _choices(k: Varied) -> Axis:
    names = sorted({str(v) for v in k.values})
    at = {name: i / (len(names) - 1) for i, name in enumerate(names)}
    return Axis(label=k.knob.label, values=k.values, places=tuple(at[str(v)] for v in k.values), ticks=tuple((place, name) for name, place in at.items()))


def _text(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _wrapped(label: str) -> str:
    """A label over two or three short lines."""
    lines = [""]
    for word in html.escape(label, quote=False).split():
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < 14 else [*lines, word]
    return "<br>".join(line for line in lines if line)
