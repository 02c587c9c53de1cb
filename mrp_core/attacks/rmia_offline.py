"""RMIA offline, ranked by its ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.membership import log_mean_probability
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True, kw_only=True)
class RmiaOffline(Attack):
    """log r_x with r_x = p(x) / pbar(x), pbar = ((1 + a) pbar_out + (1 - a)) / 2: the mean with the record is guessed as a pbar_out + 1 - a.

    ``a`` is fixed beforehand, not tuned on anybody's membership. Ranked by r_x itself, as in RMIA online.

    Source: Zarifzadeh et al. 2024, "Low-cost high-power membership inference attacks", section 3: offline mode with its linear guess.
    """

    a: float = 0.3

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows, inside=False)
        own, means = log_mean_probability(evidence, (False,), shrink=(1.0 + self.a) / 2.0)
        return own - means


PLUGIN = RmiaOffline(
    name="rmia_offline", title="RMIA offline", summary="The record's probability over its guessed mean, from shadow models without the record.", order=17,
    source="Zarifzadeh et al. 2024", needs=frozenset({"shadows"}), shadows=1, decides=True,
)
