"""The live curve of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure
from mrp_core.results import Curve
from mrp_core.wording import Texts, say

WORDS = Texts({
    "train:task_loss": "task loss", "train:privacy_loss": "privacy loss", "validation:lambda:none": "validation, λ = 0", "validation:lambda:most": "validation, largest λ",
    "validation:epsilon:none": "validation, no noise", "validation:epsilon:most": "validation, least ε", "validation:search:front": "hypervolume found",
    "validation:search:reinforce": "reward, REINFORCE", "validation:search:strategies": "reward, evolution strategies",
})
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
    """Draw the training curves. Their names stand above the plot: up to nine ends of lines leave no room beside them."""
    names = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"size": 13, "color": colours.text}, "itemclick": False, "itemdoubleclick": False}
    fig = figure(colours, height=height, x_title=say("outer step"), y_title=say("value"), margin=(58, 16, 12, 52), x={"range": list(frame.x_range)}, y={"range": list(frame.y_range)},
                 showlegend=True, legend=names)
    inks = dict(zip(WORDS.values(), (colours.trained, colours.pick, colours.trained, colours.pick, colours.noisy, colours.free, colours.text, colours.noisy, colours.free), strict=True))
    for line in frame.lines:
        ink, hover = inks[line.name], say("{name}: {value} at step {step}").format(name=line.name, value="%{y:.3g}", step="%{x}") + "<extra></extra>"
        if line.smooth:
            fig.add_scatter(x=line.x, y=line.y, mode="lines", line={"color": ink, "width": 1}, opacity=0.3, hoverinfo="skip", name=line.name, showlegend=False)
            fig.add_scatter(x=line.x, y=line.smooth, mode="lines", line={"color": ink, "width": 2.2}, hovertemplate=hover, name=line.name)
        else:
            fig.add_scatter(x=line.x, y=line.y, mode="lines+markers", line={"color": ink, "width": 1.2, "dash": "dot"}, marker={"size": 6}, hovertemplate=hover, name=line.name)
    return fig
