"""Noisy scores whose conditional is known: bounds on I(X; Z) from both sides, without a critic."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mrp_core.audit.information import noisy_scores_information
from mrp_core.conditionals import channel_ratios, gaussian_conditional
from mrp_core.estimating import Estimate, Estimator, Sample
from mrp_core.reading import reading

_DRAWS = 8
_PAIRS = 4000  # draws times records, beyond which fewer draws do


@dataclass(frozen=True, kw_only=True)
class NoisyScores(Estimator):
    """InfoNCE with the true conditional as its critic (equation 12), or the leave-one-out mixture in place of the marginal (equation 13).

    The first is never above ln N nor, on average, above the truth; the second is on average not below it, and has no cap. z itself is only checked against
    the means: both the value and its interval average over draws of their own. The conditional of a shuffled sample is the same for every record, so that
    the null is exactly 0.

    Attributes:
        upper: Which of the two.

    Source:
        Poole et al. 2019, "On variational bounds of mutual information".
    """

    source: str = "Poole et al. 2019"
    missing: str = "The conditional of z isn't known."
    upper: bool = False

    def applies(self, sample: Sample) -> bool:
        """Whether the means are known."""
        return sample.means is not None

    def check(self, sample: Sample) -> None:
        """Refuse also a z that isn't means + noise."""
        super().check(sample)
        if self.applies(sample):
            gaussian_conditional(sample)

    def once(self, sample: Sample) -> Estimate:
        """See :class:`mrp_core.estimating.Estimator`."""
        means = np.asarray(sample.means, dtype=np.float64)
        n, draws = len(means), min(max(_PAIRS // len(means), 1), _DRAWS)
        found = noisy_scores_information(means, np.zeros(n, dtype=np.int64), sample.noise, draws=draws, seed=sample.seed)
        own = channel_ratios(means, sample.noise, draws=draws, seed=sample.seed, leave_out=self.upper)
        return reading(float(found.high if self.upper else found.total), own, kind=self.kind, cap=math.inf if self.upper else math.log(n), floor=0.0)

    def unrelated(self, sample: Sample) -> Sample:
        """One and the same conditional for every record."""
        means = np.asarray(sample.means, dtype=np.float64)
        return replace(sample, means=np.broadcast_to(means.mean(0), means.shape))
