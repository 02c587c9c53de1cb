"""A second study's frontier on the same chart, so that two losses, learners or searches can be compared by eye."""

from __future__ import annotations

import plotly.graph_objects as go

from mrp_core.charts.frontier import TRAINED, FrontierFrame, Mark
from mrp_core.charts.frontier_figure import hover
from mrp_core.charts.palette import Palette, note

SYMBOLS = {"lambda": "diamond", "epsilon": "diamond-wide"}


def joined_rows(frame: FrontierFrame, name: str, other: FrontierFrame, other_name: str) -> list[dict[str, str | float]]:
    """Both frontiers as one table, for export."""
    return [{"study": n, **row} for n, f in ((name, frame), (other_name, other)) for row in f.rows()]


def trained(frame: FrontierFrame) -> list[Mark]:
    """What another study adds to a chart: its trained settings, not its baselines."""
    return [m for m in frame.marks if m.kind in TRAINED]


def add_beside(fig: go.Figure, frame: FrontierFrame, other: FrontierFrame, name: str, colours: Palette) -> None:
    """Draw the trained settings of ``other`` with its staircase, dashed, and widen the axes of ``frame`` to hold both; a click on them chooses nothing."""
    x_range, y_range = ((min(a[0], b[0]), max(a[1], b[1])) for a, b in ((frame.x_range, other.x_range), (frame.y_range, other.y_range)))
    fig.update_xaxes(range=x_range)
    fig.update_yaxes(range=y_range)
    marks, colour = trained(other), colours.text
    bars: tuple[list[float | None], list[float | None]] = ([], [])
    for m in marks:
        bars[0].extend([m.x_low, m.x_high, None, m.x, m.x, None])
        bars[1].extend([m.y, m.y, None, m.y_low, m.y_high, None])
    fig.add_scatter(x=bars[0], y=bars[1], mode="lines", line={"color": colour, "width": 1}, opacity=0.4, hoverinfo="skip", name=f"95 % intervals, {name}")
    fig.add_scatter(x=[p[0] for p in other.stairs], y=[p[1] for p in other.stairs], mode="lines", line={"color": colour, "width": 2, "dash": "dash"}, hoverinfo="skip", name=f"attained, {name}")
    for kind, symbol in SYMBOLS.items():
        group = [m for m in marks if m.kind == kind]
        fig.add_scatter(x=[m.x for m in group], y=[m.y for m in group], mode="markers", hoverinfo="text", name=f"{kind}, {name}",
                        hovertext=[f"{name}<br>{hover(other, m)}" for m in group],
                        marker={"symbol": symbol, "size": 8, "color": [colour if m.status == "front" else colours.surface for m in group], "line": {"color": colour, "width": 1.6}})
    if other.stairs:
        x, y = max(other.stairs, key=lambda p: p[1])
        note(fig, min(x, x_range[1]), y, name, colour, anchor="right", valign="bottom", shift=(0, 4), name="fixed")
