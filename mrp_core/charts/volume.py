"""How much of the plane a study attains: hypervolume of what was trained, beside what needs no training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mrp_core.charts.frontier import CHEAP, INFORMATION, RELEASES, TRAINED
from mrp_core.config import StudyConfig
from mrp_core.frontier import Reference, hypervolume
from mrp_core.intervals import student
from mrp_core.measurement import METRICS
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED


@dataclass(frozen=True, kw_only=True)
class VolumeFrame:
    """Hypervolumes as shares of one box, means over seeds; NaN where nothing was measured.

    Attributes:
        trained: Of the settings on the sliders.
        free: Of λ = 0 and the baselines that belong to this axis.
        gain, low, high: What training adds, paired by seed, with Student's 95 % interval; low and high are NaN with one seed.
        x_worst, x_best, y_worst: The box, in units on screen; its best utility is 100.
    """

    trained: float
    free: float
    gain: float
    low: float
    high: float
    x_worst: float
    x_best: float
    y_worst: float


def volume_frame(summaries: Sequence[Summary], config: StudyConfig, x: str = "mi") -> VolumeFrame:
    """Measure the fronts of a study, seed by seed, in the box from guessing with full leakage to faultless without any."""
    spec, reference = METRICS[x], reference_of(config, x)
    worst = reference.leakage
    baselines = RELEASES if x in INFORMATION else CHEAP
    trained = trained_volumes(summaries, config, x)
    free = _per_seed([s for s in summaries if s.setting == UNPROTECTED or s.setting.kind in baselines], x, reference)
    gains = [a - b for a, b in zip(trained, free, strict=True)] if len(trained) == len(free) else []
    gain, half = _mean(gains), _half(gains)
    return VolumeFrame(trained=_mean(trained), free=_mean(free), gain=gain, low=gain - half, high=gain + half, x_worst=spec.shown(worst), x_best=spec.shown(spec.low),
                       y_worst=100 / config.task.ways)


def reference_of(config: StudyConfig, x: str) -> Reference:
    """The box of a study on a metric of leakage: from guessing with full leakage to faultless without any."""
    return Reference(utility=1 / config.task.ways, leakage=math.log(config.task.ways) if x in INFORMATION else METRICS[x].high, best_leakage=METRICS[x].low)


def trained_volumes(summaries: Sequence[Summary], config: StudyConfig, x: str) -> list[float]:
    """Hypervolume of each seed, of the settings on the sliders; none where nothing was measured."""
    return _per_seed([s for s in summaries if s.setting.kind in TRAINED], x, reference_of(config, x))


def _per_seed(group: Sequence[Summary], x: str, reference: Reference) -> list[float]:
    known = [s for s in group if all(m in s.seeds and not any(map(math.isnan, s.seeds[m])) for m in (x, "accuracy"))]
    count = min((len(s.seeds[x]) for s in known), default=0)
    return [hypervolume([s.seeds[x][i] for s in known], [s.seeds["accuracy"][i] for s in known], reference) for i in range(count)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _half(values: Sequence[float]) -> float:
    """Half of Student's 95 % interval of a mean."""
    n = len(values)
    if n < 2:
        return math.nan
    mean = _mean(values)
    return student(0.95, n - 1) * math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
