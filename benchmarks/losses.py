"""Which privacy method is worth using where: each loss with and without noise, on each family, by hypervolume on both axes of leakage.

Run ``python -m benchmarks.losses``; it writes ``results/losses.json`` and the table ``results/losses.md``. Every cell is one conditioned strategy at the default
budget, five seeds. A loss alone traces its frontier by λ (nine values); noise alone by ε, without a privacy loss; a loss with noise by ε, while the loss shapes what
the noise leaves (``noise_weight``). Each frontier holds its own training's λ = 0 too, so that leaving it out is no merit. The last row is what λ = 0 gives away for free:
releases on the axis of information, fewer steps, smaller rates and head only on the axis of membership. Intervals are Student's over seeds; a method's gain over the
free row is paired by seed and task set, each seed's tasks being the same in every cell.

Each loss's λ goes from 0 to its ``reach``; that and the weights under noise were fixed by short runs of two other seeds.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from benchmarks.frontier_quality import MEMBERSHIP_QUERIES, Measured, run, summary, volumes
from benchmarks.machine import by_family, machine
from mrp_core.config import OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.errors import MRPError
from mrp_core.frontier import Reference
from mrp_core.intervals import interval
from mrp_core.registry import plugin, plugins
from mrp_core.settings import UNPROTECTED

FAMILIES, POINTS = ("letters", "medical", "digits"), 9
SHAPED = {"membership_mi": 0.1, "output_mi": 0.1}
"""Losses that are tried together with the noise, and their weight."""
AXES = {"mi": "accuracy x I(X;Ŷ)", "lira_auc": "accuracy x LiRA AUC"}
FREE = {"mi": ("temperature", "rate_distortion"), "lira_auc": ("steps", "rate", "head")}


def studies(family: str, seeds: int, iterations: int | None) -> dict[str, StudyConfig]:
    """By name of the cell: every loss alone, the noise alone (with the free baselines), and losses that shape what the noise leaves."""
    task = TaskConfig(family=family, **{k: v for k, v in plugin("tasks", family).defaults.items() if k != "hardness"})
    outer = OuterConfig(seeds=seeds, **({} if iterations is None else {"iterations": iterations}))
    base = StudyConfig(title=f"Losses: {family}", task=task, outer=outer)
    of = lambda loss: task if not plugin("privacy", loss).pairs else dataclasses.replace(task, queries=MEMBERSHIP_QUERIES.get(family, task.queries))  # noqa: E731
    alone = {name: dataclasses.replace(base, task=of(name), privacy=PrivacyConfig(loss=name, lambda_max=plugin("privacy", name).reach, lambda_points=POINTS, mechanism="none"))
             for name, loss in plugins("privacy").items() if loss.weighted and (plugin("tasks", family).sensitive or "attribute" not in loss.needs)}
    shaped = {f"{name} + noise": dataclasses.replace(base, task=of(name), privacy=PrivacyConfig(loss=name, lambda_max=plugin("privacy", name).reach, lambda_points=2, noise_weight=weight))
              for name, weight in SHAPED.items()}
    return {"noise": dataclasses.replace(base, privacy=PrivacyConfig(lambda_points=2)), **alone, **shaped}


def cells(family: str, seeds: int, iterations: int | None) -> tuple[dict[str, Measured], dict[str, float], dict[str, str]]:
    """Points of each cell, seconds, and why a cell is empty."""
    found: dict[str, Measured] = {}
    seconds: dict[str, float] = {}
    empty: dict[str, str] = {}
    for name, config in studies(family, seeds, iterations).items():
        noisy = config.privacy.mechanism != "none"
        wanted = frozenset({"epsilon", "temperature", "rate_distortion", "steps", "rate", "head"} if name == "noise" else {"epsilon"} if noisy else {"lambda"})
        try:
            found[name], seconds[name] = run(config, wanted | {"lambda"})
        except MRPError as error:
            empty[name] = str(error)
            continue
        print(f"{family}: {name} took {seconds[name]:.0f} s", flush=True)
    return found, seconds, empty


def frontier(name: str, measured: Measured, leakage: str) -> Measured:
    """The points that count for a cell on an axis."""
    if name == "free":
        return {s: p for s, p in measured.items() if s == UNPROTECTED or s.kind in FREE[leakage]}
    kind = "epsilon" if name == "noise" or name.endswith("+ noise") else "lambda"
    return {s: p for s, p in measured.items() if s == UNPROTECTED or s.kind == kind}


def family_result(family: str, seeds: int, iterations: int | None) -> dict[str, Any]:
    """Hypervolumes of every cell, and gains over what is free."""
    found, seconds, empty = cells(family, seeds, iterations)
    found["free"] = found["noise"]
    ways = studies(family, seeds, iterations)["noise"].task.ways
    boxes = {"mi": Reference(utility=1 / ways, leakage=math.log(ways)), "lira_auc": Reference(utility=1 / ways, leakage=1.0, best_leakage=0.5)}
    axes: dict[str, Any] = {}
    for leakage, box in boxes.items():
        made = {name: np.array(volumes(frontier(name, measured, leakage), leakage, box)) for name, measured in found.items()}
        axes[leakage] = {"reference": box.text(), "hypervolume": {n: _spread(v) for n, v in made.items()}, "gain over free": {n: _spread(v - made["free"]) for n, v in made.items() if n != "free"}}
    return {"machine": machine(), "seconds": seconds, "empty": empty, "seeds": seeds, "axes": axes, "points": {n: summary(m) for n, m in found.items() if n != "free"}}


def _spread(values: np.ndarray) -> list[float]:
    """Mean, 95 % interval over seeds, and the seeds' own values."""
    m = interval(values[:, None])
    return [m.value, m.low, m.high, *values.tolist()]


def table(results: dict[str, Any]) -> str:
    """Markdown: a row a method, a column a family and axis; bold where the gain over what is free is resolved."""
    families = [f for f in FAMILIES if f in results]
    names = list(dict.fromkeys(n for f in families for n in (*results[f]["axes"]["mi"]["hypervolume"], *results[f]["empty"])))
    head = [f"{f}, {AXES[a]}" for f in families for a in AXES]
    lines = ["| method | " + " | ".join(head) + " |", "|" + " --- |" * (len(head) + 1)]
    for name in names:
        lines.append(f"| {name} | " + " | ".join(_cell(results[f], a, name) for f in families for a in AXES) + " |")
    return "\n".join(lines) + "\n"


def _cell(result: dict[str, Any], axis: str, name: str) -> str:
    part = result["axes"][axis]
    if name not in part["hypervolume"]:
        return "—"
    value, low, high = part["hypervolume"][name][:3]
    text = f"{value:.3f} [{low:.3f}, {high:.3f}]"
    gain = part["gain over free"].get(name)
    if gain is None:
        return text
    mark = "**" if gain[1] > 0 else ""
    return f"{mark}{text}{mark} ({gain[0]:+.3f} [{gain[1]:+.3f}, {gain[2]:+.3f}])"


def main() -> None:
    """Measure the families asked for, and write the table."""
    path, results = by_family("losses", "Privacy losses and noise, compared by hypervolume.", FAMILIES, family_result)
    about = ("# Which privacy method is worth using where\n\nHypervolume (larger is better), mean [95 % interval over seeds]; in brackets the gain over what λ = 0 gives away for free, paired by "
             "seed; bold where it is above 0 by its interval. Made by `python -m benchmarks.losses`.\n\n")
    path.with_suffix(".md").write_text(about + table(results), encoding="utf-8")


if __name__ == "__main__":
    main()
