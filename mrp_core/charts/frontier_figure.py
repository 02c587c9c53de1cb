"""The frontier chart, drawn from its frame: seeds, band, staircase, means with bars, the pick, and the limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from mrp_core.charts.frontier import FrontierFrame, Mark
from mrp_core.charts.labels import place
from mrp_core.charts.palette import Palette, figure, note
from mrp_core.wording import Texts, say

SYMBOLS: Mapping[str, str] = {"lambda": "circle", "epsilon": "square", "temperature": "triangle-up", "rate_distortion": "triangle-down",
                              "steps": "star-triangle-up", "longer": "star-triangle-down", "rate": "cross", "head": "pentagon", "found": "star"}
NAMES = Texts({"lambda": "λ-trained", "epsilon": "ε-guaranteed", "temperature": "temperature release", "rate_distortion": "rate-distortion release",
                            "steps": "fewer steps", "longer": "longer fine-tuning", "rate": "smaller rate", "head": "head only", "found": "found by the search"})
TEXT = Texts({"impossible": "impossible (Fano)", "chance": "guessing", "zero_step": "before adaptation (0 steps)", "both": "{a} and {b}",
              "status": {"front": "on the frontier", "near": "not told apart from the frontier", "dominated": "dominated", "baseline": "baseline without training"}})
_FREE = ("temperature", "rate_distortion", "steps", "longer", "rate", "head")


def frontier_figure(frame: FrontierFrame, colours: Palette, *, pick: str = "", dominated: bool = True, height: int = 470, width: int = 720) -> go.Figure:
    """Draw the frontier.

    Args:
        frame: Numbers on screen.
        colours: Light or dark.
        pick: Key of the chosen setting, drawn as an open diamond.
        dominated: Whether dominated settings are shown.
        height: In pixels.
        width: About how many pixels wide it will be drawn; names are placed for this.
    """
    fig = figure(colours, height=height, x_title=f"{frame.x_title}   ({say('less leaks ←')})", y_title=frame.y_title)
    fig.update_xaxes(range=frame.x_range)
    fig.update_yaxes(range=frame.y_range, ticksuffix=" %" if frame.y_title.endswith("%") else "")
    shown = [m for m in frame.marks if dominated or m.status != "dominated" or m.key == pick]
    _limit(fig, frame, colours)
    _seeds(fig, frame, colours)
    _band(fig, frame, colours)
    for kind in SYMBOLS:
        group = [m for m in shown if m.kind == kind]
        if group:
            _bars(fig, group, _colour(kind, colours))
            _points(fig, frame, group, kind, colours)
    _rules(fig, frame, colours)
    _names(fig, frame, shown, colours, pick, (width - 80, height - 90))
    _pick(fig, [m for m in shown if m.key == pick], colours)
    return fig


def _colour(kind: str, colours: Palette) -> str:
    return {"lambda": colours.trained, "epsilon": colours.noisy, "found": colours.trained}.get(kind, colours.free)


def _limit(fig: go.Figure, frame: FrontierFrame, colours: Palette) -> None:
    if not frame.limit:
        return
    xs, ys = [p[0] for p in frame.limit], [p[1] for p in frame.limit]
    top, left = frame.y_range[1], frame.x_range[0]
    fig.add_scatter(x=[left, *xs, xs[-1], left], y=[ys[0], *ys, top, top], mode="lines", fill="toself", fillcolor=colours.impossible, line={"width": 0}, hoverinfo="skip", name=TEXT["impossible"])
    fig.add_scatter(x=xs, y=ys, mode="lines", line={"color": colours.grey, "width": 1.5, "dash": "dashdot"}, hoverinfo="skip", name="Fano's limit")
    wide, y = frame.x_range[1] - left, top - 0.06 * (top - frame.y_range[0])
    edge = max((x for x, accuracy in frame.limit if accuracy <= y), default=left)
    if edge - left > 0.22 * wide:
        note(fig, left + 0.02 * wide, y, TEXT["impossible"], colours.soft, name="fixed")
    else:
        note(fig, edge + 0.02 * wide, y, f"← {TEXT['impossible']}", colours.soft, name="fixed")


def _seeds(fig: go.Figure, frame: FrontierFrame, colours: Palette) -> None:
    fig.add_scatter(x=[d[0] for d in frame.seeds], y=[d[1] for d in frame.seeds], mode="markers", marker={"size": 4, "color": colours.seed}, hoverinfo="skip", name="single seeds")


def _band(fig: go.Figure, frame: FrontierFrame, colours: Palette) -> None:
    if frame.band:
        ring = [*frame.band[1], *reversed(frame.band[0])]
        fig.add_scatter(x=[p[0] for p in ring], y=[p[1] for p in ring], mode="lines", line={"width": 0}, fill="toself", fillcolor=colours.trained_band, hoverinfo="skip", name="band of seeds")
    if frame.stairs:
        fig.add_scatter(x=[p[0] for p in frame.stairs], y=[p[1] for p in frame.stairs], mode="lines", line={"color": colours.trained, "width": 2}, hoverinfo="skip", name="attained")


def _bars(fig: go.Figure, group: list[Mark], colour: str) -> None:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for m in group:
        xs += [m.x_low, m.x_high, None, m.x, m.x, None]
        ys += [m.y, m.y, None, m.y_low, m.y_high, None]
    fig.add_scatter(x=xs, y=ys, mode="lines", line={"color": colour, "width": 1}, opacity=0.5, hoverinfo="skip", name="95 % intervals")


def _points(fig: go.Figure, frame: FrontierFrame, group: list[Mark], kind: str, colours: Palette) -> None:
    colour = _colour(kind, colours)
    fill = [colour if m.status == "front" else colours.surface for m in group]
    edge = [colours.grey if m.status == "dominated" else colour for m in group]
    size = 10 if kind in _FREE else 9 if kind == "epsilon" else 8 if len(group) <= 15 else 7
    same = {"marker": {"opacity": 1}}
    fig.add_scatter(x=[m.x for m in group], y=[m.y for m in group], mode="markers", name=NAMES[kind], customdata=[[m.key] for m in group], hovertext=[hover(frame, m) for m in group],
                    hoverinfo="text", selected=same, unselected=same,
                    marker={"symbol": SYMBOLS[kind], "size": size, "color": fill, "opacity": 1, "line": {"color": edge, "width": 1.7}})


def hover(frame: FrontierFrame, m: Mark) -> str:
    """What is told of a mark under the pointer."""
    return f"<b>{m.label}</b><br>{frame.y_title}: {m.y:.1f} [{m.y_low:.1f}, {m.y_high:.1f}]<br>{frame.x_title}: {m.x:.3g} [{m.x_low:.3g}, {m.x_high:.3g}]<br>{TEXT['status'][m.status]}"


def _rules(fig: go.Figure, frame: FrontierFrame, colours: Palette) -> None:
    right, (low, high) = frame.x_range[1], frame.y_range
    levels = [(v, words, dash) for v, words, dash in ((frame.chance, TEXT["chance"], "dot"), (frame.zero_step, TEXT["zero_step"], "dash")) if math.isfinite(v) and low <= v <= high]
    close = len(levels) == 2 and abs(levels[0][0] - levels[1][0]) < 0.06 * (high - low)
    for value, words, dash in levels:
        fig.add_hline(y=value, line={"color": colours.grey, "width": 1, "dash": dash})
        if not close:
            note(fig, right, value, words, colours.soft, anchor="right", valign="bottom", name="fixed")
    if close:
        note(fig, right, max(levels)[0], TEXT["both"].format(a=levels[0][1], b=levels[1][1]), colours.soft, anchor="right", valign="bottom", name="fixed")
    if math.isfinite(frame.x_chance):
        fig.add_vline(x=frame.x_chance, line={"color": colours.grey, "width": 1, "dash": "dot"})
        note(fig, frame.x_chance, frame.y_range[1], say("attacker guesses"), colours.soft, valign="top", shift=(4, 0), name="fixed")


def _names(fig: go.Figure, frame: FrontierFrame, shown: list[Mark], colours: Palette, pick: str, size: tuple[float, float]) -> None:
    obstacles = [p for m in shown for p in ((m.x, m.y), (m.x_low, m.y), (m.x_high, m.y), (m.x, m.y_low), (m.x, m.y_high))] + list(frame.seeds) + _written(fig, frame, size)
    series = {NAMES[kind]: [(m.x, m.y) for m in shown if m.kind == kind] for kind in SYMBOLS if any(m.kind == kind for m in shown)}
    chosen = {m.label: [(m.x, m.y)] for m in shown if m.key == pick}
    lines = [frame.stairs, frame.limit, *[[(frame.x_range[0], v), (frame.x_range[1], v)] for v in (frame.chance, frame.zero_step) if math.isfinite(v)],
             *([[(frame.x_chance, frame.y_range[0]), (frame.x_chance, frame.y_range[1])]] if math.isfinite(frame.x_chance) else [])]
    colour = {NAMES[kind]: _colour(kind, colours) for kind in SYMBOLS}
    for label in place(chosen | series, obstacles, frame.x_range, frame.y_range, lines=lines, sizes=[size]):
        text, ink = (f"<b>{label.text}</b>", colours.pick) if label.text in chosen else (label.text, colour[label.text])
        note(fig, label.x, label.y, text, ink, anchor=label.anchor, shift=(label.dx, label.dy), name="series")


def _written(fig: go.Figure, frame: FrontierFrame, size: tuple[float, float]) -> list[tuple[float, float]]:
    """Points all over what is written in the plot already: other names keep off it."""
    wide, high = ((r[1] - r[0]) / pixels for r, pixels in zip((frame.x_range, frame.y_range), size, strict=True))
    out = []
    layout: Any = fig.layout
    for text in layout.annotations:
        x, y, back, ups = text.x, text.y, text.xanchor == "right", {"bottom": (4, 14), "top": (-4, -14)}.get(text.yanchor, (-5, 5))
        out += [(x + (-n if back else n) * wide, y + up * high) for n in range(0, int(6.8 * len(text.text)) + 8, 8) for up in ups]
    return out


def _pick(fig: go.Figure, marks: list[Mark], colours: Palette) -> None:
    fig.add_scatter(x=[m.x for m in marks], y=[m.y for m in marks], mode="markers", hoverinfo="skip", name="your pick",
                    marker={"symbol": "diamond-open", "size": 19, "color": colours.pick, "line": {"width": 2.6, "color": colours.pick}})
