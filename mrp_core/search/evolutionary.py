"""NSGA-II over the knobs of the adaptation, on objectives that are measured and need no gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mrp_core.exploring import Exploration, Outcome, Recipe, bought, spread, trained, volume
from mrp_core.registry import plugin
from mrp_core.searching import Arm

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig
    from mrp_core.exploring import Laboratory

POPULATION, FEWEST = 24, 4
RATES, TEMPERATURES = (0.05, 4.0), (0.5, 8.0)


@dataclass(frozen=True)
class Evolutionary:
    """Deb et al. (2002), by optuna's NSGA-II, asked and told a generation at a time.

    A conditioned strategy is trained with a share of the budget; the rest buys generations of recipes (λ or ε, steps, adapting layers, rate, temperature),
    each measured on the validation tasks of all seeds. A recipe that can't be measured is told as failed: it has no offspring, and its generation is filled up.
    """

    name: str = "evolutionary"
    title: str = "Evolution (NSGA-II)"
    summary: str = "Trains one conditioned strategy, then breeds ways to adapt it by their measured accuracy and leakage."
    order: int = 20
    explores: bool = True

    def arms(self, config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
        """An arm over all λ, and one over all noise multipliers, for each seed."""
        lambdas = [Arm(kind="lambda", seed=s, levels=(0.0, config.privacy.lambda_max)) for s in config.seeds]
        return tuple(lambdas + ([Arm(kind="epsilon", seed=s, levels=noise) for s in config.seeds] if noise else []))

    def iterations(self, config: StudyConfig) -> int:
        """What the generations leave of the study's meta-iterations."""
        return trained(config, self.leakage(config), self.evaluations(config))

    def leakage(self, config: StudyConfig) -> str:
        """LiRA's AUC where the privacy loss is after an attack's success, else I(X;Ŷ)."""
        return "mi" if plugin("privacy", config.privacy.loss).lowers in ("mi", "mi_excess") else "lira_auc"

    def evaluations(self, config: StudyConfig) -> int:
        """Generations x population; none if the budget doesn't pay for two generations of four."""
        population, generations = _sizes(bought(config, self.leakage(config)))
        return population * generations

    def explore(self, config: StudyConfig, laboratory: Laboratory) -> Exploration:
        """Ask for a generation, measure it as one batch, tell it, and so on."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        metric, outcomes, curve = self.leakage(config), list[Outcome](), list[tuple[float, float]]()
        population, generations = _sizes(bought(config, metric))
        if generations:
            sampler = optuna.samplers.NSGAIISampler(population_size=population, seed=config.outer.first_seed)
            study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
            genes = _genes(config)
            for _ in range(generations):
                trials = [study.ask(genes) for _ in range(population)]
                found = laboratory.measure([_recipe(config, t.params) for t in trials])
                for trial, o in zip(trials, found, strict=True):
                    study.tell(trial, None if o.reason else [o.utility, o.leakage], state=optuna.trial.TrialState.FAIL if o.reason else None)
                outcomes += found
                curve.append((float(len(outcomes)), volume(config, metric, outcomes)))
        return Exploration(recipes=spread(outcomes, config.outer.search_points), curves={"front": tuple(curve)})


def _sizes(evaluations: int) -> tuple[int, int]:
    """Population and generations: about as many generations as a population has members, up to 24."""
    population = min(POPULATION, max(FEWEST, math.isqrt(evaluations)))
    generations = evaluations // population
    return (population, generations) if generations >= 2 else (population, 0)


def _genes(config: StudyConfig) -> dict[str, Any]:
    from optuna.distributions import FloatDistribution, IntDistribution

    noisy = config.privacy.mechanism != "none"
    steps = max(config.inner.steps, config.privacy.dp_steps if noisy else 0)
    return {"weight": FloatDistribution(0.0, config.privacy.lambda_max), "guarantee": IntDistribution(0, len(_guarantees(config)) - 1), "steps": IntDistribution(0, steps),
            "lowest": IntDistribution(_lowest(config), len(config.outer.hidden)), "rate": FloatDistribution(*RATES, log=True), "temperature": FloatDistribution(*TEMPERATURES, log=True)}


def _guarantees(config: StudyConfig) -> tuple[float, ...]:
    return (math.inf, *sorted(set(config.privacy.epsilons), reverse=True)) if config.privacy.mechanism != "none" else (math.inf,)


def _lowest(config: StudyConfig) -> int:
    return len(config.outer.hidden) if plugin("meta", config.outer.learner).head_only or config.inner.adapts == "head" else 0


def _recipe(config: StudyConfig, genes: dict[str, Any]) -> Recipe:
    """What the genes say, in one form: genes without an effect (λ under noise, the rate of no step) are set to what they stand for."""
    short = lambda value: float(f"{value:.3g}")  # noqa: E731
    epsilon = _guarantees(config)[genes["guarantee"]]
    steps = min(genes["steps"], config.privacy.dp_steps if math.isfinite(epsilon) else config.inner.steps)
    epsilon = epsilon if steps else math.inf
    return Recipe(weight=0.0 if math.isfinite(epsilon) else min(short(genes["weight"]), config.privacy.lambda_max), epsilon=epsilon, lowest=genes["lowest"] if steps else len(config.outer.hidden),
                  rates=(short(genes["rate"]),) * steps, temperature=short(genes["temperature"]))


PLUGIN = Evolutionary()
