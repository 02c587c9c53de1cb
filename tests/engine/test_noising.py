"""The learned clipping norm and noise split: the guarantee is the accountant's, the start is what it was, and the meta-gradient is right."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mrp_core.accounting import epsilon, gaussian_epsilon, noise_multiplier
from mrp_core.config import ComputeOptions, PrivacyConfig
from mrp_core.engine import audit, train
from mrp_core.errors import CheckpointError
from mrp_core.evaluation import audit_tasks, evaluate, study_tasks
from mrp_core.kernel import adapt
from mrp_core.losses import cross_entropy
from mrp_core.networks import Parameters, condition_features
from mrp_core.noising import RANGE, learned_clip, learned_shares, noise_of, noise_parameters
from mrp_core.registry import plugin
from mrp_core.settings import Setting
from mrp_core.strategy import Strategy
from mrp_core.training import Trainer
from tests.engine.reference import LAMBDA_MAX, Case, adapted, case
from tests.engine.test_training import trained, trainer
from tests.engine.toy import toy_study

LEARNED = PrivacyConfig(learn_clip=True, learn_noise_split=True, clip=0.4, dp_steps=2)
BOTH = {"privacy__learn_clip": True, "privacy__learn_noise_split": True}


def noisy_case(size: float = 0.7, lowest: int = 2) -> tuple[Case, Parameters]:
    """A noisy case with parameters of its noise that are far from their start."""
    made = case(lowest=lowest, noisy=True, steps=2, configs=2, tasks=3)
    g = torch.Generator().manual_seed(5)
    extra = noise_parameters(LEARNED, made.parameters["cb0"])
    made.parameters |= {k: size * torch.randn(v.shape, generator=g, dtype=v.dtype) for k, v in extra.items()}
    return made, made.leaves()


def learned(made: Case, leaves: Parameters, privacy: PrivacyConfig = LEARNED) -> Case:
    """The case under the noise that its parameters say."""
    assert made.noise is not None
    tasks = len(made.weight) // len(leaves["cb0"])
    rows = {k: v.repeat_interleave(tasks, 0) for k, v in leaves.items()}
    noise = noise_of(privacy, rows, condition_features(made.weight, made.sigma, LAMBDA_MAX), made.sigma, made.noise.draws)
    return dataclasses.replace(made, noise=noise)


@given(st.integers(1, 8), st.floats(0.05, 20), st.floats(0, 50), st.integers(0, 10_000))
def test_the_split_composes_to_the_accountant_s_guarantee(steps: int, sigma: float, size: float, seed: int) -> None:
    """Whatever the parameters: shares are positive with sum 1, and sum_k 1 / sigma_k^2 is K / sigma^2."""
    privacy = PrivacyConfig(learn_noise_split=True, dp_steps=steps)
    g = torch.Generator().manual_seed(seed)
    parameters = {"cw0": torch.randn(3, 32, 2, generator=g, dtype=torch.float64), "cb0": torch.randn(3, 32, generator=g, dtype=torch.float64)}
    parameters |= {k: size * torch.randn(v.shape, generator=g, dtype=torch.float64) for k, v in noise_parameters(privacy, parameters["cb0"]).items()}
    features, multiplier = torch.rand(3, 2, generator=g, dtype=torch.float64), torch.full((3,), sigma, dtype=torch.float64)
    shares = learned_shares(parameters, features)
    assert (shares > 0).all() and torch.allclose(shares.sum(-1), torch.ones(3, dtype=torch.float64), rtol=1e-13)
    noise = noise_of(privacy, parameters, features, multiplier, ())
    assert noise.stretch is not None
    mu = (1 / (multiplier[:, None] * noise.stretch).square()).sum(-1).sqrt()
    torch.testing.assert_close(mu, torch.full_like(mu, math.sqrt(steps) / sigma), rtol=1e-12, atol=0)


def test_the_split_s_epsilon_is_the_published_one() -> None:
    made, leaves = noisy_case()
    sigma = noise_multiplier(3.0, 2, 1e-3)
    noise = learned(dataclasses.replace(made, sigma=torch.full_like(made.sigma, sigma)), leaves).noise
    assert noise is not None and noise.stretch is not None
    assert noise.stretch.max() > 1.05 > 0.95 > noise.stretch.min(), "a split that is even would test nothing"
    for mine in noise.stretch.detach():
        exact = gaussian_epsilon(math.sqrt(sum(1 / (sigma * s) ** 2 for s in mine.tolist())), 1e-3)
        assert exact <= epsilon(sigma, 2, 1e-3).epsilon <= 3.0


def test_the_noise_of_each_step_is_that_of_its_share() -> None:
    """Against a step-by-step reference with its own norm and noise, through both steps."""
    made, leaves = noisy_case(lowest=0)
    own = learned(made, leaves)
    assert own.noise is not None and own.noise.stretch is not None and isinstance(own.noise.clip, Tensor)
    rows = own.problem(leaves).adapt(second_order=False)
    for b in range(len(made.weight)):
        net = made.net({k: v[b // 3].detach().clone().requires_grad_() for k, v in leaves.items()}, b)
        loss = lambda n, x, y: cross_entropy(n(x).unsqueeze(0), y.unsqueeze(0))[0]  # noqa: E731
        draws = [None if d is None else d[b] * own.noise.stretch[b].detach()[:, None, None] for d in own.noise.draws]
        end = adapted(net, made.support_x[b], made.support_y[b], loss, steps=2, lowest=0, second_order=False, clip=own.noise.clip[b].item(), sigma=float(made.sigma[b]), draws=draws)
        for i in range(len(made.shape.layers)):
            torch.testing.assert_close(rows.weights[i][b], end.weights[i], rtol=1e-9, atol=1e-10)
            torch.testing.assert_close(rows.biases[i][b], end.biases[i], rtol=1e-9, atol=1e-10)


@given(st.data())
def test_one_record_moves_the_sum_by_at_most_the_learned_norm(data: st.DataObject) -> None:
    """The sensitivity under a norm of each row's own; without noise, rates of 1 read the sum of the clipped gradients off the weights."""
    made, leaves = noisy_case(size=data.draw(st.sampled_from([0.0, 1.0, 30.0])), lowest=0)
    own = learned(dataclasses.replace(made, sigma=torch.zeros_like(made.sigma)), leaves)
    assert own.noise is not None and isinstance(own.noise.clip, Tensor)
    g = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    n = data.draw(st.integers(2, 6))
    x = data.draw(st.sampled_from([0.1, 1.0, 1e3])) * torch.randn(6, n, 5, generator=g, dtype=torch.float64)
    y = torch.randint(0, 3, (6, n), generator=g)
    with torch.no_grad():
        start = own.problem(leaves).rows
        start = dataclasses.replace(start, rates=torch.ones_like(start.rates))
        ends = [adapt(start, a, b, cross_entropy, steps=1, noise=own.noise) for a, b in ((x, y), (x[:, 1:], y[:, 1:]))]
    sums = [torch.cat([(w0 - w1).flatten(1) * m for w0, w1 in zip((*start.weights, *start.biases), (*end.weights, *end.biases), strict=True)], 1) for end, m in zip(ends, (n, n - 1), strict=True)]
    moved = (sums[0] - sums[1]).norm(dim=1)
    assert (moved <= own.noise.clip.detach() * (1 + 1e-9) + 1e-10).all()
    low, high = 0.4 * math.exp(-RANGE), 0.4 * math.exp(RANGE)
    assert (own.noise.clip >= low * (1 - 1e-12)).all() and (own.noise.clip <= high * (1 + 1e-12)).all()


@pytest.mark.parametrize("lowest", [0, 2])
@pytest.mark.parametrize("learner", ["maml", "fomaml"])
def test_meta_gradients_of_norm_and_split_against_finite_differences(learner: str, lowest: int) -> None:
    """Second order exactly; first order holds the inner gradients constant, so it is checked where that is no approximation: in the last step."""
    made, leaves = noisy_case(lowest=lowest)
    if learner == "fomaml":
        made = dataclasses.replace(made, steps=1)
    total: Callable[[Parameters], Tensor] = lambda p: plugin("meta", learner).outer(learned(made, p).problem(p)).total.sum()  # noqa: E731
    names = [k for k in leaves if k.startswith(("clip", "split"))]
    found = dict(zip(names, torch.autograd.grad(total(leaves), [leaves[k] for k in names]), strict=True))
    g = torch.Generator().manual_seed(3)
    for key in names:
        assert found[key].abs().max() > 1e-6, key
        way, h = torch.randn(leaves[key].shape, generator=g, dtype=torch.float64), 1e-6
        up, down = (total({**leaves, key: (leaves[key].detach() + s * h * way).requires_grad_()}).item() for s in (1, -1))
        assert (up - down) / (2 * h) == pytest.approx(float((found[key] * way).sum()), rel=2e-6, abs=1e-8), key


def test_untrained_knobs_start_at_the_norm_itself_and_equal_noise() -> None:
    """Turned on but untrained, the adaptation is the one without the knobs, to rounding; off, it is that to the bit, and there is nothing to learn."""
    made, _ = noisy_case()
    assert noise_parameters(PrivacyConfig(), made.parameters["cb0"]) == {} == noise_parameters(dataclasses.replace(LEARNED, mechanism="none"), made.parameters["cb0"])
    made.parameters |= noise_parameters(LEARNED, made.parameters["cb0"])
    leaves = made.leaves()
    on, off = learned(made, leaves), learned(made, leaves, dataclasses.replace(LEARNED, learn_clip=False, learn_noise_split=False))
    assert off.noise is not None and off.noise.clip == 0.4 and off.noise.stretch is None
    for a, b in zip(on.problem(leaves).adapt(second_order=False).weights, off.problem(leaves).adapt(second_order=False).weights, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-14, atol=1e-14)
    assert all(torch.equal(a, b) for a, b in zip(off.problem(leaves).adapt(second_order=False).weights, made.problem(leaves).adapt(second_order=False).weights, strict=True))


def test_pairs_repeat_the_learned_noise_row_by_row() -> None:
    made, leaves = noisy_case()
    noise = learned(made, leaves).noise
    assert noise is not None and isinstance(noise.clip, Tensor) and noise.stretch is not None
    many = noise.repeat(3)
    assert isinstance(many.clip, Tensor) and many.stretch is not None
    assert torch.equal(many.clip[3:6], noise.clip[1].expand(3)) and torch.equal(many.stretch[3:6], noise.stretch[1].expand(3, -1))


def test_only_studies_that_turn_the_knobs_have_more_to_learn() -> None:
    plain, more = trainer(toy_study()).fresh(), trainer(toy_study(**BOTH)).fresh()
    assert set(more.parameters) - set(plain.parameters) == {"clip_w", "clip_b", "split_w", "split_b"}
    assert all(torch.equal(v, more.parameters[k]) for k, v in plain.parameters.items())
    assert set(trainer(toy_study(privacy__mechanism="none", **BOTH)).fresh().parameters) == set(plain.parameters)


@pytest.mark.parametrize("changes", [{}, {"privacy__loss": "membership_mi"}, {"outer__search": "lambda_sweep"}, {"privacy__dp_adapts": "all"}], ids=["conditioned", "pairs", "sweep", "all layers"])
def test_training_moves_them_in_the_arms_under_noise_alone(changes: dict[str, Any]) -> None:
    made: Trainer = trainer(toy_study(outer__iterations=12, **BOTH, **changes))
    state = trained(made)
    for a, arm in enumerate(made.arms):
        for key in ("clip_b", "split_b"):
            moved = bool(state.parameters[key][a].abs().max() > 0)
            assert moved == (arm.kind == "epsilon" and (key == "clip_b" or arm.levels[-1] > 0)), (arm, key)


@pytest.fixture(scope="module")
def strategy(toy: None) -> Strategy:
    return train(toy_study(outer__iterations=20, outer__rate=0.05, privacy__epsilons=(1.0, 3.0, 20.0), **BOTH), ComputeOptions(precision="float64"))


def test_one_conditioned_strategy_serves_every_epsilon_with_a_norm_and_split_of_its_own(strategy: Strategy) -> None:
    config = strategy.config
    plans = [strategy.adaptation(Setting("epsilon", e), 0) for e in (1.0, 2.0, 3.0, 20.0, math.inf)]
    noise = strategy.noise(plans, 2, ())
    assert isinstance(noise.clip, Tensor) and noise.stretch is not None and noise.clip.shape == (10,)
    assert len(set(noise.clip.tolist())) == 5 and len({tuple(s) for s in noise.stretch.tolist()}) == 5
    held = study_tasks(config, 0)
    out = evaluate(strategy, plans, audit_tasks(held, adaptations=4, seed=0, seen=(), like=strategy.parameters["cb0"]))
    assert all(torch.isfinite(torch.from_numpy(a)).all() for a in (out.pool, out.fresh))
    points = [p for found, _ in audit(strategy, [Setting("epsilon", 3.0)]) for p in found]
    assert points and all(0 <= v <= 1 for p in points for v in p.values["accuracy"])


def test_norm_and_split_do_not_see_the_support_records(strategy: Strategy) -> None:
    """They are functions of parameters and noise level: nothing of a task is among their arguments, and they are the same for every task."""
    plan = strategy.adaptation(Setting("epsilon", 3.0), 0)
    a, b = strategy.noise([plan], 1, ()), strategy.noise([plan], 1, ())
    assert torch.equal(torch.as_tensor(a.clip), torch.as_tensor(b.clip))
    features = condition_features(torch.zeros(1, dtype=torch.float64), torch.tensor([plan.noise], dtype=torch.float64), strategy.config.privacy.lambda_max)
    row = {k: v[plan.row:plan.row + 1] for k, v in strategy.parameters.items()}
    assert torch.equal(torch.as_tensor(a.clip), learned_clip(row, features, strategy.config.privacy.clip))


def test_a_strategy_keeps_them_on_disk_and_one_without_them_is_damaged(strategy: Strategy) -> None:
    again = Strategy.from_bytes(strategy.to_bytes())
    assert torch.equal(again.parameters["split_w"], strategy.parameters["split_w"])
    less = dataclasses.replace(strategy, parameters={k: v for k, v in strategy.parameters.items() if k != "clip_w"})
    with pytest.raises(CheckpointError, match="damaged"):
        Strategy.from_bytes(less.to_bytes())


@pytest.mark.parametrize(("steps", "scales"), [(2, ()), (1, ()), (3, ()), (2, (0.8, 1.5118578920369088)), (1, (1.0,))])
def test_the_noise_of_any_plan_composes_to_the_guarantee_of_its_multiplier(strategy: Strategy, steps: int, scales: tuple[float, ...]) -> None:
    """As many steps as were trained, fewer or more, and with shares that a search found: 1 / sigma_k^2 adds up to K / sigma^2, whatever split was learned."""
    moved = dataclasses.replace(strategy, parameters={k: v + 0.5 * torch.randn(v.shape, generator=torch.Generator().manual_seed(3), dtype=v.dtype) if k.startswith("split") else v
                                                      for k, v in strategy.parameters.items()})
    plan = dataclasses.replace(moved.adaptation(Setting("epsilon", 3.0), moved.config.seeds[0]), steps=steps, noise_scales=scales)
    noise = moved.noise([plan], 2, ())
    stretch = torch.ones(2, steps, dtype=torch.float64) if noise.stretch is None else noise.stretch
    assert stretch.shape == (2, steps)
    torch.testing.assert_close(stretch.double().pow(-2).sum(1), torch.full((2,), float(steps), dtype=torch.float64), rtol=1e-5, atol=1e-5)
    assert (noise.stretch is None) == (steps != 2 and not scales)
