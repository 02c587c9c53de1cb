"""LiRA online, Student-t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.membership import lira
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True)
class LiraOnlineT:
    """log t(phi; in) - log t(phi; out), Student-t with a prior over records: the pooled variance with few shadows, the record's own with many.

    Source: Carlini et al. 2022, Algorithm 1, with the Student-t predictive of a normal-inverse-gamma prior (arXiv:2603.11799).
    """

    name: str = "lira_online_t"
    title: str = "LiRA online, Student-t"
    summary: str = "Likelihood ratio of shadow models with and without the record; a prior over records, so that few shadow models suffice."
    order: int = 12
    source: str = "Carlini et al. 2022"
    needs: frozenset[Need] = frozenset({"shadows"})
    shadows: int = 1
    labels_only: bool = False
    decides: bool = True

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows)
        return lira(evidence, "student_t")


PLUGIN = LiraOnlineT()
