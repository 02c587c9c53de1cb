"""LiRA offline, one-sided, Student-t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.membership import lira
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True)
class LiraOfflineT:
    """How far up phi lies in the Student-t that the shadows without the record predict, with a prior over records.

    Source: Carlini et al. 2022, offline attack, with the Student-t predictive of a normal-inverse-gamma prior (arXiv:2603.11799).
    """

    name: str = "lira_offline_t"
    title: str = "LiRA offline, Student-t"
    summary: str = "How far above shadow models without the record it lies, one-sided; a prior over records, for few shadow models."
    order: int = 15
    source: str = "Carlini et al. 2022"
    needs: frozenset[Need] = frozenset({"shadows"})
    shadows: int = 1
    labels_only: bool = False
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows, inside=False)
        return lira(evidence, "student_t", offline=True)


PLUGIN = LiraOfflineT()
