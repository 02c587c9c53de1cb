"""How good are the frontiers of the searches at one total of meta-iterations?

Run ``python -m benchmarks.searches``; it writes ``results/searches.json``, one part per family.

Every search is given the same total of meta-iterations on the λ axis, the same 9 λ, and no noise; a step of ``multi_gradient`` costs two backward passes, so
that its seconds say more than its iterations. ``evolutionary`` and ``reinforce`` spend a share of it on measuring candidates on validation tasks, priced in iterations;
the settings that they find, at most 12, stand beside the 9 λ of their own conditioned strategy, so they have more points.
Each frontier's hypervolume is that of its seed's own points; all frontiers of a seed are measured on the same
held-out tasks and halves, and a ratio to the conditioned strategy is paired by seed. Weights that mean one thing in a sum mean another in a maximum: at the
default range of λ, ``chebyshev`` stops long before the private end (see ``reach``), so it is also measured with a range three times as wide, at whose end it is
about as private as the sum at its own.
The λ of two ranges aren't the same settings, but as many. Seconds are of training and audit; those of a processor don't depend on what else the machine did.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np

from benchmarks.frontier_quality import SWEEP, Measured, ratio, run, summary, volumes
from benchmarks.machine import by_family, machine, print_ratios
from mrp_core.config import AuditConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.frontier import Reference
from mrp_core.intervals import interval
from mrp_core.registry import plugin

WIDER = 3.0
"""Factor on the largest λ of the wide Chebyshev range."""
BASE = "conditioned"


def studies(family: str, seeds: int, iterations: int) -> dict[str, StudyConfig]:
    """A study for each search, alike in all else."""
    task = TaskConfig(family=family, **{k: v for k, v in plugin("tasks", family).defaults.items() if k != "hardness"})
    base = StudyConfig(title=f"Searches: {family}", task=task, outer=OuterConfig(seeds=seeds, iterations=iterations), privacy=PrivacyConfig(lambda_points=SWEEP, mechanism="none"),
                       audit=AuditConfig(tasks=12, adaptations=64, baselines=False))
    searched = lambda **changes: dataclasses.replace(base, outer=dataclasses.replace(base.outer, **changes))  # noqa: E731
    made = {name: searched(search=name) for name in (BASE, "lambda_sweep", "chebyshev")}
    wide = dataclasses.replace(base.privacy, lambda_max=WIDER * base.privacy.lambda_max)
    made[f"chebyshev, λ up to {wide.lambda_max:g}"] = dataclasses.replace(made["chebyshev"], privacy=wide)
    made |= {f"multi_gradient, {how}": searched(search="multi_gradient", aggregator=how) for how in ("upgrad", "mgda")}
    return made | {name: searched(search=name) for name in ("evolutionary", "reinforce")}


def reach(measured: Measured) -> dict[str, list[float]]:
    """Lowest and highest mean of accuracy and of each leakage among the settings: how much of the frontier a search spans."""
    means = {m: [float(np.mean([p.values[m] for p in points])) for points in measured.values()] for m in ("accuracy", "mi", "lira_auc")}
    return {m: [min(values), max(values)] for m, values in means.items()}


def family_result(family: str, seeds: int, iterations: int | None) -> dict[str, Any]:
    """Hypervolumes of each search, their ratios to the conditioned strategy, and seconds."""
    iterations = iterations or OuterConfig().iterations
    made = studies(family, seeds, iterations)
    before, found, seconds = machine(), {}, {}
    for name, config in made.items():
        begin = time.process_time()
        found[name], wall = run(config, frozenset({"lambda", "found"}))
        seconds[name] = {"wall": wall, "processor": time.process_time() - begin}
        print(f"{family}: {name} took {wall:.0f} s, {seconds[name]['processor']:.0f} s of a processor")
    ways = made[BASE].task.ways
    axes = {}
    for leakage, box in {"mi": Reference(utility=1 / ways, leakage=math.log(ways)), "lira_auc": Reference(utility=1 / ways, leakage=1.0, best_leakage=0.5)}.items():
        values = {name: volumes(measured, leakage, box) for name, measured in found.items()}
        over = {name: interval(np.array(v)[:, None]) for name, v in values.items()}
        axes[leakage] = {"reference": box.text(), "hypervolume": {n: {"mean": m.value, "low": m.low, "high": m.high, "seeds": values[n]} for n, m in over.items()},
                         "ratio": {f"{name} / {BASE}": ratio(values[name], values[BASE]) for name in values if name != BASE}}
    return {"machine": before, "seconds_training_and_audit": seconds, "studies": {n: {"id": c.id, "iterations_in_all": c.outer.iterations, "seeds": list(c.seeds)} for n, c in made.items()},
            "reach": {name: reach(measured) for name, measured in found.items()}, "axes": axes, "points": {name: summary(measured) for name, measured in found.items()}}


def main() -> None:
    """Measure the families asked for."""
    by_family("searches", "Hypervolumes of the searches, by family.", ("letters", "digits"), family_result, print_ratios)


if __name__ == "__main__":
    main()
