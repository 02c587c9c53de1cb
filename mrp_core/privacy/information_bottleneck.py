"""The information bottleneck of the released channel: what the noisy scores behind a sampled label hold of the record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.losses import PrivacyLoss, Released

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class InformationBottleneck(PrivacyLoss):
    """mean KL(q(z|x) || r(z)) >= I(X; Z) >= I(X; Ŷ) (Alemi et al. 2017), where the released label is its own stochastic encoder.

    A label drawn from softmax(s) is the argmax of z = s + g with standard Gumbel noise g (Gumbel 1954). With the learned marginal's logits r as the places of the prior's
    Gumbels, the divergence of one coordinate at the difference a = s - r is E[(z - r) - (z - s)] + E[exp(-(z - r))] - E[exp(-(z - s))] = a + exp(-a) - 1. A
    shift c(x) of all scores of a record leaves the label as it is, so the bound holds for each; sum_j (a_j + c + exp(-a_j - c) - 1) is least at
    c = log mean_j exp(-a_j), where it is sum_j a_j + C log mean_j exp(-a_j). It is 0 where s - r is constant, and never below KL(softmax(s) || softmax(r)).
    """

    name: str = "information_bottleneck"
    title: str = "Information bottleneck"
    summary: str = "Bounds what the noisy scores behind a sampled label tell about the record, not the label alone."
    order: int = 6
    formula: str = r"\overline{\textstyle\sum_j a_j + C\log\tfrac1C\sum_j e^{-a_j}},\; a = s(x) - r"
    lowers: str = "mi"
    inner: bool = True
    pairs: int = 0
    reach: float = 0.1

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B]."""
        a = released.logits - released.marginal.unsqueeze(1)
        classes = a.shape[-1]
        centred = a - a.mean(-1, keepdim=True)
        return classes * ((-centred).logsumexp(-1) - math.log(classes)).mean(-1)


PLUGIN = InformationBottleneck()
