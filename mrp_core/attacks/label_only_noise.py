"""Robustness to noise, from top labels alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.shadows import part


@dataclass(frozen=True)
class LabelOnlyNoise:
    """Share of K noisy copies of a record that still get its label; records with equal shares are tied, since that is all that was seen.

    Source: Choquette-Choo et al. 2021, "Label-only membership inference attacks", the attack by random noise.
    """

    name: str = "label_only_noise"
    title: str = "Label only: robustness"
    summary: str = "Members keep their right label when noise is added: share of noisy copies still right."
    order: int = 21
    source: str = "Choquette-Choo et al. 2021"
    needs: frozenset[Need] = frozenset({"noisy_labels"})
    shadows: int = 0
    labels_only: bool = True
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        noisy = part(evidence, self.title, "noisy_labels")
        return (noisy[..., evidence.targets, :, :] == evidence.labels[..., None, :, None]).mean(-1)


PLUGIN = LabelOnlyNoise()
