"""The interface that each file in ``mrp_core/estimators`` fills: mutual information from samples, with what the number is. Needs numpy only."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError

EstimateKind = Literal["lower bound", "upper bound", "estimate", "penalty"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Pairs whose mutual information is wanted, with whatever else is known about them.

    Attributes:
        x: float64 [N, D]: one side; class probabilities p(.|x) do not go here.
        z: float64 [N, E]: the other side, e.g. what was released.
        means: float64 [N, E] where z = means + noise * N(0, I) with known ``noise``: the conditional that needs no critic; else None.
        noise: Standard deviation of that noise; 0 where unknown.
        probabilities: float64 [N, C] where z is one label drawn from p(.|x); else None.
        seed: Of the estimator's own randomness.
    """

    x: NDArray[np.float64]
    z: NDArray[np.float64]
    means: NDArray[np.float64] | None = None
    noise: float = 0.0
    probabilities: NDArray[np.float64] | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One number with what it is.

    Attributes:
        value: Nats; NaN where the estimator doesn't apply.
        low, high: 95 % interval of the estimator's own sampling error, NaN where it has none.
        kind: What the value is of the true mutual information.
        cap: Largest value that it could have returned on this sample, nats (inf without a cap).
        saturated: Whether it is within 0.3 nats of the cap, so that it reads "at least".
        null: The same on a shuffled sample, where the truth is 0; NaN if not asked for.
        notes: Sentences for the reader.
    """

    value: float
    low: float
    high: float
    kind: EstimateKind
    cap: float
    saturated: bool = False
    null: float = float("nan")
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Estimator(ABC):
    """What every estimator's ``PLUGIN`` is an instance of.

    Attributes:
        name, title, summary, order: As for every plug-in.
        source: The paper, "Author et al. year".
        kind: What its value is.
        fails: One sentence: where it is known to mislead.
        missing: One sentence: what a sample lacks to which it doesn't apply.
        least: Pairs that it needs at least.
    """

    name: str
    title: str
    summary: str
    order: int
    source: str
    kind: EstimateKind
    fails: str
    missing: str = ""
    least: int = 2

    def applies(self, sample: Sample) -> bool:
        """Whether the sample has what the estimator reads."""
        del sample
        return True

    def estimate(self, sample: Sample, *, null: bool = False) -> Estimate:
        """The estimate; NaN with the reason where it doesn't apply.

        Args:
            sample: Pairs, and what is known of them.
            null: Also estimate on the sample made unrelated, where the truth is 0.

        Raises:
            DataError: If an array has the wrong shape or values, or there are too few pairs.
        """
        self.check(sample)
        if not self.applies(sample):
            return Estimate(value=math.nan, low=math.nan, high=math.nan, kind=self.kind, cap=math.inf, notes=(self.missing,))
        made = self.once(sample)
        if not null:
            return made
        nothing = self.once(self.unrelated(sample))
        note = f"On a shuffled sample, where the truth is 0, it reads {nothing.value:.3f} [{nothing.low:.3f}, {nothing.high:.3f}]."
        return replace(made, null=nothing.value, notes=(*made.notes, note))

    def check(self, sample: Sample) -> None:
        """Refuse a sample that can't be read.

        Raises:
            DataError: As :func:`checked`.
        """
        checked(sample, least=self.least)

    @abstractmethod
    def once(self, sample: Sample) -> Estimate:
        """The estimate on a sample that was checked."""

    def unrelated(self, sample: Sample) -> Sample:
        """The sample with z in another order; probabilities become what they then are, the same for every record."""
        order = np.random.default_rng([sample.seed, 1]).permutation(len(sample.z))
        p = None if sample.probabilities is None else np.broadcast_to(np.mean(sample.probabilities, axis=0), np.shape(sample.probabilities))
        return replace(sample, z=np.asarray(sample.z)[order], probabilities=p)


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
