"""What a person can't do without, and whether a measured setting has it: met, met within its 95 % interval only, missed, or not known. Needs numpy only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mrp_core.errors import ConfigError
from mrp_core.findings import PartRisk
from mrp_core.measurement import Measurement
from mrp_core.results import Summary
from mrp_core.settings import Setting

METRIC: Mapping[str, str] = MappingProxyType({"accuracy": "accuracy", "tpr": "lira_tpr_1pct", "epsilon": "epsilon", "group": "lira_tpr_1pct"})
"""Limit -> the metric that it bounds."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a person says matters; None is no limit.

    Attributes:
        accuracy: Least accuracy, a fraction.
        tpr: Largest TPR at 1 % FPR, a fraction.
        epsilon: Largest guaranteed ε.
        group: Largest TPR at 1 % FPR of any group, a fraction; judged where an examination measured groups.
    """

    accuracy: float | None = None
    tpr: float | None = None
    epsilon: float | None = None
    group: float | None = None

    def __post_init__(self) -> None:
        for name, value in self.active.items():
            if name == "epsilon" and not 0 < value < math.inf:
                raise ConfigError(f"The largest ε is {value:g}, but must be a number above 0; write for example 3.")
            if name != "epsilon" and not 0 <= value <= 1:
                raise ConfigError(f"The limit {name!r} is {value:g}, but must lie between 0 and 1; write for example 0.7 for 70 %.")

    @property
    def active(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: float(value) for name in METRIC if (value := getattr(self, name)) is not None}


class State(StrEnum):
    """Where the whole 95 % interval lies: inside the limit, across it, outside of it, or nowhere since nothing was measured."""

    MET = "met"
    CROSSED = "crossed"
    MISSED = "missed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One limit and one setting.

    Attributes:
        limit, bound: Name in :class:`Limits`, and its value.
        measured: What was measured, or None.
        state: By the interval; a value without an interval crosses at best.
        miss: How far the mean lies beyond the limit, in the metric's own unit; 0 where it doesn't. Infinite where nothing is known of accuracy, TPR or ε: what has no
            guarantee meets no limit on ε. A group limit is judged where groups were measured, and misses by 0 elsewhere.
        group: The group that decides, e.g. "sex: female".
    """

    limit: str
    bound: float
    measured: Measurement | None
    state: State
    miss: float
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A setting under all limits."""

    summary: Summary
    verdicts: tuple[Verdict, ...]

    @property
    def setting(self) -> Setting:
        """Which."""
        return self.summary.setting

    @property
    def allowed(self) -> bool:
        """Whether every limit is met by the mean at least."""
        return all(v.miss == 0 for v in self.verdicts)


def judge(summary: Summary, limits: Limits, groups: Sequence[PartRisk] = ()) -> Judged:
    """Hold a setting against each limit that is set.

    Args:
        summary: The setting's means.
        limits: What must hold.
        groups: The groups that an examination of this setting measured.
    """
    made = []
    for name, bound in limits.active.items():
        made.append(_worst_group(bound, groups) if name == "group" else _verdict(name, bound, summary.means.get(METRIC[name])))
    return Judged(summary=summary, verdicts=tuple(made))


def _verdict(name: str, bound: float, m: Measurement | None, group: str = "") -> Verdict:
    if m is None or not math.isfinite(m.value):
        return Verdict(limit=name, bound=bound, measured=None, state=State.UNKNOWN, miss=math.inf, group=group)
    sign = -1.0 if name == "accuracy" else 1.0
    worst, best = (m.low, m.high) if name == "accuracy" else (m.high, m.low)
    miss = max(0.0, sign * (m.value - bound))
    inside, outside = sign * (worst - bound) <= 0 and miss == 0, sign * (best - bound) > 0 and miss > 0
    return Verdict(limit=name, bound=bound, measured=m, state=State.MET if inside else State.MISSED if outside else State.CROSSED, miss=miss, group=group)


def _worst_group(bound: float, groups: Sequence[PartRisk]) -> Verdict:
    """Of the group that is farthest beyond the limit; else of one that isn't resolved, since all must meet it; else of one whose interval crosses it."""
    made = sorted((_verdict("group", bound, g.tpr, f"{g.by}: {g.name}") for g in groups), key=lambda v: v.group)
    known, unknown = [v for v in made if v.measured is not None], [v for v in made if v.measured is None]
    worst = max(known, key=lambda v: (v.miss, v.state is State.CROSSED, _value(v)), default=None)
    if worst is not None and (worst.miss > 0 or not unknown):
        return worst
    return Verdict(limit="group", bound=bound, measured=None, state=State.UNKNOWN, miss=0.0, group=unknown[0].group if unknown else "")


def _value(v: Verdict) -> float:
    return v.measured.value if v.measured is not None else math.nan
