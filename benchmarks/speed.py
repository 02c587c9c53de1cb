"""What batching buys: each fast way against the plain loop that computes the same, interleaved in one run.

Run ``python -m benchmarks.speed``; it writes ``results/speed.json``. Only ratios are meant to be compared between machines. Each side runs on one thread
(MRP_THREADS=1), so that a ratio shows less work per result, not more cores; ``--threads 2`` asks what the cores add.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.machine import machine, write
from mrp_core.config import AuditConfig, ComputeOptions, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import live, train
from mrp_core.evaluation import AuditTasks, audit_tasks, evaluate
from mrp_core.kernel import outputs
from mrp_core.objective import Problem
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Adaptation, Strategy
from mrp_core.taskdata import held_out
from mrp_core.threads import prepare, workers
from mrp_core.training import Trainer

Job = Callable[[], None]
CONFIGS, SWEEP = 32, 9


def compare(ways: dict[str, Job], repetitions: int) -> dict[str, Any]:
    """Time each way in turn, ``repetitions`` times, after one round to warm up; ratios are medians of the ratios within a round."""
    for job in ways.values():
        job()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repetitions):
        for name, job in ways.items():
            begin = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - begin)
    fast, *others = ways
    ratios = {name: np.array(seconds[name]) / np.array(seconds[fast]) for name in others}
    return {"seconds": {name: statistics.median(s) for name, s in seconds.items()},
            "ratio": {f"{name} / {fast}": {"median": float(np.median(r)), "low": float(r.min()), "high": float(r.max())} for name, r in ratios.items()},
            "repetitions": repetitions}


def iterations(trainers: list[Trainer], count: int) -> Job:
    """``count`` outer steps of each trainer, one trainer after the other, episodes drawn beforehand."""
    states = [t.fresh() for t in trainers]

    def job() -> None:
        with ThreadPoolExecutor(workers()) as pool:
            for trainer, state in zip(trainers, states, strict=True):
                for _ in range(count):
                    trainer.iterate(state, pool)
                state.step = 0

    return job


def trainer_of(config: StudyConfig, arm: int | None = None) -> Trainer:
    """A trainer of all arms of a study, or of one."""
    family = plugin("tasks", config.task.family)
    trainer = Trainer(config, ComputeOptions(), {s: family.build(config.task, s) for s in config.seeds})
    if arm is not None:
        trainer.arms = trainer.arms[arm:arm + 1]
    return trainer


def configurations(repetitions: int) -> dict[str, Any]:
    """32 values of λ trained as one batch, 4 tasks an outer step, against one training after the other."""
    config = study(outer=OuterConfig(search="lambda_sweep", iterations=CONFIGS * 1000, meta_batch=4, seeds=1), privacy=PrivacyConfig(lambda_points=CONFIGS, mechanism="none"))
    return compare({"batched": iterations([trainer_of(config)], 2), "loop": iterations([trainer_of(config, a) for a in range(CONFIGS)], 2)}, repetitions)


def frontier(repetitions: int) -> dict[str, Any]:
    """A conditioned strategy against nine trainings, each at the full number of meta-iterations: as one batch, and one after the other."""
    outer = OuterConfig(iterations=1000, seeds=1)
    one = study(outer=outer, privacy=PrivacyConfig(lambda_points=SWEEP, mechanism="none"))
    many = dataclasses.replace(one, outer=dataclasses.replace(outer, search="lambda_sweep", iterations=1000 * SWEEP))
    return compare({"conditioned": iterations([trainer_of(one)], 10), "sweep of 9, batched": iterations([trainer_of(many)], 10),
                    "sweep of 9, loop": iterations([trainer_of(many, a) for a in range(SWEEP)], 10)}, repetitions)


def audited(strategy: Strategy, repetitions: int) -> dict[str, Any]:
    """One setting on 12 tasks x 64 halves, in chunks, against one adaptation after the other."""
    tasks = tasks_of(strategy, 64)
    plan = [strategy.adaptation(UNPROTECTED, 0)]

    def loop() -> None:
        for t in range(len(tasks.pool_y)):
            for r in range(64):
                adapted_one(strategy, plan[0], tasks, t, r)

    return compare({"batched": lambda: _drop(evaluate(strategy, plan, tasks)), "loop": loop}, repetitions)


def sliders(strategy: Strategy, repetitions: int) -> dict[str, Any]:
    """All λ and ε of one task and support set as one batch, against one setting after the other; and the page's whole call."""
    tasks = tasks_of(strategy, 2, one=True)
    plans = [strategy.adaptation(s, 0) for s in sorted(s for s in settings_of(strategy.config) if s.kind in ("lambda", "epsilon"))]

    def loop() -> None:
        for plan in plans:
            evaluate(strategy, [plan], tasks)

    found = compare({"grid": lambda: _drop(evaluate(strategy, plans, tasks)), "loop": loop, "live": lambda: _drop(live(strategy, seed=0, task=0, draw=0))}, repetitions)
    return {**found, "settings": len(plans)}


def tasks_of(strategy: Strategy, adaptations: int, one: bool = False) -> AuditTasks:
    """The held-out tasks of seed 0, or the first of them."""
    c = strategy.config
    held = held_out(plugin("tasks", c.task.family).build(c.task, 0).test, tasks=1 if one else c.audit.tasks, shots=c.task.shots, records=c.audit.records, seed=0)
    return audit_tasks(held, adaptations=adaptations, seed=0, seen=strategy.seen[0], like=strategy.parameters["cb0"])


@torch.no_grad()
def adapted_one(strategy: Strategy, plan: Adaptation, tasks: AuditTasks, t: int, r: int) -> Tensor:
    """Logits of fresh and pool records after one adaptation, without any of the audit's bookkeeping."""
    rows, half = strategy.rows([plan], 1), tasks.halves[t, r]
    problem = Problem(rows=rows, support_x=tasks.pool_x[t:t + 1, half], support_y=tasks.pool_y[t:t + 1, half], query_x=tasks.fresh_x[t:t + 1], query_y=tasks.pool_y[t:t + 1],
                      weight=torch.tensor([plan.weight], dtype=tasks.pool_x.dtype), privacy=plugin("privacy", strategy.config.privacy.loss), cross_entropy_share=1.0,
                      steps=plan.steps, lowest=plan.lowest, noise=None, halves=None)
    return outputs(problem.adapt(second_order=False), torch.cat([tasks.fresh_x[t:t + 1], tasks.pool_x[t:t + 1]], 1))


def study(**parts: Any) -> StudyConfig:
    """Letters, 5-way 5-shot."""
    return StudyConfig(task=TaskConfig(family="letters"), **parts)


def _drop(_: object) -> None:
    """A result that only its time is wanted of."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    os.environ["MRP_THREADS"] = str(asked.threads)
    about = {"machine": machine(), "threads": asked.threads, "study": "letters, 5-way 5-shot, 64-64 hidden units, 5 inner steps, second order"}
    prepare()
    strategy = train(study(outer=OuterConfig(iterations=20, seeds=1), audit=AuditConfig(tasks=12)))
    check_same(strategy)
    found = {"configurations": configurations(asked.repetitions), "frontier": frontier(asked.repetitions), "audit": audited(strategy, asked.repetitions),
             "live": sliders(strategy, asked.repetitions)}
    path = write("speed" if asked.threads == 1 else f"speed_{asked.threads}_threads", {**about, **found})
    for name, result in found.items():
        for pair, r in result["ratio"].items():
            print(f"{name:15s} {pair:40s} {r['median']:7.2f}  ({r['low']:.2f} to {r['high']:.2f})")
    print(path)


def check_same(strategy: Strategy) -> None:
    """Raise if the two sides of a comparison don't compute the same."""
    tasks = tasks_of(strategy, 8)
    plan = [strategy.adaptation(Setting("lambda", 0.8), 0)]
    whole, single = evaluate(strategy, plan, tasks).fresh[0, 3, 5], adapted_one(strategy, plan[0], tasks, 3, 5)[0].double().numpy()
    if not np.allclose(whole, single[:len(whole)], rtol=1e-3, atol=1e-3):
        raise RuntimeError("the batched audit and the loop differ")


if __name__ == "__main__":
    main()
