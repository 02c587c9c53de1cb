"""Bits about membership, from paired adaptations with and without each record, differentiated through the inner loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.errors import ConfigError
from mrp_core.losses import PrivacyLoss, Released

if TYPE_CHECKING:
    from torch import Tensor


def binary_gaussian_information(distance: Tensor) -> Tensor:
    """I(M; S) in nats for a fair coin M and S ~ N(±d/2, 1), as a smooth function of d >= 0 (ten Brink et al. 2004's J, fit of
    Brannstrom et al. 2005; within 0.002 bits).
    """
    bits = (1.0 - (-0.3073 * 0.6931471805599453 * distance.clamp_min(1e-6).pow(2 * 0.8935)).exp()).pow(1.1064)
    return bits * 0.6931471805599453


def label_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """phi = z_y - log sum_{c != y} exp z_c, [..., N], for logits [..., N, C] (LiRA's statistic, Carlini et al. 2022)."""
    index = labels.unsqueeze(-1)
    others = logits.scatter(-1, index, float("-inf"))
    return logits.gather(-1, index).squeeze(-1) - others.logsumexp(-1)


@dataclass(frozen=True)
class MembershipMI(PrivacyLoss):
    """J(d'): what an attacker with both distributions of a record's margin would learn about its membership.

    d'^2 is the squared difference of the record's mean margin with and without it, debiased by the within-record variance, over
    the pooled within-record variance.
    """

    name: str = "membership_mi"
    title: str = "Membership information"
    summary: str = "Makes an adapted model look the same whether a record was in its support set or not."
    order: int = 4
    formula: str = r"J(d'),\; d'^2=\overline{(\mu_\mathrm{in}-\mu_\mathrm{out})^2 - s^2(\tfrac1{n_\mathrm{in}}+\tfrac1{n_\mathrm{out}})}\,/\,s^2"
    lowers: str = "membership_bits"
    inner: bool = False
    pairs: int = 4
    reach: float = 3.0

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B].

        Raises:
            ConfigError: If the paired adaptations are missing.
        """
        if released.pool_logits is None or released.pool_labels is None or released.keep is None:
            raise ConfigError("membership_mi needs paired adaptations of one pool; use it in the outer loop of a meta-learner that makes them.")
        labels = released.pool_labels.unsqueeze(1).expand(released.pool_logits.shape[:-1])
        phi, keep = label_margin(released.pool_logits, labels).clamp(-30.0, 30.0), released.keep
        n_in, n_out = keep.sum(1), (1.0 - keep).sum(1)
        mean_in, mean_out = (phi * keep).sum(1) / n_in, (phi * (1.0 - keep)).sum(1) / n_out
        residual = phi - keep * mean_in.unsqueeze(1) - (1.0 - keep) * mean_out.unsqueeze(1)
        variance = residual.square().sum((1, 2)) / (n_in + n_out - 2.0).sum(1) + 1e-4
        debiased = ((mean_in - mean_out).square() - variance.unsqueeze(1) * (1.0 / n_in + 1.0 / n_out)).mean(1)
        return binary_gaussian_information((debiased / variance).clamp_min(1e-6).sqrt())


PLUGIN = MembershipMI()
