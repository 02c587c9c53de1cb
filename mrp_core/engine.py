"""The engine's door: train a study's strategy, audit its settings, adapt live, or do it all as a job."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.membership import loss_threshold
from mrp_core.audit.roc import attack_result
from mrp_core.channel import softmax, statistic, utility
from mrp_core.checkpoint import TrainingState
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.errors import CheckpointError, ConfigError, DataError
from mrp_core.evaluation import AuditTasks, audit_tasks, evaluate, study_tasks
from mrp_core.exploration import described, explore
from mrp_core.jobs.context import JobContext, SilentContext
from mrp_core.measuring import Logits, Measured, measure, released_from, roc_curves
from mrp_core.registry import plugin
from mrp_core.results import Curve, Point
from mrp_core.selection import choose
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Strategy
from mrp_core.taskdata import HeldOutTasks, TaskSet
from mrp_core.threads import prepare, workers
from mrp_core.training import Trainer

RELEASES = ("temperature", "rate_distortion")


def run_study(config: StudyConfig, compute: ComputeOptions, context: JobContext) -> Strategy:
    """The body of a job: train, or go on from a checkpoint, then audit every setting that isn't stored yet.

    Raises:
        ConfigError: If the device isn't there.
        DataError: If the family can't be built, or holds too few records.
        TrainingError: If every configuration diverges.
        JobCancelled, JobInterrupted: As the context says.
    """
    _check_device(compute)
    prepare()
    data = context.get_artifact("strategy.safetensors")
    strategy = None
    if data is not None:
        try:
            strategy = Strategy.from_bytes(data)
        except CheckpointError:
            strategy = None
    if strategy is None:
        strategy = train(config, compute, context)
        context.put_artifact("strategy.safetensors", strategy.to_bytes())
    done = context.stored_settings()
    settings = [s for s in settings_of(config) if strategy.offers(s)]
    missing = [s for s in settings if s not in done]
    for i, (points, curves) in enumerate(audit(strategy, missing, compute), start=len(settings) - len(missing) + 1):
        context.put_results(points, curves)
        context.report("audit", i, len(settings), {})
    return strategy


def train(config: StudyConfig, compute: ComputeOptions | None = None, context: JobContext | None = None) -> Strategy:
    """Meta-train all arms of a study and choose weights on validation tasks; then let a search that explores do so.

    Raises:
        DataError, TrainingError, JobCancelled, JobInterrupted: As :func:`run_study`.
    """
    context, compute = context or SilentContext(keep=False), compute or ComputeOptions()
    tasksets = _tasksets(config)
    trainer = Trainer(config, compute, tasksets)
    for seed, taskset in tasksets.items():
        study_tasks(config, seed, taskset)  # what can't be judged is not worth training
    state, found = trainer.fresh(), context.load_checkpoint()
    if found is not None:
        try:
            state = TrainingState.from_bytes(found[1], config.id, trainer.device)
        except CheckpointError:
            state = trainer.fresh()
    state = trainer.run(state, context)
    strategy, curves = choose(trainer, state, tasksets)
    context.put_results([], curves)
    search = plugin("search", config.outer.search)
    return explore(search, strategy, state, tasksets, compute, context) if search.explores else strategy


def audit(strategy: Strategy, settings: Sequence[Setting], compute: ComputeOptions | None = None) -> Iterator[tuple[list[Point], list[Curve]]]:
    """Measure settings on held-out tasks, one after the other: the points of all seeds, and the ROC curves over them.

    Raises:
        ConfigError: If the strategy wasn't trained for a setting.
        DataError: If the family can't be built.
    """
    compute = compute or ComputeOptions()
    benches = [Bench.of(strategy, seed, compute) for seed in strategy.config.seeds]
    left, ahead = iter(settings), deque[tuple[Setting, list[Future[Measured]]]]()
    with ThreadPoolExecutor(workers()) as pool:
        while True:
            # one setting more is begun than is waited for, so that no worker idles while the last seed of a setting is measured
            for setting in itertools.islice(left, 2 - len(ahead)):
                ahead.append((setting, [pool.submit(bench.measure, setting) for bench in benches]))
            if not ahead:
                return
            setting, waited = ahead.popleft()
            measured = [future.result() for future in waited]
            yield [m.point for m in measured], roc_curves(setting, measured)


@dataclass(kw_only=True, eq=False)
class Bench:
    """One seed's held-out tasks, on which all settings are measured; keeps the unprotected outputs for the releases."""

    strategy: Strategy
    seed: int
    held: HeldOutTasks
    tasks: AuditTasks
    chunk_rows: int
    unprotected: Logits | None = None

    @classmethod
    def of(cls, strategy: Strategy, seed: int, compute: ComputeOptions) -> Bench:
        """Build the tasks of a seed."""
        held = study_tasks(strategy.config, seed)
        tasks = audit_tasks(held, adaptations=strategy.config.audit.adaptations, seed=seed, seen=strategy.seen[seed], like=strategy.parameters["cb0"])
        return cls(strategy=strategy, seed=seed, held=held, tasks=tasks, chunk_rows=compute.chunk_rows)

    def logits(self, setting: Setting) -> Logits:
        """What a setting releases."""
        if setting.kind in RELEASES:
            return released_from(setting, self.logits(UNPROTECTED))
        if setting == UNPROTECTED and self.unprotected is not None:
            return self.unprotected
        out = evaluate(self.strategy, [self.strategy.adaptation(setting, self.seed)], self.tasks, self.chunk_rows, threads=1)
        made = Logits(pool=out.pool[0], fresh=out.fresh[0], start=out.start[0])
        if setting == UNPROTECTED:
            self.unprotected = made
        return made

    def measure(self, setting: Setting) -> Measured:
        """Point and ROCs of a setting."""
        made = measure(self.strategy.config, setting, self.seed, self.logits(setting), self.held, self.tasks.keep, self.tasks.twin)
        return described(made, self.strategy) if setting.kind == "found" else made


@dataclass(frozen=True, kw_only=True, eq=False)
class Live:
    """One held-out task, adapted on one random support set under every λ and every ε at once.

    Attributes:
        settings: λ grid, ε grid (inf: the same adaptation without noise), and what a search found.
        task_name: Which task.
        eval_x, eval_y: Fresh records, float32 [E, features], int64 [E].
        support_x, support_y: The support set.
        probabilities: What is released for fresh records, [settings, E, ways].
        accuracy, accuracy_0, confidence, mi, threshold_auc: [settings]; mi in nats.
        support_phi, other_phi: LiRA statistic of the support and of the rest of the pool, [settings, n].
        seconds: Time that the batch took.
    """

    settings: tuple[Setting, ...]
    task_name: str
    eval_x: NDArray[np.float32]
    eval_y: NDArray[np.int64]
    support_x: NDArray[np.float32]
    support_y: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    accuracy_0: NDArray[np.float64]
    confidence: NDArray[np.float64]
    mi: NDArray[np.float64]
    threshold_auc: NDArray[np.float64]
    support_phi: NDArray[np.float64]
    other_phi: NDArray[np.float64]
    seconds: float


@lru_cache(maxsize=16)
def _held(strategy: Strategy, seed: int) -> HeldOutTasks:
    """The held-out tasks of a seed, kept for the next look at them: building them takes as long as adapting to one."""
    return study_tasks(strategy.config, seed)


def held_out_names(strategy: Strategy, seed: int) -> tuple[str, ...]:
    """Names of the held-out tasks of a seed, by the number that :func:`live` takes."""
    return _held(strategy, seed).names


def live(strategy: Strategy, *, seed: int, task: int, draw: int, longer: int = 1) -> Live:
    """Adapt one held-out task on the ``draw``-th random support set, under the whole λ and ε grids in one batch, with ``longer`` times the trained steps;
    what a search found adapts as it was found.

    Raises:
        ConfigError: If there is no such seed or task.
    """
    config = strategy.config
    if seed not in config.seeds or not 0 <= task < config.audit.tasks:
        raise ConfigError(f"seed is {seed} and task is {task}, but the study has the seeds {config.seeds[0]} to {config.seeds[-1]} and the tasks 0 to {config.audit.tasks - 1}.")
    held = _held(strategy, seed).one(task)
    prepare()
    begin = time.perf_counter()
    tasks = audit_tasks(held, adaptations=2, seed=seed * 100_003 + draw, seen=strategy.seen[seed], like=strategy.parameters["cb0"])
    settings = tuple(s for kind in ("lambda", "epsilon", "found") for s in sorted(settings_of(config)) if s.kind == kind and strategy.offers(s))
    out = evaluate(strategy, [strategy.adaptation(s, seed, longer) for s in settings], tasks)
    fresh, pool, keep = out.fresh[:, 0, 0], out.pool[:, 0, 0], tasks.keep[0, 0]
    made = utility(config.privacy, fresh, held.eval_y[0])
    start = utility(config.privacy, out.start[:, 0], held.eval_y[0])
    phi = statistic(config.privacy, pool, held.pool_y[0])
    p = softmax(fresh)
    threshold = attack_result(loss_threshold(phi)[:, None, :], np.broadcast_to(keep, phi.shape)[:, None, :])
    return Live(settings=settings, task_name=held.names[0], eval_x=held.eval_x[0], eval_y=held.eval_y[0], support_x=held.pool_x[0][keep], support_y=held.pool_y[0][keep],
                probabilities=p, accuracy=made.accuracy, accuracy_0=start.accuracy, confidence=p.max(-1).mean(-1), mi=made.information.total, threshold_auc=threshold.auc,
                support_phi=phi[:, keep], other_phi=phi[:, ~keep], seconds=time.perf_counter() - begin)


def _tasksets(config: StudyConfig) -> dict[int, TaskSet]:
    """The task set of each seed."""
    family = plugin("tasks", config.task.family)
    built = {seed: family.build(config.task, seed) for seed in config.seeds}
    if "attribute" in plugin("privacy", config.privacy.loss).needs and not any((taskset.train.sensitive >= 0).any() for taskset in built.values()):
        raise DataError(f"loss is {config.privacy.loss!r}, but the table of this study has no sensitive column; add it anew with one, or choose another loss.")
    return built


def _check_device(compute: ComputeOptions) -> None:
    import torch

    if compute.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device is 'cuda', but this machine has no usable graphics card; choose cpu.")
