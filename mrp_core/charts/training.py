"""The live curve of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure, note
from mrp_core.results import Curve

WORDS = {
    "train:task_loss": "task loss", "train:privacy_loss": "privacy loss", "validation:lambda:none": "validation, λ = 0", "validation:lambda:most": "validation, largest λ",
    "validation:epsilon:none": "validation, no noise", "validation:epsilon:most": "validation, least ε", "validation:search:front": "hypervolume found",
    "validation:search:reinforce": "reward, REINFORCE", "validation:search:strategies": "reward, evolution strategies",
}
"""Curve -> name on the chart, in the order in which they are drawn; other curves are not shown."""
_MOST = 150


@dataclass(frozen=True, kw_only=True)
class TrainingLine:
    """One curve over outer steps.

    Attributes:
        name: On screen.
        x, y: At most 150 places.
        smooth: Running mean over a twentieth of the places, as long as ``y``; empty for a validation curve, which is drawn as dots.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    smooth: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TrainingFrame:
    """Training curves and fixed ranges; ``diverged`` is how many configurations were lost."""

    lines: tuple[TrainingLine, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    diverged: float

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"curve": line.name, "step": x, "value": y} for line in self.lines for x, y in zip(line.x, line.y, strict=True)]


def training_frame(curves: Sequence[Curve], total: int = 0) -> TrainingFrame:
    """Arrange the curves that :data:`WORDS` names; ``total`` is the number of outer steps."""
    found = {c.name: c for c in curves if c.x}
    lines = tuple(_line(found[name], words) for name, words in WORDS.items() if name in found)
    ys = [y for line in lines for y in line.y if math.isfinite(y)] or [0.0, 1.0]
    xs = [x for line in lines for x in line.x] or [1.0]
    pad = 0.06 * (max(ys) - min(ys)) or 0.1
    lost = max((v for v in found["train:diverged"].y if math.isfinite(v)), default=0.0) if "train:diverged" in found else 0.0
    return TrainingFrame(lines=lines, x_range=(0.0, float(max(total, *xs))), y_range=(min(ys) - pad, max(ys) + pad), diverged=lost)


def _line(curve: Curve, name: str) -> TrainingLine:
    every = -(-len(curve.x) // _MOST)
    x, y = tuple(curve.x[::every]), tuple(curve.y[::every])
    if curve.name.startswith("validation"):
        return TrainingLine(name=name, x=x, y=y, smooth=())
    wide = max(1, len(y) // 20)
    smooth = tuple(sum(y[max(0, i - wide + 1):i + 1]) / len(y[max(0, i - wide + 1):i + 1]) for i in range(len(y)))
    return TrainingLine(name=name, x=x, y=y, smooth=smooth)


def training_figure(frame: TrainingFrame, colours: Palette, *, height: int = 330) -> go.Figure:
    """Draw the training curves with their names at the right ends."""
    right = 16 + 7 * max((len(line.name) for line in frame.lines), default=0)
    fig = figure(colours, height=height, x_title="outer step", y_title="value", margin=(58, right, 12, 52))
    fig.update_xaxes(range=list(frame.x_range))
    fig.update_yaxes(range=list(frame.y_range))
    inks = dict(zip(WORDS.values(), (colours.trained, colours.pick, colours.trained, colours.pick, colours.noisy, colours.free, colours.text, colours.noisy, colours.free), strict=True))
    for line in frame.lines:
        ink, hover = inks[line.name], f"{line.name}: %{{y:.3g}} at step %{{x}}<extra></extra>"
        if line.smooth:
            fig.add_scatter(x=line.x, y=line.y, mode="lines", line={"color": ink, "width": 1}, opacity=0.3, hoverinfo="skip", name=f"{line.name}, single batches")
            fig.add_scatter(x=line.x, y=line.smooth, mode="lines", line={"color": ink, "width": 2.2}, hovertemplate=hover, name=line.name)
        else:
            fig.add_scatter(x=line.x, y=line.y, mode="lines+markers", line={"color": ink, "width": 1.2, "dash": "dot"}, marker={"size": 6}, hovertemplate=hover, name=line.name)
    for line, y in zip(frame.lines, _apart([(line.smooth or line.y)[-1] for line in frame.lines], frame.y_range, height), strict=True):
        note(fig, frame.x_range[1] if line.x[-1] > 0.8 * frame.x_range[1] else line.x[-1], y, line.name, inks[line.name], shift=(7, 0))
    return fig


def _apart(ends: Sequence[float], y_range: tuple[float, float], height: int) -> list[float]:
    """Heights of the names: near the ends of their lines, at least 16 pixels apart, from the lowest up."""
    gap = 16 * (y_range[1] - y_range[0]) / (height - 64)
    out, last = list(ends), -math.inf
    for i in sorted(range(len(ends)), key=lambda i: ends[i]):
        out[i] = last = max(ends[i], last + gap)
    return out
