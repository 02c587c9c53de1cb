"""The gap attack: a right answer means member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need


@dataclass(frozen=True)
class LabelOnlyGap:
    """1 if the top label is right, -1 if not; its advantage is the gap between accuracy on members and on others.

    Source: Yeom et al. 2018, "Privacy risk in machine learning"; the name is from Choquette-Choo et al. 2021.
    """

    name: str = "label_only_gap"
    title: str = "Label only: gap"
    summary: str = "A right answer means member: all that a single top label tells."
    order: int = 20
    source: str = "Yeom et al. 2018"
    needs: frozenset[Need] = frozenset()
    shadows: int = 0
    labels_only: bool = True
    decides: bool = True

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        own = evidence.logits[..., evidence.targets, :, :]
        return np.where(own.argmax(-1) == evidence.labels[..., None, :], 1.0, -1.0)


PLUGIN = LabelOnlyGap()
