"""How good are the frontiers: the conditioned strategy against a sweep and against releases that need no training, and what protects membership.

Run ``python -m benchmarks.frontier_quality --families letters medical digits``; it writes ``results/frontier_quality.json``, one part per family.

On the axis of information (accuracy against I(X;Ŷ)): the conditioned strategy's λ points, at all its 41 values and at the sweep's 9; a sweep of 9 separate
trainings at the same total of meta-iterations; and temperature and rate-distortion releases of the conditioned strategy's own λ = 0. On the axis of
membership (accuracy against LiRA's AUC): the noisy head-only adaptation, λ on ``output_mi``, λ on ``membership_mi``, and the free baselines. Each frontier's
hypervolume is that of its seed's own points, each a mean over tasks; every frontier of a seed is measured on the same held-out tasks and halves. A frontier of
more points has more chances: compare the 9 with the 9. All include the unprotected point, so that a hypervolume doesn't reward merely leaving it out.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np
from scipy.stats import t as student

from benchmarks.machine import by_family, machine, print_ratios
from mrp_core.config import ComputeOptions, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import audit, train
from mrp_core.frontier import Reference, hypervolume
from mrp_core.intervals import interval
from mrp_core.registry import plugin
from mrp_core.results import Point
from mrp_core.settings import UNPROTECTED, Setting, settings_of

SWEEP, MEMBERSHIP_LAMBDA_MAX = 9, 3.0
MEMBERSHIP_QUERIES = {"medical": 4}
"""Query records a class of the training on pairs, which needs twice the support records, where a class has too few for the default."""
METRICS = ("accuracy", "mi", "lira_auc")
INFORMATION = ("conditioned, 41 λ", "conditioned, 9 λ", "sweep, 9 λ", "temperature", "rate distortion")
MEMBERSHIP = ("noisy head", "output_mi", "membership_mi", "free baselines", "fewer steps", "smaller rate", "head only")
RATIOS = {
    "mi": [("conditioned, 9 λ", "sweep, 9 λ"), ("conditioned, 41 λ", "sweep, 9 λ"), ("conditioned, 9 λ", "rate distortion"), ("conditioned, 9 λ", "temperature"),
           ("rate distortion", "temperature")],
    "lira_auc": [("noisy head", "free baselines"), ("noisy head", "output_mi"), ("noisy head", "membership_mi"), ("membership_mi", "free baselines"), ("membership_mi", "output_mi")],
}
Measured = dict[Setting, list[Point]]


def studies(family: str, seeds: int, iterations: int | None) -> dict[str, StudyConfig]:
    """The three trainings: conditioned with noise and baselines, the sweep, and the conditioned one on membership."""
    task = TaskConfig(family=family, **{k: v for k, v in plugin("tasks", family).defaults.items() if k != "hardness"})
    outer = OuterConfig(seeds=seeds, **({} if iterations is None else {"iterations": iterations}))
    base = StudyConfig(title=f"Frontier quality: {family}", task=task, outer=outer)
    paired = dataclasses.replace(task, queries=MEMBERSHIP_QUERIES.get(family, task.queries))
    membership = PrivacyConfig(loss="membership_mi", lambda_max=MEMBERSHIP_LAMBDA_MAX, lambda_points=SWEEP, mechanism="none")
    return {
        "conditioned": base,
        "sweep": dataclasses.replace(base, outer=dataclasses.replace(outer, search="lambda_sweep"), privacy=PrivacyConfig(lambda_points=SWEEP, mechanism="none")),
        "membership": dataclasses.replace(base, task=paired, privacy=membership),
    }


def run(config: StudyConfig, wanted: frozenset[str]) -> tuple[Measured, float]:
    """Train and audit the settings of the wanted kinds; points by setting, and seconds."""
    begin = time.perf_counter()
    compute = ComputeOptions()
    strategy = train(config, compute)
    settings = [s for s in settings_of(config) if s.kind in wanted and strategy.offers(s)]
    found = {s: points for s, (points, _) in zip(settings, audit(strategy, settings, compute), strict=True)}
    return found, time.perf_counter() - begin


def frontiers(found: dict[str, Measured]) -> dict[str, dict[str, Measured]]:
    """The points of each frontier, by the metric of its axis and its name; each with the unprotected point of its own training."""
    conditioned, sweep, membership = found["conditioned"], found["sweep"], found["membership"]
    kinds = lambda measured, *which: {s: p for s, p in measured.items() if s.kind in which or s == UNPROTECTED}  # noqa: E731
    lambdas = kinds(conditioned, "lambda")
    coarse = {s: p for s, p in lambdas.items() if s in sweep}
    information = (lambdas, coarse, kinds(sweep, "lambda"), kinds(conditioned, "temperature"), kinds(conditioned, "rate_distortion"))
    attacks = (kinds(conditioned, "epsilon"), coarse, kinds(membership, "lambda"), kinds(conditioned, "steps", "rate", "head"), kinds(conditioned, "steps"),
               kinds(conditioned, "rate"), kinds(conditioned, "head"))
    return {"mi": dict(zip(INFORMATION, information, strict=True)), "lira_auc": dict(zip(MEMBERSHIP, attacks, strict=True))}


def volumes(measured: Measured, leakage: str, reference: Reference) -> list[float]:
    """Hypervolume of each seed."""
    seeds = range(len(next(iter(measured.values()))))
    value = lambda metric, seed: [float(np.mean(points[seed].values[metric])) for points in measured.values()]  # noqa: E731
    return [hypervolume(value(leakage, seed), value("accuracy", seed), reference) for seed in seeds]


def ratio(above: list[float], below: list[float]) -> dict[str, Any]:
    """Ratio of each seed, their geometric mean, and its 95 % interval by Student's t on the logarithms."""
    pairs = list(zip(above, below, strict=True))
    each = [a / b if b > 0 else math.nan for a, b in pairs]
    if any(not r > 0 for r in each):
        return {"seeds": each, "mean": math.nan, "low": math.nan, "high": math.nan}
    logs = np.log(each)
    half = float(student.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs))) if len(logs) > 1 else math.nan
    return {"seeds": each, "mean": math.exp(logs.mean()), "low": math.exp(logs.mean() - half), "high": math.exp(logs.mean() + half)}


def summary(measured: Measured) -> dict[str, Any]:
    """Mean and interval over seeds and tasks of each point's metrics, by the setting's key."""
    out = {}
    for setting, points in sorted(measured.items()):
        values = {m: interval(np.array([p.values[m] for p in points])) for m in METRICS}
        out[setting.key] = {m: [v.value, v.low, v.high] for m, v in values.items()}
    return out


def family_result(family: str, seeds: int, iterations: int | None) -> dict[str, Any]:
    """Everything of one family."""
    made = studies(family, seeds, iterations)
    wanted = {"conditioned": frozenset({"lambda", "epsilon", "temperature", "rate_distortion", "steps", "rate", "head"}), "sweep": frozenset({"lambda"}), "membership": frozenset({"lambda"})}
    found: dict[str, Measured] = {}
    seconds = {}
    for name, config in made.items():
        found[name], seconds[name] = run(config, wanted[name])
        print(f"{family}: {name} took {seconds[name]:.0f} s")
    ways = made["conditioned"].task.ways
    boxes = {"mi": Reference(utility=1 / ways, leakage=math.log(ways)), "lira_auc": Reference(utility=1 / ways, leakage=1.0, best_leakage=0.5)}
    axes = {}
    for leakage, sets in frontiers(found).items():
        hv = {name: volumes(measured, leakage, boxes[leakage]) for name, measured in sets.items()}
        axes[leakage] = {"reference": boxes[leakage].text(), "hypervolume": {n: {"mean": float(np.mean(v)), "seeds": v, "points": len(sets[n])} for n, v in hv.items()},
                         "ratio": {f"{a} / {b}": ratio(hv[a], hv[b]) for a, b in RATIOS[leakage]}}
    return {"machine": machine(), "seconds": seconds, "studies": {n: {"id": c.id, "iterations": c.outer.iterations, "seeds": list(c.seeds)} for n, c in made.items()},
            "axes": axes, "points": {name: summary(measured) for name, measured in found.items()}}


def main() -> None:
    """Measure the families asked for."""
    by_family("frontier_quality", "Hypervolumes of frontiers, by family.", ("letters", "medical", "digits"), family_result, print_ratios)


if __name__ == "__main__":
    main()
