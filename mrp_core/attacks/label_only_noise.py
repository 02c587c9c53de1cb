"""Robustness to noise, from top labels alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.shadows import part


class LabelOnlyNoise(Attack):
    """Share of K noisy copies of a record that still get its label; records with equal shares are tied, since that is all that was seen.

    Source: Choquette-Choo et al. 2021, "Label-only membership inference attacks", the attack by random noise.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        noisy = part(evidence, self.title, "noisy_labels")
        return (noisy[..., evidence.targets, :, :] == evidence.labels[..., None, :, None]).mean(-1)


PLUGIN = LabelOnlyNoise(
    name="label_only_noise", title="Label only: robustness",
    summary="Members keep their right label when noise is added: share of noisy copies still right.", order=21, source="Choquette-Choo et al. 2021",
    needs=frozenset({"noisy_labels"}), labels_only=True,
)
