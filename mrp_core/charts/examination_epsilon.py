"""Bounds on ε from both sides on one scale: what accounting guarantees, what the attack shows, and the most that so many trials could show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure, on_two_lines
from mrp_core.findings import EpsilonRange
from mrp_core.wording import say


@dataclass(frozen=True, kw_only=True)
class EpsilonFrame:
    """All that the scale shows.

    Attributes:
        lower, upper, ceiling: As in :class:`mrp_core.findings.EpsilonRange`; ``upper`` is NaN without a guarantee.
        top: End of the scale.
    """

    lower: float
    upper: float
    ceiling: float
    top: float

    @property
    def consistent(self) -> bool:
        """Whether the attack shows no more than the guarantee allows."""
        return not self.lower > self.upper

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        names = (("lower bound (attack)", self.lower), ("upper bound (accounting)", self.upper), ("ceiling of so many trials", self.ceiling))
        return [{"bound": name, "epsilon": value} for name, value in names]


def epsilon_frame(found: EpsilonRange) -> EpsilonFrame:
    """The scale reaches a fifth beyond the largest of the three."""
    known = [v for v in (found.lower, found.upper, found.ceiling) if math.isfinite(v)]
    return EpsilonFrame(lower=found.lower, upper=found.upper, ceiling=found.ceiling, top=1.2 * max([1.0, *known]))


def epsilon_figure(frame: EpsilonFrame, colours: Palette, *, height: int = 206) -> go.Figure:
    """One horizontal scale: shaded is what either side rules out, the bar is where ε may be."""
    fig = figure(colours, height=height, x_title=on_two_lines(say("ε of one adaptation, for one support record (smaller: more private)")), y_title="", margin=(16, 16, 10, 68))
    guaranteed = math.isfinite(frame.upper)
    right = frame.upper if guaranteed else frame.top
    shapes = [_band(frame.upper, frame.top, colours.impossible)] if guaranteed else []
    if frame.lower > 0:
        shapes.append(_band(0.0, frame.lower, colours.pick_band))
    shapes.append({"type": "line", "x0": frame.ceiling, "x1": frame.ceiling, "y0": 0, "y1": 0.5, "line": {"color": colours.soft, "width": 1.4, "dash": "dash"}})
    fig.add_scatter(x=[frame.lower, right], y=[0.5, 0.5], mode="lines", line={"color": colours.trained, "width": 6}, opacity=0.55, hoverinfo="skip", name="where it may be")
    fig.add_scatter(x=[frame.lower], y=[0.5], mode="markers", marker={"symbol": "triangle-right", "size": 16, "color": colours.pick}, hoverinfo="text", name="lower bound",
                    hovertext=say("the attack shows at least {v:.2f}").format(v=frame.lower))
    fig.add_scatter(x=[frame.upper if guaranteed else frame.top * 0.995], y=[0.5], mode="markers", hoverinfo="text", name="upper bound" if guaranteed else "no upper bound",
                    hovertext=say("guaranteed: at most {v:g}").format(v=frame.upper) if guaranteed else say("no guarantee: it may be anything from here on"),
                    marker={"symbol": "square" if guaranteed else "arrow-bar-right", "size": 13, "color": colours.noisy if guaranteed else colours.trained})
    fig.update_layout(shapes=shapes, annotations=_names(frame, colours), xaxis={"range": [-0.02 * frame.top, frame.top], "nticks": 8},
                      yaxis={"range": [0, 1], "showticklabels": False, "showgrid": False})
    return fig


def _names(frame: EpsilonFrame, colours: Palette) -> list[dict[str, object]]:
    """Words above the bar for the bounds, below it for the ceiling."""
    guaranteed = math.isfinite(frame.upper)
    promised = say("guarantee: at most {v:g}").format(v=frame.upper) if guaranteed else say("no guarantee: no upper bound")
    shown = say("attack: at least {v:.2f}").format(v=frame.lower) if frame.lower > 0 else say("attack: shows nothing above 0")
    texts = [(frame.lower, 0.66, shown, colours.pick), (frame.ceiling, 0.16, say("so many trials can show {v:.2f} at most").format(v=frame.ceiling), colours.soft),
             (frame.upper if guaranteed else frame.top, 0.88, promised, colours.noisy if guaranteed else colours.soft)]
    return [{"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 13, "color": ink}, "xanchor": "left" if x < 0.5 * frame.top else "right",
             "xshift": (6 if x < 0.5 * frame.top else -6) * (y < 0.5), "yshift": 3 * (y > 0.5)} for x, y, text, ink in texts]


def _band(low: float, high: float, colour: str) -> dict[str, object]:
    return {"type": "rect", "x0": low, "x1": high, "y0": 0, "y1": 1, "yref": "paper", "fillcolor": colour, "line": {"width": 0}, "layer": "below"}
