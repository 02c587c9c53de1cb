"""The interface that each file in ``mrp_core/attacks`` fills: what an attacker holds, and scores of membership from it. Needs numpy only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Need = Literal["shadows", "population", "noisy_labels", "features"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What an attacker holds: the released outputs of R models on N records, one of the models being the target, the others its shadows.

    Leading axes "..." are tasks, seeds, or nothing. Build it with :func:`mrp_core.audit.evidence`, which checks it.

    Attributes:
        logits: float64 [..., R, N, C], released outputs as logits (log-probabilities are logits); may be infinite, never NaN.
        labels: int64 [..., N], true labels in 0 .. C - 1.
        keep: bool [..., R, N], which records each model was trained (or adapted) on. An attack reads it for shadows only, never for the target it scores.
        twin: int64 [R], each model's complement (trained on exactly the other records), its own index where it has none; it is no shadow of its twin.
        targets: int64 [T], the models that are scored.
        population: float64 [..., R, E, C], outputs of the same models on records of the same kind that no model was trained on; None without.
        population_labels: int64 [..., E].
        features, population_features: float64 [..., N, F] and [..., E, F], the records themselves, for attacks that look at them.
        noisy_labels: int64 [..., R, N, K], top labels of K noisy copies of each record.
    """

    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    keep: NDArray[np.bool_]
    twin: NDArray[np.int64]
    targets: NDArray[np.int64]
    population: NDArray[np.float64] | None = None
    population_labels: NDArray[np.int64] | None = None
    features: NDArray[np.float64] | None = None
    population_features: NDArray[np.float64] | None = None
    noisy_labels: NDArray[np.int64] | None = None

    @property
    def own(self) -> NDArray[np.float64]:
        """The targets' outputs on the records, [..., T, N, C]."""
        return self.logits[..., self.targets, :, :]


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """What every attack's ``PLUGIN`` is an instance of.

    Attributes:
        name, title, summary, order: As for every plug-in.
        source: The paper, "Author et al. year".
        needs: Which optional parts of the evidence it reads ("shadows": other models than the target).
        shadows: Least number of shadows on each side of a record (offline attacks: of those without it) for it to mean anything; 0 without shadows.
        labels_only: Whether a released top label is all that it needs.
        decides: Whether a score of 0 is its own decision threshold.
    """

    name: str
    title: str
    summary: str
    order: int
    source: str
    needs: frozenset[Need] = frozenset()
    shadows: int = 0
    labels_only: bool = False
    decides: bool = False

    @abstractmethod
    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N] of the targets, higher for members.

        Raises:
            DataError: If the evidence lacks what the attack needs.
        """
