"""The joint objective L = L_task + λ L_privacy of one batch of rows, in the inner and in the outer loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mrp_core.kernel import Noise, adapt, outputs
from mrp_core.losses import PrivacyLoss, Released, cross_entropy, expected_error, linear
from mrp_core.networks import Rows


@dataclass(frozen=True, kw_only=True)
class OuterLoss:
    """Outer task loss and privacy loss of each row, [B]; ``total`` joins them with the row's privacy weight."""

    task: Tensor
    privacy: Tensor
    total: Tensor


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a meta-learner works on: rows with their support and query sets.

    Attributes:
        rows: Start weights and conditioning of B rows.
        support_x, support_y, query_x, query_y: [B, N, features], int64 [B, N], and likewise for the query.
        weight: Privacy weight of each row, [B].
        privacy: The privacy loss.
        cross_entropy_share: Share of the cross-entropy in the outer task loss; the rest is the expected error.
        steps, lowest: Inner steps and first adapting layer.
        noise: Clipping and noise of the inner loop, or None.
        halves: Where the privacy loss asks for pairs: the records of the support pool that each adaptation uses, int64 [B, R, N / 2].
        join: (task loss, privacy loss, privacy weight) of the outer loop, [B] each -> their total, [B].
    """

    rows: Rows
    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    weight: Tensor
    privacy: PrivacyLoss
    cross_entropy_share: float
    steps: int
    lowest: int
    noise: Noise | None
    halves: Tensor | None
    join: Callable[[Tensor, Tensor, Tensor], Tensor] = linear

    def inner_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of the inner loop per row, [B].

        Under noise it is the task loss alone: a privacy loss that couples records would void the sensitivity bound.
        """
        loss = cross_entropy(logits, labels)
        if self.noise is not None or not self.privacy.inner:
            return loss
        repeats = len(logits) // len(self.weight)
        rows = self.rows.marginal.repeat_interleave(repeats, 0)
        return loss + self.weight.repeat_interleave(repeats) * self.privacy.value(Released(logits=logits, marginal=rows))

    def outer_task_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Task loss of the outer loop per row, [B].

        The expected error is what the sampled-label channel is judged by, and cross-entropy alone stops short of it: it rewards
        calibration, where the best release for a given I(X;Ŷ) is sharper. A share of it keeps the gradient alive at wrong answers.
        """
        share = self.cross_entropy_share
        return share * cross_entropy(logits, labels) + (1.0 - share) * expected_error(logits, labels)

    def adapt(self, *, second_order: bool) -> Rows:
        """The rows adapted to their support sets; with pairs, [B x R] rows, R for each."""
        if self.halves is None:
            return adapt(self.rows, self.support_x, self.support_y, self.inner_loss, steps=self.steps, lowest=self.lowest, second_order=second_order, noise=self.noise)
        b, r, n = self.halves.shape
        index = self.halves.reshape(b, r * n)
        x = self.support_x.gather(1, index.unsqueeze(-1).expand(-1, -1, self.support_x.shape[-1])).view(b * r, n, -1)
        y = self.support_y.gather(1, index).view(b * r, n)
        noise = self.noise.repeat(r) if self.noise is not None else None
        return adapt(self.rows.repeat(r), x, y, self.inner_loss, steps=self.steps, lowest=self.lowest, second_order=second_order, noise=noise)

    def outer_unadapted(self) -> OuterLoss:
        """Outer loss on the query set without any adaptation; a loss that asks for pairs reads zero, since nothing was adapted on."""
        logits = outputs(self.rows, self.query_x)
        task = self.outer_task_loss(logits, self.query_y)
        leak = torch.zeros_like(task) if self.privacy.pairs else self.privacy.value(Released(logits=logits, marginal=self.rows.marginal))
        return OuterLoss(task=task, privacy=leak, total=self.join(task, leak, self.weight))

    def outer(self, adapted: Rows) -> OuterLoss:
        """Outer loss of adapted rows on the query set (and, with pairs, on the whole support pool)."""
        if self.halves is None:
            logits = outputs(adapted, self.query_x)
            task = self.outer_task_loss(logits, self.query_y)
            leak = self.privacy.value(Released(logits=logits, marginal=adapted.marginal))
        else:
            b, r, _ = self.halves.shape
            logits = outputs(adapted, torch.cat([self.query_x, self.support_x], 1).repeat_interleave(r, 0))
            query = self.query_y.shape[1]
            task = self.outer_task_loss(logits[:, :query], self.query_y.repeat_interleave(r, 0)).view(b, r).mean(1)
            pool = logits[:, query:].reshape(b, r, -1, logits.shape[-1])
            keep = torch.zeros(pool.shape[:-1], dtype=logits.dtype, device=logits.device).scatter_(-1, self.halves, 1.0)
            leak = self.privacy.value(Released(logits=logits[:, :query], marginal=self.rows.marginal, pool_logits=pool, pool_labels=self.support_y, keep=keep))
        return OuterLoss(task=task, privacy=leak, total=self.join(task, leak, self.weight))


def paired_halves(keys: Tensor, ways: int, pairs: int) -> Tensor:
    """Complementary random halves of pools with equal classes, int64 [B, pairs, N / 2].

    Args:
        keys: Uniform draws [B, pairs / 2, N], records in the order of their classes.
        ways: Classes; each half takes half of each class.
        pairs: Even number of adaptations; the second half of them holds the complements of the first.
    """
    b, half, n = keys.shape
    per_class = n // ways
    order = keys.view(b, half, ways, per_class).argsort(-1)
    base = (torch.arange(ways, device=keys.device) * per_class).view(1, 1, ways, 1)
    first = (order[..., :per_class // 2] + base).reshape(b, half, -1)
    second = (order[..., per_class // 2:] + base).reshape(b, half, -1)
    return torch.cat([first, second], 1)[:, :pairs]
