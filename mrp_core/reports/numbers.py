"""The numbers of a report as texts: the chosen setting in words, its differences from the unprotected model, and the settings on the frontier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from mrp_core.charts.frontier import FrontierFrame, setting_label
from mrp_core.config import StudyConfig
from mrp_core.errors import DataError
from mrp_core.measurement import METRICS, Measurement, Metric
from mrp_core.reports.texts import TEXT
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED
from mrp_core.wording import say

SHOWN = ("accuracy", "accuracy_0", "f1", "mi", "mi_excess", "attribute_mi", "lira_auc", "lira_tpr_1pct", "lira_advantage", "membership_bits", "epsilon")
TOLD = ("accuracy", "mi", "lira_auc", "lira_tpr_1pct")
MOST_ON_FRONT, NBSP = 12, "\u00a0"
_DIGITS = {"%": 1, "bits": 2, "": 3}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measure of the chosen setting: its direction and kind, both values with intervals, the paired difference, and whether it is real."""

    label: str
    better: str
    kind: str
    help: str
    here: str
    free: str
    difference: str
    real: str


def point_words(chosen: Summary, config: StudyConfig) -> list[str]:
    """What a setting gives and costs, sentence by sentence."""
    t, m = TEXT["point"], chosen.means
    seeds = max((len(v) for v in chosen.seeds.values()), default=1)
    out = [t["about"].format(about=chosen.about)] if chosen.about else []
    for name in TOLD:
        if name in m and m[name].resolved:
            said = t[name].format(value=amount(name, m[name]), hits=100 * m[name].value)
            out.append(" ".join(part for part in (said, _against(name, chosen.differences.get(name))) if part))
    if chosen.setting == UNPROTECTED or not chosen.differences:
        out.append(TEXT["against"]["reference" if chosen.setting == UNPROTECTED else "unpaired"])
    if _opposite(chosen.differences.get("mi"), chosen.differences.get("lira_auc")):
        out.append(TEXT["disagree"])
    return [*out, t["interval" if seeds > 1 else "interval_one"].format(seeds=seeds, tasks=config.audit.tasks)]


def _against(name: str, d: Measurement | None) -> str:
    """The paired difference of a measure in words, or "" without one."""
    return "" if d is None or not d.resolved else str(TEXT["against"]["real" if _real(d) else "open"].format(change=_change(name, d)))


def _opposite(a: Measurement | None, b: Measurement | None) -> bool:
    """Whether two differences are real and of opposite signs."""
    return a is not None and b is not None and _real(a) and _real(b) and a.value * b.value < 0


def guarantee_words(chosen: Summary, config: StudyConfig) -> list[str]:
    """What is guaranteed, and to whom."""
    from mrp_core.accounting import gaussian_noise_multiplier  # here: it takes longer to load than a page may wait

    p, value, out = config.privacy, chosen.setting.value, []
    if chosen.setting.kind == "epsilon" and math.isfinite(value):
        out.append(TEXT["guarantee"].format(epsilon=value, delta=p.delta, steps=p.dp_steps, sigma=gaussian_noise_multiplier(value, p.dp_steps, p.delta)))
        members = config.task.ways * config.task.shots
        if p.delta >= 1 / members:
            out.append(TEXT["weak_delta"].format(delta=p.delta, n=members))
    else:
        out.append(TEXT["no_guarantee"])
    if p.task_noise > 0:
        from mrp_core.guarantees import task_guarantee

        with suppress(DataError):  # without its records, how often a task is drawn isn't known
            found = task_guarantee(config)
            out.append(TEXT["task_guarantee"].format(epsilon=found.epsilon, delta=found.delta, sigma=p.task_noise, accountant=found.accountant))
    return out


def differences(chosen: Summary, unprotected: Summary | None) -> list[Row]:
    """The table of a setting against λ = 0."""
    rows = []
    for name in SHOWN:
        here, spec = chosen.means.get(name), METRICS[name]
        if here is None or not (here.resolved or here.note):
            continue
        free, d = unprotected.means.get(name) if unprotected is not None else None, chosen.differences.get(name)
        known = d is not None and d.resolved and not math.isnan(d.value) and math.isfinite(d.value)
        rows.append(Row(label=spec.label, better=TEXT["better"][spec.better], kind=TEXT["kinds"][spec.kind], help=spec.help, here=amount(name, here), free=amount(name, free) if free else TEXT["none"],
                        difference=_change(name, d) if d is not None and known else TEXT["none"], real=TEXT["yes" if _real(d) else "no"] if d is not None and known else TEXT["none"]))
    return rows


def front(frame: FrontierFrame, summaries: Sequence[Summary], metrics: Sequence[str], chosen: str) -> list[tuple[str, bool, list[str]]]:
    """Settings on the frontier by leakage, thinned to a dozen with both ends and the chosen one: words, whether it is the chosen one, and its values."""
    every = sorted((m.x, m.key) for m in frame.marks if m.status == "front")
    last, steps = len(every) - 1, MOST_ON_FRONT - 1
    kept = {round(i * last / steps) for i in range(MOST_ON_FRONT)} if last > steps else set(range(len(every)))
    on = [entry for i, entry in enumerate(every) if i in kept or entry[1] == chosen]
    found = {s.setting.key: s for s in summaries}
    return [(setting_label(found[key].setting, found[key].about), key == chosen, [amount(m, found[key].means[m]) if m in found[key].means else TEXT["none"] for m in metrics]) for _, key in on]


def amount(metric: str, m: Measurement) -> str:
    """A value with its unit and 95 % interval, or why there is none."""
    spec = METRICS[metric]
    if not m.resolved:
        return m.note or str(TEXT["not_resolved"])
    if math.isinf(m.value):
        return str(TEXT["infinite"])
    if metric == "epsilon":
        return f"{m.value:g}"
    digits = _DIGITS.get(spec.unit, 3)
    return spec.text(m.value).replace(" ", NBSP) + ("" if math.isnan(m.low) else f" [{spec.shown(m.low):.{digits}f},{NBSP}{spec.shown(m.high):.{digits}f}]")


def _change(metric: str, d: Measurement) -> str:
    """A paired difference with its sign, unit and interval."""
    spec: Metric = METRICS[metric]
    digits, unit = _DIGITS.get(spec.unit, 3), {"%": f"{NBSP}{TEXT['points']}", "": ""}.get(spec.unit, f"{NBSP}{say(spec.unit)}")
    signed = lambda v: f"{round(spec.shown(v), digits) or 0.0:+.{digits}f}".replace("-", "\u2212")  # noqa: E731 -- no minus before a zero
    return f"{signed(d.value)}{unit}" + ("" if math.isnan(d.low) else f" [{signed(d.low)},{NBSP}{signed(d.high)}]")


def _real(d: Measurement | None) -> bool:
    """Whether a paired difference excludes zero."""
    return d is not None and d.resolved and not math.isnan(d.low) and (d.low > 0 or d.high < 0)
