"""Log-log ROC of a membership attack: the chosen setting against the unprotected model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.frontier import setting_label
from mrp_core.charts.labels import place
from mrp_core.charts.palette import Palette, figure, note, words
from mrp_core.limits import DPLimit
from mrp_core.results import Curve
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts, say

FLOOR = 1e-3
RANGE, TALL = (-3.0, 0.02), (-3.0, 0.14)
"""Powers of ten on both axes; above 100 % is room for the name of the bound, which ends there for every ε."""
SIZES = ((390, 400), (900, 400))
"""Pixels of the plot in a narrow and in a wide window; names are placed for both."""
TEXT = Texts({"guessing": "guessing", "bound": "no attack can pass this"})
_TICKS = ([1e-3, 1e-2, 1e-1, 1.0], ["0.1 %", "1 %", "10 %", "100 %"])


@dataclass(frozen=True, kw_only=True)
class RocLine:
    """One attack curve from 0.1 % on; rates are fractions, NaN where not resolved."""

    label: str
    chosen: bool
    fpr: tuple[float, ...]
    tpr: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class RocFrame:
    """All that the ROC chart shows.

    Attributes:
        limit: (FPR, largest TPR) under the guarantee of the chosen setting; empty without one.
        floor: Least false-positive rate that the trials resolve.
    """

    lines: tuple[RocLine, ...]
    limit: tuple[tuple[float, float], ...]
    floor: float

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"setting": line.label, "FPR": f, "TPR": t, "TPR low": low, "TPR high": high}
                for line in self.lines for f, t, low, high in zip(line.fpr, line.tpr, line.low, line.high, strict=True)]


def roc_frame(curves: Sequence[Curve], setting: Setting, *, attack: str = "lira", delta: float = 0.0, floor: float = 0.0) -> RocFrame:
    """Pick the curves of a setting and of the unprotected model.

    Args:
        curves: Curves of a study.
        setting: The chosen setting.
        attack: "lira", "lira_t" or "threshold".
        delta: δ of the guarantee, if ``setting`` is an ε.
        floor: Least false-positive rate that the trials resolve (one over the number of non-members).
    """
    named = {c.setting: c for c in curves if c.name == f"roc:{attack}" and c.setting is not None}
    wanted = dict.fromkeys([UNPROTECTED, setting])
    lines = tuple(_line(named[s], chosen=s == setting) for s in wanted if s in named)
    guaranteed = setting.kind == "epsilon" and math.isfinite(setting.value)
    rates = [FLOOR * (1 / FLOOR) ** (i / 60) for i in range(61)]
    limit = tuple(zip(rates, DPLimit(setting.value, delta).tpr(rates).tolist(), strict=True)) if guaranteed else ()
    return RocFrame(lines=lines, limit=limit, floor=floor)


def _line(curve: Curve, chosen: bool) -> RocLine:
    keep = [i for i, f in enumerate(curve.x) if f >= FLOOR]
    cut = lambda values: tuple(values[i] for i in keep) if values else tuple(math.nan for _ in keep)  # noqa: E731
    return RocLine(label=setting_label(curve.setting or UNPROTECTED), chosen=chosen, fpr=cut(curve.x), tpr=cut(curve.y), low=cut(curve.low), high=cut(curve.high))


def roc_figure(frame: RocFrame, colours: Palette, *, height: int = 470) -> go.Figure:
    """Draw the ROC, both axes logarithmic from 0.1 %."""
    fig = figure(colours, height=height, x_title=say("False-positive rate (non-members accused)"), y_title=say("True-positive rate (members found)"), margin=(70, 20, 12, 52))
    for update, shown in ((fig.update_xaxes, RANGE), (fig.update_yaxes, TALL)):
        update(type="log", range=list(shown), tickvals=_TICKS[0], ticktext=_TICKS[1])
    if frame.floor > FLOOR:
        fig.add_vrect(x0=FLOOR, x1=min(frame.floor, 1.0), fillcolor=colours.impossible, line_width=0, layer="below")
        upright = words(math.log10(FLOOR), -2.7, say("too few trials here"), colours.soft, valign="bottom", shift=(4, 0))  # no wider than the grey area, so that no name meets it
        fig.add_annotation(upright | {"textangle": -90})
    fig.add_scatter(x=[FLOOR, 1], y=[FLOOR, 1], mode="lines", line={"color": colours.grey, "width": 1.3, "dash": "dot"}, hoverinfo="skip", name=TEXT["guessing"])
    fig.add_vline(x=0.01, line={"color": colours.grey, "width": 1, "dash": "dash"})
    note(fig, -2, -3, say("1 % accused"), colours.soft, valign="bottom", shift=(5, 4))
    if frame.limit:
        fig.add_scatter(x=[p[0] for p in frame.limit], y=[p[1] for p in frame.limit], mode="lines", line={"color": colours.noisy, "width": 2, "dash": "dashdot"},
                        name=TEXT["bound"], hoverinfo="skip")
        note(fig, 0.0, 0.0, TEXT["bound"], colours.noisy, anchor="right", valign="bottom", shift=(0, 3))
    for line in sorted(frame.lines, key=lambda item: item.chosen):
        _draw(fig, line, colours)
    _names(fig, frame, colours)
    return fig


def _names(fig: go.Figure, frame: RocFrame, colours: Palette) -> None:
    """Write the names beside the lines, where nothing else is drawn."""
    lines = {line.label: _log(zip(line.fpr, line.tpr, strict=True)) for line in sorted(frame.lines, key=lambda item: not item.chosen)}
    edges = [_log(zip(line.fpr, side, strict=True)) for line in frame.lines for side in (line.low, line.high)]
    rule = [(-2.0, -3.0), (-2.0, TALL[1])]
    drawn = [*lines.values(), *edges, _log(frame.limit), [(-3.0, -3.0), (0.0, 0.0)], *[rule] * 4]  # few points of a rule are crossed by a name that crosses it
    inks = {line.label: colours.pick if line.chosen else colours.trained for line in frame.lines}
    wanted = {name: [p for p in points[3:-3:3] if p[1] > -2.8] for name, points in lines.items()} | {TEXT["guessing"]: [(v, v) for v in (-0.7, -1.0, -1.3, -1.6)]}
    for label in place(wanted, [], RANGE, TALL, sizes=SIZES, lines=drawn):
        note(fig, label.x, label.y, label.text, inks.get(label.text, colours.soft), anchor=label.anchor, shift=(label.dx, label.dy))


def _log(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(math.log10(x), math.log10(y)) for x, y in points if y > 0 and math.isfinite(y)]


def _draw(fig: go.Figure, line: RocLine, colours: Palette) -> None:
    colour, band, dash = (colours.pick, colours.pick_band, "solid") if line.chosen else (colours.trained, colours.trained_band, "dash")
    low = [max(v, FLOOR / 2) if math.isfinite(v) else None for v in line.low]
    high = [v if math.isfinite(v) else None for v in line.high]
    fig.add_scatter(x=line.fpr, y=high, mode="lines", line={"width": 0}, hoverinfo="skip", name=f"{line.label}: high")
    fig.add_scatter(x=line.fpr, y=low, mode="lines", line={"width": 0}, fill="tonexty", fillcolor=band, hoverinfo="skip", name=f"{line.label}: low")
    told = say("accusing {f:.3g} % of non-members<br>finds {t:.3g} % of members [{low:.3g}, {high:.3g}]")
    hover = [f"<b>{line.label}</b><br>" + told.format(f=f * 100, t=t * 100, low=lo * 100, high=hi * 100)
             for f, t, lo, hi in zip(line.fpr, line.tpr, line.low, line.high, strict=True)]
    fig.add_scatter(x=line.fpr, y=line.tpr, mode="lines", line={"color": colour, "width": 2.4, "dash": dash}, hovertext=hover, hoverinfo="text", name=line.label)
