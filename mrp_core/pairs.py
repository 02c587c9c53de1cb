"""What all estimators of mutual information share: checks of their sample, shuffling, and intervals. Needs numpy and scipy only."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.estimating import Estimate, EstimateKind, Sample

_SATURATED = 0.3


def finite(name: str, array: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """An array as float64 [N, D].

    Raises:
        DataError: If it isn't that, or holds NaN or infinities; it is named.
    """
    a = np.asarray(array, dtype=np.float64)
    if a.ndim != 2 or 0 in a.shape:
        raise DataError(f"{name} has the shape {a.shape}, but must be [pairs, dimensions], neither empty.")
    if not np.isfinite(a).all():
        raise DataError(f"{name} {a.shape} holds {int((~np.isfinite(a)).sum())} values that are NaN or infinite, but all must be finite.")
    return a


def checked(sample: Sample, *, least: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x [N, D] and z [N, E] of a sample, as float64.

    Args:
        sample: What was given.
        least: Smallest number of pairs that will do.

    Raises:
        DataError: If one has another number of axes, is empty along one, or holds NaN or infinities, if their lengths differ, or there are too few pairs.
    """
    x, z = finite("x", sample.x), finite("z", sample.z)
    if len(x) != len(z):
        raise DataError(f"x has the shape {x.shape} and z has {z.shape}, but both must have one row per pair.")
    if len(x) < least:
        raise DataError(f"x has the shape {x.shape}, but this estimator needs at least {least} pairs.")
    return x, z


def shuffled(sample: Sample) -> Sample:
    """The sample with z in another order, so that the truth is 0; probabilities become what they then are, the same for every record."""
    order = np.random.default_rng([sample.seed, 1]).permutation(len(sample.z))
    p = None if sample.probabilities is None else np.broadcast_to(np.mean(sample.probabilities, axis=0), np.shape(sample.probabilities))
    return dataclasses.replace(sample, z=np.asarray(sample.z)[order], probabilities=p)


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
    half = _quantile(n - 1) * float(np.std(contributions, ddof=1)) / math.sqrt(n)
    saturated = at_least and value > cap - _SATURATED
    if saturated:
        notes = (*notes, f"Within {_SATURATED} nats of the largest value that it can take here, {cap:.2f}: read it as at least.")
    value = min(max(value, floor), cap)
    return Estimate(value=float(value), low=float(max(value - half, floor)), high=float(min(value + half, cap)), kind=kind, cap=cap, saturated=bool(saturated), notes=notes)


def not_applicable(kind: EstimateKind, why: str) -> Estimate:
    """The answer to a sample that lacks what an estimator reads: NaN, and a sentence."""
    return Estimate(value=math.nan, low=math.nan, high=math.nan, kind=kind, cap=math.inf, notes=(why,))


def with_null(made: Estimate, null: Estimate) -> Estimate:
    """The estimate with the value on a shuffled sample, and a note of that value's interval."""
    note = f"On a shuffled sample, where the truth is 0, it reads {null.value:.3f} [{null.low:.3f}, {null.high:.3f}]."
    return dataclasses.replace(made, null=null.value, notes=(*made.notes, note))


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
