"""A number as it may be shown: value, 95 % interval, unit, direction, bounds and kind. Needs numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from mrp_core.wording import Said, say

Direction = Literal["higher", "lower"]
Kind = Literal["estimate", "lower bound", "upper bound", "attack"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a measured quantity is called and how it reads.

    Attributes:
        name: Key in files and the store.
        label: Name on screen.
        unit: "%" (value is a fraction), "bits" (value is in nats, shown in bits), or "" (shown as it is).
        better: Which direction is better for the person who chooses.
        low, high: Bounds of the quantity (nats for "bits").
        kind: An attack's success is a lower bound on what a better attacker could do.
        axis: "utility", "leakage" or "other": where a chart may put it.
        help: One sentence.
    """

    name: str
    label: Said = Said()
    unit: str
    better: Direction
    low: float
    high: float
    kind: Kind
    axis: Literal["utility", "leakage", "other"]
    help: Said = Said()

    def shown(self, value: float) -> float:
        """The value in the unit on screen: per cent, bits, or as it is."""
        return value * 100 if self.unit == "%" else value / math.log(2) if self.unit == "bits" else value

    def text(self, value: float | None) -> str:
        """The value with its unit, or "not resolved"."""
        if value is None or math.isnan(value):
            return say("not resolved")
        if self.unit == "%":
            return f"{value * 100:.1f} %"
        return f"{self.shown(value):.2f} {say(self.unit)}".strip() if self.unit else f"{value:.3f}"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measured value with its 95 % interval; all three are NaN where the quantity is not resolved.

    Attributes:
        value, low, high: In the metric's own unit (fractions, nats).
        n: How many independent units (tasks x seeds) the interval rests on.
        note: "" or why it is not resolved, e.g. "needs at least 1000 non-members".
    """

    value: float
    low: float
    high: float
    n: int = 0
    note: str = ""

    @property
    def resolved(self) -> bool:
        """Whether there is a number to show."""
        return not math.isnan(self.value)


def _metric(name: str, label: str, unit: str, better: Direction, low: float, high: float, kind: Kind, axis: str, help: str) -> Metric:
    return Metric(name=name, label=label, unit=unit, better=better, low=low, high=high, kind=kind, axis=axis, help=help)  # type: ignore[arg-type]


_LOG_C = math.log(64)
METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        _metric("accuracy", "Accuracy", "%", "higher", 0, 1, "estimate", "utility", "Held-out accuracy of what is released, after adaptation."),
        _metric("accuracy_0", "Accuracy at 0 steps", "%", "higher", 0, 1, "estimate", "other", "The same before any adaptation: what meta-training alone knows."),
        _metric("accuracy_argmax", "Accuracy of the top label", "%", "higher", 0, 1, "estimate", "other", "Accuracy if the most likely label were released instead."),
        _metric("f1", "Macro-F1", "%", "higher", 0, 1, "estimate", "utility", "F1 averaged over classes, on what is released."),
        _metric("mi", "I(X;Ŷ)", "bits", "lower", 0, _LOG_C, "estimate", "leakage", "How much one answer tells about the queried record."),
        _metric("mi_task", "I(Y;Ŷ)", "bits", "higher", 0, _LOG_C, "estimate", "other", "The part of I(X;Ŷ) that the task itself needs."),
        _metric("mi_excess", "Excess I(X;Ŷ|Y)", "bits", "lower", 0, _LOG_C, "estimate", "leakage", "What an answer tells beyond the label."),
        _metric("attribute_mi", "I(A;Ŷ)", "bits", "lower", 0, _LOG_C, "estimate", "leakage", "How much one answer tells about the sensitive attribute of the queried record."),
        _metric("lira_auc", "LiRA AUC", "", "lower", 0.5, 1, "attack", "leakage", "Likelihood-ratio attack with pooled variance: 0.5 is guessing."),
        _metric("lira_t_auc", "LiRA AUC (Student-t)", "", "lower", 0.5, 1, "attack", "other", "The same attack with the Student-t variance."),
        _metric("lira_advantage", "LiRA advantage", "%", "lower", 0, 1, "attack", "leakage", "Largest TPR - FPR over all thresholds."),
        _metric("lira_tpr_1pct", "TPR at 1 % FPR", "%", "lower", 0, 1, "attack", "leakage", "Members found while one non-member in a hundred is accused."),
        _metric("lira_tpr_01pct", "TPR at 0.1 % FPR", "%", "lower", 0, 1, "attack", "other", "Members found while one non-member in a thousand is accused."),
        _metric("membership_bits", "Membership leakage", "bits", "lower", 0, math.log(2), "attack", "leakage", "Mutual information between membership (a fair coin) and LiRA's decision."),
        _metric("threshold_auc", "Loss-threshold AUC", "", "lower", 0.5, 1, "attack", "other", "The simplest membership attack: a low loss means member."),
        _metric("epsilon", "ε", "", "lower", 0, math.inf, "upper bound", "leakage", "Differential-privacy guarantee of one adaptation, for one support record."),
    )
}
