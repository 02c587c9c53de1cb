"""What one adaptation does: released probabilities of fresh records, and the attack's statistic of members and others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mrp_core.charts.palette import Palette, figure, words
from mrp_core.wording import say


@dataclass(frozen=True, kw_only=True)
class AnswerFrame:
    """Probabilities of the labels for some fresh records.

    Attributes:
        records, labels: Names.
        probabilities: Per record, per label.
        truth: Index of the true label of each record.
    """

    records: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    truth: tuple[int, ...]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"record": r, "truth": self.labels[t], **{f"p({name})": p for name, p in zip(self.labels, row, strict=True)}}
                for r, row, t in zip(self.records, self.probabilities, self.truth, strict=True)]


def answer_figure(frame: AnswerFrame, colours: Palette, *, height: int = 320) -> go.Figure:
    """One small bar group a record: the true label filled, the others hollow."""
    ways, records = len(frame.labels), range(len(frame.records))
    wide, bars = 0.8 / ways, []
    for label in range(ways):
        ys = [row[label] for row in frame.probabilities]
        right = [t == label for t in frame.truth]
        hover = [f"{frame.records[r]}<br>{frame.labels[label]}: {y * 100:.1f} %{say(' (true)') if ok else ''}" for r, (y, ok) in enumerate(zip(ys, right, strict=True))]
        edge = {"color": [colours.trained if ok else colours.grey for ok in right], "width": 1}
        bars.append({"type": "bar", "x": [r - 0.4 + wide * (label + 0.5) for r in records], "y": ys, "width": wide * 0.86, "hovertext": hover, "hoverinfo": "text", "name": frame.labels[label],
                     "marker": {"color": [colours.trained if ok else colours.impossible for ok in right], "line": edge}})
    chance = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": 1 / ways, "y1": 1 / ways, "line": {"color": colours.grey, "width": 1, "dash": "dot"}}
    x = {"range": [-0.6, len(frame.records) - 0.4], "tickvals": list(records), "ticktext": list(frame.records), "ticks": "", "tickfont": {"size": 12, "color": colours.soft}}
    return figure(colours, height=height, x_title="", y_title=say("probability of each answer"), margin=(58, 8, 8, 44), x=x, y={"range": [0, 1.04], "tickformat": ".0%", "dtick": 0.25},
                  data=bars, shapes=[chance])


@dataclass(frozen=True, kw_only=True)
class StatisticFrame:
    """Histogram of the attack's statistic: share of members and of other records in each bin."""

    edges: tuple[float, ...]
    members: tuple[float, ...]
    others: tuple[float, ...]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"from": a, "to": b, "members": m, "others": o} for a, b, m, o in zip(self.edges, self.edges[1:], self.members, self.others, strict=False)]


def statistic_frame(members: Sequence[float], others: Sequence[float], low: float, high: float, *, bins: int = 16) -> StatisticFrame:
    """Count both groups in equal bins between ``low`` and ``high`` (the same for all settings, so that only the shares move); values outside fall into the end bins."""
    step = (high - low) / bins
    edges = tuple(low + step * i for i in range(bins + 1))

    def shares(values: Sequence[float]) -> tuple[float, ...]:
        counts = [0] * bins
        finite = [v for v in values if math.isfinite(v)]
        for v in finite:
            counts[min(bins - 1, max(0, int((v - low) / step)))] += 1
        return tuple(c / max(1, len(finite)) for c in counts)

    return StatisticFrame(edges=edges, members=shares(members), others=shares(others))


def statistic_figure(frame: StatisticFrame, colours: Palette, *, top: float, height: int = 320) -> go.Figure:
    """Members upward, others downward: the more the two shapes differ, the easier the attack. ``top`` is the largest share of any setting, so that the scale stays."""
    middles = [(a + b) / 2 for a, b in zip(frame.edges, frame.edges[1:], strict=False)]
    top = max(top, 0.05) * 1.3
    wide = (frame.edges[1] - frame.edges[0]) * 0.92
    bars = [{"type": "bar", "x": middles, "y": [sign * v for v in values], "width": wide, "name": name, "hovertext": [f"{name}: {v * 100:.0f} %" for v in values], "hoverinfo": "text",
             "marker": {"color": ink, "opacity": 0.75, "pattern": {"shape": pattern, "size": 5, "solidity": 0.25}}}
            for name, values, sign, ink, pattern in ((say("members"), frame.members, 1, colours.pick, ""), (say("others"), frame.others, -1, colours.trained, "/"))]
    names = [words(frame.edges[0], top * 0.9, say("adapted on (members)"), colours.pick, shift=(8, 0)), words(frame.edges[0], -top * 0.9, say("not adapted on"), colours.trained, shift=(8, 0))]
    return figure(colours, height=height, x_title=say("how sure of the true label (log-odds)"), y_title=say("share of records"), margin=(58, 8, 8, 52), x={"range": [frame.edges[0], frame.edges[-1]]},
                  y={"range": [-top, top], "tickvals": [], "zeroline": True, "zerolinecolor": colours.soft}, data=bars, annotations=names)
