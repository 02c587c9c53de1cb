"""RMIA online, ranked by its ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.membership import log_mean_probability
from mrp_core.audit.shadows import require_shadows


class RmiaOnline(Attack):
    """log r_x with r_x = p(x) / pbar(x), pbar = (pbar_in + pbar_out) / 2.

    The published score, the share of population records z with r_x > gamma r_z, is a step function of r_x: it has the same order but ties, which empties the
    low false-positive rates. Ranking by r_x itself needs no population.

    Source: Zarifzadeh et al. 2024, "Low-cost high-power membership inference attacks", section 3: the ratio for one record and its threshold.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows)
        own, means = log_mean_probability(evidence, (True, False))
        return own - means


PLUGIN = RmiaOnline(
    name="rmia_online", title="RMIA online", summary="The record's probability over its mean under shadow models with and without it.", order=16,
    source="Zarifzadeh et al. 2024", needs=frozenset({"shadows"}), shadows=1, decides=True,
)
