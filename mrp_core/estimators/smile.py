"""A learned critic whose density ratio is clipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrp_core.conditionals import vectors
from mrp_core.critics import LEAST, critic_scores
from mrp_core.estimating import Estimate, Estimator, Sample
from mrp_core.reading import reading

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SMILE(Estimator):
    """E_P[f] - log E_Q[clip(e^f, e^-tau, e^tau)] (Song & Ermon 2020) on held-out pairs; the critic is trained on the Jensen-Shannon objective.

    Clipping buys a small variance with a bias in either direction, so this is an estimate and no bound; nothing caps it. A critic that
    has learned noise reads less than 0, which is raised to 0.

    Attributes:
        clip: tau; beyond a log ratio of it the marginal term sees no difference.
    """

    clip: float = 5.0

    def once(self, sample: Sample) -> Estimate:
        """See :class:`mrp_core.estimating.Estimator`."""
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


PLUGIN = SMILE(
    least=LEAST, name="smile", title="SMILE critic", summary="A trained critic with a clipped density ratio, on held-out pairs: an estimate without a cap, and no bound.",
    order=6, source="Song & Ermon 2020", kind="estimate", fails="Too low above about one nat and in many dimensions, by far more than its interval says.",
)
