"""A penalty for training that is no meter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.conditionals import gaussian_conditional, log_densities
from mrp_core.critics import LEAST, gaussian_scores
from mrp_core.estimating import Estimate, Estimator, Sample, checked
from mrp_core.reading import reading


class CLUB(Estimator):
    """E_P[log q(z|x)] - E_Q[log q(z|x)] (Cheng et al. 2020), P the pairs and Q all combinations.

    q is the true conditional where it is known; then this is I(X; Z) + KL(p(z) || p(z|x)) averaged over x: for a Gaussian pair rho² / (1 - rho²), twice the
    truth where little is shared and out of all proportion where much is. Elsewhere q is a Gaussian fitted to one half of the pairs and read on the other,
    and the value isn't even an upper bound.
    """

    def applies(self, sample: Sample) -> bool:
        """Whether z isn't a label."""
        return sample.probabilities is None

    def check(self, sample: Sample) -> None:
        """Pairs, enough of them."""
        checked(sample, least=LEAST if sample.means is None else 3)
        if sample.means is not None:
            gaussian_conditional(sample)

    def once(self, sample: Sample) -> Estimate:
        """See :class:`mrp_core.estimating.Estimator`."""
        if sample.means is None:
            x, z = checked(sample, least=LEAST)
            value, pseudo = contrast(gaussian_scores(x, z, sample.seed))
            return reading(value, pseudo, kind=self.kind, notes=("The conditional was fitted on the other half of the pairs.",))
        value, pseudo = contrast(log_densities(sample.means, sample.z, sample.noise))
        return reading(value, pseudo, kind=self.kind, notes=("With the true conditional.",))


def contrast(log: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """CLUB of log q(z_j|x_i) [K, K] and the jackknife's pseudo-values [K], nats."""
    k, true, whole = len(log), np.diagonal(log), log.sum()
    value = float(true.mean() - whole / k**2)
    without = (true.sum() - true) / (k - 1) - (whole - log.sum(0) - log.sum(1) + true) / (k - 1) ** 2
    return value, k * value - (k - 1) * without


PLUGIN = CLUB(
    name="club", title="CLUB", summary="A penalty to train against, not a meter: about twice the truth where little is shared, far more where much is.",
    order=8, source="Cheng et al. 2020", kind="penalty", fails="Everywhere as a meter; use it to lower something, never to report it.",
    missing="z is a label, but the conditional is a Gaussian.",
)
