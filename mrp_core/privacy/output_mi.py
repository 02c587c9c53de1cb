"""I(X; Ŷ) of the sampled-label channel, estimated on the records at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.losses import PrivacyLoss, Released, log_softmax

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OutputMI(PrivacyLoss):
    """Mutual information between a queried record and one label drawn from the model's softmax: H(mean p) - mean H(p)."""

    name: str = "output_mi"
    title: str = "Output mutual information"
    summary: str = "Makes one answer tell less about the record that was asked about."
    order: int = 1
    formula: str = r"H(\overline{p}) - \overline{H(p)}"
    lowers: str = "mi"
    inner: bool = True
    pairs: int = 0

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B]."""
        logp = log_softmax(released.logits)
        p = logp.exp()
        marginal = p.mean(1)
        return (p * logp).sum(-1).mean(-1) - (marginal * marginal.clamp_min(1e-12).log()).sum(-1)


PLUGIN = OutputMI()
