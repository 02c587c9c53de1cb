"""The gap attack: a right answer means member."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence


class LabelOnlyGap(Attack):
    """1 if the top label is right, -1 if not; its advantage is the gap between accuracy on members and on others.

    Source: Yeom et al. 2018, "Privacy risk in machine learning"; the name is from Choquette-Choo et al. 2021.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        return np.where(evidence.own.argmax(-1) == evidence.labels[..., None, :], 1.0, -1.0)


PLUGIN = LabelOnlyGap(
    name="label_only_gap", title="Label only: gap", summary="A right answer means member: all that a single top label tells.", order=20,
    source="Yeom et al. 2018", labels_only=True, decides=True,
)
