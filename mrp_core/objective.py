"""The joint objective L = L_task + λ L_privacy of one batch of rows, in the inner and in the outer loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from mrp_core.kernel import Noise, adapt, outputs, record_norms
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
        support_sensitive, query_sensitive: Where the privacy loss needs it: sensitive attribute of the records, int64 [B, N], -1 where unknown.
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
    support_sensitive: Tensor | None = None
    query_sensitive: Tensor | None = None
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

    def cut(self, low: int, high: int) -> Problem:
        """The problem of the rows from ``low`` to before ``high``."""
        parts: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        parts |= {k: v[low:high] if isinstance(v, Tensor) else v.cut(low, high) for k, v in parts.items() if isinstance(v, Tensor | Rows | Noise)}
        return Problem(**parts)

    def outer_unadapted(self) -> OuterLoss:
        """Outer loss on support and query records together, without any adaptation.

        A loss that asks for pairs or for members reads zero: nothing was adapted on, so nobody is a member.
        """
        logits, labels = outputs(self.rows, torch.cat([self.support_x, self.query_x], 1)), torch.cat([self.support_y, self.query_y], 1)
        task = self.outer_task_loss(logits, labels)
        if self.privacy.pairs or "members" in self.privacy.needs:
            leak = torch.zeros_like(task)
            return OuterLoss(task=task, privacy=leak, total=self.join(task, leak, self.weight))
        known = None if self.support_sensitive is None or self.query_sensitive is None else torch.cat([self.support_sensitive, self.query_sensitive], 1)
        return self._weighed(task, Released(logits=logits, marginal=self.rows.marginal, attribute=known, norms=self._norms(self.rows)))

    def outer(self, adapted: Rows) -> OuterLoss:
        """Outer loss of adapted rows on the query set (and, with pairs or members, on the support records)."""
        if self.halves is not None:
            return self._outer_pairs(adapted, self.halves)
        if "members" in self.privacy.needs:
            return self._outer_members(adapted)
        logits = outputs(adapted, self.query_x)
        made = Released(logits=logits, marginal=adapted.marginal, attribute=self.query_sensitive, norms=self._norms(self.rows, adapted))
        return self._weighed(self.outer_task_loss(logits, self.query_y), made)

    def _outer_pairs(self, adapted: Rows, halves: Tensor) -> OuterLoss:
        b, r, _ = halves.shape
        logits = outputs(adapted, torch.cat([self.query_x, self.support_x], 1).repeat_interleave(r, 0))
        query = self.query_y.shape[1]
        task = self.outer_task_loss(logits[:, :query], self.query_y.repeat_interleave(r, 0)).view(b, r).mean(1)
        pool = logits[:, query:].reshape(b, r, -1, logits.shape[-1])
        keep = torch.zeros(pool.shape[:-1], dtype=logits.dtype, device=logits.device).scatter_(-1, halves, 1.0)
        return self._weighed(task, Released(logits=logits[:, :query], marginal=self.rows.marginal, pool_logits=pool, pool_labels=self.support_y, keep=keep))

    def _outer_members(self, adapted: Rows) -> OuterLoss:
        """A loss that compares members with others; its attacker, if it has one, is trained against the strategy in the same step.

        The gradient is the one that reversal at the outputs gives (Ganin et al. 2016): the attacker climbs at its own pace whatever λ is, and the strategy
        descends λ times what the attacker gains. The leak itself passes no gradient to the attacker.
        """
        query, both = self.query_y.shape[1], outputs(adapted, torch.cat([self.query_x, self.support_x], 1))
        leak = self._leak_of_members(both, adapted.marginal, {k: v.detach() for k, v in adapted.critic.items()})
        task = self.outer_task_loss(both[:, :query], self.query_y)
        total = self.join(task, leak, self.weight)
        if adapted.critic:
            climb = self._leak_of_members(both.detach(), adapted.marginal, adapted.critic)
            total = total - (climb - climb.detach())
        return OuterLoss(task=task, privacy=leak, total=total)

    def _leak_of_members(self, both: Tensor, marginal: Tensor, critic: dict[str, Tensor]) -> Tensor:
        query = self.query_y.shape[1]
        return self.privacy.value(Released(logits=both[:, :query], marginal=marginal, labels=self.query_y, member_logits=both[:, query:], member_labels=self.support_y, critic=critic))

    def _weighed(self, task: Tensor, released: Released) -> OuterLoss:
        leak = self.privacy.value(released)
        return OuterLoss(task=task, privacy=leak, total=self.join(task, leak, self.weight))

    def _norms(self, *at: Rows) -> Tensor | None:
        """Gradient norms of the support records at each of these weights, [B, len(at) x S], where the loss asks for them."""
        if "norms" not in self.privacy.needs:
            return None
        return torch.cat([record_norms(rows, self.support_x, self.support_y, self.lowest) for rows in at], 1)


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
