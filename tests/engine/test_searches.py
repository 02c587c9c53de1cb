"""Searches that join the two losses in another way than by their sum: values, gradients, controls, and what a training must keep to."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchjd.aggregation import MGDA, MGDAWeighting, UPGradWeighting
from torchjd.linalg import QuadprogProjector

from mrp_core.aggregating import PairProjector, aggregated, coefficients
from mrp_core.checkpoint import TrainingState
from mrp_core.config import ComputeOptions, OuterConfig, StudyConfig
from mrp_core.cost import work
from mrp_core.engine import audit, train
from mrp_core.errors import ConfigError, JobInterrupted
from mrp_core.jobs.context import SilentContext
from mrp_core.registry import plugin
from mrp_core.search.chebyshev import AUGMENTATION, TEMPERATURE
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Strategy
from mrp_core.training import BLOCK, Trainer
from tests.engine.reference import case
from tests.engine.toy import Toy, toy_study

EXACT = ComputeOptions(precision="float64")
NEW: list[dict[str, Any]] = [{"outer__search": "chebyshev"}, {"outer__search": "multi_gradient"}, {"outer__search": "multi_gradient", "outer__aggregator": "mgda"}]
each_new = pytest.mark.parametrize("changes", NEW, ids=["chebyshev", "upgrad", "mgda"])


def trainer(compute: ComputeOptions = EXACT, **changes: Any) -> Trainer:
    config = toy_study(**changes)
    return Trainer(config, compute, {s: Toy().build(config.task, s) for s in config.seeds})


def trained(made: Trainer, state: TrainingState | None = None, context: SilentContext | None = None) -> TrainingState:
    return made.run(state or made.fresh(), context or SilentContext(keep=False))


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# ---- Chebyshev ----

def chebyshev(task: float, leak: float, weight: float) -> float:
    """The formula once more, in plain numbers."""
    f = (task, weight * leak)
    inside = sum(s / (1 + weight) * math.exp(v / TEMPERATURE) for s, v in zip((1.0, weight), f, strict=True))
    return (TEMPERATURE * math.log(inside) + AUGMENTATION * sum(f)) / (1 + AUGMENTATION)


def test_chebyshev_follows_its_formula_and_stays_near_the_true_maximum() -> None:
    g = np.random.default_rng(0)
    task, leak, weight = g.uniform(0, 2, (3, 200))
    made = plugin("search", "chebyshev").total(torch.from_numpy(task), torch.from_numpy(leak), torch.from_numpy(weight)).numpy()
    np.testing.assert_allclose(made, [chebyshev(*values) for values in zip(task, leak, weight, strict=True)], rtol=1e-12)
    exact = (np.maximum(task, weight * leak) + AUGMENTATION * (task + weight * leak)) / (1 + AUGMENTATION)
    slack = TEMPERATURE * np.log((1 + weight) / np.minimum(1, weight)) / (1 + AUGMENTATION)
    assert (made <= exact + 1e-12).all() and (made >= exact - slack - 1e-12).all()


def test_chebyshev_lowers_the_worse_objective_and_a_sum_doesnt() -> None:
    task, leak, weight = column(0.9, 0.2).requires_grad_(), column(0.2, 0.9).requires_grad_(), column(1.0, 1.0)
    slopes = lambda name: torch.stack(torch.autograd.grad(plugin("search", name).total(task, leak, weight).sum(), (task, leak)), -1)  # noqa: E731
    made = slopes("chebyshev")
    assert made[0, 0] > 0.9 and made[0, 1] < 0.06 and made[1, 1] > 0.9 and made[1, 0] < 0.06
    assert torch.equal(slopes("conditioned"), torch.ones(2, 2, dtype=torch.float64))


def test_the_gradient_of_chebyshev_agrees_with_finite_differences() -> None:
    """By itself, and through the inner loop for a weight of the network."""
    total = plugin("search", "chebyshev").total
    torch.autograd.gradcheck(lambda a, b: total(a, b, column(0.0, 0.4, 3.0)), (column(0.3, 0.2, 0.6).requires_grad_(), column(0.1, 0.55, 0.2).requires_grad_()), atol=1e-7)
    made, learner = case(), plugin("meta", "maml")
    leaves = made.leaves()
    value = lambda p: learner.outer(dataclasses.replace(made.problem(p), join=total)).total.sum()  # noqa: E731
    (found,) = torch.autograd.grad(value(leaves), leaves["w1"])
    for at in ((0, 0, 0), (1, 2, 1)):
        ends = []
        for step in (1e-6, -1e-6):
            moved = {k: v.detach().clone() for k, v in leaves.items()}
            moved["w1"][at] += step
            ends.append(float(value({k: v.requires_grad_() for k, v in moved.items()}).detach()))
        assert float(found[at]) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-8)


# ---- joined gradients ----

def jacobians(count: int, columns: int = 7, seed: int = 0) -> Tensor:
    return torch.randn(count, 2, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * column(1.0, 3.0).view(1, 2, 1)


def joined(jacobian: Tensor, weights: list[float], aggregator: str) -> Tensor:
    """Directions [C, n] of Jacobians [C, 2, n], by the function that the training calls; two parameters of different shapes."""
    c, _, n = jacobian.shape
    parts = [{"b": j[:, :3], "a": j[:, 3:].reshape(c, n - 3, 1)} for j in jacobian.unbind(1)]
    made = aggregated(*parts, weights, aggregator)
    return torch.cat([made["b"], made["a"].reshape(c, -1)], 1)


def test_upgrad_equals_the_library_with_its_own_solver() -> None:
    weights = [0.05, 0.3, 1.0, 4.0] * 25
    jacobian = jacobians(100)
    assert ((jacobian[:, 0] * jacobian[:, 1]).sum(1) < 0).sum() > 30, "many conflicts among them"
    made = joined(jacobian, weights, "upgrad")
    for row, matrix, weight in zip(made, jacobian, weights, strict=True):
        preference = column(1.0, weight) / (1.0 + weight)
        shares = UPGradWeighting(preference, projector=QuadprogProjector(reg_eps=1e-12))(matrix @ matrix.T)
        torch.testing.assert_close(row, shares @ matrix, rtol=1e-6, atol=1e-8)


def test_the_projection_of_a_small_conflict_is_no_other_than_of_a_large_one() -> None:
    """Scaled to a squared norm below 1e-4, at which the library's own projector sees no conflict."""
    g = jacobians(20, seed=3)[6]
    gram = g @ g.T
    gram[0, 1] = gram[1, 0] = -0.5 * gram[0, 0]
    made = [PairProjector()(torch.eye(2, dtype=torch.float64), scale * gram) for scale in (1.0, 1e-9)]
    torch.testing.assert_close(made[0], made[1])
    assert made[0][0, 1] > 0


def test_mgda_equals_the_library() -> None:
    jacobian = jacobians(100, seed=1)
    made = joined(jacobian, [1.0] * 100, "mgda")
    for row, matrix in zip(made, jacobian, strict=True):
        torch.testing.assert_close(row, MGDA()(matrix), rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(coefficients((matrix @ matrix.T)[None], [1.0], "mgda")[0], MGDAWeighting()(matrix @ matrix.T), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("aggregator", ["upgrad", "mgda"])
def test_a_step_raises_neither_objective_and_a_plain_sum_would(aggregator: str) -> None:
    jacobian = jacobians(300, seed=2)
    rise = lambda direction: -(jacobian * direction.unsqueeze(1)).sum(-1)  # noqa: E731
    assert (rise(joined(jacobian, [0.5] * 300, aggregator)) <= 1e-9).all()
    assert (rise(jacobian.mean(1)) > 0.1).any(), "the control"


@pytest.mark.parametrize("aggregator", ["upgrad", "mgda"])
def test_equal_gradients_join_to_themselves_and_opposite_ones_to_rest(aggregator: str) -> None:
    g = jacobians(5)[:, 0]
    weights = [0.1, 0.5, 1.0, 2.0, 9.0]
    torch.testing.assert_close(joined(torch.stack([g, g], 1), weights, aggregator), g, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(joined(torch.stack([g, -2.5 * g], 1), weights, aggregator), torch.zeros_like(g), rtol=0, atol=1e-9)
    assert torch.isfinite(joined(torch.stack([g, 0.0 * g], 1), weights, aggregator)).all()


@pytest.mark.parametrize("aggregator", ["upgrad", "mgda"])
def test_without_a_weight_the_tasks_gradient_is_taken_and_a_nan_stays_in_its_arm(aggregator: str) -> None:
    jacobian = jacobians(3)
    assert torch.equal(joined(jacobian, [0.0] * 3, aggregator), jacobian[:, 0])
    broken = jacobian.clone()
    broken[1, 1, 0] = torch.nan
    made = joined(broken, [0.5] * 3, aggregator)
    assert torch.isnan(made[1]).all()
    assert torch.equal(made[[0, 2]], joined(jacobian, [0.5] * 3, aggregator)[[0, 2]])


def test_only_upgrad_listens_to_the_preference() -> None:
    jacobian = jacobians(1).expand(2, -1, -1)
    upgrad, mgda = (joined(jacobian, [0.1, 2.0], name) for name in ("upgrad", "mgda"))
    assert not torch.allclose(upgrad[0], upgrad[1]) and torch.equal(mgda[0], mgda[1])


def test_the_two_gradients_of_a_chunk_are_those_of_the_two_losses() -> None:
    """Added with λ they are the gradient of a sweep's arm, in the same episodes."""
    state, found = None, {}
    for name in ("lambda_sweep", "multi_gradient"):
        made = trainer(outer__search=name, privacy__mechanism="none")
        state = state or made.fresh()
        (chunk,) = made.chunks(made.config.outer.meta_batch)
        found[name] = made._gradient(chunk, state, made._draws(0))
        weights = column(*[a.levels[0] for a in made.arms])
    assert torch.equal(found["lambda_sweep"][1], found["multi_gradient"][1])
    (total,), (task, privacy) = found["lambda_sweep"][0], found["multi_gradient"][0]
    for key, value in total.items():
        torch.testing.assert_close(task[key] + weights.view(-1, *[1] * (value.dim() - 1)) * privacy[key], value, rtol=1e-9, atol=1e-12)
    assert any(g.abs().max() > 1e-6 for g in privacy.values())


@pytest.mark.parametrize("learner", ["reptile", "joint_then_finetune", "fomaml"])
@pytest.mark.parametrize("loss", ["output_mi", "membership_mi"])
def test_joined_gradients_train_with_every_kind_of_learner(learner: str, loss: str) -> None:
    """Also where a learner adds to the losses, and where a leakage has no gradient since nothing was adapted on."""
    state = trained(trainer(outer__search="multi_gradient", outer__learner=learner, privacy__loss=loss, outer__iterations=6))
    assert state.alive.all() and all(torch.isfinite(v).all() for v in state.parameters.values())


# ---- trainings ----

@each_new
def test_a_resumed_training_equals_an_undisturbed_one_bit_for_bit(changes: dict[str, Any]) -> None:
    single = changes["outer__search"] == "multi_gradient"
    made = {"outer__iterations": (BLOCK + 3) * (3 if single else 1), "outer__meta_batch": 2, **changes}
    whole = trained(trainer(**made))
    context = SilentContext(stop_after=BLOCK + 1)
    with pytest.raises(JobInterrupted):
        trained(trainer(**made), context=context)
    state = TrainingState.from_bytes(context.checkpoints[-1][1], toy_study(**made).id, torch.device("cpu"))
    assert 0 < state.step < whole.step == BLOCK + 3
    end = trained(trainer(**made), state)
    for name in ("parameters", "first", "second"):
        assert all(torch.equal(getattr(end, name)[k], v) for k, v in getattr(whole, name).items()), name
    assert all(torch.equal(b[k], v) for (_, a), (_, b) in zip(whole.snapshots, end.snapshots, strict=True) for k, v in a.items())


@each_new
@pytest.mark.parametrize("loss", ["output_mi", "membership_mi"])
def test_chunks_do_not_change_the_training(changes: dict[str, Any], loss: str) -> None:
    states = [trained(trainer(dataclasses.replace(EXACT, chunk_rows=rows), outer__seeds=2, outer__iterations=6, privacy__loss=loss, **changes)) for rows in (1, 7, 1000)]
    for state in states[1:]:
        for key, value in state.parameters.items():
            torch.testing.assert_close(value, states[0].parameters[key], rtol=1e-9, atol=1e-10)


@each_new
def test_a_diverged_arm_is_frozen_and_the_others_go_on(changes: dict[str, Any]) -> None:
    made = trainer(outer__seeds=2, outer__iterations=15, **changes)
    state, plain = made.fresh(), made.fresh()
    state.parameters["w1"][1, 0, 0] = torch.nan
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            made.iterate(state, pool)
            made.iterate(plain, pool)
    others = [a for a in range(len(made.arms)) if a != 1]
    assert state.alive.tolist() == [a != 1 for a in range(len(made.arms))]
    assert all(torch.equal(v[others], plain.parameters[k][others]) for k, v in state.parameters.items())


def test_the_unprotected_arm_of_joined_gradients_is_that_of_a_sweep() -> None:
    sweep, joint = (trained(trainer(outer__search=name, outer__iterations=12)) for name in ("lambda_sweep", "multi_gradient"))
    arms = trainer(outer__search="multi_gradient").arms
    same = [all(torch.equal(v[a], joint.parameters[k][a]) for k, v in sweep.parameters.items()) for a in range(len(arms))]
    assert same == [arm.kind == "epsilon" or arm.levels == (0.0,) for arm in arms]


@each_new
def test_what_was_trained_is_served_saved_and_audited(changes: dict[str, Any]) -> None:
    config = toy_study(outer__iterations=9, audit__baselines=False, **changes)
    strategy = train(config, ComputeOptions())
    again = Strategy.from_bytes(strategy.to_bytes())
    assert again.config == config and again.arms == strategy.arms and again.choice == strategy.choice
    settings = settings_of(config)
    for found in zip(audit(strategy, settings), audit(again, settings), strict=True):
        points = [made[0] for made in found]
        assert [p.to_json() for p in points[0]] == [p.to_json() for p in points[1]]
        assert all(np.isfinite(p.values["accuracy"]).all() for p in points[0])
    between = Setting("lambda", 0.123)
    if changes["outer__search"] == "chebyshev":
        assert strategy.adaptation(between, 0).weight == 0.123
    else:
        assert len({strategy.adaptation(Setting("lambda", v), 0).row for v in config.lambdas}) == len(config.lambdas)
        with pytest.raises(ConfigError, match=r"not trained for lambda=0\.123"):
            strategy.adaptation(between, 0)
    assert strategy.adaptation(UNPROTECTED, 0).weight == 0.0


def test_a_second_gradient_is_counted_as_work_and_the_aggregator_has_two_names() -> None:
    cost = lambda search: work(StudyConfig(outer=OuterConfig(search=search)))  # noqa: E731
    assert cost("multi_gradient") > 1.2 * cost("lambda_sweep") == 1.2 * cost("chebyshev")
    with pytest.raises(ConfigError, match="aggregator is 'sum', but must be one of: upgrad, mgda"):
        OuterConfig(aggregator="sum")
    assert StudyConfig(outer=OuterConfig(aggregator="upgrad")).id == StudyConfig().id != StudyConfig(outer=OuterConfig(aggregator="mgda")).id
