"""Dots with intervals: attacks, parts of the records, attributes and training tasks, each against guessing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure
from mrp_core.findings import AttackRow, AttributeRisk, PartRisk, TaskRisk
from mrp_core.measurement import Measurement
from mrp_core.wording import say

HEADLINE, CONTROL, PLAIN = "headline", "control", "plain"


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One AUC with its 95 % interval.

    Attributes:
        group: Heading above it, or "".
        role: "headline", "control" (what it must be compared with) or "plain".
    """

    group: str
    name: str
    value: float
    low: float
    high: float
    role: str = PLAIN


@dataclass(frozen=True, kw_only=True)
class DotsFrame:
    """Dots from top to bottom."""

    dots: tuple[Dot, ...]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"group": d.group, "name": d.name, "role": d.role, "AUC": d.value, "low": d.low, "high": d.high} for d in self.dots]


def attack_dots(attacks: Sequence[AttackRow]) -> DotsFrame:
    """Attacks that were made, the headline first."""
    return _dots(("", say(a.title), a.means["auc"], HEADLINE if a.headline else PLAIN) for a in attacks if "auc" in a.means)


def part_dots(parts: Sequence[PartRisk]) -> DotsFrame:
    """Parts of the records under headings: by class, by task, by each attribute."""
    kinds, words = dict.fromkeys(p.by for p in parts), {"class": say("class"), "task": say("task")}
    return _dots((say("by {kind}").format(kind=words.get(kind, kind)), p.name, p.auc, PLAIN) for kind in kinds for p in parts if p.by == kind)


def attribute_dots(attributes: Sequence[AttributeRisk]) -> DotsFrame:
    """What the output tells about each attribute, above the same on shuffled values."""
    return _dots(entry for a in attributes for entry in (("", a.name, a.auc, PLAIN), ("", say("{name}, shuffled").format(name=a.name), a.null_auc, CONTROL)))


def task_dots(tasks: Sequence[TaskRisk]) -> DotsFrame:
    """The attack on the strategy, above the same on the start that was never trained."""
    names = {"task": say("by fresh records"), "records": say("by the records trained on")}
    return _dots(entry for t in tasks for entry in ((names.get(t.by, t.by), say("trained strategy"), t.auc, PLAIN), (names.get(t.by, t.by), say("untrained start"), t.untrained, CONTROL)))


def dots_figure(frame: DotsFrame, colours: Palette, *, numbers: bool = True) -> go.Figure:
    """One line a dot; headings in bold; the numbers stand at the right, unless a table beside the chart has them."""
    lines = _lines(frame.dots)
    at = {dot: i for i, dot in enumerate(lines) if isinstance(dot, Dot)}
    texts = [item.name if isinstance(item, Dot) else f"<b>{item}</b>" for item in lines]
    left = min(250, 26 + round(6.6 * max((len(t) - 7 * t.startswith("<b>") for t in texts), default=10)))
    fig = figure(colours, height=64 + 25 * max(2, len(lines)), x_title=say("AUC (0.5 is guessing)"), y_title="", margin=(left, 132 if numbers else 16, 8, 48))
    ends = [0.5, *(v for d in frame.dots for v in (d.low, d.high, d.value) if math.isfinite(v))]
    pad = 0.04 * (max(ends) - min(ends)) + 0.005
    beside = [{"x": 1, "xref": "paper", "xanchor": "left", "xshift": 10, "y": i, "text": _text(d), "showarrow": False, "font": {"size": 13, "color": colours.text}} for d, i in at.items() if numbers]
    fig.update_layout(xaxis={"range": [min(ends) - pad, max(ends) + pad], "nticks": 7, "showgrid": True}, annotations=beside,
                      yaxis={"range": [len(lines) - 0.4, -0.6], "tickvals": list(range(len(lines))), "ticktext": texts, "showgrid": False, "tickfont": {"color": colours.text}})
    fig.add_vline(x=0.5, line={"color": colours.grey, "width": 1, "dash": "dot"})
    for role, colour, symbol in ((PLAIN, colours.trained, "circle"), (CONTROL, colours.grey, "circle-open"), (HEADLINE, colours.pick, "diamond")):
        _draw(fig, [d for d in frame.dots if d.role == role], at, role, colour, symbol)
    return fig


def _dots(entries: Iterable[tuple[str, str, Measurement, str]]) -> DotsFrame:
    return DotsFrame(dots=tuple(Dot(group=group, name=name, value=m.value, low=m.low, high=m.high, role=role) for group, name, m, role in entries if m.resolved))


def _lines(dots: Sequence[Dot]) -> list[Dot | str]:
    """Dots with a heading before each new group."""
    out: list[Dot | str] = []
    before = ""
    for dot in dots:
        if dot.group != before:
            out.append(dot.group)
            before = dot.group
        out.append(dot)
    return out


def _text(dot: Dot) -> str:
    return f"{dot.value:.2f} [{dot.low:.2f}, {dot.high:.2f}]" if math.isfinite(dot.low) else f"{dot.value:.2f}"


def _draw(fig: go.Figure, dots: Sequence[Dot], at: dict[Dot, int], role: str, colour: str, symbol: str) -> None:
    bars: list[tuple[float | None, float | None]] = [end for d in dots for end in ((d.low, at[d]), (d.high, at[d]), (None, None))]
    fig.add_scatter(x=[x for x, _ in bars], y=[y for _, y in bars], mode="lines", line={"color": colour, "width": 1.6}, opacity=0.7, hoverinfo="skip", name=f"{role}: 95 % intervals")
    fig.add_scatter(x=[d.value for d in dots], y=[at[d] for d in dots], mode="markers", marker={"color": colour, "size": 11 if role == HEADLINE else 9, "symbol": symbol,
                                "line": {"width": 1.8, "color": colour}},
                    hovertext=[f"<b>{d.name}</b><br>AUC {_text(d)}" for d in dots], hoverinfo="text", name=role)
