"""Shapes of an examination: scores of members and others, records' own risk against chance, and how the estimate settles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure, note, on_two_lines
from mrp_core.findings import Histogram
from mrp_core.measurement import Measurement
from mrp_core.wording import say

TAIL = 0.025
"""Share of what chance spreads that lies above :attr:`ShapesFrame.edge`, at most."""


@dataclass(frozen=True, kw_only=True)
class ShapesFrame:
    """Two distributions over the same bins, as shares of each.

    Attributes:
        names: What ``first`` and ``second`` are.
        mirrored: Whether the second is drawn downwards; otherwise it is an outline over the first.
        edge: Least bin edge above which at most 2.5 % of the second lie; NaN if mirrored.
        beyond: Shares of the first and of the second above ``edge``.
    """

    names: tuple[str, str]
    x_title: str
    edges: tuple[float, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    mirrored: bool
    edge: float = math.nan
    beyond: tuple[float, float] = (math.nan, math.nan)

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        a, b = self.names
        return [{"from": low, "to": high, a: x, b: y} for low, high, x, y in zip(self.edges, self.edges[1:], self.first, self.second, strict=False)]


@dataclass(frozen=True, kw_only=True)
class SettlingFrame:
    """AUC over the number of shadow adaptations, with 95 % intervals."""

    counts: tuple[int, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def last_step(self) -> float:
        """What the last doubling moved; NaN where there is none."""
        return self.value[-1] - self.value[-2] if len(self.value) > 1 else math.nan

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"shadow adaptations": n, "AUC": v, "low": a, "high": b} for n, v, a, b in zip(self.counts, self.value, self.low, self.high, strict=True)]


def score_frame(histogram: Histogram) -> ShapesFrame:
    """Shares of members and of others in each bin of the headline attack's score."""
    return ShapesFrame(names=(say("members"), say("others")), x_title=say("score of the headline attack (higher: taken for a member)"), edges=histogram.edges,
                       first=_shares(histogram.members), second=_shares(histogram.others), mirrored=True)


def exposure_frame(histogram: Histogram) -> ShapesFrame:
    """Shares of records by their own AUC, and of the same with membership shuffled, which is what chance alone spreads."""
    real, null = _shares(histogram.members), _shares(histogram.others)
    cut = next(i for i in range(len(null) + 1) if sum(null[i:]) <= TAIL)
    return ShapesFrame(names=(say("records"), say("chance alone")), x_title=say("how well a record's own membership is told (AUC; 0.5 is guessing)"), edges=histogram.edges, first=real, second=null,
                       mirrored=False, edge=histogram.edges[cut], beyond=(sum(real[cut:]), sum(null[cut:])))


def shapes_figure(frame: ShapesFrame, colours: Palette, *, height: int = 345) -> go.Figure:
    """Draw both distributions: members up and others down, or an outline of chance over the records."""
    fig = figure(colours, height=height, x_title=on_two_lines(frame.x_title), y_title=say("share of trials" if frame.mirrored else "share of records"), margin=(66, 12, 10, 68))
    top = max(*frame.first, *frame.second, 0.01) * 1.25
    sign = -1 if frame.mirrored else 1
    middles = [(a + b) / 2 for a, b in zip(frame.edges, frame.edges[1:], strict=False)]
    wide = (frame.edges[-1] - frame.edges[0]) / max(1, len(middles)) * 0.92
    hover = [[f"{name}<br>{a:.3g} … {b:.3g}: {v * 100:.1f} %" for a, b, v in zip(frame.edges, frame.edges[1:], values, strict=False)]
             for name, values in zip(frame.names, (frame.first, frame.second), strict=True)]
    fig.add_bar(x=middles, y=frame.first, width=wide, name=frame.names[0], marker={"color": colours.pick, "opacity": 0.75}, hovertext=hover[0], hoverinfo="text")
    if frame.mirrored:
        fig.add_bar(x=middles, y=[-v for v in frame.second], width=wide, name=frame.names[1], hovertext=hover[1], hoverinfo="text",
                    marker={"color": colours.trained, "opacity": 0.75, "pattern": {"shape": "/", "size": 5, "solidity": 0.25}})
    else:
        fig.add_scatter(x=middles, y=frame.second, mode="lines", line={"color": colours.text, "width": 1.8, "dash": "dash", "shape": "hvh"}, name=frame.names[1],
                        hovertext=hover[1], hoverinfo="text")
        fig.add_vline(x=0.5, line={"color": colours.grey, "width": 1, "dash": "dot"})
    fig.update_xaxes(range=[frame.edges[0], frame.edges[-1]])
    fig.update_yaxes(range=[-top if frame.mirrored else 0, top], zeroline=frame.mirrored, zerolinecolor=colours.soft, tickformat=".0%", nticks=5, showticklabels=not frame.mirrored)
    words = (say("members"), say("others (not adapted on)")) if frame.mirrored else (say("these records (bars)"), say("chance alone (dashed)"))
    note(fig, frame.edges[0], top * 0.92, words[0], colours.pick, shift=(8, 0))
    note(fig, frame.edges[0], sign * top * (0.92 if frame.mirrored else 0.8), words[1], colours.trained if frame.mirrored else colours.text, shift=(8, 0))
    return fig


def settling_frame(settling: Sequence[tuple[int, Measurement]]) -> SettlingFrame:
    """What was measured with each number of shadow adaptations, the fewest first."""
    kept = sorted((n, m) for n, m in settling if m.resolved)
    return SettlingFrame(counts=tuple(n for n, _ in kept), value=tuple(m.value for _, m in kept), low=tuple(m.low for _, m in kept), high=tuple(m.high for _, m in kept))


def settling_figure(frame: SettlingFrame, colours: Palette, *, height: int = 330) -> go.Figure:
    """AUC with its interval over the number of shadow adaptations, which doubles from mark to mark."""
    fig = figure(colours, height=height, x_title=say("shadow adaptations of a task (doubling)"), y_title=say("AUC of LiRA, pooled variance"), margin=(66, 16, 12, 52))
    spread = [0.5, *(v for v in (*frame.low, *frame.high) if math.isfinite(v))]
    pad = 0.06 * (max(spread) - min(spread)) + 0.01
    fig.update_yaxes(range=[min(spread) - pad, max(spread) + pad])
    counts = [math.log2(n) for n in frame.counts]
    fig.update_xaxes(range=[min(counts, default=2) - 0.4, max(counts, default=7) + 0.4], tickvals=counts, ticktext=[str(n) for n in frame.counts])
    bars = [[v - a if math.isfinite(a) else 0 for v, a in zip(frame.value, ends, strict=True)] for ends in (frame.low, frame.high)]
    hover = [f"{say('{n} shadow adaptations').format(n=n)}<br>AUC {v:.3f} [{a:.3f}, {b:.3f}]" for n, v, a, b in zip(frame.counts, frame.value, frame.low, frame.high, strict=True)]
    fig.add_scatter(x=counts, y=frame.value, mode="lines+markers", line={"color": colours.pick, "width": 2.2}, marker={"size": 8}, hovertext=hover, hoverinfo="text", name="LiRA",
                    error_y={"type": "data", "symmetric": False, "array": [-v for v in bars[1]], "arrayminus": bars[0], "thickness": 1.2, "width": 4, "color": colours.pick})
    fig.add_hline(y=0.5, line={"color": colours.grey, "width": 1, "dash": "dot"})
    if counts:
        note(fig, max(counts) + 0.4, 0.5, say("guessing"), colours.soft, anchor="right", valign="bottom")
    return fig


def _shares(counts: Sequence[int]) -> tuple[float, ...]:
    total = max(1, sum(counts))
    return tuple(c / total for c in counts)
