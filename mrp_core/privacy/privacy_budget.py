"""No penalty at all: the (ε, δ) of the noisy adaptation is the only protection, and ε the only slider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.losses import PrivacyLoss, Released

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PrivacyBudget(PrivacyLoss):
    """The budget (ε, δ) sets the noise of the differentially private adaptation (Abadi et al. 2016); there is no privacy term, and λ stays 0."""

    name: str = "privacy_budget"
    title: str = "Privacy budget (ε, δ) alone"
    summary: str = "No penalty and no λ: the noise of the adaptation protects, with a guarantee, and ε is the only slider."
    order: int = 10
    formula: str = r"0,\quad \sigma = \sigma(\varepsilon, \delta)"
    lowers: str = "epsilon"
    inner: bool = False
    pairs: int = 0
    weighted: bool = False

    def value(self, released: Released) -> Tensor:
        """Zero for each row, [B]."""
        return released.logits.new_zeros(len(released.logits))


PLUGIN = PrivacyBudget()
