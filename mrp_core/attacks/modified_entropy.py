"""Modified entropy: entropy that knows the label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.signals import log_probabilities


class ModifiedEntropy(Attack):
    """(1 - p_y) log p_y + sum_(c != y) p_c log(1 - p_c), high for members.

    Source: Song & Mittal 2021, "Systematic evaluation of privacy risks of machine learning models", the modified prediction entropy, with the sign turned.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        logp, against = log_probabilities(evidence.own)
        label = np.broadcast_to(evidence.labels[..., None, :], logp.shape[:-1])[..., None]
        terms = _product(np.exp(logp), against)
        here = _product(np.exp(np.take_along_axis(against, label, -1)), np.take_along_axis(logp, label, -1))
        np.put_along_axis(terms, label, here, -1)
        return terms.sum(-1)


def _product(p: NDArray[np.float64], log: NDArray[np.float64]) -> NDArray[np.float64]:
    """p log q with 0 log 0 = 0."""
    return np.where(p > 0, p, 0.0) * np.where((p > 0) | np.isfinite(log), log, 0.0)


PLUGIN = ModifiedEntropy(
    name="modified_entropy", title="Modified entropy", summary="Entropy that knows the label: being surely wrong counts as no member.", order=4,
    source="Song & Mittal 2021",
)
