"""Meta-SGD as a whole: its rates exist for it alone, are trained, saved, resumed and bounded. Its mathematics is checked with the kernel's."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from mrp_core.checkpoint import TrainingState
from mrp_core.config import AuditConfig, ComputeOptions, OuterConfig, StudyConfig, TaskConfig
from mrp_core.engine import audit, train
from mrp_core.errors import JobInterrupted
from mrp_core.jobs.context import SilentContext
from mrp_core.kernel import Noise, adapt
from mrp_core.losses import cross_entropy
from mrp_core.networks import ELEMENT_RANGE, Shape, condition_features, initial, rows_of
from mrp_core.registry import plugins
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.strategy import Strategy
from mrp_core.task_membership import task_membership
from mrp_core.training import Trainer
from tests.engine.reference import case
from tests.engine.toy import Toy, toy_study

EXACT = ComputeOptions(precision="float64")
CHANGES = {"outer__learner": "meta_sgd", "outer__iterations": 20}
SHAPE = Shape(features=5, hidden=(7, 6), outputs=3, ways=3, steps=2)


def made(learner: str = "meta_sgd") -> Trainer:
    config = toy_study(**{**CHANGES, "outer__learner": learner})
    return Trainer(config, EXACT, {s: Toy().build(config.task, s) for s in config.seeds})


@pytest.fixture(scope="module")
def sgd(toy: None) -> Strategy:
    return train(toy_study(**CHANGES), EXACT)


def test_no_other_learner_has_them_and_its_other_weights_start_alike() -> None:
    plain = made("maml").fresh().parameters
    own = made().fresh().parameters
    assert set(own) - set(plain) == {f"r{k}{i}" for k in "wb" for i in range(3)}
    assert all(torch.equal(own[k], v) for k, v in plain.items())
    assert all(own[f"r{k}"].shape == own[k].shape and not own[f"r{k}"].any() for k in ("w0", "w1", "w2", "b0", "b1", "b2"))
    assert [name for name, learner in plugins("meta").items() if learner.element_rates] == ["meta_sgd"]


def test_before_training_it_adapts_as_maml_does() -> None:
    """Each factor starts at one."""
    features = condition_features(torch.tensor([0.0, 0.4], dtype=torch.float64), torch.zeros(2, dtype=torch.float64), 0.8)
    plain, own = (rows_of(initial(SHAPE, (3, 4), torch.float64, element_rates=e), SHAPE, features, 0.1, learn_rates=True) for e in (False, True))
    assert plain.weight_rates == () == plain.bias_rates
    assert all((f == 1).all() for f in (*own.weight_rates, *own.bias_rates))


@pytest.mark.parametrize("size", [0.0, 1.0, -1.0, 50.0, -50.0, 1e6, -1e6])
def test_factors_are_positive_and_bounded(size: float) -> None:
    parameters = initial(SHAPE, (0,), torch.float64, element_rates=True)
    parameters = {k: torch.full_like(v, size) if k[0] == "r" else v for k, v in parameters.items()}
    rows = rows_of(parameters, SHAPE, torch.zeros(1, 2, dtype=torch.float64), 0.1, learn_rates=True)
    for factor in (*rows.weight_rates, *rows.bias_rates):
        assert (factor > 0).all() and (factor.log().abs() <= ELEMENT_RANGE + 1e-12).all()
        assert float(factor.flatten()[0]) == pytest.approx(math.exp(ELEMENT_RANGE * math.tanh(size / ELEMENT_RANGE)))


def test_training_moves_them_for_what_adapts_and_for_nothing_else(sgd: Strategy) -> None:
    rows = {kind: sgd.adaptation(s, 0).row for kind, s in (("all", UNPROTECTED), ("head", Setting("epsilon", 3.0)))}
    moved = {kind: [bool(sgd.parameters[f"r{k}{i}"][row].any()) for i in range(3) for k in "wb"] for kind, row in rows.items()}
    assert moved == {"all": [True] * 6, "head": [False] * 4 + [True] * 2}
    assert sgd.parameters["rw2"][rows["all"]].std() > 0, "each weight has its own"


def test_saved_and_loaded_it_serves_the_same_points(sgd: Strategy) -> None:
    again = Strategy.from_bytes(sgd.to_bytes())
    assert again.parameters.keys() == sgd.parameters.keys() and all(torch.equal(again.parameters[k], v) for k, v in sgd.parameters.items())
    settings = [UNPROTECTED, Setting("epsilon", 3.0), Setting("head", 1.0)]
    a, b = ([p.to_json() for points, _ in audit(s, settings) for p in points] for s in (sgd, again))
    assert a == b
    without = dataclasses.replace(sgd, parameters={k: v for k, v in sgd.parameters.items() if k[0] != "r"})
    c = [p.to_json() for points, _ in audit(without, settings) for p in points]
    assert all(x != y for x, y in zip(a, c, strict=True)), "the control: without its rates it adapts otherwise"


def test_stopped_and_resumed_it_is_the_same() -> None:
    whole = made().run(made().fresh(), SilentContext(keep=False))
    context = SilentContext(stop_after=8)
    with pytest.raises(JobInterrupted):
        made().run(made().fresh(), context)
    state = TrainingState.from_bytes(context.checkpoints[-1][1], toy_study(**CHANGES).id, torch.device("cpu"))
    assert {"rw0", "rb2"} <= state.first.keys() == state.second.keys() == state.parameters.keys()
    end = made().run(state, SilentContext(keep=False))
    for name in ("parameters", "first", "second"):
        assert all(torch.equal(getattr(end, name)[k], v) for k, v in getattr(whole, name).items()), name


def test_rates_change_nothing_about_what_is_clipped_and_noised() -> None:
    """The step is the factor times the step of the same gradient and noise with no factors: post-processing, so that the guarantee stays."""
    own = case(steps=1, configs=1, tasks=3, noisy=True, element_rates=True)
    rows = own.problem(own.leaves()).rows
    plain = dataclasses.replace(rows, weight_rates=(), bias_rates=())
    assert isinstance(own.noise, Noise) and all(float((f.detach() - 1).abs().mean()) > 0.01 for f in rows.weight_rates)
    with torch.no_grad():
        a, b = (adapt(r, own.support_x, own.support_y, cross_entropy, steps=1, noise=own.noise) for r in (rows, plain))
    for i in range(3):
        torch.testing.assert_close(a.weights[i] - rows.weights[i], rows.weight_rates[i] * (b.weights[i] - rows.weights[i]), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(a.biases[i] - rows.biases[i], rows.bias_rates[i] * (b.biases[i] - rows.biases[i]), rtol=1e-10, atol=1e-12)


def test_many_more_steps_than_trained_stay_finite(sgd: Strategy) -> None:
    (point,) = next(iter(audit(sgd, [Setting("steps", 200.0)])))[0]
    assert all(math.isfinite(v) for v in point.values["accuracy"]) and sum(point.values["accuracy"]) / 3 > 1 / 3


def test_what_an_untrained_one_is_has_its_rates_too() -> None:
    task = TaskConfig(family="gaussian", mode="site", ways=2, shots=5, queries=10)
    config = StudyConfig(task=task, outer=OuterConfig(learner="meta_sgd", iterations=2, meta_batch=2, seeds=1, hidden=(8,)), audit=AuditConfig(tasks=2, adaptations=4, records=10))
    assert 0 <= task_membership(train(config), tasks=5, episodes=2).task.untrained.value <= 1
