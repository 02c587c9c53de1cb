"""LiRA online, pooled variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.membership import lira
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True)
class LiraOnline:
    """log N(phi; in) - log N(phi; out), with one variance for all records; 0 is where both are as likely.

    Source: Carlini et al. 2022, "Membership inference attacks from first principles", Algorithm 1.
    """

    name: str = "lira_online"
    title: str = "LiRA online, pooled variance"
    summary: str = "Likelihood ratio of shadow models with and without the record; one variance for all records."
    order: int = 10
    source: str = "Carlini et al. 2022"
    needs: frozenset[Need] = frozenset({"shadows"})
    shadows: int = 1
    labels_only: bool = False
    decides: bool = True

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows)
        return lira(evidence, "pooled")


PLUGIN = LiraOnline()
