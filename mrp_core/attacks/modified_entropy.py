"""Modified entropy: entropy that knows the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.signals import log_probabilities


@dataclass(frozen=True)
class ModifiedEntropy:
    """(1 - p_y) log p_y + sum_(c != y) p_c log(1 - p_c), high for members.

    Source: Song & Mittal 2021, "Systematic evaluation of privacy risks of machine learning models", the modified prediction entropy, with the sign turned.
    """

    name: str = "modified_entropy"
    title: str = "Modified entropy"
    summary: str = "Entropy that knows the label: being surely wrong counts as no member."
    order: int = 4
    source: str = "Song & Mittal 2021"
    needs: frozenset[Need] = frozenset()
    shadows: int = 0
    labels_only: bool = False
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        own = evidence.logits[..., evidence.targets, :, :]
        logp, against = log_probabilities(own)
        label = np.broadcast_to(evidence.labels[..., None, :], own.shape[:-1])[..., None]
        terms = _product(np.exp(logp), against)
        here = _product(np.exp(np.take_along_axis(against, label, -1)), np.take_along_axis(logp, label, -1))
        np.put_along_axis(terms, label, here, -1)
        return terms.sum(-1)


def _product(p: NDArray[np.float64], log: NDArray[np.float64]) -> NDArray[np.float64]:
    """p log q with 0 log 0 = 0."""
    return np.where(p > 0, p, 0.0) * np.where((p > 0) | np.isfinite(log), log, 0.0)


PLUGIN = ModifiedEntropy()
