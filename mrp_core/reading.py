"""An estimate with its interval, cap and saturation, as all estimators of mutual information give it. Needs numpy and scipy only."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mrp_core.estimating import Estimate, EstimateKind
from mrp_core.intervals import student

_SATURATED = 0.3


def reading(value: float, contributions: NDArray[np.float64], *, kind: EstimateKind, cap: float = math.inf, floor: float = -math.inf,
            at_least: bool = True, notes: tuple[str, ...] = ()) -> Estimate:
    """An estimate with its interval, both within floor and cap.

    The interval is Student's, from the spread of what each pair contributes to the value, to first order, whichever sum that is: log ratios where the
    conditional is known or the value is their mean, the jackknife's pseudo-values elsewhere (Tukey 1958).

    Args:
        value: Nats.
        contributions: float64 [N], nats; only their spread matters.
        kind: Passed on.
        cap: Largest value possible on this sample.
        floor: 0 where a smaller value is raised to it, which leaves a lower bound one; no floor where values about 0 should average to it.
        at_least: Whether a value near the cap means "at least", which it doesn't where the truth has the same cap.
        notes: Passed on; one is added near the cap.
    """
    n = len(contributions)
    half = student(0.95, n - 1) * float(np.std(contributions, ddof=1)) / math.sqrt(n)
    saturated = at_least and value > cap - _SATURATED
    if saturated:
        notes = (*notes, f"Within {_SATURATED} nats of the largest value that it can take here, {cap:.2f}: read it as at least.")
    value = min(max(value, floor), cap)
    return Estimate(value=float(value), low=float(max(value - half, floor)), high=float(min(value + half, cap)), kind=kind, cap=cap, saturated=bool(saturated), notes=notes)
