"""Subsampled steps, the tasks of meta-training and the cost of choosing, against finer grids, exact forms and the library itself."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from dp_accounting import NeighboringRelation, dp_event
from dp_accounting.pld import privacy_loss_distribution
from dp_accounting.rdp import rdp_privacy_accountant
from hypothesis import given, settings
from hypothesis import strategies as st

from mrp_core import guarantees
from mrp_core.accounting import epsilon, epsilon_rdp, gaussian_epsilon, gaussian_noise_multiplier, noise_multiplier
from mrp_core.config import OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.errors import ConfigError
from mrp_core.guarantees import sampling_rate, selection_guarantee, subsampled_epsilon, subsampled_epsilon_rdp, task_guarantee
from mrp_core.knobs import knobs_of

# (noise multiplier, sampling, steps, delta)
TABLE = [
    (0.25, 1.0, 3, 1e-3), (0.3, 1.0, 1, 1e-5), (1.8, 1.0, 3, 1e-3), (20.0, 1.0, 20, 1e-6), (100.0, 1.0, 14_000, 1e-5),
    (0.3, 0.001, 1000, 1e-6), (0.5, 0.01, 100, 1e-5), (1.0, 0.01, 14_000, 1e-5), (4.0, 8 / 15, 600, 1e-3), (10.0, 8 / 60, 3600, 1e-3),
]


def distribution(sigma: float, sampling: float, steps: int, delta: float, *, interval: float, upper: bool) -> float:
    """Epsilon of the composed privacy loss distribution, rounded up or down on a grid; with ``upper`` by connecting dots, without by buckets."""
    one = privacy_loss_distribution.from_gaussian_mechanism(sigma, sampling_prob=sampling, value_discretization_interval=interval, pessimistic_estimate=upper, use_connect_dots=upper)
    return float(one.self_compose(steps).get_epsilon_for_delta(delta))


@pytest.mark.parametrize(("sigma", "sampling", "steps", "delta"), TABLE)
def test_what_is_published_is_never_below_the_truth_and_within_two_percent(sigma: float, sampling: float, steps: int, delta: float) -> None:
    found = subsampled_epsilon(sigma, sampling, steps, delta)
    assert found.accountant == "PLD" and found.sampling == sampling
    if sampling == 1.0:
        exact = gaussian_epsilon(math.sqrt(steps) / sigma, delta)
    else:
        interval = found.epsilon / 50_000
        exact = distribution(sigma, sampling, steps, delta, interval=interval, upper=True)
        assert found.epsilon >= distribution(sigma, sampling, steps, delta, interval=interval, upper=False)
    assert exact * (1 - 1e-5) <= found.epsilon <= 1.02 * exact
    quick = subsampled_epsilon_rdp(sigma, sampling, steps, delta)
    assert quick.accountant == "RDP" and found.epsilon < quick.epsilon < 1.35 * found.epsilon


def test_renyi_under_sampling_is_the_moment_by_quadrature() -> None:
    """E[(1 - q + q e^loss)^order] under the noise alone (Abadi et al. 2016; Mironov, Talwar & Zhang 2019), at MNIST's usual size."""
    sigma, q, steps, delta = 1.1, 256 / 60_000, 14_000, 1e-5
    best = math.inf
    z = np.linspace(-60, 90, 1_500_001)
    base = -z * z / (2 * sigma**2) - math.log(sigma * math.sqrt(2 * math.pi))
    ratio = np.log1p(q * np.expm1((2 * z - 1) / (2 * sigma**2)))
    for order in range(2, 33):
        moment = math.log(float(np.exp(base + order * ratio).sum() * (z[1] - z[0]))) / (order - 1)
        best = min(best, steps * moment + math.log1p(-1 / order) - math.log(delta * order) / (order - 1))
    assert subsampled_epsilon_rdp(sigma, q, steps, delta).epsilon == pytest.approx(best, rel=2e-2)
    assert subsampled_epsilon(sigma, q, steps, delta).epsilon < best


def test_sampling_helps_and_everyone_in_every_step_is_the_plain_composition() -> None:
    values = [subsampled_epsilon(2.0, q, 50, 1e-4).epsilon for q in (0.01, 0.1, 0.5, 1.0)]
    assert values == sorted(values) and values[-1] == epsilon(2.0, 50, 1e-4).epsilon
    assert subsampled_epsilon(0.0, 0.1, 5, 1e-4).epsilon == math.inf and subsampled_epsilon(1.0, 0.1, 0, 1e-4).epsilon == 0.0


@pytest.mark.parametrize("failure", [ValueError("no"), MemoryError("no"), math.nan, math.inf, -1.0, 1e9])
def test_where_the_distribution_fails_renyi_is_published_and_named(failure: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: float) -> float:
        if isinstance(failure, Exception):
            raise failure
        assert isinstance(failure, float)
        return failure

    subsampled_epsilon.cache_clear()
    monkeypatch.setattr(guarantees, "_subsampled_pld", broken)
    found = subsampled_epsilon(1.0, 0.1, 10, 1e-4)
    subsampled_epsilon.cache_clear()
    assert found == subsampled_epsilon_rdp(1.0, 0.1, 10, 1e-4) and found.accountant == "RDP"


@pytest.mark.parametrize("sigma", [1e-4, 1e-100, 1e-150, 1e-200, 5e-324])
def test_noise_so_small_that_the_accountant_overflows_falls_back_and_says_so(sigma: float) -> None:
    for found in (epsilon(sigma, 3, 1e-3), subsampled_epsilon(sigma, 0.1, 3, 1e-3)):
        assert found.accountant == "RDP" and found.epsilon > 1e7


def test_choosing_among_one_costs_nothing_and_among_more_costs_more() -> None:
    sigma = noise_multiplier(3.0, 3, 1e-3)
    costs = [selection_guarantee(sigma, 3, 1e-3, n).epsilon for n in (1, 2, 3, 10, 50, 200)]
    assert costs[0] == epsilon_rdp(sigma, 3, 1e-3).epsilon
    assert all(a < b for a, b in itertools.pairwise(costs))
    # a random number of tries is cheaper than to release all of them, for many tries by far
    assert costs[3] < gaussian_epsilon(math.sqrt(10 * 3) / sigma, 1e-3) and costs[4] < 0.25 * gaussian_epsilon(math.sqrt(50 * 3) / sigma, 1e-3)
    assert selection_guarantee(2 * sigma, 3, 1e-3, 10).epsilon < costs[3]
    assert selection_guarantee(0.0, 3, 1e-3, 10).epsilon == math.inf


@pytest.mark.parametrize("candidates", [2, 10, 50])
def test_the_cost_of_choosing_is_the_library_s_and_the_paper_s(candidates: int) -> None:
    sigma, steps, delta = 1.8, 3, 1e-3
    accountant = rdp_privacy_accountant.RdpAccountant()
    accountant.compose(dp_event.RepeatAndSelectDpEvent(dp_event.SelfComposedDpEvent(dp_event.GaussianDpEvent(sigma), steps), candidates, 1.0))
    found = selection_guarantee(sigma, steps, delta, candidates).epsilon
    assert found == pytest.approx(accountant.get_epsilon(delta), rel=1e-12)
    # Papernot & Steinke 2022, theorem 2, eta = 1 and gamma = 1 / n, with the RDP a rho of K Gaussian steps; converted as in proposition 12 of Canonne et al. 2020
    rho = steps / (2 * sigma**2)
    orders = np.concatenate([np.linspace(1.01, 12, 2000), np.linspace(12, 400, 2000)])
    second = min(float((1 - 1 / a) * a * rho + math.log(candidates) / a) for a in orders)
    selected = orders * rho + 2 * second + math.log(candidates) / (orders - 1)
    direct = float(np.min(selected + np.log1p(-1 / orders) - np.log(delta * orders) / (orders - 1)))
    assert found == pytest.approx(direct, rel=5e-3)


SITE = StudyConfig(task=TaskConfig(family="gaussian", mode="site", ways=2), privacy=PrivacyConfig(task_noise=8.0), outer=OuterConfig(iterations=50, seeds=2))


def changed(**privacy: object) -> StudyConfig:
    return dataclasses.replace(SITE, privacy=dataclasses.replace(SITE.privacy, **privacy))


def test_the_guarantee_of_a_training_task_covers_all_arms_and_seeds() -> None:
    found = task_guarantee(SITE)
    # 60 clients, 8 of them a step; a seed's two arms (λ and ε) share their sample; two seeds of 50 iterations each
    assert found == subsampled_epsilon(8.0 / math.sqrt(2), 8 / 60, 100, 1e-3)
    assert found.accountant == "PLD" and found.epsilon == pytest.approx(distribution(8.0 / math.sqrt(2), 8 / 60, 100, 1e-3, interval=1e-4, upper=True), rel=5e-3)
    one_arm = task_guarantee(changed(mechanism="none"))
    assert one_arm == subsampled_epsilon(8.0, 8 / 60, 100, 1e-3) and one_arm.epsilon < found.epsilon
    assert task_guarantee(changed(task_noise=0.0)).epsilon == math.inf
    still = dataclasses.replace(SITE, outer=dataclasses.replace(SITE.outer, learner="from_scratch"))
    assert task_guarantee(still).epsilon == 0.0


def test_a_sweep_has_an_arm_for_each_setting() -> None:
    sweep = dataclasses.replace(SITE, outer=dataclasses.replace(SITE.outer, search="lambda_sweep"), privacy=dataclasses.replace(SITE.privacy, lambda_points=3, epsilons=(1.0, 3.0)))
    # 3 λ, two ε and no noise: six arms of 50 // 3 iterations
    assert task_guarantee(sweep) == subsampled_epsilon(8.0 / math.sqrt(6), 8 / 60, 2 * 16, 1e-3)


@pytest.mark.parametrize("task", [TaskConfig(), TaskConfig(family="digits", mode="pairs", ways=2), TaskConfig(family="medical", mode="site_target", ways=2, queries=7)])
def test_tasks_that_share_classes_or_records_get_no_guarantee(task: TaskConfig) -> None:
    with pytest.raises(ConfigError, match=r"^task_noise is 1, but tasks of the mode '\w+' share classes or records, .* or set task_noise to 0\.$"):
        StudyConfig(task=task, privacy=PrivacyConfig(task_noise=1.0))
    assert StudyConfig(task=task).privacy.task_noise == 0.0


def test_knobs_of_protection_leave_a_study_that_does_not_turn_them_as_it_was() -> None:
    new = ("learn_clip", "learn_noise_split", "task_noise", "task_clip", "task_delta")
    content = StudyConfig().to_dict()
    for name in new:
        del content["privacy"][name]
    assert StudyConfig.from_dict(content).id == StudyConfig().id
    assert len({c.id for c in (SITE, changed(learn_clip=True), changed(learn_noise_split=True), changed(task_clip=2.0), changed(task_delta=1e-4))}) == 5


def test_sampling_rate_is_at_most_one() -> None:
    assert sampling_rate(60, 8) == 8 / 60 and sampling_rate(5, 8) == 1.0


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 100), st.integers(1, 20), st.sampled_from([1e-2, 1e-5]))
def test_the_noise_in_a_text_is_the_noise_that_is_added(target: float, steps: int, delta: float) -> None:
    assert gaussian_noise_multiplier(target, steps, delta) == pytest.approx(noise_multiplier(target, steps, delta), rel=1e-3)


@pytest.mark.parametrize("call", [
    lambda: subsampled_epsilon(1.0, 0.0, 3, 1e-3),
    lambda: subsampled_epsilon(1.0, 1.5, 3, 1e-3),
    lambda: subsampled_epsilon(1.0, math.nan, 3, 1e-3),
    lambda: subsampled_epsilon(-1.0, 0.5, 3, 1e-3),
    lambda: subsampled_epsilon(1.0, 0.5, 3, 0.0),
    lambda: selection_guarantee(1.0, 3, 1e-3, 0),
    lambda: selection_guarantee(1.0, 3, 1e-3, 2.5),  # type: ignore[arg-type]
    lambda: gaussian_noise_multiplier(0.0, 3, 1e-3),
    lambda: gaussian_noise_multiplier(math.nan, 3, 1e-3),
    lambda: gaussian_noise_multiplier(-1.0, 3, 1e-3),
])
def test_bad_input_is_refused(call: object) -> None:
    with pytest.raises(ConfigError):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(("name", "value"), [("clip", 0.0), ("clip", math.nan), ("delta", 0.0), ("delta", 1.0), ("epsilons", (0.0,)), ("epsilons", (-1.0,)), ("task_noise", -1.0),
                                             ("task_clip", 0.0), ("task_delta", 1.0), ("learn_clip", 1)])
def test_a_knob_out_of_range_is_one_sentence(name: str, value: object) -> None:
    assert name in knobs_of(PrivacyConfig)
    with pytest.raises(ConfigError, match=rf"^{name} is .*, but must .*\.$"):
        PrivacyConfig(**{name: value})  # type: ignore[arg-type]


def test_neighbours_replace_a_task_by_nothing_or_add_it_alike() -> None:
    pairs = [privacy_loss_distribution.from_gaussian_mechanism(2.0, sampling_prob=0.1, value_discretization_interval=1e-3, neighboring_relation=relation).get_epsilon_for_delta(1e-3)
             for relation in (NeighboringRelation.ADD_OR_REMOVE_ONE, NeighboringRelation.REPLACE_SPECIAL)]
    assert pairs[0] == pytest.approx(pairs[1], rel=1e-9)
