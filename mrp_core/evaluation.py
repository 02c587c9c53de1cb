"""Adaptation without a graph: held-out tasks, each adapted on many random halves of its pool, for one or many settings at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrp_core.blocks import rows_together
from mrp_core.config import StudyConfig
from mrp_core.kernel import outputs
from mrp_core.networks import Rows
from mrp_core.objective import Problem, paired_halves
from mrp_core.passing import features
from mrp_core.registry import plugin
from mrp_core.strategy import Adaptation, Strategy
from mrp_core.taskdata import HeldOutTasks, TaskSet, held_out
from mrp_core.threads import workers

Draws = tuple[Tensor | None, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditTasks:
    """Held-out tasks on the device, with the halves that they are adapted on.

    Attributes:
        pool_x, fresh_x: [T, M, features] and [T, E, features].
        pool_y: int64 [T, M].
        halves: int64 [T, R, M / 2]; half r + R/2 is the complement of half r.
        classes: int64 [T, ways] of the joint head, -1 where meta-training never saw the class.
        seed: Seed of the halves and of the noise.
    """

    pool_x: Tensor
    pool_y: Tensor
    fresh_x: Tensor
    halves: Tensor
    classes: Tensor
    seed: int

    @property
    def keep(self) -> NDArray[np.bool_]:
        """In/out matrix, bool [T, R, M]."""
        out = torch.zeros(*self.halves.shape[:2], self.pool_x.shape[1], dtype=torch.bool)
        return out.scatter_(-1, self.halves.cpu(), True).numpy()

    @property
    def twin(self) -> NDArray[np.int64]:
        """Index of each adaptation's complement, [R]."""
        r = self.halves.shape[1]
        return (np.arange(r) + r // 2) % r


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """Released logits, float64.

    Attributes:
        pool: [P, T, R, M, ways], records of the pool under each adaptation.
        fresh: [P, T, R, E, ways], records that no adaptation sees.
        start: [P, T, E, ways], the same before any adaptation.
    """

    pool: NDArray[np.float64]
    fresh: NDArray[np.float64]
    start: NDArray[np.float64]


def study_tasks(config: StudyConfig, seed: int, taskset: TaskSet | None = None) -> HeldOutTasks:
    """The held-out tasks on which a seed of a study is measured.

    Args:
        config: The study.
        seed: Which of its seeds.
        taskset: The seed's task set, where it is built already.

    Raises:
        DataError: If the family can't be built, or holds too few records.
    """
    built: TaskSet = taskset or plugin("tasks", config.task.family).build(config.task, seed)
    return held_out(built.test, tasks=config.audit.tasks, shots=config.task.shots, records=config.audit.records, seed=seed)


def audit_tasks(held: HeldOutTasks, *, adaptations: int, seed: int, seen: tuple[int, ...], like: Tensor) -> AuditTasks:
    """Put held-out tasks on the device of ``like`` and draw their halves."""
    generator = torch.Generator().manual_seed(seed * 7_368_787 + 11)
    keys = torch.rand(len(held.pool_y), adaptations // 2, held.pool_y.shape[1], generator=generator)
    classes = np.where(np.isin(held.pool_class, seen), held.pool_class, -1)
    put = lambda a: torch.from_numpy(a).to(like.device, like.dtype)  # noqa: E731
    return AuditTasks(pool_x=put(held.pool_x), fresh_x=put(held.eval_x), pool_y=torch.from_numpy(held.pool_y).to(like.device),
                      halves=paired_halves(keys, held.pool_class.shape[1], adaptations).to(like.device), classes=torch.from_numpy(classes).to(like.device), seed=seed)


def evaluate(strategy: Strategy, plans: list[Adaptation], tasks: AuditTasks, chunk_rows: int = 64, threads: int | None = None) -> Outputs:
    """Adapt every plan to every half of every task.

    Plans that share steps, layers and noise are adapted together, about ``chunk_rows`` rows at a time by ``threads`` threads (one per core); results don't
    depend on either.
    """
    t, r, _ = tasks.halves.shape
    m, e, ways = tasks.pool_x.shape[1], tasks.fresh_x.shape[1], strategy.shape.ways
    out = Outputs(pool=np.empty((len(plans), t, r, m, ways)), fresh=np.empty((len(plans), t, r, e, ways)), start=np.empty((len(plans), t, e, ways)))
    draws = _noise_draws(strategy, plans, tasks)
    together = max(1, rows_together(strategy.shape.blocks, m + e, chunk_rows) // r)
    parts = []
    for first, last in _groups(plans, together if t == 1 else 1):
        step = max(1, together // (last - first))
        parts += [(slice(first, last), slice(begin, min(t, begin + step))) for begin in range(0, t, step)]
    with ThreadPoolExecutor(threads or workers()) as pool:
        list(pool.map(lambda part: _fill(out, strategy, plans, tasks, part[0], part[1], draws), parts))
    return out


@torch.no_grad()
def _fill(out: Outputs, strategy: Strategy, plans: list[Adaptation], tasks: AuditTasks, which: slice, part: slice, draws: Draws) -> None:
    """Adapt some plans to some tasks and write their outputs."""
    p, n, r, m = which.stop - which.start, part.stop - part.start, tasks.halves.shape[1], tasks.pool_x.shape[1]
    lowest = plans[which.start].lowest
    start = strategy.rows(plans[which], n, tasks.classes[part].repeat(p, 1) if strategy.learner.joint else None)
    # frozen layers are the same for all halves of a task: they are passed once, and what adapts is a smaller network on their outputs
    x = features(start, torch.cat([tasks.pool_x[part], tasks.fresh_x[part]], 1).repeat(p, 1, 1), lowest)
    top = start.above(lowest)
    problem, records = _problem(strategy, plans[which], top.repeat(r), x[:, :m], tasks, part, draws[lowest:]), x.repeat_interleave(r, 0)
    step = rows_together(top.blocks, x.shape[1], len(records))
    pieces = [(low, low + step) for low in range(0, len(records), step)]
    made = [outputs(problem.cut(*piece).adapt(second_order=False), records[slice(*piece)]) for piece in pieces]
    logits = torch.cat(made).reshape(p, n, r, x.shape[1], -1)
    heat = np.array([q.temperature for q in plans[which]])[:, None, None, None, None]
    out.pool[which, part], out.fresh[which, part] = _numpy(logits[..., :m, :]) / heat, _numpy(logits[..., m:, :]) / heat
    out.start[which, part] = _numpy(outputs(top, x[:, m:])).reshape(p, n, -1, logits.shape[-1]) / heat[:, 0]


def _numpy(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.double().cpu().numpy()


def _groups(plans: list[Adaptation], most: int) -> list[tuple[int, int]]:
    """Ranges of neighbouring plans that can be adapted together."""
    kind = lambda p: (p.steps, p.lowest, p.noise is None)  # noqa: E731
    groups, begin = [], 0
    for i in range(1, len(plans) + 1):
        if i == len(plans) or kind(plans[i]) != kind(plans[begin]) or i - begin == most:
            groups.append((begin, i))
            begin = i
    return groups


def _problem(strategy: Strategy, plans: list[Adaptation], rows: Rows, pool: Tensor, tasks: AuditTasks, part: slice, draws: Draws) -> Problem:
    """Rows [plans x tasks x R] to adapt to the halves of ``pool`` [plans x tasks, M, features], all layers."""
    n, (_, r, k) = part.stop - part.start, tasks.halves.shape
    index = tasks.halves[part].reshape(n, r * k)
    x = pool.gather(1, index.repeat(len(plans), 1).unsqueeze(-1).expand(-1, -1, pool.shape[-1])).view(-1, k, pool.shape[-1])
    y = tasks.pool_y[part].gather(1, index).view(n * r, k).repeat(len(plans), 1)
    column = lambda values: torch.tensor(values, dtype=x.dtype, device=x.device).repeat_interleave(n * r)  # noqa: E731
    noise = None
    if plans[0].noise is not None:
        mine = tuple(None if d is None else d[part].reshape(n * r, *d.shape[2:]).repeat(len(plans), 1, 1, 1) for d in draws)
        noise = strategy.noise(plans, n * r, mine)
    return Problem(rows=rows, support_x=x, support_y=y, query_x=x[:, :0], query_y=y[:, :0], weight=column([p.weight for p in plans]),
                   privacy=plugin("privacy", strategy.config.privacy.loss), cross_entropy_share=1.0, steps=plans[0].steps, lowest=0, noise=noise, halves=None)


def _noise_draws(strategy: Strategy, plans: list[Adaptation], tasks: AuditTasks) -> Draws:
    """Standard normal draws per layer, [T, R, steps, out, in + 1]; the same for every setting, so that differences are paired."""
    noisy = [p for p in plans if p.noise is not None]
    if not noisy:
        return ()
    t, r, _ = tasks.halves.shape
    generator = torch.Generator().manual_seed(tasks.seed * 9_176_471 + 23)
    steps, lowest = max(p.steps for p in noisy), min(p.lowest for p in noisy)
    return tuple(None if i < lowest else torch.randn(t, r, steps, out, inputs + 1, generator=generator).to(tasks.pool_x) for i, (out, inputs) in enumerate(strategy.shape.adapted))
