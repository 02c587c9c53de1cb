"""Confidence: the largest probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.signals import label_margin


class Confidence(Attack):
    """max_c p_c, as its log odds, which has the same order and never saturates.

    Source: Salem et al. 2019, "ML-Leaks", adversary 3.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        return label_margin(evidence.own, evidence.own.argmax(-1))


PLUGIN = Confidence(
    name="confidence", title="Confidence", summary="The surer the answer, right or wrong, the likelier a member; needs no label.", order=2,
    source="Salem et al. 2019",
)
