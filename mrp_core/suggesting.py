"""Which settings of a study to choose, and why: the knee, the most accurate and the cheapest privacy within a person's limits, or what can't be had."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from mrp_core.findings import PartRisk
from mrp_core.frontier import non_dominated
from mrp_core.intervals import interval
from mrp_core.judging import METRIC, Judged, Limits, Verdict, judge
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED, Setting

KINDS = ("knee", "accuracy", "cheapest")
LEAKAGE = "lira_tpr_1pct"


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A setting to choose.

    Attributes:
        kinds: Of :data:`KINDS`, what speaks for it: one or more.
        judged: The setting with its verdicts; its mean meets every limit that is set (a group limit: where groups were measured).
        price: Accuracy lost for each unit of leakage lowered, both as fractions or nats, paired against λ = 0; NaN unless it is the cheapest privacy.
        alike: Of the most accurate: the least leaking setting within the limits whose accuracy the seeds don't tell apart from it; None where it is that itself.
        ends: Of the knee: the least leaking and the most accurate setting of the frontier that it is the knee of.
    """

    kinds: tuple[str, ...]
    judged: Judged
    price: float = math.nan
    alike: Summary | None = None
    ends: tuple[Summary, Summary] | None = None


@dataclass(frozen=True, kw_only=True)
class Loosening:
    """One limit that would let a setting through if it alone were looser.

    Attributes:
        limit: Name in :class:`Limits`.
        to: The value that would do; infinite where the limit would have to go, since nothing that meets the others has a value.
        setting: What it would let through.
        share: The step in units of the study's spread, as in :func:`distance`.
    """

    limit: str
    to: float
    setting: Setting
    share: float


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What can be said to a person with these limits.

    Attributes:
        suggestions: At most three, no setting twice, in the order of :data:`KINDS`.
        missing: Kind -> why there is no such suggestion: "none" (no setting meets all limits), "few" (fewer than three settings on the frontier), "flat" (the seeds
            don't tell the accuracy of the frontier's two ends apart), "straight" (none lies above the line between them), "unlowered" (no paired interval shows that
            any setting of the frontier lowers the leakage).
        nearest: Where none meets all limits, the one with the least :func:`distance`.
        loosenings: Where none meets all limits, single limits that would do, the smallest step first.
        judged: All settings with a resolved accuracy, sorted.
    """

    suggestions: tuple[Suggestion, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    nearest: Judged | None = None
    loosenings: tuple[Loosening, ...] = ()
    judged: tuple[Judged, ...] = ()


def advise(summaries: Sequence[Summary], limits: Limits, groups: Mapping[Setting, Sequence[PartRisk]] = MappingProxyType({}), leakage: str = LEAKAGE) -> Advice:
    """Choose at most three settings.

    The knee is that of the non-dominated settings among those within the limits (:func:`knee`). The most accurate has the highest mean accuracy within the limits, and of
    equals the least leakage. The cheapest privacy loses the least accuracy for each unit of leakage lowered, of the non-dominated ones within the limits whose paired interval
    excludes that the leakage isn't lowered; one that loses none has price 0, and of equals the one that lowers more is taken. (The least accuracy lost within a limit on
    leakage would be the most accurate one again.)

    Args:
        summaries: Settings of one study with means and paired differences; their order doesn't matter, and one without a resolved accuracy is left out.
        limits: What must hold.
        groups: What examinations measured for groups, by setting.
        leakage: The metric that knee and price go by.
    """
    judged = [judge(s, limits, groups.get(s.setting, ())) for s in sorted(summaries, key=lambda s: s.setting) if _mean(s, "accuracy") is not None]
    allowed = [j for j in judged if j.allowed]
    if not allowed:
        return Advice(missing=dict.fromkeys(KINDS, "none"), nearest=_nearest(judged), loosenings=_loosenings(judged, limits), judged=tuple(judged))
    missing: dict[str, str] = {}
    best = min(allowed, key=lambda j: (-_number(j, "accuracy"), _number(j, leakage)))
    ends = _ends(allowed, leakage)
    found = {"knee": _knee(allowed, ends, leakage, missing), "accuracy": best, "cheapest": _cheapest(allowed, leakage, missing)}
    suggestions = tuple(replace(s, ends=ends) if "knee" in s.kinds else s for s in _joined(found, allowed, leakage))
    return Advice(suggestions=suggestions, missing=missing, judged=tuple(judged))


def _joined(found: Mapping[str, Judged | None], allowed: Sequence[Judged], leakage: str) -> tuple[Suggestion, ...]:
    """Each setting once, with all that speaks for it."""
    kinds: dict[Setting, list[str]] = {}
    for kind in KINDS:
        if (j := found[kind]) is not None:
            kinds.setdefault(j.setting, []).append(kind)
    by_setting = {j.setting: j for j in allowed}
    return tuple(Suggestion(kinds=tuple(why), judged=by_setting[s], price=_price(by_setting[s], leakage) if "cheapest" in why else math.nan,
                            alike=_alike(by_setting[s], allowed, leakage) if "accuracy" in why else None) for s, why in kinds.items())


def knee(leakage: ArrayLike, utility: ArrayLike) -> int | None:
    """The setting where the frontier bends most: of the non-dominated ones, that farthest above the straight line between the frontier's two ends.

    Both axes are scaled to run from 0 to 1 between the two ends, so that the distance from the line is (utility - leakage) / √2.

    Args:
        leakage, utility: [n]; NaN is left out.

    Returns:
        Its index; of equals the first. None with fewer than three different settings on the frontier, or where none lies above the line.

    Source:
        Das 1999, "On characterizing the 'knee' of the Pareto curve based on normal-boundary intersection", Structural Optimization 18.
    """
    x, y = np.asarray(leakage, dtype=np.float64), np.asarray(utility, dtype=np.float64)
    front = np.flatnonzero(non_dominated(x, y))
    if len({(x[i], y[i]) for i in front}) < 3:
        return None
    wide, high = np.ptp(x[front]), np.ptp(y[front])
    above = (y[front] - y[front].min()) / high - (x[front] - x[front].min()) / wide
    return int(front[above.argmax()]) if above.max() > 1e-9 else None


def distance(judged: Judged, spreads: Mapping[str, float]) -> tuple[int, float]:
    """How far a setting is from meeting all limits: how many it can never meet (nothing measured), then the root of the summed squares of the others' misses.

    Args:
        judged: The setting.
        spreads: Limit -> largest less smallest value over the study's settings, the unit of its misses; of ε the logarithms are taken, since it matters by factors.
    """
    shares = [_share(v, spreads) for v in judged.verdicts]
    return sum(math.isinf(s) for s in shares), math.sqrt(sum(s * s for s in shares if math.isfinite(s)))


def _share(v: Verdict, spreads: Mapping[str, float]) -> float:
    miss = math.log1p(v.miss / v.bound) if v.limit == "epsilon" else v.miss
    return miss / spreads[v.limit]


def _spreads(judged: Sequence[Judged]) -> dict[str, float]:
    """Unit of each limit's misses: the spread of what was measured, or 1 where all are alike."""
    out: dict[str, float] = {}
    for name in METRIC:
        values = [v.measured.value for j in judged for v in j.verdicts if v.limit == name and v.measured is not None]
        values = [math.log(v) for v in values if v > 0] if name == "epsilon" else values
        out[name] = (max(values) - min(values) if values else 0.0) or 1.0
    return out


def _nearest(judged: Sequence[Judged]) -> Judged | None:
    spreads = _spreads(judged)
    return min(judged, key=lambda j: (*distance(j, spreads), -_number(j, "accuracy")), default=None)


def _loosenings(judged: Sequence[Judged], limits: Limits) -> tuple[Loosening, ...]:
    spreads, out = _spreads(judged), []
    for name in limits.active:
        free = [(j, v) for j in judged for v in j.verdicts if v.limit == name and all(w.miss == 0 for w in j.verdicts if w.limit != name)]
        if free:
            j, v = min(free, key=lambda f: (f[1].miss, -_number(f[0], "accuracy")))
            to = v.measured.value if v.measured is not None else math.inf
            out.append(Loosening(limit=name, to=to, setting=j.setting, share=_share(v, spreads)))
    return tuple(sorted(out, key=lambda o: o.share))


def _ends(allowed: Sequence[Judged], leakage: str) -> tuple[Summary, Summary] | None:
    """The least leaking and the most accurate of the non-dominated settings; None with fewer than three different ones."""
    x, y = [_number(j, leakage) for j in allowed], [_number(j, "accuracy") for j in allowed]
    front = [int(i) for i in np.flatnonzero(non_dominated(x, y)) if math.isfinite(x[i])]
    if len({(x[i], y[i]) for i in front}) < 3:
        return None
    least, most = min(front, key=lambda i: x[i]), max(front, key=lambda i: x[i])
    return allowed[least].summary, allowed[most].summary


def _knee(allowed: Sequence[Judged], ends: tuple[Summary, Summary] | None, leakage: str, missing: dict[str, str]) -> Judged | None:
    if ends is None or _untold(*ends):
        missing["knee"] = "few" if ends is None else "flat"
        return None
    known = [j for j in allowed if _mean(j.summary, leakage) is not None]
    found = knee([_number(j, leakage) for j in known], [_number(j, "accuracy") for j in known])
    if found is None:
        missing["knee"] = "straight"
        return None
    return known[found]


def _alike(best: Judged, allowed: Sequence[Judged], leakage: str) -> Summary | None:
    less = [j for j in allowed if _number(j, leakage) < _number(best, leakage) and _untold(best.summary, j.summary)]
    return min(less, key=lambda j: _number(j, leakage)).summary if less else None


def _untold(a: Summary, b: Summary) -> bool:
    """Whether two or more seeds, paired, don't tell two settings' accuracy apart at 95 %."""
    pairs = np.array(list(zip(a.seeds.get("accuracy", ()), b.seeds.get("accuracy", ()), strict=False)))
    if len(pairs) < 2:
        return False
    d = interval((pairs[:, 0] - pairs[:, 1])[:, None])
    return d.resolved and d.low <= 0 <= d.high


def _cheapest(allowed: Sequence[Judged], leakage: str, missing: dict[str, str]) -> Judged | None:
    front = np.flatnonzero(non_dominated([_number(j, leakage) for j in allowed], [_number(j, "accuracy") for j in allowed]))
    priced = [(price, allowed[i].summary.differences[leakage].value, i) for i in map(int, front) if not math.isnan(price := _price(allowed[i], leakage))]
    if not priced:
        missing["cheapest"] = "unlowered"
        return None
    return allowed[min(priced)[-1]]


def _price(j: Judged, leakage: str) -> float:
    """Accuracy lost for each unit of leakage lowered; NaN where the leakage isn't shown to be lowered."""
    leak, accuracy = (j.summary.differences.get(m) for m in (leakage, "accuracy"))
    if j.setting == UNPROTECTED or leak is None or accuracy is None or not accuracy.resolved or not leak.high < 0:
        return math.nan
    return max(0.0, -accuracy.value) / -leak.value


def _mean(s: Summary, metric: str) -> float | None:
    m = s.means.get(metric)
    return m.value if m is not None and math.isfinite(m.value) else None


def _number(j: Judged, metric: str) -> float:
    """A mean, or infinity where there is none."""
    found = _mean(j.summary, metric)
    return math.inf if found is None else found
