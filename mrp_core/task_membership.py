"""Task membership: was this task (ward, client, set of classes) among those that a strategy was meta-trained on?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.roc import attack_result
from mrp_core.config import ComputeOptions
from mrp_core.errors import DataError
from mrp_core.evaluation import audit_tasks, evaluate
from mrp_core.intervals import interval
from mrp_core.measurement import Measurement
from mrp_core.networks import Parameters, initial
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.strategy import Strategy
from mrp_core.taskdata import HeldOutTasks, Split, TaskSet, held_out

STATISTICS = ("loss", "loss_0", "drop", "confidence_0")
"""Statistics of a task, each high for a member: query cross-entropy (negative) after adaptation and before, its drop, confidence before adaptation.

The first is the attack; it was fixed before looking, since where labels are numbered anew for each episode nothing is known before adaptation. The others
are shown for comparison and never picked from.
"""
RATES = (0.1, 0.01)
_LEAST = 5  # tasks on each side below which there is no attack to speak of
_REFERENCED = 0.9  # share of tasks that the other seeds' strategies must be able to calibrate

_Array = NDArray[np.float64]
_Tasks = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class TaskAttack:
    """The attack on one kind of records; intervals over seeds.

    Attributes:
        auc: Of the attack, the first of :data:`STATISTICS`; mean over seeds.
        untrained: The same attack on the strategy's untrained start: what tasks differ in by themselves.
        tpr: Per rate of :data:`RATES` the largest TPR with at most this FPR, over the tasks of all seeds together; the interval takes the threshold as given.
        others: AUC of the other statistics.
        queries: Query records of a class, by which a task is judged.
    """

    auc: Measurement
    untrained: Measurement
    tpr: dict[float, Measurement]
    others: dict[str, Measurement]
    queries: int


@dataclass(frozen=True, kw_only=True)
class TaskMembership:
    """What phi tells about which tasks it was trained on.

    Attributes:
        task: Judged by records of the task that meta-training never used.
        records: Judged by records that it used, where the task is a member: the task and its records.
        calibrated: Whether each task's score is relative to the strategies of seeds that weren't trained on it.
        tasks: Training tasks and held-out tasks, each so many a seed.
        notes: Sentences for the reader.
    """

    task: TaskAttack
    records: TaskAttack
    calibrated: bool
    tasks: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plan:
    """Which tasks are attacked: per seed the training and the test tasks, equally many; per seed and other seed, which of these the other wasn't trained on."""

    setting: Setting
    sets: dict[int, TaskSet]
    drawn: dict[int, tuple[_Tasks, _Tasks]]
    references: dict[int, dict[int, NDArray[np.bool_]]]
    count: int
    episodes: int
    chunk_rows: int


def task_membership(strategy: Strategy, *, setting: Setting = UNPROTECTED, tasks: int = 40, episodes: int = 8, compute: ComputeOptions | None = None) -> TaskMembership:
    """Attack a strategy with tasks that it was trained on and with test tasks of the same family.

    Each task is adapted on ``episodes`` random support sets and judged on fixed query records, as many for a member as for a non-member. Where seeds differ in
    their training tasks, a task's score is its difference from its score under the other seeds' strategies that weren't trained on it (difficulty calibration,
    Watson et al. 2022): a task may be easy in itself. Where all seeds share their training tasks this isn't possible, and a note says so.

    Tasks are told apart by name; a test task that carries the name of a training task is left out. Validation tasks are left out too, since the
    meta-iteration was chosen on them.

    Args:
        strategy: The strategy; all its seeds are attacked.
        setting: Which of its settings; the attack sees the released output.
        tasks: Most tasks on each side.
        episodes: Support sets of a task, an even number.
        compute: Rows per chunk.

    Raises:
        ConfigError: If the strategy wasn't trained for the setting.
        DataError: If a family can't be built or holds too few records, ``episodes`` isn't even and positive, or fewer than 5 test tasks are new.
    """
    if episodes < 2 or episodes % 2 or tasks < _LEAST:
        raise DataError(f"episodes is {episodes} and tasks {tasks}, but episodes must be even and positive, and tasks at least {_LEAST}.")
    config = strategy.config
    sets = {s: plugin("tasks", config.task.family).build(config.task, s) for s in config.seeds}
    plan = _planned(sets, setting, tasks, episodes, (compute or ComputeOptions()).chunk_rows)
    if plan.count < _LEAST:
        raise DataError(f"Only {plan.count} test tasks of the family {config.task.family!r} are not training tasks as well, but {_LEAST} are needed.")
    return TaskMembership(task=_attack(strategy, plan, False), records=_attack(strategy, plan, True), calibrated=bool(plan.references), tasks=plan.count, notes=_notes(plan))


def _planned(sets: dict[int, TaskSet], setting: Setting, tasks: int, episodes: int, chunk_rows: int) -> _Plan:
    """Candidates are training tasks, and test tasks that aren't training tasks by name; where calibration is possible, those that it is possible for."""
    trained = {s: set(t.train.names) for s, t in sets.items()}
    sides = {s: (np.unique(t.train.names, return_index=True)[1], np.flatnonzero(~np.isin(t.test.names, t.train.names))) for s, t in sets.items()}
    name = lambda s: (sets[s].train.names, sets[s].test.names)  # noqa: E731
    able = {s: [np.array([any(names[i] not in trained[o] for o in sets if o != s) for i in rows], dtype=bool) for names, rows in zip(name(s), sides[s], strict=True)] for s in sets}
    calibrated = all(mask.size and mask.mean() >= _REFERENCED for masks in able.values() for mask in masks)
    if calibrated:
        sides = {s: (sides[s][0][able[s][0]], sides[s][1][able[s][1]]) for s in sets}
    count = min(tasks, *(len(rows) for pair in sides.values() for rows in pair))
    rng = {s: np.random.default_rng([s, 23]) for s in sets}
    drawn = {s: (rng[s].permutation(pair[0])[:count], rng[s].permutation(pair[1])[:count]) for s, pair in sides.items()}
    chosen = {s: [names[i] for names, rows in zip(name(s), drawn[s], strict=True) for i in rows] for s in sets}
    references = {s: {o: np.array([n not in trained[o] for n in chosen[s]], dtype=bool) for o in sets if o != s} for s in sets} if calibrated else {}
    return _Plan(setting=setting, sets=sets, drawn=drawn, references=references, count=count, episodes=episodes, chunk_rows=chunk_rows)


def _notes(plan: _Plan) -> tuple[str, ...]:
    notes = [] if plan.references else [
        "The scores are not calibrated: no other seed's strategy was trained without these tasks, so how hard a task is counts as if it were membership; "
        "compare with the untrained start. Where seeds repeat the same tasks, the interval doesn't cover which tasks were drawn."]
    notes += ["One seed has no interval."] if len(plan.sets) == 1 else []
    return tuple(notes)


def _attack(strategy: Strategy, plan: _Plan, used: bool) -> TaskAttack:
    """The attack by records that meta-training used, or by others."""
    ways, size = (strategy, replace(strategy, parameters=_start(strategy))), 2 * plan.count
    queries = _queries(strategy, plan, used)
    scores = np.empty((2, len(plan.sets), len(STATISTICS), size))
    for i, seed in enumerate(plan.sets):
        held = [_episodes(strategy, split, rows, used, queries, seed) for split, rows in zip((plan.sets[seed].train, plan.sets[seed].test), plan.drawn[seed], strict=True)]
        for k, by in enumerate(ways):
            score = lambda model, by=by, held=held, seed=seed: np.concatenate([_statistics(by, plan, model, h, seed) for h in held], -1)  # noqa: E731
            scores[k, i] = score(seed)
            if plan.references:
                masks = plan.references[seed]
                total = sum((mask * score(other) for other, mask in masks.items() if mask.any()), np.zeros((len(STATISTICS), size)))
                scores[k, i] -= total / np.sum(list(masks.values()), axis=0)
    member = np.arange(size) < plan.count
    aucs = attack_result(scores[..., None, :], member[None]).auc
    over_seeds = lambda values: interval(values[:, None], low=0.0, high=1.0)  # noqa: E731
    return TaskAttack(auc=over_seeds(aucs[0, :, 0]), untrained=over_seeds(aucs[1, :, 0]), tpr={rate: _tpr(scores[0, :, 0], member, rate) for rate in RATES},
                      others={name: over_seeds(aucs[0, :, k]) for k, name in enumerate(STATISTICS) if k}, queries=queries)


def _start(strategy: Strategy) -> Parameters:
    """The strategy's parameters before any training; sets of one seed start alike."""
    seed_of = {row: arm.seed for arm, rows in zip(strategy.arms, strategy.choice, strict=True) for row in rows}
    like = strategy.parameters["cb0"]
    fresh = initial(strategy.shape, [seed_of.get(r, 0) for r in range(len(like))], like.dtype, element_rates=strategy.learner.element_rates)
    return {k: v.to(like.device) for k, v in fresh.items()}


def _queries(strategy: Strategy, plan: _Plan, used: bool) -> int:
    """Query records of a class, as many in all tasks of all seeds.

    Raises:
        DataError: If fewer than 2 are left beside the support pool.
    """
    shots = strategy.config.task.shots
    least = min(len(split.bucket_members(b, used)) for s, t in plan.sets.items() for split, rows in zip((t.train, t.test), plan.drawn[s], strict=True)
                for b in set(split.tasks[rows].ravel().tolist()))
    if least < 2 * shots + 2:
        raise DataError(f"shots is {shots}, but a class has only {least} records that meta-training {'may use' if used else 'never uses'}; "
                        f"{2 * shots + 2} are needed to judge a task by them. Ask for fewer shots.")
    return min(strategy.config.task.queries, least - 2 * shots)


def _episodes(strategy: Strategy, split: Split, rows: _Tasks, used: bool, queries: int, seed: int) -> HeldOutTasks:
    """Pools and query records of some tasks of a split, from members or from others alone; tasks are named by their place in ``rows``.

    Test tasks give records with the same mark as training tasks, so that both sides are drawn alike.
    """
    rng, shots = np.random.default_rng([seed, 29]), strategy.config.task.shots
    classes = np.unique(split.tasks[rows])
    records = [rng.permutation(split.bucket_members(b, used)) for b in classes]
    # each class gets records of its own: where tasks share records, what is support in one may be a query in another
    index, ends = np.concatenate(records), np.cumsum([len(r) for r in records])
    support = np.concatenate([np.arange(len(r)) < len(r) - max(queries, len(r) // 2 - shots) for r in records])
    part = Split(x=split.x[index], person=split.person[index], member=support, sensitive=split.sensitive[index], buckets=tuple(np.split(np.arange(len(index)), ends[:-1])),
                 tasks=np.searchsorted(classes, split.tasks[rows]), names=tuple(map(str, range(len(rows)))), visible=split.visible[rows],
                 bucket_class=split.bucket_class[classes])
    return held_out(part, tasks=len(rows), shots=shots, records=queries, seed=seed)


def _statistics(strategy: Strategy, plan: _Plan, model: int, held: HeldOutTasks, seed: int) -> _Array:
    """STATISTICS of each task under the strategy of seed ``model``, [4, tasks], in the order of the tasks' names."""
    tasks = audit_tasks(held, adaptations=plan.episodes, seed=seed, seen=strategy.seen[model], like=strategy.parameters["cb0"])
    out = evaluate(strategy, [strategy.adaptation(plan.setting, model)], tasks, plan.chunk_rows)
    after, before = _log_softmax(out.fresh[0]), _log_softmax(out.start[0])
    label = held.eval_y[..., None]
    loss = -np.take_along_axis(after, np.broadcast_to(label[:, None], (*after.shape[:-1], 1)), -1).mean((1, 2, 3))
    loss_0 = -np.take_along_axis(before, label, -1).mean((1, 2))
    place = np.argsort([int(name) for name in held.names])
    return np.stack([-loss, -loss_0, loss_0 - loss, np.exp(before.max(-1)).mean(-1)])[:, place]


def _log_softmax(z: _Array) -> _Array:
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def _tpr(scores: _Array, member: NDArray[np.bool_], rate: float) -> Measurement:
    """TPR over the tasks of all seeds [S, tasks], once each seed's scores are on one scale, which is found without a look at membership."""
    scaled = (scores - scores.mean(1, keepdims=True)) / np.maximum(scores.std(1, keepdims=True), 1e-12)
    outside = np.sort(scaled[:, ~member].ravel())
    accused = math.floor(rate * len(outside) * (1 + 1e-12))
    if accused < 1:
        return Measurement(value=math.nan, low=math.nan, high=math.nan, note=f"not resolved, needs at least {math.ceil(1 / rate - 1e-9)} non-member tasks")
    return interval((scaled[:, member] > outside[-accused - 1]).mean(1)[:, None], low=0.0, high=1.0)
