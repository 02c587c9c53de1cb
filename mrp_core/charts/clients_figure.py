"""The charts of clients by themselves, drawn from their frames: small frontiers on common axes, and accuracies against those without protection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from mrp_core.charts.client_frontiers import POOLED, ClientFrontiers, ClientLine
from mrp_core.charts.clients import Client, FairnessFrame
from mrp_core.charts.palette import Palette, figure, words
from mrp_core.wording import say

COLUMNS, MOST = 3, 12
"""Panels beside one another, and panels at most: of more clients those that are least accurate without protection are drawn, and all are in the table."""
_GAP, _ROW = 0.035, 176


def shown(frame: ClientFrontiers) -> tuple[ClientLine, ...]:
    """The clients that the chart has a panel for, by name."""
    lines = [line for line in frame.lines if line.keys]
    return tuple(sorted(sorted(lines, key=lambda line: line.y[0][0])[:MOST], key=lambda line: line.name))


def client_frontiers_figure(frame: ClientFrontiers, colours: Palette, *, pick: str = "") -> go.Figure:
    """One panel a client: its own line in front of that of all held-out tasks, the chosen setting as a diamond with both intervals.

    Args:
        frame: Numbers on screen.
        colours: Light or dark.
        pick: Key of the chosen setting.
    """
    lines = shown(frame)
    rows = -(-len(lines) // COLUMNS)
    height = 84 + _ROW * rows
    top, across = 30 / (height - 84), (1 - _GAP * (COLUMNS - 1)) / COLUMNS
    fig = figure(colours, height=height, x_title="", y_title="", margin=(62, 12, 8, 76))
    x_axis, y_axis = (getattr(fig.layout, name).to_plotly_json() for name in ("xaxis", "yaxis"))
    ranges = _range([*lines, frame.pooled], "x", pick), _range([*lines, frame.pooled], "y", pick)
    axes: dict[str, Any] = {}
    for i, line in enumerate(lines):
        row, column, n = i // COLUMNS, i % COLUMNS, "" if i == 0 else str(i + 1)
        left, low = column * (across + _GAP), 1 - (row + 1) / rows
        last = i + COLUMNS >= len(lines)
        axes[f"xaxis{n}"] = x_axis | {"domain": [left, left + across], "anchor": f"y{n}", "range": ranges[0], "nticks": 4, "showticklabels": last, "title": None}
        axes[f"yaxis{n}"] = y_axis | {"domain": [low + 0.1 / rows, low + 1 / rows - top], "anchor": f"x{n}", "range": ranges[1], "nticks": 5, "showticklabels": column == 0, "title": None,
                                      "ticksuffix": " %" if frame.y_title.endswith("%") else ""}
        _panel(fig, frame, line, n, colours, pick)
    titles = [_words(line.name, (i % COLUMNS) * (across + _GAP), 1 - (i // COLUMNS) / rows, colours.text, yanchor="top") for i, line in enumerate(lines)]
    titles.append(_words(f"{frame.x_title}   ({say('less leaks ←')})", 0.5, 0, colours.text, xanchor="center", yanchor="top", yshift=-38, font={"size": 14, "color": colours.text}))
    titles.append(_words(frame.y_title, 0, 0.5, colours.text, xanchor="center", yanchor="middle", xshift=-50, textangle=-90, font={"size": 14, "color": colours.text}))
    fig.update_layout(annotations=titles, **axes)
    return fig


def _words(text: str, x: float, y: float, colour: str, **more: Any) -> dict[str, Any]:
    return words(x, y, text, colour) | {"xref": "paper", "yref": "paper", "xanchor": "left"} | more


def _panel(fig: go.Figure, frame: ClientFrontiers, line: ClientLine, n: str, colours: Palette, pick: str) -> None:
    where = {"xaxis": f"x{n}", "yaxis": f"y{n}"}
    pooled = frame.pooled
    fig.add_scatter(x=[v[0] for v in pooled.x], y=[v[0] for v in pooled.y], mode="lines", line={"color": colours.grey, "width": 1.6, "dash": "dot"}, hoverinfo="skip", name=POOLED, **where)
    fig.add_scatter(x=[v[0] for v in line.x], y=[v[0] for v in line.y], mode="lines+markers", line={"color": colours.trained, "width": 1.4}, marker={"size": 4, "color": colours.trained},
                    hovertext=[_hover(frame, line, i) for i in range(len(line.keys))], hoverinfo="text", name=line.name, **where)
    if pick in line.keys:
        i = line.keys.index(pick)
        (x, x_low, x_high), (y, y_low, y_high) = line.x[i], line.y[i]
        fig.add_scatter(x=[x_low, x_high, None, x, x], y=[y, y, None, y_low, y_high], mode="lines", line={"color": colours.pick, "width": 1.6}, hoverinfo="skip", name="95 % intervals", **where)
        fig.add_scatter(x=[x], y=[y], mode="markers", marker={"symbol": "diamond", "size": 10, "color": colours.pick}, hovertext=[_hover(frame, line, i)], hoverinfo="text", name="chosen", **where)


def _hover(frame: ClientFrontiers, line: ClientLine, i: int) -> str:
    text = lambda v: f"{v[0]:.3g} [{v[1]:.3g}, {v[2]:.3g}]" if math.isfinite(v[1]) else f"{v[0]:.3g}"  # noqa: E731
    return f"<b>{line.name}</b>, {line.labels[i]}<br>{frame.x_title}: {text(line.x[i])}<br>{frame.y_title}: {text(line.y[i])}"


def _range(lines: Sequence[ClientLine], axis: str, pick: str) -> tuple[float, float]:
    """All means, and the whole interval of the chosen setting."""
    values = [v for line in lines for key, ends in zip(line.keys, getattr(line, axis), strict=True) for v in (ends if key == pick and line.name != POOLED else ends[:1])]
    values = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    pad = max(0.08 * (max(values) - min(values)), 1e-3)
    return min(values) - pad, max(values) + pad


def fairness_figure(frame: FairnessFrame, colours: Palette) -> go.Figure:
    """One line a client, the most accurate on top: accuracy at the setting with its interval, at λ = 0 as an open circle, and the mean of all as a dashed line."""
    names = [c.name for c in frame.clients]
    left = min(250, 26 + round(6.8 * max((len(n) for n in names), default=10)))
    fig = figure(colours, height=64 + 27 * max(2, len(names)), x_title=say("Accuracy, %"), y_title="", margin=(left, 118, 8, 48))
    ends = [100 * v for c in frame.clients for m in (c.accuracy, c.base) for v in (m.value, m.low, m.high) if math.isfinite(v)] or [0.0, 100.0]
    pad = 0.04 * (max(ends) - min(ends)) + 0.2
    beside = [words(1, i, _accuracy(c), colours.text, shift=(8, 0)) | {"xref": "paper"} for i, c in enumerate(frame.clients)]
    fig.update_layout(xaxis={"range": [min(ends) - pad, max(ends) + pad], "showgrid": True, "ticksuffix": " %", "nticks": 7}, annotations=beside,
                      yaxis={"range": [len(names) - 0.4, -0.6], "tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "tickfont": {"color": colours.text}})
    if frame.mean.resolved:
        fig.add_vline(x=100 * frame.mean.value, line={"color": colours.pick, "width": 1.4, "dash": "dash"})
    bars: list[tuple[float | None, float | None]] = [end for i, c in enumerate(frame.clients) for end in ((100 * c.accuracy.low, i), (100 * c.accuracy.high, i), (None, None))]
    fig.add_scatter(x=[x for x, _ in bars], y=[y for _, y in bars], mode="lines", line={"color": colours.pick, "width": 1.6}, opacity=0.7, hoverinfo="skip", name="95 % intervals")
    fig.add_scatter(x=[100 * c.base.value for c in frame.clients], y=list(range(len(names))), mode="markers", hoverinfo="skip", name="λ = 0",
                    marker={"symbol": "circle-open", "size": 9, "color": colours.grey, "line": {"width": 1.8}})
    fig.add_scatter(x=[100 * c.accuracy.value for c in frame.clients], y=list(range(len(names))), mode="markers", marker={"symbol": "diamond", "size": 9, "color": colours.pick},
                    hovertext=[f"<b>{c.name}</b><br>{frame.label}: {_accuracy(c)} %" for c in frame.clients], hoverinfo="text", name=frame.label)
    return fig


def _accuracy(client: Client) -> str:
    m = client.accuracy
    return f"{100 * m.value:.1f} [{100 * m.low:.1f}, {100 * m.high:.1f}]" if math.isfinite(m.low) else f"{100 * m.value:.1f}"
