"""Confidence: the largest probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.signals import label_margin


@dataclass(frozen=True)
class Confidence:
    """max_c p_c, as its log odds, which has the same order and never saturates.

    Source: Salem et al. 2019, "ML-Leaks", adversary 3.
    """

    name: str = "confidence"
    title: str = "Confidence"
    summary: str = "The surer the answer, right or wrong, the likelier a member; needs no label."
    order: int = 2
    source: str = "Salem et al. 2019"
    needs: frozenset[Need] = frozenset()
    shadows: int = 0
    labels_only: bool = False
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        own = evidence.logits[..., evidence.targets, :, :]
        return label_margin(own, own.argmax(-1))


PLUGIN = Confidence()
