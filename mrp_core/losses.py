"""What a privacy loss gets to see, and the interface that each file in ``mrp_core/privacy`` fills."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

NEEDS = frozenset({"attribute", "norms", "members"})
"""What a privacy loss may ask of the engine beyond released logits: each is computed only where it is asked for."""


@dataclass(frozen=True, kw_only=True)
class Released:
    """Outputs on which a leakage is computed.

    Attributes:
        logits: Released logits on the records at hand, [B, N, ways].
        marginal: Logits of the learned output marginal, [B, ways].
        pool_logits: Paired adaptations of one pool, [B, R, M, ways]: the released logits of all its M records under each of R
            adaptations; None unless the loss asks for ``pairs``.
        pool_labels: int64 [B, M].
        keep: Which records each adaptation used, [B, R, M] of 0 and 1; adaptation r + R/2 is the complement of r.
        attribute: Sensitive attribute of the records at hand, int64 [B, N], -1 where unknown; None unless the loss needs ``attribute``.
        norms: Norm of the task loss's gradient of each support record by itself over the adapted layers, at one or more weights, [B, any];
            None unless the loss needs ``norms``.
        labels: Labels of the records at hand, int64 [B, N]; like the next two None unless the loss needs ``members``.
        member_logits, member_labels: Released logits of the support records, [B, S, ways], and int64 [B, S].
        critic: The loss's own learned parameters, leading axis [B]; empty unless it declares some.
    """

    logits: Tensor
    marginal: Tensor
    pool_logits: Tensor | None = None
    pool_labels: Tensor | None = None
    keep: Tensor | None = None
    attribute: Tensor | None = None
    norms: Tensor | None = None
    labels: Tensor | None = None
    member_logits: Tensor | None = None
    member_labels: Tensor | None = None
    critic: dict[str, Tensor] = field(default_factory=dict)


class PrivacyLoss(Protocol):
    """The interface of a privacy loss's ``PLUGIN``; a loss that derives from it need not repeat what stands here with a value.

    Attributes:
        name, title, summary, order: As for every plug-in.
        formula: LaTeX, for the page.
        lowers: The metric it is meant to lower.
        inner: Whether it is also part of the inner loop (it can be computed from one support set).
        pairs: Number R of paired adaptations it needs in the outer loop; 0 if one adaptation is enough.
        needs: What else of :class:`Released` it reads, of :data:`NEEDS`; only in the outer loop, and only without pairs.
        reach: A λ at which it mostly costs much of the accuracy: what the λ slider offers as its end when a person picks the loss.
        weighted: Whether λ multiplies it; otherwise there is no privacy term, λ is 0, and the guarantee alone protects.
    """

    name: str
    title: str
    summary: str
    order: int
    formula: str
    lowers: str
    inner: bool
    pairs: int
    needs: frozenset[str] = frozenset()
    reach: float = 0.8
    weighted: bool = True

    def critic(self, ways: int) -> dict[str, tuple[int, ...]]:
        """Sizes of the parameters of the loss's own attacker, by name; each arm trains one that raises the value, while the strategy lowers λ times it.

        Args:
            ways: Classes of a task.
        """
        return {}

    def value(self, released: Released) -> Tensor:
        """Leakage of each row, [B]; in nats, unless the loss says otherwise."""
        ...


def log_softmax(logits: Tensor) -> Tensor:
    """Log-probabilities [..., N, ways]. A few classes in the last place are the slowest layout for torch, so they are moved."""
    return logits.mT.contiguous().log_softmax(-2).mT


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each row, [B], for logits [B, N, C] and int64 labels [B, N]."""
    return -log_softmax(logits).gather(-1, labels.unsqueeze(-1)).squeeze(-1).mean(-1)


def expected_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean probability of a wrong label of each row, [B]: one minus the accuracy on the sampled-label channel."""
    return 1.0 - log_softmax(logits).gather(-1, labels.unsqueeze(-1)).squeeze(-1).exp().mean(-1)


def linear(task: Tensor, leak: Tensor, weight: Tensor) -> Tensor:
    """The joint objective L_task + λ L_privacy of each row, [B]."""
    return task + weight * leak
