"""LiRA online, per-record variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.membership import lira
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True)
class LiraOnlinePerRecord:
    """log N(phi; in) - log N(phi; out), with each record's own variance; needs some 64 shadows to be better than the pooled one.

    Source: Carlini et al. 2022, "Membership inference attacks from first principles", Algorithm 1.
    """

    name: str = "lira_online_per_record"
    title: str = "LiRA online, per-record variance"
    summary: str = "Likelihood ratio of shadow models with and without the record; each record's own variance."
    order: int = 11
    source: str = "Carlini et al. 2022"
    needs: frozenset[Need] = frozenset({"shadows"})
    shadows: int = 2
    labels_only: bool = False
    decides: bool = True

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows)
        return lira(evidence, "per_record")


PLUGIN = LiraOnlinePerRecord()
