"""CLUB, the contrastive log-ratio upper bound, with the conditional that the sampled-label channel is known to have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.losses import PrivacyLoss, Released, log_softmax

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Club(PrivacyLoss):
    """E[log p(y|x)] - E E[log p(y|x')] with x' independent of y (Cheng et al. 2020), both means over the records at hand.

    p(y|x) is the model's own softmax, so no critic is trained. It exceeds :mod:`mrp_core.privacy.output_mi` by KL(mean p || the geometric mean of p, which
    isn't normalised), and so by Jensen never lies below it; both are 0 for equal answers only. It has no upper limit: a penalty, never a meter.
    """

    name: str = "club"
    title: str = "CLUB"
    summary: str = "An upper bound on the output mutual information that punishes rare sure answers hardest."
    order: int = 5
    formula: str = r"\overline{\textstyle\sum_y p_y \log p_y} - \textstyle\sum_y \overline{p_y}\,\overline{\log p_y}"
    lowers: str = "mi"
    inner: bool = True
    pairs: int = 0
    reach: float = 0.4

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B]."""
        logp = log_softmax(released.logits)
        p = logp.exp()
        return (p * logp).sum(-1).mean(-1) - (p.mean(1) * logp.mean(1)).sum(-1)


PLUGIN = Club()
