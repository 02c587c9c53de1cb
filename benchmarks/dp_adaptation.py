"""Does meta-learning pay for privacy: differentially private adaptation from a meta-learned start, from scratch, and from ordinary pre-training.

Run ``python -m benchmarks.dp_adaptation --families letters digits medical``; it writes ``results/dp_adaptation.json``, one part per family.

Every method adapts by the same mechanism (clipped gradients, Gaussian noise, delta 1e-3) to the same held-out tasks on the same random halves, at the same ε by the
same accountant. The meta-learned strategy is one training, conditioned on ε. The baselines have more than that: a training (where they train) and a tuned inner rate
for each ε by itself, and from scratch a variant with more steps. ``separate`` is the meta-learner trained once for each ε, each with as many iterations as the
conditioned one has for all; a variant shares that number out among them.
Differences are paired: same seeds, tasks, halves and noise. LiRA's bound on ε from below is the examination's: two proportions, one
trial an adaptation, 95 % confidence for each bound; none may lie above the accountant's ε beyond that.

Letters and medical test on classes and wards that training never saw. Digits tests on new records of classes that training knows: what joint training knows there
without a step is its ``accuracy_0``.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np

from benchmarks.machine import by_family, machine
from mrp_core.audit.signals import label_margin
from mrp_core.config import AuditConfig, ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import Bench
from mrp_core.intervals import interval
from mrp_core.jobs.context import SilentContext
from mrp_core.measuring import measure
from mrp_core.registry import plugin
from mrp_core.results import Point
from mrp_core.selection import choose
from mrp_core.settings import Setting
from mrp_core.strategy import Strategy
from mrp_core.summing import epsilon_range
from mrp_core.training import Trainer

EPSILONS = (1.0, 3.0, 10.0, math.inf)
DELTA, LAMBDAS, TARGET = 1e-3, 2, 0.02
OURS, SEPARATE, EQUAL = "meta-learned, head", "separate for each ε, head", "separate for each ε at the same total, head"
METHODS: dict[str, dict[str, Any]] = {
    OURS: {"learner": "maml", "search": "conditioned", "dp_adapts": "head"},
    SEPARATE: {"learner": "maml", "search": "lambda_sweep", "dp_adapts": "head"},
    EQUAL: {"learner": "maml", "search": "lambda_sweep", "dp_adapts": "head", "share": len(EPSILONS)},
    "from scratch, all layers": {"learner": "from_scratch", "search": "lambda_sweep", "dp_adapts": "all"},
    "from scratch, head": {"learner": "from_scratch", "search": "lambda_sweep", "dp_adapts": "head"},
    "from scratch, all layers, 15 steps": {"learner": "from_scratch", "search": "lambda_sweep", "dp_adapts": "all", "dp_steps": 15},
    "joint training, then head": {"learner": "joint_then_finetune", "search": "lambda_sweep", "dp_adapts": "head"},
    "joint training, then all layers": {"learner": "joint_then_finetune", "search": "lambda_sweep", "dp_adapts": "all"},
}
Found = dict[float, list[Point]]


def study(family: str, method: str, seeds: int, iterations: int) -> StudyConfig:
    """The study of a method; a sweep shares its iterations out among the λ, so that it asks for as many times more."""
    how = METHODS[method]
    task = TaskConfig(family=family, **plugin("tasks", family).defaults)
    swept = how["search"] == "lambda_sweep"
    finite = tuple(e for e in EPSILONS if math.isfinite(e))
    privacy = PrivacyConfig(lambda_points=LAMBDAS, delta=DELTA, dp_adapts=how["dp_adapts"], dp_steps=how.get("dp_steps", 3), **({"epsilons": finite} if swept else {}))
    outer = OuterConfig(learner=how["learner"], search=how["search"], iterations=iterations * (LAMBDAS if swept else 1) // how.get("share", 1), seeds=seeds)
    inner = InnerConfig(rate=1.0 if how["learner"] == "from_scratch" else 0.1)
    return StudyConfig(title=f"{family}: {method}", task=task, privacy=privacy, inner=inner, outer=outer, audit=AuditConfig(adaptations=128))


def trained(config: StudyConfig) -> Strategy:
    """Train the arms under noise only: nothing is asked of the others here."""
    tasksets = {s: plugin("tasks", config.task.family).build(config.task, s) for s in config.seeds}
    trainer = Trainer(config, ComputeOptions(), tasksets)
    trainer.arms = tuple(a for a in trainer.arms if a.kind == "epsilon")
    return choose(trainer, trainer.run(trainer.fresh(), SilentContext(keep=False)), tasksets)[0]


def measured(strategy: Strategy) -> tuple[Found, dict[float, dict[str, Any]]]:
    """Points of each ε, and what LiRA's bound from below says of it."""
    config, benches = strategy.config, [Bench.of(strategy, s, ComputeOptions()) for s in strategy.config.seeds]
    points: Found = {}
    bounds = {}
    for e in EPSILONS:
        setting, parts = Setting("epsilon", e), {}
        points[e] = []
        for bench in benches:
            logits = bench.logits(setting)
            points[e].append(measure(config, setting, bench.seed, logits, bench.held, bench.tasks.keep, bench.tasks.twin).point)
            parts[bench.seed] = {"phi": label_margin(logits.pool, bench.held.pool_y[:, None, :]), "keep": bench.tasks.keep, "twin": bench.tasks.twin}
        found = epsilon_range(strategy, setting, parts)
        bounds[e] = {"upper": found.upper, "lower": found.lower, "ceiling": found.ceiling, "trials": found.trials, "below": not found.lower > found.upper}
    return points, bounds


def values(points: list[Point], metric: str) -> np.ndarray:
    """[seeds, tasks]."""
    return np.array([p.values[metric] for p in points])


def summary(strategy: Strategy, points: Found, bounds: dict[float, dict[str, Any]]) -> dict[str, Any]:
    """Means with intervals by ε, the factors picked for the inner rate where it is tuned, and the bounds."""
    out = {}
    for e, found in points.items():
        made = {m: interval(values(found, m), low=0.0, high=1.0) for m in ("accuracy", "accuracy_0", "accuracy_argmax", "lira_auc", "lira_tpr_1pct")}
        rates = [strategy.config.inner.rate * float(strategy.parameters["tuned_rate"][strategy.adaptation(Setting("epsilon", e), s).row]) for s in strategy.config.seeds]
        out[f"{e:g}"] = {**{m: [v.value, v.low, v.high] for m, v in made.items()}, "epsilon": bounds[e], **({"rates": rates} if strategy.learner.tunes_rate else {})}
    return out


def paired(ours: Found, other: Found) -> dict[str, Any]:
    """Differences, ours less the other's, with their intervals."""
    out = {}
    for e in EPSILONS:
        made = {m: interval(values(ours[e], m) - values(other[e], m)) for m in ("accuracy", "lira_auc")}
        out[f"{e:g}"] = {m: [v.value, v.low, v.high] for m, v in made.items()}
    return out


def family_result(family: str, seeds: int, iterations: int | None) -> dict[str, Any]:
    """Everything of one family."""
    iterations = iterations or OuterConfig().iterations
    found: dict[str, Found] = {}
    parts, seconds = {}, {}
    for name in METHODS:
        begin = time.perf_counter()
        strategy = trained(study(family, name, seeds, iterations))
        between = time.perf_counter()
        found[name], bounds = measured(strategy)
        parts[name] = summary(strategy, found[name], bounds)
        seconds[name] = {"training": between - begin, "measuring": time.perf_counter() - between}
        print(f"{family}: {name}: {seconds[name]['training']:.0f} + {seconds[name]['measuring']:.0f} s; "
              + "; ".join(f"ε {e}: {p['accuracy'][0]:.3f} / {p['lira_auc'][0]:.3f}, at least {p['epsilon']['lower']:.2f}" for e, p in parts[name].items()), flush=True)
    differences = {name: paired(found[OURS], other) for name, other in found.items() if name != OURS}
    judged = {e: {"mean_loss": -d["accuracy"][0], "mean_within_target": bool(-d["accuracy"][0] <= TARGET), "interval_within_target": bool(-d["accuracy"][1] <= TARGET)}
              for e, d in differences[SEPARATE].items()}
    below = all(p["epsilon"]["below"] for method in parts.values() for e, p in method.items() if e != "inf")
    task = dataclasses.asdict(study(family, OURS, seeds, iterations).task)
    return {"machine": machine(), "seconds": seconds, "iterations": iterations, "seeds": seeds, "delta": DELTA, "target": TARGET, "task": task,
            "methods": parts, "meta_learned_minus": differences, "conditioned_against_separate": judged, "every_lower_bound_below_epsilon": below}


def main() -> None:
    """Measure the families asked for."""
    by_family("dp_adaptation", "Private adaptation: meta-learned, from scratch, jointly pre-trained.", ("letters", "digits", "medical"), family_result)


if __name__ == "__main__":
    main()
