"""I(A; Ŷ): what one sampled label tells about a sensitive attribute of the queried record, estimated on the records at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.errors import ConfigError
from mrp_core.losses import PrivacyLoss, Released, log_softmax

if TYPE_CHECKING:
    from torch import Tensor


def _entropy(p: Tensor) -> Tensor:
    return -(p * p.clamp_min(1e-12).log()).sum(-1)


@dataclass(frozen=True)
class AttributeMI(PrivacyLoss):
    """H(sum_a w_a p_a) - sum_a w_a H(p_a): p_a is the mean released probability over the records with A = a, w_a their share; unknown values are left out.

    The plug-in errs to the high side with few records of a value. What there is to lower is often a few hundredths of a nat, so a λ of ten or more is usual.
    It sees nothing of an attribute that only the pattern of many answers would give away.
    """

    name: str = "attribute_mi"
    title: str = "Attribute information"
    summary: str = "Makes answers tell less about a sensitive attribute; for families that have one."
    order: int = 7
    formula: str = r"H\bigl(\textstyle\sum_a w_a \overline{p}_a\bigr) - \textstyle\sum_a w_a H(\overline{p}_a)"
    lowers: str = "attribute_mi"
    inner: bool = False
    pairs: int = 0
    needs: frozenset[str] = frozenset({"attribute"})
    reach: float = 20.0

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B]; 0 where no record's attribute is known.

        Raises:
            ConfigError: If the attribute is missing.
        """
        if released.attribute is None:
            raise ConfigError("attribute_mi needs the sensitive attribute of the records; use it in the outer loop of a family that has one.")
        p, attribute = log_softmax(released.logits).exp(), released.attribute
        values = range(int(attribute.max()) + 1)
        known = (attribute >= 0).to(p.dtype).sum(1).clamp_min(1.0)
        mean, conditional = p.new_zeros(len(p), p.shape[-1]), p.new_zeros(len(p))
        for value in values:
            own = (attribute == value).to(p.dtype)
            total, count = (p * own.unsqueeze(-1)).sum(1), own.sum(1)
            mean = mean + total / known.unsqueeze(-1)
            conditional = conditional + count / known * _entropy(total / count.clamp_min(1.0).unsqueeze(-1))
        return _entropy(mean) - conditional


PLUGIN = AttributeMI()
