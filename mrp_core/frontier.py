"""Which settings can't be beaten: non-dominated set, staircase, hypervolume and empirical attainment. Utility is maximised, leakage minimised."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrp_core.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The box that a hypervolume is measured in.

    Attributes:
        utility: Worst utility that counts, e.g. chance.
        leakage: Worst leakage that counts, e.g. ln C.
        best_utility, best_leakage: The opposite corner, which makes the hypervolume a fraction.
    """

    utility: float
    leakage: float
    best_utility: float = 1.0
    best_leakage: float = 0.0

    def __post_init__(self) -> None:
        size = (self.best_utility - self.utility, self.leakage - self.best_leakage)
        if not all(0 < side < math.inf for side in size):
            raise DataError(f"The reference point (utility {self.utility!r}, leakage {self.leakage!r}) must be worse on both axes than the ideal "
                            f"({self.best_utility!r}, {self.best_leakage!r}).")

    def text(self) -> str:
        """The box in words, to stand beside every hypervolume."""
        return (f"reference point: utility {self.utility:.3g}, leakage {self.leakage:.3g}; "
                f"1 would be utility {self.best_utility:.3g} at leakage {self.best_leakage:.3g}")


def non_dominated(leakage: ArrayLike, utility: ArrayLike) -> NDArray[np.bool_]:
    """Which settings no other beats: none has at most its leakage and at least its utility, one of them strictly. Equal settings stay together.

    Args:
        leakage, utility: [n]; a setting with a NaN is never on the front and beats nobody.
    """
    points = _points(leakage, utility)
    known = ~np.isnan(points).any(1)
    mask = np.zeros(len(points), dtype=bool)
    if known.any():
        from moocore import is_nondominated

        mask[known] = is_nondominated(points[known], maximise=[False, True], keep_weakly=True)
    return mask


def staircase(leakage: ArrayLike, utility: ArrayLike, *, until: float | None = None) -> NDArray[np.float64]:
    """Corners [k, 2] of (leakage, best utility attained at that leakage or less), ascending; nothing between two settings is claimed.

    Args:
        leakage, utility: [n]; dominated settings are left out.
        until: Extend the last step to this leakage.
    """
    points = _points(leakage, utility)
    points = np.unique(points[non_dominated(points[:, 0], points[:, 1])], axis=0)
    if len(points) == 0:
        return np.empty((0, 2))
    corners = [points[0]]
    for before, after in itertools.pairwise(points):
        corners += [np.array([after[0], before[1]]), after]
    if until is not None and until > points[-1, 0]:
        corners.append(np.array([until, points[-1, 1]]))
    return np.array(corners)


def hypervolume(leakage: ArrayLike, utility: ArrayLike, reference: Reference) -> float:
    """Share of the reference box that the settings dominate, in [0, 1]; settings outside count where they reach into the box.

    Source:
        Zitzler & Thiele 1998; computed by moocore.
    """
    points = _points(leakage, utility)
    points = points[~np.isnan(points).any(1)]
    if len(points) == 0:
        return 0.0
    from moocore import hypervolume as volume

    cost = np.column_stack([(points[:, 0] - reference.best_leakage) / (reference.leakage - reference.best_leakage),
                            (reference.best_utility - points[:, 1]) / (reference.best_utility - reference.utility)])
    return float(volume(np.clip(cost, 0.0, 1.0), ref=[1.0, 1.0]))


def attainment(
    leakage: Sequence[ArrayLike], utility: Sequence[ArrayLike], percentiles: Sequence[float] = (5.0, 50.0, 95.0)
) -> dict[float, NDArray[np.float64]]:
    """Empirical attainment across seeds: per percentile the front [k, 2] of (leakage, utility) that so many per cent of the seeds attain.

    5 is what the luckiest seeds attain, 50 the median front, 95 what (nearly) all attain; with fewer than 20 seeds 5 and 95 are the best and the worst seed.
    Ascending in leakage; pass them to :func:`staircase` to draw them.

    Args:
        leakage, utility: Per seed the values of its settings.
        percentiles: In (0, 100].

    Source:
        Grunert da Fonseca, Fonseca & Hall 2001; computed by moocore.
    """
    if len(leakage) == 0 or not all(0 < q <= 100 for q in percentiles):
        raise DataError(f"An attainment needs at least one seed and percentiles above 0 and up to 100, but got {len(leakage)} seeds and {tuple(percentiles)}.")
    seeds = [_points(a, b) for a, b in zip(leakage, utility, strict=True)]
    seeds = [s[~np.isnan(s).any(1)] for s in seeds]
    out = {float(q): np.empty((0, 2)) for q in percentiles}
    if not all(len(s) for s in seeds):
        return out  # a seed without a measured setting attains nothing
    from moocore import eaf

    stacked = np.vstack(seeds)
    number = np.repeat(np.arange(len(seeds)), [len(s) for s in seeds])
    for q in out:
        # asked for as a whole number of seeds, so that rounding in the library can't turn all seeds into more than all
        share = 100 * max(1, math.ceil(q / 100 * len(seeds) - 1e-9)) / len(seeds)
        surface = eaf(stacked * [1.0, -1.0], number, percentiles=[share])[:, :2] * [1.0, -1.0]
        out[q] = surface[np.argsort(surface[:, 0])]
    return out


def _points(leakage: ArrayLike, utility: ArrayLike) -> NDArray[np.float64]:
    x, y = np.asarray(leakage, dtype=np.float64), np.asarray(utility, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise DataError(f"leakage and utility must be equally long lists of numbers, but have the shapes {x.shape} and {y.shape}.")
    return np.column_stack([x, y])
