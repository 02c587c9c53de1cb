"""Searches on measured objectives: recipes, the front they keep, NSGA-II on known landscapes, budgets, failures, and exact resume."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from mrp_core.accounting import epsilon, gaussian_epsilon, noise_multiplier
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.engine import audit, run_study, train
from mrp_core.errors import ConfigError, JobInterrupted
from mrp_core.evaluation import audit_tasks, evaluate
from mrp_core.examination import ExaminationOptions
from mrp_core.examiner import examine
from mrp_core.exploration import Bench
from mrp_core.exploring import Objective, price
from mrp_core.jobs.context import SilentContext
from mrp_core.limits import temperature_release
from mrp_core.networks import Shape, initial
from mrp_core.recipes import Outcome, Recipe, spread, volume
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Adaptation, Strategy
from mrp_core.taskdata import held_out
from mrp_core.training import Trainer
from tests.engine.toy import Toy, toy_study

EVOLUTION = plugin("search", "evolutionary")
STEP = {"weight": 0.1, "epsilon": math.inf, "lowest": 0, "rates": (1.0, 1.0)}


@functools.cache
def small() -> StudyConfig:
    """Two seeds, and two generations of at least four."""
    return toy_study(outer__search="evolutionary", outer__iterations=60, outer__seeds=2, outer__search_points=3, audit__baselines=False, audit__tasks=2, privacy__lambda_points=2)


class Made:
    """A laboratory with a known landscape, which notes what it was asked."""

    def __init__(self, landscape: Callable[[Recipe], tuple[float, float] | str]) -> None:
        self.landscape, self.asked = landscape, list[list[Recipe]]()

    def measure(self, recipes: Sequence[Recipe]) -> list[Outcome]:
        self.asked.append(list(recipes))
        found = [self.landscape(r) for r in recipes]
        return [Outcome(recipe=r, utility=math.nan, leakage=math.nan, reason=f) if isinstance(f, str) else Outcome(recipe=r, utility=f[0], leakage=f[1])
                for r, f in zip(recipes, found, strict=True)]


def trade(recipe: Recipe) -> tuple[float, float]:
    """Best at three head-only steps without noise, where λ trades leakage for accuracy along a known line: utility 0.9 - 0.5 λ, leakage 1 - λ."""
    off = 0.1 * abs(recipe.steps - 3) + 0.1 * (recipe.lowest != 2) + 0.1 * math.isfinite(recipe.epsilon) + 0.1 * abs(math.log(recipe.temperature))
    return 0.9 - 0.5 * recipe.weight - off, 1.0 - recipe.weight + off


# ---- recipes ----

@pytest.mark.parametrize("change", [{"weight": math.nan}, {"weight": -1.0}, {"epsilon": 0.0}, {"epsilon": math.nan}, {"rates": (1.0, math.inf)}, {"rates": (-1.0, 1.0)}, {"temperature": 0.0},
                                    {"temperature": math.nan}, {"shares": (0.5,)}, {"shares": (0.5, 0.6)}, {"shares": (0.0, 1.0)}, {"lowest": -1}])
def test_what_is_no_recipe_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="is not one"):
        Recipe(**{**STEP, **change})


def test_a_recipe_comes_back_from_json_and_has_words() -> None:
    noisy = Recipe(weight=0.0, epsilon=3.0, lowest=2, rates=(1.0, 0.5), shares=(0.25, 0.75), temperature=2.0)
    for recipe in (Recipe(**STEP), noisy):
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict(), allow_nan=False))) == recipe
    assert Recipe(**STEP).words(3) == "λ 0.1, 2 steps, all layers"
    assert noisy.words(3) == "ε 3, 2 steps, head, rates × 1 / 0.5, budget 25 / 75 %, T 2"
    assert Recipe(weight=0.3, epsilon=math.inf, lowest=1, rates=(0.5,)).words(3) == "λ 0.3, 1 step, layers from 2, rate × 0.5"
    assert Recipe(weight=0.0, epsilon=math.inf, lowest=2, rates=()).words(3) == "λ 0, 0 steps"


# ---- the front ----

def outcomes(points: Sequence[tuple[float, float]]) -> list[Outcome]:
    return [Outcome(recipe=dataclasses.replace(Recipe(**STEP), weight=float(i)), utility=u, leakage=x) for i, (u, x) in enumerate(points)]


def test_the_front_is_what_nothing_beats_from_accurate_to_private() -> None:
    rng = np.random.default_rng(0)
    points = [(float(u), float(x)) for u, x in rng.integers(0, 12, (60, 2)) / 12]
    beaten = lambda p: any(q[0] >= p[0] and q[1] <= p[1] and q != p for q in points)  # noqa: E731
    naive = sorted({p for p in points if not beaten(p)}, reverse=True)
    kept = [points[int(r.weight)] for r in spread(outcomes(points), 99)]
    assert kept == naive and 1 < len(kept) < len(set(points))
    assert all(points.index(points[int(r.weight)]) == int(r.weight) for r in spread(outcomes(points), 99)), "of equal ones the first"


def test_a_long_front_is_thinned_evenly_and_keeps_its_ends() -> None:
    crowded = [*np.linspace(0, 0.1, 80), *np.linspace(0.11, 1, 10)]
    kept = [r.weight for r in spread(outcomes([(float(v), float(v)) for v in crowded]), 5)]
    values = [float(crowded[int(i)]) for i in kept]
    assert values == sorted(values, reverse=True) and values[0] == 1.0 and values[-1] == 0.0
    np.testing.assert_allclose(np.diff(values), -0.25, atol=0.06)


def test_failures_are_never_on_the_front() -> None:
    bad = Outcome(recipe=Recipe(**STEP), utility=math.nan, leakage=math.nan, reason="it broke")
    assert spread([bad], 5) == () and spread([], 5) == ()
    assert len(spread([bad, *outcomes([(0.5, 0.5)])], 5)) == 1
    assert volume(small(), "mi", [bad]) == 0.0


# ---- NSGA-II ----

def budget(iterations: int = 600) -> StudyConfig:
    return dataclasses.replace(StudyConfig(), outer=dataclasses.replace(StudyConfig().outer, search="evolutionary", iterations=iterations))


def test_it_comes_nearer_to_the_best_line_than_the_same_number_of_random_recipes() -> None:
    lab = Made(trade)
    made = EVOLUTION.explore(budget(), lab)
    asked = list(itertools.chain(*lab.asked))
    assert len(asked) == EVOLUTION.evaluations(budget()) > 300
    first = next(iter(lab.asked))
    size = lambda recipes: volume(budget(), "mi", Made(trade).measure(recipes))  # noqa: E731
    assert size(asked) > size(first) + 0.02
    rng = np.random.default_rng(0)
    drawn = [Recipe(weight=float(rng.uniform(0, 0.8)), epsilon=rng.choice([math.inf, *budget().privacy.epsilons]), lowest=int(rng.integers(3)),
                    rates=(1.0,) * int(rng.integers(6)), temperature=float(np.exp(rng.uniform(math.log(0.5), math.log(8))))) for _ in asked]
    assert size(asked) > size(drawn)
    assert [r.steps for r in made.recipes] == [3] * len(made.recipes) and {r.lowest for r in made.recipes} == {2}
    assert 2 <= len(made.recipes) <= 12 and [r.weight for r in made.recipes] == sorted(r.weight for r in made.recipes)
    curve = [y for _, y in made.curves["front"]]
    assert curve == sorted(curve), "what is found is never lost"


def test_equal_configurations_ask_for_equal_recipes_and_other_seeds_for_others() -> None:
    asked = []
    for seed in (0, 0, 1):
        lab = Made(trade)
        EVOLUTION.explore(dataclasses.replace(budget(100), outer=dataclasses.replace(budget(100).outer, first_seed=seed)), lab)
        asked.append(lab.asked)
    assert asked[0] == asked[1] != asked[2]


def test_a_constant_objective_is_no_trap() -> None:
    flat = EVOLUTION.explore(budget(), Made(lambda r: (0.5, 0.3)))
    assert len(flat.recipes) == 1, "equal outcomes are one point"
    sided = EVOLUTION.explore(budget(), Made(lambda r: (0.5, trade(r)[1])))
    assert len(sided.recipes) == 1, "with one constant objective the best in the other is the front"


def test_a_population_of_duplicates_goes_on() -> None:
    """Nothing to choose: no steps, no noise, one λ in effect."""
    config = dataclasses.replace(budget(), inner=dataclasses.replace(budget().inner, steps=0), privacy=dataclasses.replace(budget().privacy, mechanism="none", lambda_max=0.01))
    lab = Made(lambda r: (0.5 + r.weight, 0.3))
    made = EVOLUTION.explore(config, lab)
    assert all(r.steps == 0 and r.epsilon == math.inf and r.lowest == 2 for batch in lab.asked for r in batch)
    assert len(made.recipes) == 1 and len(lab.asked) > 5


def test_failed_candidates_are_left_out_and_the_search_goes_on() -> None:
    lab = Made(lambda r: "it broke" if r.steps == 3 else trade(r))
    made = EVOLUTION.explore(budget(), lab)
    assert sum(len(b) for b in lab.asked) == EVOLUTION.evaluations(budget())
    assert made.recipes and all(r.steps != 3 for r in made.recipes)
    assert EVOLUTION.explore(budget(), Made(lambda r: "all break")).recipes == ()


def test_a_budget_too_small_for_two_generations_explores_nothing() -> None:
    lab = Made(trade)
    assert EVOLUTION.evaluations(budget(3)) == 0 and EVOLUTION.iterations(budget(3)) == 3
    assert EVOLUTION.explore(budget(3), lab).recipes == () and lab.asked == []


def test_recipes_are_canonical_and_within_what_was_trained() -> None:
    config, lab = budget(), Made(trade)
    EVOLUTION.explore(config, lab)
    for r in itertools.chain(*lab.asked):
        assert not (math.isfinite(r.epsilon) and r.weight) and r.weight <= config.privacy.lambda_max
        assert r.steps <= (config.privacy.dp_steps if math.isfinite(r.epsilon) else config.inner.steps)
        assert r.steps or (r.epsilon == math.inf and r.lowest == 2)
        assert r.epsilon in (math.inf, *config.privacy.epsilons)


def test_an_evaluation_of_the_standard_study_costs_what_is_said() -> None:
    """Counted by hand: 8 tasks of 25 support, 50 pool and 100 fresh records; an iteration is 8 tasks x 12 x (5 x 25 + 75), the noisy arm 0.6 of it."""
    for leakage, adaptations, words in (("mi", 4, 0.5), ("lira_auc", 16, 2.0)):
        by_hand = 8 * adaptations * (3 * 5 * 25 + 50 + 100) / (8 * 12 * (5 * 25 + 75) * 1.6)
        standard = dataclasses.replace(StudyConfig(), audit=dataclasses.replace(StudyConfig().audit, records=20))
        assert price(standard, Objective(leakage=leakage, tasks=8, adaptations=adaptations)) == pytest.approx(by_hand)
        assert by_hand == pytest.approx(words, rel=0.15)


# ---- what the kernel makes of a recipe ----

@pytest.fixture(scope="module")
def blank() -> Strategy:
    """Untrained, so the conditioning has no effect and only the plan decides."""
    made = Trainer(small(), ComputeOptions(precision="float64"), {s: Toy().build(small().task, s) for s in small().seeds})
    shape = Shape(features=6, hidden=(8, 7), outputs=3, ways=3, steps=2)
    return Strategy(config=small(), shape=shape, parameters=initial(shape, [0], torch.float64), arms=made.arms[:1], levels=((0.0,),), choice=((0,),), seen={0: (), 1: ()})


def logits(strategy: Strategy, plan: Adaptation) -> tuple[np.ndarray, np.ndarray]:
    held = held_out(Toy().build(small().task, 0).validation, tasks=2, shots=3, records=4, seed=0)
    out = evaluate(strategy, [plan], audit_tasks(held, adaptations=4, seed=0, seen=(), like=strategy.parameters["cb0"]))
    return out.fresh[0], out.pool[0]


PLAN = Adaptation(row=0, weight=0.0, noise=None, steps=2, lowest=0, rate_factor=1.0, trained=2)


def test_paces_scale_each_step(blank: Strategy) -> None:
    half = logits(blank, dataclasses.replace(PLAN, rate_factor=0.5))
    np.testing.assert_array_equal(logits(blank, dataclasses.replace(PLAN, paces=(0.5, 0.5)))[0], half[0])
    np.testing.assert_array_equal(logits(blank, dataclasses.replace(PLAN, paces=(1.0, 0.0)))[0], logits(blank, dataclasses.replace(PLAN, steps=1))[0])
    assert not np.array_equal(half[0], logits(blank, PLAN)[0])


def test_noise_scales_multiply_the_noise_of_each_step(blank: Strategy) -> None:
    noisy = dataclasses.replace(PLAN, noise=0.7)
    np.testing.assert_allclose(logits(blank, dataclasses.replace(noisy, noise_scales=(2.0, 2.0)))[0], logits(blank, dataclasses.replace(noisy, noise=1.4))[0], rtol=1e-12)
    np.testing.assert_array_equal(logits(blank, dataclasses.replace(noisy, noise_scales=(1.0, 1.0)))[0], logits(blank, noisy)[0])
    silent = logits(blank, dataclasses.replace(noisy, noise_scales=(0.0, 0.0)))[0]
    np.testing.assert_array_equal(silent, logits(blank, dataclasses.replace(noisy, noise=0.0))[0])
    last = logits(blank, dataclasses.replace(noisy, noise_scales=(0.0, 3.0)))[0]
    assert not np.array_equal(last, silent) and not np.array_equal(last, logits(blank, dataclasses.replace(noisy, noise_scales=(3.0, 0.0)))[0])


def test_a_temperature_is_applied_after_the_adaptation(blank: Strategy) -> None:
    for warm, plain in zip(logits(blank, dataclasses.replace(PLAN, temperature=2.5)), logits(blank, PLAN), strict=True):
        np.testing.assert_array_equal(warm, plain / 2.5)
        p = np.exp(warm) / np.exp(warm).sum(-1, keepdims=True)
        np.testing.assert_allclose(p, temperature_release(plain, 2.5), rtol=1e-12)


@pytest.mark.parametrize("shares", [(), (0.5, 0.5), (0.9, 0.1)])
def test_the_guarantee_of_unequal_steps_is_that_of_the_recipe(shares: tuple[float, ...]) -> None:
    """Mutual privacy parameters of Gaussian steps add in squares; the noise used must compose to the recipe's own ε, by the closed form."""
    strategy = train(dataclasses.replace(small(), outer=dataclasses.replace(small().outer, iterations=1)))
    plan = strategy.serve(Recipe(weight=0.0, epsilon=3.0, lowest=2, rates=(1.0, 1.0), shares=shares), 0)
    assert plan.noise is not None
    scales = plan.noise_scales or (1.0, 1.0)
    mu = math.sqrt(sum(1 / (plan.noise * s) ** 2 for s in scales))
    exact = gaussian_epsilon(mu, small().privacy.delta)
    assert exact == pytest.approx(epsilon(noise_multiplier(3.0, 2, small().privacy.delta), 2, small().privacy.delta).epsilon, rel=1e-4) and exact <= 3.0 + 1e-9


# ---- a study as a whole ----

@pytest.fixture(scope="module")
def whole() -> SilentContext:
    context = SilentContext()
    run_study(small(), ComputeOptions(), context)
    return context


def test_what_is_found_is_measured_like_any_setting_and_says_what_it_is(whole: SilentContext) -> None:
    strategy = Strategy.from_bytes(whole.artifacts["strategy.safetensors"])
    filled = [Setting("found", float(i + 1)) for i in range(len(strategy.found))]
    assert filled and {s for s, _ in whole.points} == {s for s in settings_of(small()) if s.kind != "found"} | set(filled)
    for setting in filled:
        for seed in small().seeds:
            point = whole.points[setting, seed]
            recipe = strategy.recipe(setting)
            assert point.notes["setting"] == recipe.words(3) and np.isfinite(point.values["accuracy"]).all()
            assert ("epsilon" in point.values) == math.isfinite(recipe.epsilon)
    curve = whole.curves[None, "validation:search:front"]
    assert curve.x[-1] <= small().outer.iterations and curve.note == f"{len(filled)} of 3 places for settings were filled."


def test_a_setting_is_the_same_plan_in_every_seed_and_an_empty_one_says_so(whole: SilentContext) -> None:
    strategy = Strategy.from_bytes(whole.artifacts["strategy.safetensors"])
    for i in range(len(strategy.found)):
        a, b = (dataclasses.replace(strategy.adaptation(Setting("found", i + 1.0), seed), row=0) for seed in small().seeds)
        assert a == b
    for value in (0.0, 0.5, len(strategy.found) + 1.0, 99.0):
        assert not strategy.offers(Setting("found", value))
        with pytest.raises(ConfigError, match=r"is empty: the search found"):
            strategy.adaptation(Setting("found", value), 0)


def test_a_point_found_equals_the_same_plan_by_its_own_name() -> None:
    """The unprotected recipe, put into a slot by hand, measures what λ = 0 measures."""
    strategy = train(toy_study())
    plain = Recipe(weight=0.0, epsilon=math.inf, lowest=0, rates=(1.0, 1.0))
    strategy = dataclasses.replace(strategy, found=(plain,))
    (a, _), (b, _) = audit(strategy, [UNPROTECTED, Setting("found", 1.0)])
    assert a[0].to_dict()["values"] == b[0].to_dict()["values"] and b[0].notes["setting"] == "λ 0, 2 steps, all layers"


def test_an_examination_of_a_noisy_one_shows_its_guarantee() -> None:
    noisy = Recipe(weight=0.0, epsilon=3.0, lowest=2, rates=(1.0, 1.0))
    strategy = dataclasses.replace(train(dataclasses.replace(small(), outer=dataclasses.replace(small().outer, iterations=1))), found=(noisy, Recipe(**STEP)))
    bounds = [examine(strategy, Setting("found", i), ExaminationOptions(adaptations=8)).epsilon.upper for i in (1.0, 2.0)]
    assert bounds[0] == 3.0 and math.isnan(bounds[1])


@pytest.mark.parametrize("stop", [pytest.param(30, marks=pytest.mark.slow), 43, 44, pytest.param(46, marks=pytest.mark.slow)])
def test_a_search_stopped_anywhere_goes_on_to_the_same_points(whole: SilentContext, stop: int) -> None:
    """In the training, in the first generation and in the second, and in the audit; without measuring again what was measured."""
    context = SilentContext(stop_after=stop)
    with pytest.raises(JobInterrupted):
        run_study(small(), ComputeOptions(), context)
    context.stop_after = None
    run_study(small(), ComputeOptions(), context)
    assert context.artifacts["strategy.safetensors"] == whole.artifacts["strategy.safetensors"]
    assert {k: p.to_json() for k, p in context.points.items()} == {k: p.to_json() for k, p in whole.points.items()}
    assert context.curves == whole.curves
    searched = [step for phase, step, *_ in context.reports if phase == "search"]
    assert len(searched) == len(set(searched))


def test_the_bench_measures_once_keeps_failures_and_repeats_itself(whole: SilentContext) -> None:
    strategy = Strategy.from_bytes(whole.artifacts["strategy.safetensors"])
    sets = {s: Toy().build(small().task, s) for s in small().seeds}
    state = Trainer(small(), ComputeOptions(), sets).fresh()
    bench = lambda: Bench(EVOLUTION, strategy, state, sets, ComputeOptions(), SilentContext(keep=False))  # noqa: E731
    good, wild, far = Recipe(**STEP), Recipe(**{**STEP, "rates": (1e30, 1e30)}), Recipe(**{**STEP, "weight": 50.0})
    found = bench().measure([good, wild, good, far])
    assert found[0] == found[2] and not found[0].reason and 0 < found[0].utility < 1
    assert "not a number in seed" in found[1].reason and math.isnan(found[1].utility)
    assert "not trained for lambda=50" in found[3].reason
    assert len(state.measured) == 3
    again = bench().measure([good, wild, far])
    assert [repr(o) for o in again] == [repr(found[i]) for i in (0, 1, 3)] and len(state.measured) == 3
    state.measured.clear()
    assert bench().measure([far, good])[1] == found[0], "whatever is measured beside it"


def test_a_membership_loss_is_searched_on_the_attack_itself() -> None:
    config = toy_study(outer__search="evolutionary", outer__iterations=40, outer__search_share=0.9, privacy__loss="membership_mi", task__shots=4)
    assert EVOLUTION.objective(config).leakage == "lira_auc" and EVOLUTION.evaluations(config) > 0
    strategy = train(config)
    assert strategy.found
