"""The loss threshold: a low loss means member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.signals import label_margin


@dataclass(frozen=True)
class LossThreshold:
    """log p_y, the negative cross-entropy, with the threshold left free.

    Source: Yeom et al. 2018, "Privacy risk in machine learning", Adversary 1. The score is the log odds of the label, which has the same order and keeps it
    where the loss rounds to 0.
    """

    name: str = "loss_threshold"
    title: str = "Loss threshold"
    summary: str = "A low loss means member: one threshold for all records, no shadow models."
    order: int = 1
    source: str = "Yeom et al. 2018"
    needs: frozenset[Need] = frozenset()
    shadows: int = 0
    labels_only: bool = False
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        own = evidence.logits[..., evidence.targets, :, :]
        return label_margin(own, evidence.labels[..., None, :])


PLUGIN = LossThreshold()
