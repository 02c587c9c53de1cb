"""Numbers as sentences. Every verdict comes from a paired interval, never from two intervals that overlap or not."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mrp_core.charts.frontier import setting_label
from mrp_core.measurement import METRICS, Measurement
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED
from mrp_core.wording import Texts

TEXT = Texts({
    "reference": "λ = 0 is the unprotected model: all differences are taken from it.",
    "both": "At {setting} {leak} and {accuracy}: both differences are real.",
    "leak only": "At {setting} {leak}; {seeds} do not tell its accuracy apart from the unprotected model's.",
    "accuracy only": "At {setting} {accuracy}; {seeds} do not tell its leakage apart from the unprotected model's.",
    "none": "At {setting}, {seeds} do not tell it apart from the unprotected model, neither in accuracy nor in leakage.",
    "unpaired": "{setting} has no paired measurement of λ = 0 yet, so there is no difference to speak of.",
    "this": "This setting",
    "seeds": ("no seeds", "one seed", "two seeds", "three seeds", "four seeds", "five seeds", "six seeds", "seven seeds", "eight seeds", "nine seeds", "ten seeds"), "many": "{n} seeds",
    "accuracy": {"less": "accuracy falls by {size} points {span}", "more": "accuracy rises by {size} points {span}"},
    "leaks": {
        "mi": {"less": "an answer tells {size} bits less {span} about the record", "more": "an answer tells {size} bits more {span} about the record"},
        "mi_excess": {"less": "an answer tells {size} bits less {span} about the record beyond its label", "more": "an answer tells {size} bits more {span} about the record beyond its label"},
        "lira_auc": {"less": "an attacker tells a member from another record {size} times in 100 less often {span}",
                     "more": "an attacker tells a member from another record {size} times in 100 more often {span}"},
        "lira_tpr_1pct": {"less": "the attack finds {size} points fewer of the members {span} at 1 % false accusations",
                          "more": "the attack finds {size} points more of the members {span} at 1 % false accusations"},
        "lira_advantage": {"less": "the attacker's advantage is {size} points smaller {span}", "more": "the attacker's advantage is {size} points larger {span}"},
        "membership_bits": {"less": "the attack learns {size} bits less {span} about membership", "more": "the attack learns {size} bits more {span} about membership"},
        "other": {"less": "leakage is {size} less {span}", "more": "leakage is {size} more {span}"},
    },
    "attacker": "Shown a member and another record, the attacker picks the member {value} times of 100; guessing is 50.",
    "attacker_base": "Shown a member and another record, the attacker picks the member {value} times of 100, and {base} times without protection; guessing is 50.",
    "attacker_more": "So membership leaks **more** here than without protection.",
    "attacker_unresolved": "How well an attacker does is not resolved here.",
    "unresolved": "not resolved", "points": " points", "bits": " bits",
})


def amount(metric: str, m: Measurement, *, span: bool = True) -> str:
    """A value with its unit and 95 % interval, or why there is none."""
    spec = METRICS[metric]
    if not m.resolved:
        return m.note or TEXT["unresolved"]
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
    unit = {"%": TEXT["points"], "bits": TEXT["bits"]}.get(spec.unit, "")
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
        return TEXT["unpaired"].format(setting=TEXT["this"])
    if summary.setting == UNPROTECTED:
        return TEXT["reference"]
    accuracy, leakage = summary.differences.get("accuracy"), summary.differences.get(leak)
    name = setting_label(summary.setting, summary.about)
    if accuracy is None or leakage is None:
        return TEXT["unpaired"].format(setting=name)
    kind = "both" if real(accuracy) and real(leakage) else "leak only" if real(leakage) else "accuracy only" if real(accuracy) else "none"
    return TEXT[kind].format(setting=name, leak=_leak(leak, leakage), accuracy=_accuracy(accuracy), seeds=_seeds(seeds))


def attacker(auc: Measurement | None, base: Measurement | None = None, difference: Measurement | None = None) -> str:
    """The AUC in words.

    Args:
        auc: At the setting.
        base: At λ = 0, if that is another one.
        difference: The paired one of the two. That the attack finds more than without protection is said, since other leakages may fall at the same setting.
    """
    if auc is None or not auc.resolved:
        return TEXT["attacker_unresolved"]
    if base is None or not base.resolved:
        return TEXT["attacker"].format(value=f"{auc.value * 100:.0f}")
    text = TEXT["attacker_base"].format(value=f"{auc.value * 100:.0f}", base=f"{base.value * 100:.0f}")
    return f"{text} {TEXT['attacker_more']}" if difference is not None and real(difference) and difference.value > 0 else text


def _leak(metric: str, d: Measurement) -> str:
    spec, leaks = METRICS[metric], TEXT["leaks"]
    scale = 100 if spec.unit in ("", "%") else spec.shown(1.0)
    return _phrase(leaks[metric] if metric in leaks else leaks["other"], d, scale, 1 if scale == 100 else 2)


def _accuracy(d: Measurement) -> str:
    return _phrase(TEXT["accuracy"], d, 100, 1)


def _phrase(ways: Mapping[str, str], d: Measurement, scale: float, digits: int) -> str:
    low, high = sorted((abs(d.low) * scale, abs(d.high) * scale))
    return ways["less" if d.value < 0 else "more"].format(size=f"{abs(d.value) * scale:.{digits}f}", span=f"[{low:.{digits}f}, {high:.{digits}f}]")


def _seeds(n: int) -> str:
    return TEXT["seeds"][n] if n < len(TEXT["seeds"]) else TEXT["many"].format(n=n)


def _digits(unit: str) -> int:
    return 1 if unit == "%" else 2 if unit else 3
