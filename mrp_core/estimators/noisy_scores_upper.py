"""Noisy scores with a known conditional: the upper bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.information import noisy_scores_information
from mrp_core.conditionals import channel_ratios, gaussian_conditional
from mrp_core.estimating import Estimate, EstimateKind, Sample
from mrp_core.pairs import checked, not_applicable, reading, with_null

_DRAWS = 8
_PAIRS = 4000  # draws times records, beyond which fewer draws do


@dataclass(frozen=True)
class NoisyScoresUpper:
    """Leave-one-out mixture in place of the marginal (equation 13): on average not below the truth, and without a cap.

    z itself is only checked against the means: both the value and its interval average over draws of their own. The conditional of a shuffled sample is
    the same for every record, so that the null is exactly 0.
    """

    name: str = "noisy_scores_upper"
    title: str = "Noisy scores, upper bound"
    summary: str = "Scores with known Gaussian noise: at most so much, each record against all others."
    order: int = 3
    source: str = "Poole et al. 2019"
    kind: EstimateKind = "upper bound"
    fails: str = "Far too high where records are further apart than the noise, as in many dimensions."

    def applies(self, sample: Sample) -> bool:
        """Whether the means are known."""
        return sample.means is not None

    def estimate(self, sample: Sample, *, null: bool = False) -> Estimate:
        """Upper bound on I(X; Z); see :class:`mrp_core.estimating.Estimator`.

        Raises:
            DataError: If the arrays don't fit, the noise isn't positive, or z isn't means + noise.
        """
        if not self.applies(sample):
            return not_applicable(self.kind, "The conditional of z isn't known.")
        checked(sample, least=3)
        means, noise = gaussian_conditional(sample)
        made = self._once(sample, means, noise)
        return with_null(made, self._once(sample, np.broadcast_to(means.mean(0), means.shape), noise)) if null else made

    def _once(self, sample: Sample, means: NDArray[np.float64], noise: float) -> Estimate:
        n, draws = len(means), min(max(_PAIRS // len(means), 1), _DRAWS)
        found = noisy_scores_information(means, np.zeros(n, dtype=np.int64), noise, draws=draws, seed=sample.seed)
        own = channel_ratios(means, noise, draws=draws, seed=sample.seed, leave_out=True)
        return reading(float(found.high), own, kind=self.kind, floor=0.0)


PLUGIN = NoisyScoresUpper()
