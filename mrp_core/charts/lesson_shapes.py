"""Two distributions of a lesson, one upward and one downward, over the same bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure


@dataclass(frozen=True, kw_only=True)
class TwoFrame:
    """Shares of each group in equal bins.

    Attributes:
        names: Of the group drawn upward and of the one drawn downward.
        edges: One more than the shares.
        up, down: Sum to one each.
        top: Largest share that the axis leaves room for.
    """

    names: tuple[str, str]
    x_title: str
    edges: tuple[float, ...]
    up: tuple[float, ...]
    down: tuple[float, ...]
    top: float

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        a, b = self.names
        return [{"from": low, "to": high, a: x, b: y} for low, high, x, y in zip(self.edges, self.edges[1:], self.up, self.down, strict=False)]


def two_frame(up: Sequence[float], down: Sequence[float], *, names: tuple[str, str], x_title: str, low: float, high: float, bins: int = 40, top: float = 0.0) -> TwoFrame:
    """Count both groups between ``low`` and ``high``; values outside fall into the end bins."""
    step = (high - low) / bins
    edges = tuple(low + step * i for i in range(bins + 1))
    shares = [_shares(values, low, step, bins) for values in (up, down)]
    return TwoFrame(names=names, x_title=x_title, edges=edges, up=shares[0], down=shares[1], top=max(top, *shares[0], *shares[1]))


def two_figure(frame: TwoFrame, colours: Palette, *, height: int = 310) -> go.Figure:
    """Draw both groups; their names are points of text, since small windows hide annotations."""
    middles, top = [(a + b) / 2 for a, b in zip(frame.edges, frame.edges[1:], strict=False)], 1.35 * frame.top
    wide = (frame.edges[1] - frame.edges[0]) * 0.94
    groups = ((frame.names[0], frame.up, 1, colours.pick, ""), (frame.names[1], frame.down, -1, colours.trained, "/"))
    bars = [{"type": "bar", "x": middles, "y": [sign * v for v in values], "width": wide, "name": name, "hovertext": [f"{name}: {v * 100:.1f} %" for v in values], "hoverinfo": "text",
             "marker": {"color": ink, "opacity": 0.75, "pattern": {"shape": pattern, "size": 5, "solidity": 0.25}}} for name, values, sign, ink, pattern in groups]
    texts = [{"type": "scatter", "x": [frame.edges[0]], "y": [sign * top * 0.88], "mode": "text", "text": [f" {name}"], "textposition": "middle right", "hoverinfo": "skip", "name": f"name: {name}",
              "textfont": {"size": 13, "color": ink}} for name, _, sign, ink, _ in groups]
    return figure(colours, height=height, x_title=frame.x_title, y_title="share of models", margin=(44, 10, 8, 52), x={"range": [frame.edges[0], frame.edges[-1]]},
                  y={"range": [-top, top], "tickvals": [], "zeroline": True, "zerolinecolor": colours.soft}, data=[*bars, *texts])


def _shares(values: Sequence[float], low: float, step: float, bins: int) -> tuple[float, ...]:
    counts, finite = [0] * bins, [v for v in values if math.isfinite(v)]
    for v in finite:
        counts[min(bins - 1, max(0, int((v - low) / step)))] += 1
    return tuple(c / max(1, len(finite)) for c in counts)
