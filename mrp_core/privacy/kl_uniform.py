"""KL from the uniform distribution to the prediction: a confidence penalty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.losses import PrivacyLoss, Released, log_softmax

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class KLUniform(PrivacyLoss):
    """mean KL(U || p): the mean of -log p over classes, up to a constant.

    Some listings compute this under the name of mutual information. It isn't one: it bounds nothing about I(X; Ŷ) and grows
    without limit as a probability nears zero; it is kept so that the difference can be seen.
    """

    name: str = "kl_uniform"
    title: str = "KL from uniform"
    summary: str = "Punishes any confidence; not a mutual information, though it is at times sold as one."
    order: int = 3
    formula: str = r"\overline{\mathrm{KL}(U\,\|\,p(\cdot|x))}"
    lowers: str = "mi"
    inner: bool = True
    pairs: int = 0
    reach: float = 0.3

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B]."""
        logp = log_softmax(released.logits)
        return -logp.mean(-1).mean(-1) - math.log(logp.shape[-1])


PLUGIN = KLUniform()
