"""Longer fine-tuning: more steps than were meta-trained keep the last trained rate, an ε keeps its promise, and only those who ask for it measure it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from mrp_core.accounting import epsilon, noise_multiplier
from mrp_core.charts.frontier import frontier_frame
from mrp_core.charts.frontier_figure import NAMES, SYMBOLS, frontier_figure
from mrp_core.charts.palette import LIGHT
from mrp_core.config import AuditConfig, ComputeOptions, InnerConfig, StudyConfig
from mrp_core.engine import audit, live, train
from mrp_core.errors import ConfigError
from mrp_core.kernel import adapt
from mrp_core.results import summarise
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Strategy
from tests.engine.reference import adapted, case, inner_loss
from tests.engine.toy import toy_study


@pytest.mark.parametrize("changes", [{}, {"lowest": 2}, {"element_rates": True}], ids=["all layers", "head", "meta-sgd"])
def test_more_steps_than_rates_equal_a_naive_loop(changes: dict[str, object]) -> None:
    made = case(steps=2, configs=1, tasks=3, **changes)  # type: ignore[arg-type]
    leaves = made.leaves()
    problem = dataclasses.replace(made.problem(leaves), steps=7)
    assert problem.rows.rates.shape[1] == 2
    rows = problem.adapt(second_order=False)
    for b in range(3):
        loss = lambda net, x, y, b=b: inner_loss(net, x, y, float(made.weight[b]), made.privacy)  # noqa: E731
        end = adapted(made.net({k: v[0].detach().clone().requires_grad_() for k, v in leaves.items()}, b), made.support_x[b], made.support_y[b], loss, steps=7, lowest=made.lowest,
                      second_order=False)
        for i in range(3):
            torch.testing.assert_close(rows.weights[i][b], end.weights[i], rtol=1e-10, atol=1e-10)
            torch.testing.assert_close(rows.biases[i][b], end.biases[i], rtol=1e-10, atol=1e-10)


@pytest.fixture(scope="module")
def uneven(toy: None) -> Strategy:
    """Three steps under noise, two without: the held rates have a third step that no λ arm has trained."""
    return train(toy_study(privacy__dp_steps=3, outer__iterations=15), ComputeOptions(precision="float64"))


@pytest.mark.parametrize(("setting", "trained"), [(UNPROTECTED, 2), (Setting("epsilon", 3.0), 3)])
def test_the_last_trained_rate_is_kept_and_no_untrained_one_used(uneven: Strategy, setting: Setting, trained: int) -> None:
    plan, far = uneven.adaptation(setting, 0), uneven.adaptation(setting, 0, 4)
    assert (plan.steps, far.steps, far.trained) == (trained, 4 * trained, trained)
    own = dataclasses.replace(far, noise=plan.noise)  # rates depend on the noise
    rates, held = uneven.rows([plan], 2).rates, uneven.rows([own], 2).rates
    assert torch.equal(held[:, :trained], rates[:, :trained])
    assert (held[:, trained:] == rates[:, trained - 1:trained]).all()
    if trained < uneven.shape.steps:
        assert not torch.allclose(rates[:, trained:], rates[:, trained - 1:trained]), "where it matters"


def test_an_epsilon_is_kept_by_more_noise(strategy: Strategy) -> None:
    for value in (3.0, 20.0):
        plan, far = (strategy.adaptation(Setting("epsilon", value), 0, n) for n in (1, 10))
        assert plan.noise is not None and far.noise is not None and far.steps == 20
        assert far.noise == noise_multiplier(value, 20, 1e-3) > plan.noise
        for p in (plan, far):
            assert value * 0.99 < epsilon(p.noise, p.steps, 1e-3).epsilon <= value
        assert epsilon(plan.noise, far.steps, 1e-3).epsilon > 2 * value, "the noise of the shorter run would not do"
        assert far.row == plan.row
    assert strategy.adaptation(Setting("epsilon", math.inf), 0, 10).noise == 0.0
    with pytest.raises(ConfigError, match=r"^longer is 0, but must be a whole number from 1"):
        live(strategy, seed=0, task=0, draw=0, longer=0)


def test_live_adapts_both_grids_longer(strategy: Strategy) -> None:
    plain, same, far = (live(strategy, seed=0, task=0, draw=1, **more) for more in ({}, {"longer": 1}, {"longer": 5}))
    assert np.array_equal(plain.probabilities, same.probabilities) and plain.settings == far.settings
    still = [i for i, s in enumerate(plain.settings) if s.kind == "lambda" or math.isinf(s.value)]
    assert np.array_equal(plain.accuracy_0[still], far.accuracy_0[still]), "the start is the same where the noise is"
    moved = np.abs(plain.probabilities - far.probabilities).max((1, 2))
    assert (moved > 1e-6).all()


def test_longer_settings_are_measured_only_where_asked_for() -> None:
    plain = StudyConfig()
    assert settings_of(plain) == settings_of(dataclasses.replace(plain, audit=AuditConfig(longer=1)))
    assert not [s for s in settings_of(plain) if s.kind == "steps" and s.value > 5]
    asked = lambda longer, **more: [s.value for s in settings_of(StudyConfig(audit=AuditConfig(longer=longer, **more), inner=InnerConfig(steps=3))) if s.value > 3 and s.kind == "steps"]  # noqa: E731
    assert asked(2) == [6.0] and asked(4) == asked(7) == [6.0, 12.0] and asked(16) == [6.0, 12.0, 24.0, 48.0]
    assert asked(4, baselines=False) == [6.0, 12.0]
    assert plain.id == StudyConfig(audit=AuditConfig(longer=1)).id != StudyConfig(audit=AuditConfig(longer=2)).id
    assert len(settings_of(StudyConfig(audit=AuditConfig(longer=8), inner=InnerConfig(steps=0)))) == len(set(settings_of(StudyConfig(inner=InnerConfig(steps=0))))), "no step has no multiple"


def test_a_study_measures_longer_fine_tuning_and_the_chart_calls_it_so() -> None:
    config = toy_study(audit__longer=4, outer__iterations=60)
    found = summarise([p for points, _ in audit(train(config), settings_of(config)) for p in points])
    steps = {s.setting.value: s.means["lira_auc"].value for s in found if s.setting.kind == "steps"}
    assert set(steps) == {1.0, 4.0, 8.0}
    assert steps[8.0] > steps[1.0], "fitting longer tells more about members"
    frame = frontier_frame(found, config, "lira_auc")
    assert {m.key: m.kind for m in frame.marks if m.key.startswith("steps")} == {"steps=1": "steps", "steps=4": "longer", "steps=8": "longer"}
    assert set(SYMBOLS) == set(NAMES)
    assert "longer fine-tuning" in {trace.name for trace in frontier_figure(frame, LIGHT).data}


def test_rates_per_layer_and_step_are_learned_only_where_asked_for() -> None:
    """MAML++ has one rate per layer and step; without it every step of every layer has the study's rate, and the conditioning of rates never moves."""
    free, fixed = (train(toy_study(inner__learn_rates=learned, inner__rate=0.2, outer__iterations=20), ComputeOptions(precision="float64")) for learned in (True, False))
    plans = lambda s: [s.adaptation(v, 0) for v in (UNPROTECTED, Setting("lambda", 0.8))]  # noqa: E731
    assert (fixed.rows(plans(fixed), 1).rates == 0.2).all()
    rates = free.rows(plans(free), 1).rates
    assert len(rates.unique()) == rates.numel() == 2 * 2 * 3, "λ, step and layer each have their own"
    count = free.shape.steps * len(free.shape.layers)
    assert not fixed.parameters["cw1"][:, -count:].any() and not fixed.parameters["cb1"][:, -count:].any()
    assert free.parameters["cw1"][:, -count:].any()


def test_a_kernel_without_a_rate_for_each_weight_is_what_it_was() -> None:
    """All factors at one give the same step, to rounding; without factors nothing is multiplied at all."""
    made = case(steps=3, configs=1, tasks=2)
    rows = made.problem(made.leaves()).rows
    ones = dataclasses.replace(rows, weight_rates=tuple(torch.ones_like(w) for w in rows.weights), bias_rates=tuple(torch.ones_like(b) for b in rows.biases))
    loss = made.problem(made.leaves()).inner_loss
    with torch.no_grad():
        a, b = (adapt(r, made.support_x, made.support_y, loss, steps=3) for r in (rows, ones))
    assert rows.weight_rates == () and all(torch.allclose(x, y, rtol=0, atol=1e-13) for x, y in zip(a.weights, b.weights, strict=True))
