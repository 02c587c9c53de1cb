"""Differential privacy for the tasks of meta-training: Poisson sampling, a clipped meta-gradient for each task, and noise on their sum.

One step's sum moves by at most the clipping norm c when one task's contribution is taken away, and gets noise N(0, (sigma c)^2) in each coordinate (Abadi et al.
2016 with tasks for records; McMahan et al. 2018; Li et al. 2020 for meta-learning). Tasks are sampled by Poisson, each by itself with probability
meta_batch / tasks: its accounting has a tight form, where that of batches of fixed size drawn without replacement costs several times the epsilon for as few
tasks as there are here. A task is a ward or client of a family of mode "site", with all its records; families whose tasks share records or persons are
refused, since a guarantee for one task would then protect neither.

What else of the training tasks gets out: their number and names, and the statistics by which a family scales its features, are taken as public; losses aren't
reported while training, and validation tasks are others. An audit that attacks the training tasks themselves isn't covered. Samples and noise are functions of
the study's seed, so that a training can be repeated and resumed: the guarantee holds against whoever doesn't know the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor

from mrp_core.errors import DataError
from mrp_core.guarantees import sampling_rate
from mrp_core.networks import Parameters
from mrp_core.searching import Arm

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig
    from mrp_core.taskdata import Split, TaskSet


@dataclass(frozen=True, kw_only=True)
class Shield:
    """Protection of one study's meta-training tasks.

    Attributes:
        clip: Largest norm of one task's meta-gradient over all parameters.
        multiplier: Noise standard deviation in units of ``clip``.
        meta_batch: Tasks of a step on average, where there are so many.
        tasks: Number of training tasks by seed.
    """

    clip: float
    multiplier: float
    meta_batch: int
    tasks: Mapping[int, int]

    @classmethod
    def of(cls, config: StudyConfig, tasksets: Mapping[int, TaskSet]) -> Self | None:
        """The protection that a study asks for; None if it asks for none.

        Raises:
            DataError: If training tasks share records or persons.
        """
        p = config.privacy
        if p.task_noise == 0:
            return None
        for taskset in tasksets.values():
            _check_disjoint(taskset.train)
        return cls(clip=p.task_clip, multiplier=p.task_noise, meta_batch=config.outer.meta_batch, tasks={s: len(t.train.tasks) for s, t in tasksets.items()})

    def included(self, seed: int, steps: int, block: int) -> Tensor:
        """Which tasks take part in each of a block's ``steps`` steps, bool [steps, tasks]: a pure function of the seed and the block's number."""
        draws = _generator("sample", seed, block).random((steps, self.tasks[seed]))
        return torch.from_numpy(draws < sampling_rate(self.tasks[seed], self.meta_batch))

    def clipped_sums(self, gradients: Mapping[str, Tensor], taking_part: Tensor) -> Parameters:
        """Sum over each arm's tasks of their clipped meta-gradients.

        Args:
            gradients: One meta-gradient for each row, [arms x tasks, ...].
            taking_part: Which rows count, bool [arms, tasks]. A gradient that isn't finite counts as zero.

        Returns:
            Sums [arms, ...], whose norm one task moves by at most ``clip``.
        """
        arms, tasks = taking_part.shape
        square = sum((g.reshape(len(g), -1).square().sum(1) for _, g in sorted(gradients.items())), torch.zeros((), dtype=torch.float64))
        norm = square.sqrt()
        counts = torch.isfinite(norm) & taking_part.reshape(-1)
        factor = torch.where(counts, (self.clip / norm.clamp_min(1e-30)).clamp_max(1.0), 0.0)
        out: Parameters = {}
        for key, g in gradients.items():
            view = [-1, *[1] * (g.dim() - 1)]
            out[key] = torch.where(counts.view(view), g * factor.to(g.dtype).view(view), 0.0).unflatten(0, (arms, tasks)).sum(1)
        return out

    def noised_means(self, sums: Parameters, arms: tuple[Arm, ...], step: int) -> Parameters:
        """Add one step's noise to the sums [arms, ...], and divide by the tasks that are expected to take part.

        The noise of an arm is a pure function of the arm and the step: arms have noise of their own, and a resumed training repeats it.
        """
        generators = [_generator("noise", arm.kind, arm.seed, arm.levels, step) for arm in arms]
        out: Parameters = {}
        for key, value in sorted(sums.items()):
            noise = torch.from_numpy(np.stack([g.standard_normal(tuple(value.shape[1:])) for g in generators])).to(value)
            expected = value.new_tensor([sampling_rate(self.tasks[a.seed], self.meta_batch) * self.tasks[a.seed] for a in arms])
            out[key] = (value + self.multiplier * self.clip * noise) / expected.view(-1, *[1] * (value.dim() - 1))
        return out


def padded(included: Tensor, sizes: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Lay each step's tasks out in a window of given size.

    Args:
        included: bool [steps, tasks].
        sizes: Size of each step's window, at least the step's tasks.

    Returns:
        The tasks to draw, int64 [drawn + 1] with a filler at the end; for each place of the windows which of these it holds, int64 [sum of sizes]; and
        whether it holds a task that takes part, bool [sum of sizes].
    """
    counts = included.sum(1).tolist()
    drawn = torch.cat([included.nonzero()[:, 1], torch.zeros(1, dtype=torch.int64)])
    starts = [sum(counts[:i]) for i in range(len(counts))]
    index = torch.cat([torch.where(torch.arange(size) < n, start + torch.arange(size), len(drawn) - 1) for start, n, size in zip(starts, counts, sizes, strict=True)])
    return drawn, index, index < len(drawn) - 1


def _generator(*purpose: object) -> np.random.Generator:
    """A generator of its own for one purpose: no two share their draws."""
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(repr(purpose).encode(), digest_size=16).digest(), "big"))


def _check_disjoint(split: Split) -> None:
    owner: dict[int, int] = {}
    for task, buckets in enumerate(split.tasks.tolist()):
        for person in {p for b in buckets for p in split.person[split.buckets[b]].tolist()}:
            if owner.setdefault(person, task) != task:
                raise DataError(f"task_noise is above 0, but the training tasks {split.names[owner[person]]!r} and {split.names[task]!r} share a person, "
                                "so a guarantee for one task would not protect that person; set task_noise to 0.")
