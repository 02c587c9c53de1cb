"""The interface that each file in ``mrp_core/estimators`` fills: mutual information from samples, with what the number is. Needs numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

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


class Estimator(Protocol):
    """The interface of an estimator's ``PLUGIN``.

    Attributes:
        name, title, summary, order: As for every plug-in.
        source: The paper, "Author et al. year".
        kind: What its value is.
        fails: One sentence: where it is known to mislead.
    """

    name: str
    title: str
    summary: str
    order: int
    source: str
    kind: EstimateKind
    fails: str

    def applies(self, sample: Sample) -> bool:
        """Whether the sample has what the estimator reads."""
        ...

    def estimate(self, sample: Sample, *, null: bool = False) -> Estimate:
        """The estimate; ``null`` also computes it on a shuffled sample."""
        ...
