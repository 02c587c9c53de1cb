"""Variational upper bound on I(X; Ŷ) with a learned output marginal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.losses import PrivacyLoss, Released, log_softmax

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class KLMarginal(PrivacyLoss):
    """mean KL(p(.|x) || r) >= I(X; Ŷ), with equality at r = mean p (Barber & Agakov 2003; Alemi et al. 2017). r is meta-learned."""

    name: str = "kl_marginal"
    title: str = "KL to a learned marginal"
    summary: str = "An upper bound on the output mutual information that needs no batch average."
    order: int = 2
    formula: str = r"\overline{\mathrm{KL}(p(\cdot|x)\,\|\,r)}"
    lowers: str = "mi"
    inner: bool = True
    pairs: int = 0

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B]."""
        logp = log_softmax(released.logits)
        logr = released.marginal.log_softmax(-1).unsqueeze(1)
        return (logp.exp() * (logp - logr)).sum(-1).mean(-1)


PLUGIN = KLMarginal()
