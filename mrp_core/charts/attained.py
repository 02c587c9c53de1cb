"""What the seeds of a study attain at one leakage: the median and the spread of its frontiers, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mrp_core.charts.frontier import TRAINED
from mrp_core.frontier import attainment
from mrp_core.measurement import METRICS
from mrp_core.results import Summary


@dataclass(frozen=True, kw_only=True)
class Attained:
    """Accuracy in per cent that shares of the seeds attain with at most some leakage; NaN where a seed has no setting that leaks as little.

    Attributes:
        least, median, most: Attained by 95 %, by half, and by 5 % of the seeds; with fewer than 20 seeds, by all, by half and by one.
        seeds: How many there are.
    """

    least: float
    median: float
    most: float
    seeds: int


def attained(summaries: Sequence[Summary], x: str, at: float) -> Attained:
    """Read the empirical attainment surfaces of the trained settings at a leakage.

    Args:
        summaries: Of one study.
        x: Metric of the leakage.
        at: Largest leakage, in the metric's own unit (nats).
    """
    trained = [s for s in summaries if s.setting.kind in TRAINED and all(m in s.seeds and not any(map(math.isnan, s.seeds[m])) for m in (x, "accuracy"))]
    count = min((len(s.seeds[x]) for s in trained), default=0)
    if count == 0:
        return Attained(least=math.nan, median=math.nan, most=math.nan, seeds=0)
    surfaces = attainment([[s.seeds[x][i] for s in trained] for i in range(count)], [[s.seeds["accuracy"][i] for s in trained] for i in range(count)], (95.0, 50.0, 5.0))
    slack = 1e-9 * max(1.0, abs(at))
    best = [max((METRICS["accuracy"].shown(float(b)) for a, b in surface if a <= at + slack), default=math.nan) for surface in surfaces.values()]
    return Attained(least=best[0], median=best[1], most=best[2], seeds=count)
