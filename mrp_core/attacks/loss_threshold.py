"""The loss threshold: a low loss means member."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.signals import label_margin


class LossThreshold(Attack):
    """log p_y, the negative cross-entropy, with the threshold left free.

    Source: Yeom et al. 2018, "Privacy risk in machine learning", Adversary 1. The score is the log odds of the label, which has the same order and keeps it
    where the loss rounds to 0.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        return label_margin(evidence.own, evidence.labels[..., None, :])


PLUGIN = LossThreshold(
    name="loss_threshold", title="Loss threshold", summary="A low loss means member: one threshold for all records, no shadow models.", order=1,
    source="Yeom et al. 2018",
)
