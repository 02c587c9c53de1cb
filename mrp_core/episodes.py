"""Training episodes, drawn in bulk on the device: support and query sets of random tasks of one split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mrp_core.errors import DataError
from mrp_core.taskdata import Split


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """A block of episodes.

    Attributes:
        support_x, query_x: [T, records, features], records in the order of their classes.
        support_y, query_y: int64 [T, records].
        classes: int64 [T, ways], class of the joint head of each label.
        support_sensitive, query_sensitive: int64 [T, records], sensitive attribute of each record, -1 where unknown.
    """

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    classes: Tensor
    support_sensitive: Tensor
    query_sensitive: Tensor


class EpisodeSampler:
    """Draws episodes from the members of a split.

    Drawing is a pure function of ``seed``: a resumed study draws what an undisturbed one would have drawn.
    """

    def __init__(self, split: Split, *, shots: int, queries: int, permute: bool, device: torch.device, dtype: torch.dtype) -> None:
        """Move the split to the device.

        Raises:
            DataError: If a class holds fewer members than shots + queries.
        """
        self.shots, self.queries, self.permute = shots, queries, permute
        members = [split.bucket_members(b, True) for b in range(len(split.buckets))]
        used = sorted(set(split.tasks.ravel().tolist()))
        least = min(used, key=lambda b: len(members[b]))
        if len(members[least]) < shots + queries:
            name = split.names[int(np.argwhere(split.tasks == least)[0, 0])]
            raise DataError(f"Each class gives {shots} support and {queries} query records to an episode, but one of the training task {name!r} has only "
                            f"{len(members[least])} members; ask for fewer shots (a privacy loss on pairs takes twice as many) or query records.")
        widest = max(len(members[b]) for b in used)
        index = np.zeros((len(members), widest), dtype=np.int64)
        absent = np.ones((len(members), widest), dtype=bool)
        for b in used:
            index[b, :len(members[b])], absent[b, :len(members[b])] = members[b], False
        self.index, self.absent = torch.from_numpy(index).to(device), torch.from_numpy(absent).to(device)
        self.x = torch.from_numpy(split.x).to(device, dtype)
        self.tasks = torch.from_numpy(split.tasks).to(device)
        self.visible = torch.from_numpy(split.visible).to(device, dtype)
        self.bucket_class = torch.from_numpy(split.bucket_class).to(device)
        self.sensitive = torch.from_numpy(split.sensitive).to(device)
        self.device = device

    def draw(self, count: int, seed: int, tasks: Tensor | None = None) -> Episodes:
        """``count`` episodes, of random tasks or of ``tasks`` int64 [count]; equal seeds give equal episodes on one kind of device."""
        generator = torch.Generator(self.device).manual_seed(seed)
        rand = lambda *size: torch.rand(*size, generator=generator, device=self.device)  # noqa: E731
        task = (rand(count) * len(self.tasks)).long().clamp_max(len(self.tasks) - 1) if tasks is None else tasks.to(self.device)
        buckets = self.tasks[task]
        ways = buckets.shape[1]
        if self.permute:
            buckets = buckets.gather(1, rand(count, ways).argsort(1))
        keys = rand(count, ways, self.index.shape[1]).masked_fill(self.absent[buckets], 2.0)
        order = keys.topk(self.shots + self.queries, dim=-1, largest=False).indices
        records = self.index[buckets].gather(-1, order)
        mask = self.visible[task].unsqueeze(1)
        support, query = records[..., :self.shots].reshape(count, -1), records[..., self.shots:].reshape(count, -1)
        labels = torch.arange(ways, device=self.device)
        return Episodes(support_x=self.x[support] * mask, query_x=self.x[query] * mask,
                        support_y=labels.repeat_interleave(self.shots).expand(count, -1), query_y=labels.repeat_interleave(self.queries).expand(count, -1),
                        classes=self.bucket_class[buckets], support_sensitive=self.sensitive[support], query_sensitive=self.sensitive[query])
