"""What the records of a family look like: the inputs in which the classes of a task differ most, and signals over time."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from mrp_core.charts.palette import Palette, figure, words
from mrp_core.intervals import student
from mrp_core.taskdata import Split, TaskSet

INPUTS, CLASSES, PANELS, CHANNELS = 6, 6, 3, 6
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
LINE = 46
"""Characters of the names above a plot that fit one line."""
X_TITLE = "class mean, in SD of the training members"


@dataclass(frozen=True, kw_only=True)
class ProfileFrame:
    """Class means of the inputs that tell the classes of one task apart best.

    Attributes:
        task: Its name.
        labels: Names of the classes, at most 6.
        inputs: Names of the inputs, the most telling first, at most 6.
        means, low, high: Mean of each class and its 95 % interval (Student), float64 [inputs, classes]; NaN ends where a class has one record.
    """

    task: str
    labels: tuple[str, ...]
    inputs: tuple[str, ...]
    means: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"task": self.task, "input": name, "class": label, "mean": float(self.means[i, c]), "low": float(self.low[i, c]), "high": float(self.high[i, c])}
                for i, name in enumerate(self.inputs) for c, label in enumerate(self.labels)]


@dataclass(frozen=True, kw_only=True)
class SignalFrame:
    """One record of each class of a task, as signals.

    Attributes:
        task: Its name.
        labels: Names of the classes, at most 3.
        channels: Names of the signals of one record, at most 6.
        values: float64 [classes, channels, length].
    """

    task: str
    labels: tuple[str, ...]
    channels: tuple[str, ...]
    values: NDArray[np.float64]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"task": self.task, "class": label, "sample": t, **{name: float(v) for name, v in zip(self.channels, self.values[c, :, t], strict=True)}}
                for c, label in enumerate(self.labels) for t in range(self.values.shape[2])]


def class_names(tasks: TaskSet, split: Split, task: int) -> tuple[str, ...]:
    """Names of the classes of a task: the family's, else the parts or the letters of the task's own name, else numbers."""
    ways, name = split.tasks.shape[1], split.names[task]
    for found in (tasks.labels, tuple(name.split(", ")), tuple(name)):
        if len(found) == ways:
            return tuple(found)
    return tuple(str(i + 1) for i in range(ways))


def profile_frame(tasks: TaskSet) -> ProfileFrame:
    """The first held-out task: its visible inputs, ranked by the variance of the class means over the variance within classes."""
    split, shown = tasks.test, np.flatnonzero(tasks.test.visible[0])
    groups = [split.x[split.buckets[b]][:, shown].astype(np.float64) for b in split.tasks[0].tolist()]
    means = np.stack([g.mean(0) for g in groups], axis=1)
    within = np.mean([g.var(0) for g in groups], axis=0)
    between = means.var(1)
    order = np.argsort(-between / np.maximum(within, 1e-9), kind="stable")[:INPUTS]
    kept = order[between[order] > 0]
    groups, means = groups[:CLASSES], means[kept, :CLASSES]
    half = np.stack([_half(g[:, kept]) for g in groups], axis=1)
    return ProfileFrame(task=split.names[0], labels=class_names(tasks, split, 0)[:CLASSES], inputs=tuple(tasks.features[i] for i in shown[kept]),
                        means=means, low=means - half, high=means + half)


def _half(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of the 95 % interval of each column's mean, [columns]."""
    n = len(x)
    return student(0.95, n - 1) * x.std(0, ddof=1) / math.sqrt(n) if n > 1 else np.full(x.shape[1], np.nan)


def signal_frame(tasks: TaskSet, grid: tuple[int, ...]) -> SignalFrame:
    """The first record of each class of the first held-out task; ``grid`` is (channels, length)."""
    split, (channels, length) = tasks.test, grid
    few = split.tasks[0].tolist()[:PANELS]
    values = np.stack([split.x[split.buckets[b][0]].reshape(channels, length)[:CHANNELS] for b in few]).astype(np.float64)
    names = (_channel(tasks.features[c * length:(c + 1) * length], c) for c in range(min(channels, CHANNELS)))
    return SignalFrame(task=split.names[0], labels=class_names(tasks, split, 0)[:PANELS], channels=tuple(names), values=values)


def _channel(features: tuple[str, ...], number: int) -> str:
    """What the names of a channel's features have in common, without the beginning of a counter."""
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*features, strict=False))
    return "".join(letters[0] for letters in same).rstrip(" _-[(@.:=0123456789t") or f"channel {number + 1}"


def profile_figure(frame: ProfileFrame, colours: Palette) -> go.Figure:
    """A line for each input, a mark for each class; the names of the classes stand above."""
    inks = _inks(colours)
    y = [_short(name) for name in frame.inputs]
    data = [{"type": "scatter", "x": frame.means[:, c].tolist(), "y": y, "mode": "markers", "name": label, "marker": {"size": 11, "color": inks[c], "symbol": SYMBOLS[c]},
             "error_x": {"type": "data", "symmetric": False, "array": _known(frame.high - frame.means, c), "arrayminus": _known(frame.means - frame.low, c), "thickness": 1.4,
                         "width": 0, "color": inks[c]},
             "hovertemplate": f"{label}: %{{x:.2f}} SD<extra>%{{y}}</extra>"} for c, label in enumerate(frame.labels)]
    top = _above(frame.labels)
    return figure(colours, height=52 + 30 * max(1, len(y)) + top, x_title=X_TITLE, y_title="", margin=(12, 16, top, 52), data=data,
                  x={"zeroline": True, "zerolinecolor": colours.rule, "showgrid": True, "title": {"text": X_TITLE, "font": {"size": 13, "color": colours.soft}, "standoff": 8}},
                  y={"autorange": "reversed", "automargin": True, "tickfont": {"size": 13, "color": colours.text}}, annotations=_names(frame.labels, inks, "●■◆▲✚✖"))


def signal_figure(frame: SignalFrame, colours: Palette, *, height: int = 250) -> go.Figure:
    """A panel for each class, a line for each channel; the names of the channels stand above."""
    inks, panels = _inks(colours), len(frame.labels)
    gap = 0.03
    wide = (1 - gap * (panels - 1)) / panels
    data = [{"type": "scatter", "y": frame.values[p, c].tolist(), "mode": "lines", "name": f"{name}, {label}", "xaxis": f"x{p + 1 if p else ''}", "yaxis": "y",
             "line": {"width": 1.6, "color": inks[c], "dash": DASHES[c]}, "hovertemplate": f"{name}: %{{y:.2f}} SD at %{{x}}<extra>{label}</extra>"}
            for p, label in enumerate(frame.labels) for c, name in enumerate(frame.channels)]
    fig = figure(colours, height=height, x_title="", y_title="SD", margin=(46, 12, 34, 46), data=data, annotations=_names(frame.channels, inks, "━" * CHANNELS))
    plain: Any = fig.to_dict()
    for p, label in enumerate(frame.labels):
        start = p * (wide + gap)
        axis = plain["layout"]["xaxis"] | {"domain": [start, min(1.0, start + wide)], "anchor": "y", "title": {"text": label, "font": {"size": 13, "color": colours.text}, "standoff": 6}}
        fig.update_layout({f"xaxis{p + 1 if p else ''}": axis})
    return fig


def _inks(colours: Palette) -> tuple[str, ...]:
    return (colours.trained, colours.pick, colours.noisy, colours.free, colours.grey, colours.text)


def _names(names: tuple[str, ...], inks: tuple[str, ...], marks: str) -> list[dict[str, Any]]:
    """All names above the plot, each with its mark; as many in a line as fit a narrow chart."""
    text, used = "", 0
    for name, ink, mark in zip(names, inks, marks, strict=False):
        used += len(_short(name)) + 5
        text += ("<br>" if used > LINE and text else "   ") + f'<span style="color:{ink}">{mark} {_short(name)}</span>'
        used = len(_short(name)) + 5 if used > LINE else used
    return [words(0, 1, text.removeprefix("   "), inks[0], valign="bottom", shift=(0, 6), name="names") | {"xref": "paper", "yref": "paper", "align": "left"}]


def _above(names: tuple[str, ...]) -> int:
    """Pixels that the names above a plot take."""
    return 34 + 18 * _names(names, ("",) * len(names), " " * len(names))[0]["text"].count("<br>")


def _known(values: NDArray[np.float64], column: int) -> list[float]:
    return np.nan_to_num(values[:, column]).tolist()


def _short(name: str) -> str:
    """Plotly reads a few HTML tags in texts, which a column's name is not."""
    plain = name.replace("&", "&amp;").replace("<", "&lt;")
    return plain if len(name) <= 28 else plain[:27] + "…"
