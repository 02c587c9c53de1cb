"""A search on measured objectives at work: recipes adapted on validation tasks as one batch, with progress, checkpoints and exact resume."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.membership import lira_online
from mrp_core.audit.roc import attack_result
from mrp_core.channel import statistic, utility
from mrp_core.checkpoint import TrainingState
from mrp_core.config import ComputeOptions
from mrp_core.errors import ConfigError, JobCancelled, JobInterrupted
from mrp_core.evaluation import AuditTasks, audit_tasks, evaluate
from mrp_core.exploring import Explorer, Objective, price
from mrp_core.jobs.context import JobContext
from mrp_core.measuring import Measured
from mrp_core.recipes import Outcome, Recipe
from mrp_core.results import Curve
from mrp_core.strategy import Adaptation, Strategy
from mrp_core.taskdata import HeldOutTasks, TaskSet, held_out


def explore(search: Explorer, strategy: Strategy, state: TrainingState, tasksets: dict[int, TaskSet], compute: ComputeOptions, context: JobContext) -> Strategy:
    """Let a search look for settings of a trained strategy on its validation tasks, and keep what it finds in the strategy.

    Args:
        search: The search.
        strategy: Trained; its validation tasks are those on which its weights were chosen.
        state: Of the finished training; outcomes in it are not measured again, new ones are added.
        tasksets: By seed.
        compute: Device and chunks.
        context: Of the job.

    Raises:
        JobCancelled, JobInterrupted: As the context says, after a checkpoint.
    """
    config = strategy.config
    bench = Bench(search, strategy, state, tasksets, compute, context)
    made = search.explore(config, bench)
    cost = price(config, bench.objective)
    said = f"{made.note}. " if made.note else ""
    filled = f"{said}{len(made.recipes)} of {config.outer.search_points} places for settings were filled."
    curves = [Curve(setting=None, name=f"validation:search:{name}", x=tuple(state.step + cost * n for n, _ in line), y=tuple(y for _, y in line), note=filled)
              for name, line in made.curves.items() if line]
    context.put_results([], curves)
    return dataclasses.replace(strategy, found=made.recipes)


def described(measured: Measured, strategy: Strategy) -> Measured:
    """A measured setting "found" with what it stands for, and its guarantee if it has one."""
    point = measured.point
    recipe = strategy.recipe(point.setting)
    values = {**point.values, **({"epsilon": (recipe.epsilon,) * len(point.values["accuracy"])} if math.isfinite(recipe.epsilon) else {})}
    notes = {**point.notes, "setting": recipe.words(len(strategy.shape.layers))}
    return dataclasses.replace(measured, point=dataclasses.replace(point, values=values, notes=notes))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seed:
    """One seed's validation tasks."""

    number: int
    held: HeldOutTasks
    tasks: AuditTasks


class Bench:
    """Implements :class:`mrp_core.exploring.Laboratory` on the validation tasks of all seeds; what is measured once is kept in the training state."""

    def __init__(self, search: Explorer, strategy: Strategy, state: TrainingState, tasksets: dict[int, TaskSet], compute: ComputeOptions, context: JobContext) -> None:
        """Draw the validation tasks, and take up what an earlier attempt has measured."""
        config = strategy.config
        self.strategy, self.state, self.compute, self.context = strategy, state, compute, context
        self.objective, self.total, self.asked = search.objective(config), search.evaluations(config), 0
        self.seeds = [_validation(strategy, seed, taskset, self.objective) for seed, taskset in tasksets.items()]
        self.known = {o.recipe: o for o in map(_outcome, state.measured)}

    def measure(self, recipes: Sequence[Recipe]) -> list[Outcome]:
        """See :class:`mrp_core.exploring.Laboratory`."""
        self.asked += len(recipes)
        new = [r for r in dict.fromkeys(recipes) if r not in self.known]
        if new:
            self.known |= {o.recipe: o for o in self._measured(new)}
            self.state.measured += [_plain(self.known[r]) for r in new]
            self._report()
        return [self.known[r] for r in recipes]

    def _report(self) -> None:
        try:
            if self.context.checkpoint_due():
                self._save()
            self.context.report("search", self.asked, self.total, {})
        except (JobCancelled, JobInterrupted):
            self._save()
            raise

    def _save(self) -> None:
        self.context.save_checkpoint(self.state.step + self.asked, self.state.to_bytes(self.strategy.config.id))

    def _measured(self, recipes: list[Recipe]) -> list[Outcome]:
        """Means over seeds, tasks and adaptations; a recipe fails as a whole if it fails in one seed."""
        order = sorted(recipes, key=lambda r: (r.steps, r.lowest, math.isfinite(r.epsilon)))  # neighbours of one form are adapted together
        values = np.full((len(order), len(self.seeds), 2), np.nan)
        reasons: dict[Recipe, str] = {}
        for s, seed in enumerate(self.seeds):
            plans = {}
            for i, recipe in enumerate(order):
                try:
                    plans[i] = self.strategy.serve(recipe, seed.number)
                except ConfigError as error:
                    reasons.setdefault(recipe, str(error))
            if plans:
                values[list(plans), s] = self._values(seed, list(plans.values()))
            for i in plans:
                if not np.isfinite(values[i, s]).all():
                    reasons.setdefault(order[i], f"Its accuracy or its {self.objective.leakage} is not a number in seed {seed.number}.")
        means = dict(zip(order, values.mean(1).tolist(), strict=True))
        return [Outcome(recipe=r, utility=math.nan, leakage=math.nan, reason=reasons[r]) if r in reasons else Outcome(recipe=r, utility=means[r][0], leakage=means[r][1]) for r in recipes]

    def _values(self, seed: _Seed, plans: list[Adaptation]) -> NDArray[np.float64]:
        """Accuracy and leakage of each plan, [plans, 2]; NaN where outputs aren't finite."""
        privacy, held = self.strategy.config.privacy, seed.held
        out = evaluate(self.strategy, plans, seed.tasks, self.compute.chunk_rows)
        values = np.full((len(plans), 2), np.nan)
        known = np.array([np.isfinite(f).all() and np.isfinite(p).all() for f, p in zip(out.fresh, out.pool, strict=True)])
        if known.any():
            made = utility(privacy, out.fresh[known], held.eval_y[:, None, :], seed.number)
            values[known, 0] = made.accuracy.mean((1, 2))
            values[known, 1] = made.information.total.mean((1, 2)) if self.objective.leakage == "mi" else self._auc(seed, out.pool[known]).mean(1)
        return values

    def _auc(self, seed: _Seed, pool: NDArray[np.float64]) -> NDArray[np.float64]:
        """LiRA's AUC, [plans, tasks]."""
        phi = statistic(self.strategy.config.privacy, pool, seed.held.pool_y[:, None, :], seed.number)
        return attack_result(lira_online(phi, seed.tasks.keep, seed.tasks.twin, "pooled"), seed.tasks.keep).auc


def _validation(strategy: Strategy, seed: int, taskset: TaskSet, objective: Objective) -> _Seed:
    config = strategy.config
    held = held_out(taskset.validation, tasks=objective.tasks, shots=config.task.shots, records=config.audit.records, seed=seed)
    tasks = audit_tasks(held, adaptations=objective.adaptations, seed=seed, seen=strategy.seen[seed], like=strategy.parameters["cb0"])
    return _Seed(number=seed, held=held, tasks=tasks)


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {"recipe": outcome.recipe.to_dict(), "values": None if outcome.reason else [outcome.utility, outcome.leakage], "reason": outcome.reason}


def _outcome(raw: dict[str, Any]) -> Outcome:
    utility, leakage = raw["values"] or (math.nan, math.nan)
    return Outcome(recipe=Recipe.from_dict(raw["recipe"]), utility=utility, leakage=leakage, reason=raw["reason"])
