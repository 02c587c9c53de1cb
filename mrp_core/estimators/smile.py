"""A learned critic whose density ratio is clipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrp_core.conditionals import vectors
from mrp_core.critics import LEAST, critic_scores
from mrp_core.estimating import Estimate, EstimateKind, Sample
from mrp_core.pairs import checked, reading, shuffled, with_null

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SMILE:
    """E_P[f] - log E_Q[clip(e^f, e^-tau, e^tau)] (Song & Ermon 2020) on held-out pairs; the critic is trained on the Jensen-Shannon objective.

    Clipping buys a small variance with a bias in either direction, so this is an estimate and no bound; nothing caps it. A critic that
    has learned noise reads less than 0, which is raised to 0.

    Attributes:
        clip: tau; beyond a log ratio of it the marginal term sees no difference.
    """

    name: str = "smile"
    title: str = "SMILE critic"
    summary: str = "A trained critic with a clipped density ratio, on held-out pairs: an estimate without a cap, and no bound."
    order: int = 6
    source: str = "Song & Ermon 2020"
    kind: EstimateKind = "estimate"
    fails: str = "Too low above about one nat and in many dimensions, by far more than its interval says."
    clip: float = 5.0

    def applies(self, sample: Sample) -> bool:
        """Always."""
        return True

    def estimate(self, sample: Sample, *, null: bool = False) -> Estimate:
        """I(X; Z); see :class:`mrp_core.estimating.Estimator`.

        Raises:
            DataError: If the arrays don't fit, or there are too few pairs to train on.
        """
        checked(sample, least=LEAST)
        made = self._once(sample)
        return with_null(made, self._once(shuffled(sample))) if null else made

    def _once(self, sample: Sample) -> Estimate:
        x, z = vectors(sample, least=LEAST)
        value, pseudo = clipped(critic_scores(x, z, _loss, sample.seed), self.clip)
        return reading(value, pseudo, kind=self.kind, floor=0.0)


def clipped(f: NDArray[np.float64], clip: float) -> tuple[float, NDArray[np.float64]]:
    """SMILE of log ratios [K, K], pairs on the diagonal, and the jackknife's pseudo-values [K], nats."""
    k = len(f)
    ratio = np.exp(np.clip(f, -clip, clip))
    np.fill_diagonal(ratio, 0.0)
    whole, true = ratio.sum(), np.diagonal(f)
    value = float(true.mean() - np.log(whole / (k * (k - 1))))
    without = (true.sum() - true) / (k - 1) - np.log((whole - ratio.sum(0) - ratio.sum(1)) / ((k - 1) * (k - 2)))
    return value, k * value - (k - 1) * without


def _loss(scores: Tensor) -> Tensor:
    from torch.nn.functional import softplus

    k = len(scores)
    true = scores.diagonal()
    return softplus(-true).mean() + (softplus(scores).sum() - softplus(true).sum()) / (k * (k - 1))


PLUGIN = SMILE()
