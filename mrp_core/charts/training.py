"""The live curve of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure, note
from mrp_core.results import Curve

WORDS = {"task_loss": "task loss", "privacy_loss": "privacy loss", "loss": "joint loss", "validation": "validation", "validation_loss": "validation"}
_MOST = 300


@dataclass(frozen=True, kw_only=True)
class TrainingFrame:
    """Curves by name over outer steps, at most 300 places each, and fixed ranges."""

    lines: tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"curve": name, "step": x, "value": y} for name, xs, ys in self.lines for x, y in zip(xs, ys, strict=True)]


def training_frame(curves: Sequence[Curve], total: int = 0) -> TrainingFrame:
    """Arrange all curves called ``train:...``; ``total`` is the number of outer steps."""
    lines = []
    for c in curves:
        if c.name.startswith("train:") and c.x:
            every = -(-len(c.x) // _MOST)
            lines.append((WORDS.get(c.name[6:], c.name[6:].replace("_", " ")), tuple(c.x[::every]), tuple(c.y[::every])))
    ys = [y for _, _, values in lines for y in values if math.isfinite(y)] or [0.0, 1.0]
    xs = [x for _, values, _ in lines for x in values] or [1.0]
    pad = 0.06 * (max(ys) - min(ys)) or 0.1
    return TrainingFrame(lines=tuple(lines), x_range=(0.0, float(max(total, *xs)) * 1.14), y_range=(min(ys) - pad, max(ys) + pad))


def training_figure(frame: TrainingFrame, colours: Palette, *, height: int = 300) -> go.Figure:
    """Draw the training curves with their names at the right ends."""
    fig = figure(colours, height=height, x_title="outer step", y_title="value")
    fig.update_xaxes(range=frame.x_range)
    fig.update_yaxes(range=frame.y_range)
    inks = (colours.trained, colours.pick, colours.noisy, colours.free, colours.grey)
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    ends: list[float] = []
    for i, (name, xs, ys) in enumerate(frame.lines):
        ink = inks[i % len(inks)]
        fig.add_scatter(x=xs, y=ys, mode="lines", line={"color": ink, "width": 2, "dash": dashes[i % len(dashes)]}, name=name, hovertemplate=f"{name}: %{{y:.3g}} at step %{{x}}<extra></extra>")
        y, gap = ys[-1], 0.07 * (frame.y_range[1] - frame.y_range[0])
        while any(abs(y - other) < gap for other in ends):
            y += gap / 2
        ends.append(y)
        note(fig, xs[-1], y, name, ink, shift=(6, 0))
    return fig
