"""How far one support record can move an inner step: a smooth maximum of per-record gradient norms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.errors import ConfigError
from mrp_core.losses import PrivacyLoss, Released

if TYPE_CHECKING:
    from torch import Tensor

TEMPERATURE = 0.1


@dataclass(frozen=True)
class GradientSensitivity(PrivacyLoss):
    """T log mean exp(norm / T), T = 0.1, over support records of the norm of the task loss's gradient over the adapted layers.

    That norm is the sensitivity of one inner step to one record, in units of the inner rate over the number of records: what clipping bounds by force (Abadi et al. 2016),
    and what lower noise would suffice for. It is taken at the start of the adaptation and at its end, which brackets all steps, and lies below the largest norm by
    at most T log(number of norms). Lowering it carries no guarantee, since nothing bounds the norm of a record that meta-training didn't see.
    Norms are of the order of ten where the other losses are of the order of one: a λ of some hundredths is much.
    """

    name: str = "gradient_sensitivity"
    title: str = "Gradient sensitivity"
    summary: str = "Keeps any single support record from pulling the adaptation far; a wish, where clipping is a bound."
    order: int = 8
    formula: str = r"T \log \overline{\exp(\lVert\nabla_\theta\,\ell(x_i, y_i)\rVert / T)}"
    lowers: str = "membership_bits"
    inner: bool = False
    pairs: int = 0
    needs: frozenset[str] = frozenset({"norms"})
    reach: float = 0.06

    def value(self, released: Released) -> Tensor:
        """Gradient norm per row, [B]; not in nats.

        Raises:
            ConfigError: If the norms are missing.
        """
        if released.norms is None:
            raise ConfigError("gradient_sensitivity needs the gradient norms of the support records; use it in the outer loop of a meta-learner.")
        norms = released.norms
        return TEMPERATURE * ((norms / TEMPERATURE).logsumexp(-1) - math.log(norms.shape[-1]))


PLUGIN = GradientSensitivity()
