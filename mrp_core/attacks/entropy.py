"""Entropy of the answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.signals import log_probabilities


class Entropy(Attack):
    """sum_c p_c log p_c, the negative entropy.

    Source: Salem et al. 2019, "ML-Leaks", adversary 3; Shokri et al. 2017.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        logp, _ = log_probabilities(evidence.own)
        p = np.exp(logp)
        return (p * np.where(p > 0, logp, 0.0)).sum(-1)


PLUGIN = Entropy(
    name="entropy", title="Entropy", summary="The less an answer is spread over the classes, the likelier a member; needs no label.", order=3,
    source="Salem et al. 2019",
)
