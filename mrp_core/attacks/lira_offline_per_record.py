"""LiRA offline, one-sided, per-record variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence, Need
from mrp_core.audit.membership import lira
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True)
class LiraOfflinePerRecord:
    """(phi - mean_out) / deviation_out, with each record's own deviation; only a target that is surer than the shadows looks like a member.

    Source: Carlini et al. 2022, "Membership inference attacks from first principles", the offline attack with its one-sided test.
    """

    name: str = "lira_offline_per_record"
    title: str = "LiRA offline, per-record variance"
    summary: str = "How far above shadow models without the record it lies, one-sided; each record's own variance."
    order: int = 14
    source: str = "Carlini et al. 2022"
    needs: frozenset[Need] = frozenset({"shadows"})
    shadows: int = 2
    labels_only: bool = False
    decides: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows, inside=False)
        return lira(evidence, "per_record", offline=True)


PLUGIN = LiraOfflinePerRecord()
