"""Numbers as sentences. Every verdict comes from a paired interval, never from two intervals that overlap or not."""

from __future__ import annotations

import math
from typing import Any

from mrp_core.charts.frontier import setting_label
from mrp_core.measurement import METRICS, Measurement
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED

COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
TEXT: dict[str, Any] = {
    "reference": "λ = 0 is the unprotected model: all differences are taken from it.",
    "both": "At {setting} {leak} and {accuracy}: both differences are real.",
    "leak only": "At {setting} {leak}; {seeds} do not tell its accuracy apart from the unprotected model's.",
    "accuracy only": "At {setting} {accuracy}; {seeds} do not tell its leakage apart from the unprotected model's.",
    "none": "At {setting}, {seeds} do not tell it apart from the unprotected model, neither in accuracy nor in leakage.",
    "unpaired": "{setting} has no paired measurement of λ = 0 yet, so there is no difference to speak of.",
}
_LEAKS = {
    "mi": "an answer tells {size} bits {less} {span} about the record",
    "mi_excess": "an answer tells {size} bits {less} {span} about the record beyond its label",
    "lira_auc": "an attacker tells a member from another record {size} times in 100 {less} often {span}",
    "lira_tpr_1pct": "the attack finds {size} points {fewer} of the members {span} at 1 % false accusations",
    "lira_advantage": "the attacker's advantage is {size} points {smaller} {span}",
    "membership_bits": "the attack learns {size} bits {less} {span} about membership",
}


def amount(metric: str, m: Measurement, *, span: bool = True) -> str:
    """A value with its unit and 95 % interval, or why there is none."""
    spec = METRICS[metric]
    if not m.resolved:
        return m.note or "not resolved"
    text = spec.text(m.value)
    if not span or math.isnan(m.low):
        return text
    digits = 1 if spec.unit == "%" else 2 if spec.unit else 3
    return f"{text} [{spec.shown(m.low):.{digits}f}, {spec.shown(m.high):.{digits}f}]"


def real(d: Measurement | None) -> bool:
    """Whether a paired difference excludes zero."""
    return d is not None and d.resolved and not math.isnan(d.low) and (d.low > 0 or d.high < 0)


def change(metric: str, d: Measurement) -> str:
    """A difference, e.g. "-12.3 points"; the sign first, so that a metric's arrow points the right way."""
    spec = METRICS[metric]
    unit = {"%": " points", "bits": " bits"}.get(spec.unit, "")
    return f"{spec.shown(d.value):+.{_digits(spec.unit)}f}{unit}"


def span(metric: str, d: Measurement) -> str:
    """The interval of a difference, e.g. "[-15.1, -9.4]"."""
    spec = METRICS[metric]
    if math.isnan(d.low):
        return ""
    return f"[{spec.shown(d.low):+.{_digits(spec.unit)}f}, {spec.shown(d.high):+.{_digits(spec.unit)}f}]"


def verdict(summary: Summary | None, leak: str, seeds: int) -> str:
    """One true sentence about a setting against λ = 0."""
    if summary is None:
        return TEXT["unpaired"].format(setting="This setting")
    if summary.setting == UNPROTECTED:
        return TEXT["reference"]
    accuracy, leakage = summary.differences.get("accuracy"), summary.differences.get(leak)
    name = setting_label(summary.setting, summary.about)
    if accuracy is None or leakage is None:
        return TEXT["unpaired"].format(setting=name)
    kind = "both" if real(accuracy) and real(leakage) else "leak only" if real(leakage) else "accuracy only" if real(accuracy) else "none"
    return TEXT[kind].format(setting=name, leak=_leak(leak, leakage), accuracy=_accuracy(accuracy), seeds=_seeds(seeds))


def attacker(auc: Measurement | None) -> str:
    """The AUC in words."""
    if auc is None or not auc.resolved:
        return "How well an attacker does is not resolved here."
    return f"Shown a member and another record, the attacker picks the member {auc.value * 100:.0f} times of 100; guessing is 50."


def _leak(metric: str, d: Measurement) -> str:
    spec = METRICS[metric]
    scale = 100 if spec.unit in ("", "%") else spec.shown(1.0)
    digits = 1 if scale == 100 else 2
    low, high = sorted((abs(d.low) * scale, abs(d.high) * scale))
    down = d.value < 0
    return _LEAKS.get(metric, "leakage is {size} {less} {span}").format(
        size=f"{abs(d.value) * scale:.{digits}f}", span=f"[{low:.{digits}f}, {high:.{digits}f}]", less="less" if down else "more", fewer="fewer" if down else "more",
        smaller="smaller" if down else "larger")


def _accuracy(d: Measurement) -> str:
    low, high = sorted((abs(d.low) * 100, abs(d.high) * 100))
    return f"accuracy {'falls' if d.value < 0 else 'rises'} by {abs(d.value) * 100:.1f} points [{low:.1f}, {high:.1f}]"


def _seeds(n: int) -> str:
    return f"{COUNTS[n] if n < len(COUNTS) else n} seed{'' if n == 1 else 's'}"


def _digits(unit: str) -> int:
    return 1 if unit == "%" else 2 if unit else 3
