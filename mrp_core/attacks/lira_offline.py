"""LiRA offline, one-sided, pooled variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.membership import lira
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True)
class LiraOffline:
    """(phi - mean_out) / deviation_out, with one deviation for all records; only a target that is surer than the shadows looks like a member.

    Source: Carlini et al. 2022, "Membership inference attacks from first principles", the offline attack with its one-sided test.
    """

    name: str = "lira_offline"
    title: str = "LiRA offline, pooled variance"
    summary: str = "How far above shadow models without the record it lies, one-sided; one variance for all records."
    order: int = 13
    source: str = "Carlini et al. 2022"
    needs: frozenset[Need] = frozenset({"shadows"})
    shadows: int = 1
    labels_only: bool = False
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows, inside=False)
        return lira(evidence, "pooled", offline=True)


PLUGIN = LiraOffline()
