"""NSGA-II over the knobs of the adaptation, on objectives that are measured and need no gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mrp_core.exploring import Exploration, Explorer, Objective, bought, trained
from mrp_core.recipes import Outcome, Recipe, canonical, first_layer, guarantees, spread, volume
from mrp_core.registry import plugin
from mrp_core.searching import Arm, conditioned_arms

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig
    from mrp_core.exploring import Laboratory

POPULATION, FEWEST = 24, 4
RATES, TEMPERATURES = (0.05, 4.0), (0.5, 8.0)


@dataclass(frozen=True)
class Evolutionary(Explorer):
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
        return conditioned_arms(config, noise)

    def iterations(self, config: StudyConfig) -> int:
        """What the generations leave of the study's meta-iterations."""
        return trained(config, self.objective(config), self.evaluations(config))

    def objective(self, config: StudyConfig) -> Objective:
        """LiRA's AUC where the privacy loss is after an attack's success, else I(X;Ŷ)."""
        information = plugin("privacy", config.privacy.loss).lowers in ("mi", "mi_excess")
        return Objective(leakage="mi", tasks=8, adaptations=4) if information else Objective(leakage="lira_auc", tasks=8, adaptations=16)

    def evaluations(self, config: StudyConfig) -> int:
        """Generations x population; none if the budget doesn't pay for two generations of four."""
        population, generations = _sizes(bought(config, self.objective(config)))
        return population * generations

    def explore(self, config: StudyConfig, laboratory: Laboratory) -> Exploration:
        """Ask for a generation, measure it as one batch, tell it, and so on."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        objective, outcomes, curve = self.objective(config), list[Outcome](), list[tuple[float, float]]()
        population, generations = _sizes(bought(config, objective))
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
                curve.append((float(len(outcomes)), volume(config, objective.leakage, outcomes)))
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
    return {"weight": FloatDistribution(0.0, config.privacy.lambda_max), "guarantee": IntDistribution(0, len(guarantees(config)) - 1), "steps": IntDistribution(0, steps),
            "lowest": IntDistribution(first_layer(config), len(config.hidden)), "rate": FloatDistribution(*RATES, log=True), "temperature": FloatDistribution(*TEMPERATURES, log=True)}


def _recipe(config: StudyConfig, genes: dict[str, Any]) -> Recipe:
    return canonical(config, weight=genes["weight"], epsilon=guarantees(config)[genes["guarantee"]], lowest=genes["lowest"], rates=(genes["rate"],) * genes["steps"],
                     temperature=genes["temperature"])


PLUGIN = Evolutionary()
