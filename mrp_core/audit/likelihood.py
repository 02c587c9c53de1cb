"""LiRA as an attack on evidence: which variance, and whether shadows with the record are used too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence, Need
from mrp_core.audit.membership import Variance, lira
from mrp_core.audit.shadows import require_shadows


@dataclass(frozen=True, kw_only=True)
class Lira(Attack):
    """Online log p(phi; in) - log p(phi; out); offline (phi - mean_out) / deviation_out, one-sided: only a target surer than the shadows looks like a member.

    Source: Carlini et al. 2022, "Membership inference attacks from first principles", Algorithm 1 and its offline variant; the Student-t is the predictive
    of a normal-inverse-gamma prior over records (arXiv:2603.11799).

    Attributes:
        variance: See :func:`mrp_core.audit.lira_online`.
        offline: Whether only shadows without the record are used.
    """

    source: str = "Carlini et al. 2022"
    needs: frozenset[Need] = frozenset({"shadows"})
    shadows: int = 1
    variance: Variance = "pooled"
    offline: bool = False

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows, inside=not self.offline)
        return lira(evidence, self.variance, offline=self.offline)
