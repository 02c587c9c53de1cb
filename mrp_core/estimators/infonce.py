"""A learned critic that picks the true partner among many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrp_core.conditionals import vectors
from mrp_core.critics import LEAST, critic_scores
from mrp_core.estimating import Estimate, Estimator, Sample
from mrp_core.reading import reading

if TYPE_CHECKING:
    from torch import Tensor


class InfoNCE(Estimator):
    """Held-out InfoNCE (van den Oord et al. 2018, equation 4): log K less the cross-entropy of picking z_i for x_i among all K held-out z.

    The critic has never seen the pairs that it is judged on, so that on average the value is at most the truth. It is raised to 0 where it is below.
    """

    def once(self, sample: Sample) -> Estimate:
        """See :class:`mrp_core.estimating.Estimator`."""
        x, z = vectors(sample, least=LEAST)
        f = critic_scores(x, z, _loss, sample.seed)
        value, pseudo = bound(f)
        return reading(value, pseudo, kind=self.kind, cap=math.log(len(f)), floor=0.0)


def bound(f: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """InfoNCE of scores [K, K] and the jackknife's pseudo-values [K], nats."""
    k = len(f)
    top = f.max(1, keepdims=True)
    weight = np.exp(f - top)
    # what remains of each row without column j; rounding must not make the own term disappear
    left = np.maximum(weight.sum(1, keepdims=True) - weight, np.diagonal(weight)[:, None])
    own = np.diagonal(f) - top[:, 0]
    each = own - np.log(weight.mean(1))
    each_without = own[:, None] - np.log(np.maximum(left, 1e-300) / (k - 1))
    np.fill_diagonal(each_without, 0.0)
    value = float(each.mean())
    return value, k * value - each_without.sum(0)


def _loss(scores: Tensor) -> Tensor:
    return (scores.logsumexp(1) - scores.diagonal()).mean()


PLUGIN = InfoNCE(
    least=LEAST, name="infonce", title="InfoNCE critic", summary="A trained critic picks the true partner among held-out ones: at least so much is shared.", order=5,
    source="van den Oord et al. 2018", kind="lower bound",
    fails="Can't exceed the log of the number of held-out pairs, and falls far below the truth when the pairs are too few to train on.",
)
