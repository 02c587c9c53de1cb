"""How sure a mean over seeds and tasks is: Student intervals that know the two levels, and a level for looking at many settings at once. Needs numpy and scipy only."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mrp_core.measurement import Measurement

DRAWS = 2000


def spans(values: NDArray[np.float64], *, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean of [seeds, tasks, ...] over the first two axes, with both ends of its interval, [...] each.

    The variance of the mean is that of a one-way random-effects model, the larger of the mean squares between and within seeds over the number of values, and
    Student's t has the degrees of freedom of that mean square. A bootstrap over a handful of seeds is too narrow when seeds differ (it can't know their
    spread, and three of them cover 77 % where 95 % is meant); this covers at least 93 % from three seeds on, and 88 % with two.

    Args:
        values: float64 [S, T, ...]; a quantity with a NaN yields three NaN.
        level: Coverage.

    Returns:
        mean, low, high; low and high are NaN where there is one value only.

    Source:
        Searle, Casella & McCulloch 1992, "Variance components", section 3.7: the mean square between seeds is the right one for the mean of all.
    """
    values = np.asarray(values, dtype=np.float64)
    s, t = values.shape[:2]
    mean = values.mean((0, 1)) if s * t else np.full(values.shape[2:], np.nan)
    if s * t < 2:
        nothing = np.full(values.shape[2:], np.nan)
        return mean, nothing, nothing
    own = values.mean(1)
    between = t * np.square(own - mean).sum(0) / (s - 1) if s > 1 else np.zeros(values.shape[2:])
    within = np.square(values - own[:, None]).sum((0, 1)) / (s * (t - 1)) if t > 1 else np.zeros(values.shape[2:])
    seeds_differ = (between > within) if s > 1 else np.zeros(values.shape[2:], dtype=bool)
    by_seed, by_task = (student(level, n) for n in (s - 1, s * (t - 1)))
    half = np.where(seeds_differ, by_seed, by_task if t > 1 else by_seed) * np.sqrt(np.maximum(between, within) / (s * t))
    return mean, mean - half, mean + half


def interval(values: NDArray[np.float64], *, level: float = 0.95, low: float = -math.inf, high: float = math.inf, note: str = "") -> Measurement:
    """Mean of [seeds, tasks] with its interval; with one value there is none, and low and high are NaN.

    Args:
        values: float64 [S, T].
        level: Coverage.
        low, high: Bounds of the quantity, which the interval keeps to.
        note: Passed on.
    """
    if values.size == 0 or np.isnan(values).any():
        return Measurement(value=math.nan, low=math.nan, high=math.nan, n=0, note=note or "not resolved")
    mean, lower, upper = (float(v) for v in spans(values, level=level))
    if values.size == 1:
        return Measurement(value=mean, low=math.nan, high=math.nan, n=1, note=note or "one value has no interval")
    return Measurement(value=mean, low=min(max(lower, low), mean), high=max(min(upper, high), mean), n=values.size, note=note)


def simultaneous_level(values: NDArray[np.float64], *, level: float = 0.95) -> float:
    """The level at which each of K intervals must be taken so that all of them hold at once with probability ``level``.

    Neighbouring settings err together, so that Bonferroni's level would be far too strict. The largest of K standardised errors is simulated with the
    correlation that the values show; its quantile, read as a normal quantile, is the level of each.

    Args:
        values: float64 [S, T, K], without NaN: what was measured of each of K quantities in the same seeds and tasks.
        level: Wanted for all together.

    Source:
        Westfall & Young 1993, "Resampling-based multiple testing": single-step max-t.
    """
    flat = values.reshape(-1, values.shape[-1])
    centred = flat - flat.mean(0)
    size = np.sqrt(np.square(centred).sum(0))
    centred = centred[:, size > 0] / size[size > 0]
    if centred.shape[1] < 2:
        return level
    errors = np.random.default_rng(0).standard_normal((DRAWS, len(centred))) @ centred
    from scipy.special import ndtr  # scipy.stats would cost the first page most of a second

    return float(max(level, 2 * ndtr(np.quantile(np.abs(errors).max(1), level)) - 1))


def student(level: float, freedom: int) -> float:
    """Half the width of an interval in standard errors, by Student's t; NaN without a degree of freedom."""
    if freedom < 1:
        return math.nan
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))
