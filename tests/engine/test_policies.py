"""Policies over privacy actions: both gradient estimates against the closed form, what actions do, learning on a known landscape, and a study as a whole."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.engine import run_study
from mrp_core.errors import JobInterrupted
from mrp_core.jobs.context import SilentContext
from mrp_core.policies import PARAMETERS, Ascent, antithetic_gradient, design, expected, performed, score_gradient
from mrp_core.recipes import Outcome, Recipe
from mrp_core.registry import plugin
from mrp_core.settings import Setting
from tests.engine.toy import toy_study

REINFORCE = plugin("search", "reinforce")


def budget(**outer: object) -> StudyConfig:
    return dataclasses.replace(StudyConfig(), outer=dataclasses.replace(StudyConfig().outer, search="reinforce", **outer))


# ---- gradients: for actions D θ + noise and the reward -|a - c|², both estimates have the mean -2 D'(D θ - c) ----

THETA, GOAL, PLACE = np.linspace(-0.5, 0.5, PARAMETERS), np.linspace(1.0, -1.0, 8), 0.4


def truth() -> np.ndarray:
    d = design(PLACE, 3)
    return -2.0 * d.T @ (d @ THETA - GOAL)


def reward(actions: np.ndarray) -> np.ndarray:
    return -np.square(actions - GOAL).sum(-1)


@pytest.mark.parametrize("baseline", [0.0, -5.0])
def test_the_score_gradient_is_unbiased_whatever_the_baseline(baseline: float) -> None:
    n, rng, d = 200_000, np.random.default_rng(0), design(PLACE, 3)
    deviations = 0.3 * rng.standard_normal((n, 8))
    made = score_gradient(np.broadcast_to(d, (n, *d.shape)), deviations, reward(d @ THETA + deviations) - baseline, 0.3)
    np.testing.assert_allclose(made, truth(), atol=0.25)
    assert np.abs(truth()).max() > 1


def test_a_good_baseline_lowers_the_variance() -> None:
    rng, d = np.random.default_rng(0), design(PLACE, 3)
    deviations = 0.3 * rng.standard_normal((400, 12, 8))
    spread = lambda base: np.stack([score_gradient(np.broadcast_to(d, (12, *d.shape)), x, reward(d @ THETA + x) - base, 0.3) for x in deviations]).var(0).sum()  # noqa: E731
    assert spread(float(reward(d @ THETA + deviations[0]).mean())) < 0.3 * spread(0.0)


def test_the_antithetic_gradient_is_unbiased_and_exact_along_one_direction() -> None:
    n, rng, d = 100_000, np.random.default_rng(0), design(PLACE, 3)
    directions = rng.standard_normal((n, PARAMETERS))
    sides = [reward((THETA + s * 0.2 * directions) @ d.T) for s in (1, -1)]
    np.testing.assert_allclose(antithetic_gradient(directions, *sides, 0.2), truth(), atol=0.25)
    one = antithetic_gradient(directions[:1], sides[0][:1], sides[1][:1], 0.2)
    np.testing.assert_allclose(one, directions[0] * (directions[0] @ truth()), rtol=1e-9)


def test_the_baseline_finds_a_parabola_and_takes_the_mean_of_noise() -> None:
    x = np.linspace(-1, 1, 400)
    np.testing.assert_allclose(expected(np.array([-1.0, 0.0, 1.0]), x, 1 + x - 2 * x * x), [-2.0, 1.0, 0.0], atol=0.05)
    assert expected(np.array([0.0]), np.array([0.3]), np.array([7.0]))[0] == pytest.approx(7.0)


def test_the_ascent_climbs() -> None:
    ascent = Ascent(rate=0.1)
    for _ in range(300):
        ascent.step(-2 * (ascent.parameters - THETA))
    np.testing.assert_allclose(ascent.parameters, THETA, atol=0.02)


# ---- actions ----

def test_the_features_are_lambda_and_the_step() -> None:
    d = design(0.5, 3)
    theta = np.arange(1.0, 13.0)
    by_hand = [1 + 2 * 0.5, 3 + 4 * 0.5] + [5 + 6 * 0.5 + 7 * s + 8 * s * 0.5 for s in (-1, 0, 1)] + [9 + 10 * 0.5 + 11 * s + 12 * s * 0.5 for s in (-1, 0, 1)]
    np.testing.assert_allclose(d @ theta, by_hand)
    assert np.isfinite(design(1.0, 1)).all() and design(1.0, 0).shape == (2, 12)


def test_the_start_changes_no_rate_and_shares_the_budget_equally() -> None:
    recipe = performed(StudyConfig(), design(0.0, 5) @ np.zeros(PARAMETERS))
    assert recipe.rates == (1.0, 1.0, 1.0) and recipe.shares == () and recipe.epsilon in StudyConfig().privacy.epsilons and recipe.lowest == 2


@pytest.mark.parametrize("size", [0.5, 5.0, 1e6])
def test_whatever_the_actions_they_are_a_recipe_that_was_trained(size: float) -> None:
    config, rng = StudyConfig(), np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        recipe = performed(config, size * rng.standard_normal(12))
        seen.add(math.isfinite(recipe.epsilon))
        assert recipe.steps == (3 if math.isfinite(recipe.epsilon) else 5) and 0 <= recipe.weight <= config.privacy.lambda_max
        assert all(0.125 <= r <= 8.0 for r in recipe.rates) and recipe.lowest == (2 if math.isfinite(recipe.epsilon) else 0)
        assert not recipe.shares or (len(recipe.shares) == 3 and abs(sum(recipe.shares) - 1) < 1e-9)
    assert True in seen


def test_actions_mean_what_they_say() -> None:
    config = StudyConfig()
    actions = np.array([20.0, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0, math.log(2.0), 0.0, 0.0, 0.0, 0.0])
    most = performed(config, actions)
    assert most.epsilon == min(config.privacy.epsilons) and most.rates == (2.0, 1.0, 0.5)
    np.testing.assert_allclose(most.shares, [0.5, 0.25, 0.25])
    least = performed(config, np.concatenate([[-20.0, 20.0], actions[2:]]))
    assert least.epsilon == math.inf and least.weight == config.privacy.lambda_max and least.shares == () and least.rates[:3] == (2.0, 1.0, 0.5)


# ---- learning ----

class Made:
    """A laboratory with a known landscape, which counts."""

    def __init__(self, landscape: Callable[[Recipe], tuple[float, float] | str]) -> None:
        self.landscape, self.asked = landscape, 0

    def measure(self, recipes: Sequence[Recipe]) -> list[Outcome]:
        self.asked += len(recipes)
        found = [self.landscape(r) for r in recipes]
        return [Outcome(recipe=r, utility=math.nan, leakage=math.nan, reason=f) if isinstance(f, str) else Outcome(recipe=r, utility=f[0], leakage=f[1])
                for r, f in zip(recipes, found, strict=True)]


def slow(recipe: Recipe) -> tuple[float, float]:
    """Accuracy falls with rates away from 1/2 at the first and from 2 at the last step; noise costs 0.3 of accuracy and brings the AUC to a half."""
    far = abs(math.log2(recipe.rates[0]) + 1) + abs(math.log2(recipe.rates[-1]) - 1)
    noisy = math.isfinite(recipe.epsilon)
    return 0.9 - 0.1 * far - 0.3 * noisy, 0.5 if noisy else 0.9


def rewards(note: str) -> dict[str, float]:
    parts = note.split(": ")[1].split(";")[0].split(", ")
    return {p.rpartition(" ")[0]: float(p.rpartition(" ")[2]) for p in parts}


def test_both_ways_to_learn_improve_on_the_start_with_as_many_evaluations() -> None:
    lab = Made(slow)
    made = REINFORCE.explore(budget(iterations=2000), lab)
    assert lab.asked == REINFORCE.evaluations(budget(iterations=2000)) > 1000
    found = rewards(made.note)
    assert set(found) == {"the start", "REINFORCE", "evolution strategies"}
    assert found["REINFORCE"] > found["the start"] + 0.1 and found["evolution strategies"] > found["the start"] + 0.1
    assert made.curves["reinforce"][-1][0] == made.curves["strategies"][-1][0]
    for line in made.curves.values():
        y = [v for _, v in line]
        assert np.mean(y[-5:]) > np.mean(y[:5]) + 0.02


@pytest.mark.parametrize(("landscape", "least"), [(lambda r: (0.5, 0.6), 1), (lambda r: "all break", 0), (lambda r: "it broke" if math.isfinite(r.epsilon) else (0.6, 0.7), 0)],
                         ids=["constant", "all fail", "some fail"])
def test_awkward_landscapes_end_well(landscape: Callable[[Recipe], tuple[float, float] | str], least: int) -> None:
    lab = Made(landscape)
    made = REINFORCE.explore(budget(), lab)
    assert lab.asked == REINFORCE.evaluations(budget())
    assert len(made.recipes) >= least and all(not isinstance(landscape(r), str) for r in made.recipes)
    assert all(math.isfinite(v) for line in made.curves.values() for _, v in line)


def test_a_budget_too_small_for_two_updates_explores_nothing() -> None:
    assert REINFORCE.evaluations(budget(iterations=5)) == 0 and REINFORCE.iterations(budget(iterations=5)) == 5
    assert REINFORCE.explore(budget(iterations=5), Made(slow)).recipes == ()


def test_equal_configurations_ask_for_equal_recipes() -> None:
    runs = []
    for _ in range(2):
        asked: list[Recipe] = []
        REINFORCE.explore(budget(iterations=200), Made(lambda r, asked=asked: (asked.append(r), slow(r))[1]))
        runs.append(asked)
    assert runs[0] == runs[1] and len(set(runs[0])) > len(runs[0]) / 2


# ---- a study as a whole ----

def small() -> StudyConfig:
    return toy_study(outer__search="reinforce", outer__iterations=60, outer__search_share=0.9, outer__search_points=2, audit__baselines=False, audit__tasks=2, privacy__lambda_points=2)


def test_a_study_finds_settings_and_a_stop_changes_nothing() -> None:
    whole, context = SilentContext(), SilentContext()
    run_study(small(), ComputeOptions(), whole)
    phases = [phase for phase, *_ in whole.reports]
    context.stop_after = phases.index("search") + 2
    with pytest.raises(JobInterrupted):
        run_study(small(), ComputeOptions(), context)
    context.stop_after = None
    run_study(small(), ComputeOptions(), context)
    assert context.artifacts == whole.artifacts and context.curves == whole.curves
    assert Setting("found", 1.0) in {s for s, _ in whole.points}
    assert {"validation:search:reinforce", "validation:search:strategies"} <= {name for _, name in whole.curves}
    assert len(list(itertools.takewhile(lambda p: p == "train", phases))) == REINFORCE.iterations(small())
