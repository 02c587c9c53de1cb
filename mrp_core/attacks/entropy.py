"""Entropy of the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.signals import log_probabilities


@dataclass(frozen=True)
class Entropy:
    """sum_c p_c log p_c, the negative entropy.

    Source: Salem et al. 2019, "ML-Leaks", adversary 3; Shokri et al. 2017.
    """

    name: str = "entropy"
    title: str = "Entropy"
    summary: str = "The less an answer is spread over the classes, the likelier a member; needs no label."
    order: int = 3
    source: str = "Salem et al. 2019"
    needs: frozenset[Need] = frozenset()
    shadows: int = 0
    labels_only: bool = False
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        own = evidence.logits[..., evidence.targets, :, :]
        logp, _ = log_probabilities(own)
        p = np.exp(logp)
        return (p * np.where(p > 0, logp, 0.0)).sum(-1)


PLUGIN = Entropy()
