"""The batched inner loop and its meta-gradients against the unbatched reference, finite differences, and what differential privacy rests on."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mrp_core.kernel import Noise, adapt, clip_factors, deltas, outputs
from mrp_core.losses import cross_entropy
from mrp_core.networks import Parameters, Rows
from mrp_core.passing import forward, released
from mrp_core.registry import plugin
from tests.engine.reference import LAMBDA_MAX, Case, Net, adapted, case, inner_loss, leak, margin, membership_information, outer_task

TIGHT = {"rtol": 1e-10, "atol": 1e-10}
CASES = {
    "all layers": {},
    "one hidden layer": {"hidden": (6,)},
    "three hidden layers": {"hidden": (6, 5, 4), "steps": 2},
    "head only": {"lowest": 2},
    "learned marginal": {"privacy": "kl_marginal"},
    "confidence penalty": {"privacy": "kl_uniform", "steps": 1},
    "contrastive bound": {"privacy": "club"},
    "bottleneck": {"privacy": "information_bottleneck", "steps": 2},
    "head under noise": {"lowest": 2, "noisy": True, "steps": 2},
    "all layers under noise": {"noisy": True, "steps": 2, "configs": 2, "tasks": 2},
    "a rate for each weight": {"element_rates": True},
    "a rate for each weight, head under noise": {"element_rates": True, "lowest": 2, "noisy": True, "steps": 2},
    "a rate for each weight under noise": {"element_rates": True, "noisy": True, "steps": 2, "configs": 2, "tasks": 2},
}


def singles(leaves: Parameters, c: int) -> Parameters:
    return {k: v[c].detach().clone().requires_grad_() for k, v in leaves.items()}


def reference_outer(made: Case, net: Net, b: int, second_order: bool) -> Tensor:
    end = made.adapt(net, b, second_order)
    logits = end(made.query_x[b])
    return outer_task(logits, made.query_y[b]) + made.weight[b] * leak(made.privacy, logits, end.marginal)


@pytest.mark.parametrize("name", CASES)
def test_adapted_weights_equal_the_reference(name: str) -> None:
    made = case(**CASES[name])
    leaves = made.leaves()
    rows = made.problem(leaves).adapt(second_order=True)
    quick = made.problem(leaves).adapt(second_order=False)
    tasks = len(made.weight) // len(leaves["cb0"])
    for b in range(len(made.weight)):
        end = made.adapt(made.net(singles(leaves, b // tasks), b), b, False)
        for i in range(len(made.shape.layers)):
            torch.testing.assert_close(rows.weights[i][b], end.weights[i], **TIGHT)
            torch.testing.assert_close(rows.biases[i][b], end.biases[i], **TIGHT)
            torch.testing.assert_close(quick.weights[i][b], end.weights[i], **TIGHT)
        torch.testing.assert_close(outputs(rows, made.query_x)[b], end(made.query_x[b]), **TIGHT)


@pytest.mark.parametrize("learner", ["maml", "fomaml"])
@pytest.mark.parametrize("name", CASES)
def test_meta_gradients_equal_the_reference(name: str, learner: str) -> None:
    """Second order through steps, conditioning, rates, release, clipping and noise; first order with constant inner gradients."""
    made = case(**CASES[name])
    leaves = made.leaves()
    loss = plugin("meta", learner).outer(made.problem(leaves))
    found = torch.autograd.grad(loss.total.sum(), list(leaves.values()), allow_unused=True)
    tasks = len(made.weight) // len(leaves["cb0"])
    for c in range(len(leaves["cb0"])):
        own = singles(leaves, c)
        totals = [reference_outer(made, made.net(own, b), b, learner == "maml") for b in range(c * tasks, (c + 1) * tasks)]
        torch.testing.assert_close(loss.total[c * tasks:(c + 1) * tasks], torch.stack(totals), **TIGHT)
        wanted = torch.autograd.grad(torch.stack(totals).sum(), list(own.values()), allow_unused=True)
        for key, got, want in zip(leaves, found, wanted, strict=True):
            if want is None:
                assert got is None or not got[c].any(), key
            else:
                torch.testing.assert_close(got[c], want, **TIGHT, msg=lambda text, key=key: f"{key}: {text}")


def test_every_parameter_has_a_meta_gradient() -> None:
    made = case(privacy="kl_marginal")
    leaves = made.leaves()
    total = plugin("meta", "maml").outer(made.problem(leaves)).total.sum()
    for key, value in zip(leaves, torch.autograd.grad(total, list(leaves.values())), strict=True):
        assert torch.isfinite(value).all() and value.flatten(1).abs().sum(1).gt(0).all(), key


def test_anil_leaves_the_body_where_it_was_and_learns_it() -> None:
    made = case(lowest=2)
    leaves = made.leaves()
    problem = made.problem(leaves)
    rows = problem.adapt(second_order=True)
    assert all(torch.equal(rows.weights[i], problem.rows.weights[i]) for i in range(2))
    assert not torch.equal(rows.weights[2], problem.rows.weights[2])
    gradient = torch.autograd.grad(plugin("meta", "anil").outer(problem).total.sum(), leaves["w0"])[0]
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("settings", [{}, {"lowest": 2}, {"lowest": 2, "noisy": True}, {"privacy": "membership_mi"}, {"privacy": "club"},
                                      {"privacy": "information_bottleneck"}, {"privacy": "attribute_mi"}, {"privacy": "gradient_sensitivity"},
                                      {"privacy": "gradient_sensitivity", "lowest": 2}, {"privacy": "privacy_budget"}, {"element_rates": True}, {"element_rates": True, "noisy": True}],
                         ids=["maml", "anil", "noise", "membership", "club", "bottleneck", "attribute", "sensitivity", "sensitivity of the head", "budget", "meta-sgd", "meta-sgd under noise"])
def test_meta_gradient_against_finite_differences(settings: dict[str, object]) -> None:
    made = case(**settings)
    learner = plugin("meta", "maml")
    total = lambda p: learner.outer(made.problem(p)).total.sum()  # noqa: E731
    leaves = made.leaves()
    found = dict(zip(leaves, torch.autograd.grad(total(leaves), list(leaves.values()), allow_unused=True), strict=True))
    g = torch.Generator().manual_seed(3)
    ways = [{k: torch.randn(v.shape, generator=g, dtype=v.dtype) for k, v in leaves.items()}]
    ways += [{k: v if k == key else torch.zeros_like(v) for k, v in ways[0].items()} for key in leaves]
    for way in ways:
        h = 1e-6
        moved = [_shifted(made, leaves, way, s * h) for s in (1, -1)]
        exact = sum(float((found[k] * way[k]).sum()) for k in leaves if found[k] is not None)
        assert (moved[0] - moved[1]) / (2 * h) == pytest.approx(exact, rel=2e-6, abs=1e-7)


def _shifted(made: Case, leaves: Parameters, way: Parameters, size: float) -> float:
    moved = {k: (v.detach() + size * way[k]).requires_grad_() for k, v in leaves.items()}
    return plugin("meta", "maml").outer(made.problem(moved)).total.sum().item()


def test_membership_information_through_paired_adaptations_equals_the_reference() -> None:
    made = case(privacy="membership_mi", configs=2, tasks=2, steps=2)
    leaves = made.leaves()
    loss = plugin("meta", "maml").outer(made.problem(leaves))
    assert loss.privacy.min() > 1e-3, "a case in which nothing leaks would test nothing"
    found = torch.autograd.grad(loss.total.sum(), list(leaves.values()), allow_unused=True)
    for c in range(2):
        own, totals = singles(leaves, c), []
        for b in (2 * c, 2 * c + 1):
            ends = [made.adapt(made.net(own, b), b, True, half) for half in made.halves[b]]
            phi = torch.stack([margin(end(made.support_x[b]), made.support_y[b]) for end in ends])
            keep = torch.stack([torch.isin(torch.arange(phi.shape[1]), half) for half in made.halves[b]])
            task = torch.stack([outer_task(end(made.query_x[b]), made.query_y[b]) for end in ends]).mean()
            privacy = membership_information(phi, keep)
            torch.testing.assert_close(loss.privacy[b], privacy, **TIGHT)
            totals.append(task + made.weight[b] * privacy)
        wanted = torch.autograd.grad(torch.stack(totals).sum(), list(own.values()), allow_unused=True)
        for key, got, want in zip(leaves, found, wanted, strict=True):
            if want is not None:
                torch.testing.assert_close(got[c], want, rtol=1e-9, atol=1e-10, msg=lambda text, key=key: f"{key}: {text}")


def test_pairs_are_adapted_under_noise_too() -> None:
    """An ε arm of a study whose privacy loss asks for pairs is trained under the noise that it will be served with."""
    made = case(privacy="membership_mi", lowest=2, noisy=True, steps=2, configs=1, tasks=2)
    leaves = made.leaves()
    rows = made.problem(leaves).adapt(second_order=False)
    assert made.halves is not None
    pairs = made.halves.shape[1]
    for b in range(2):
        for r in range(pairs):
            end = made.adapt(made.net(singles(leaves, 0), b), b, False, made.halves[b, r])
            torch.testing.assert_close(rows.weights[-1][b * pairs + r], end.weights[-1], **TIGHT)


def one_step(x: Tensor, y: Tensor, made: Case, noise: Noise | None, lowest: int = 0) -> tuple[Rows, Rows]:
    """Start and end of one step of one row on given records."""
    with torch.no_grad():
        start = made.problem(made.leaves()).rows
        start = dataclasses.replace(start, **{k: tuple(t[:1] for t in getattr(start, k)) for k in ("weights", "biases", "scales", "shifts")},
                                    **{k: getattr(start, k)[:1] for k in ("release", "rates", "marginal")})
        return start, adapt(start, x, y, cross_entropy, steps=1, lowest=lowest, noise=noise)


def clipped_sum(x: Tensor, y: Tensor, made: Case, clip: float, lowest: int) -> Tensor:
    """The sum of the clipped record gradients, read off a noiseless step."""
    start, end = one_step(x, y, made, Noise(clip=clip, multiplier=torch.zeros(1, dtype=x.dtype), draws=(None,) * 3), lowest)
    return torch.cat([((a - b) * x.shape[1] / start.rates[0, 0, i]).flatten() for i, pair in enumerate(zip(start.weights, end.weights, strict=True)) for a, b in [pair]]
                     + [((a - b) * x.shape[1] / start.rates[0, 0, i]).flatten() for i, pair in enumerate(zip(start.biases, end.biases, strict=True)) for a, b in [pair]])


@pytest.mark.parametrize("lowest", [0, 1, 2])
def test_clip_factors_against_explicit_record_gradients(lowest: int) -> None:
    made = case(configs=1, tasks=2)
    leaves = made.leaves()
    rows = made.problem(leaves).rows
    logits, inputs = forward(rows, made.support_x)
    leaf = logits.detach().requires_grad_()
    head = torch.autograd.grad(cross_entropy(released(rows, leaf), made.support_y).sum(), leaf)[0]
    top = rows.above(lowest)
    factors = clip_factors(top, inputs[lowest:], deltas(top, inputs[lowest:], head), 0.4)
    for b in range(2):
        net = made.net(singles(leaves, 0), b)
        for i in range(made.support_x.shape[1]):
            loss = inner_loss(net, made.support_x[b, i:i + 1], made.support_y[b, i:i + 1], 0.0, "output_mi")
            found = torch.autograd.grad(loss, [*net.weights[lowest:], *net.biases[lowest:]], retain_graph=True)
            norm = torch.sqrt(sum(g.square().sum() for g in found))
            torch.testing.assert_close(factors[b, i], torch.clamp(0.4 / norm, max=1.0), **TIGHT)
    assert factors.min() < 1 < factors.max() + 1e-9


@given(data=st.data(), lowest=st.sampled_from([0, 2]), clip=st.sampled_from([0.01, 0.5, 3.0]), size=st.sampled_from([1e-3, 1.0, 1e3]))
def test_one_record_moves_the_clipped_sum_by_at_most_the_norm(data: st.DataObject, lowest: int, clip: float, size: float) -> None:
    """The sensitivity that the guarantee rests on, under adding or removing any one record, however extreme."""
    made = case(configs=1, tasks=1)
    n = data.draw(st.integers(2, 9))
    g = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    x, y = size * torch.randn(1, n, 5, generator=g, dtype=torch.float64), torch.randint(0, 3, (1, n), generator=g)
    gone = data.draw(st.integers(0, n - 1))
    rest = [i for i in range(n) if i != gone]
    with_it, without = clipped_sum(x, y, made, clip, lowest), clipped_sum(x[:, rest], y[:, rest], made, clip, lowest)
    # the sum is read off weights, whose own rounding counts times records over rate
    slack = 1e-9 * clip + 1e-12 * n
    assert (with_it - without).norm() <= clip + slack
    assert with_it.norm() <= n * clip + slack
    alone = clipped_sum(x[:, [gone]], y[:, [gone]], made, clip, lowest)
    assert alone.norm() <= clip + slack
    torch.testing.assert_close(with_it - without, alone, rtol=1e-6, atol=slack)


def test_the_noise_has_the_declared_scale_in_every_adapted_layer() -> None:
    """Weights move by rate x multiplier x clip / records times the draw, and frozen layers not at all."""
    made = case(configs=1, tasks=1)
    g = torch.Generator().manual_seed(0)
    for lowest in (0, 2):
        draws = tuple(None if i < lowest else torch.randn(1, 1, out, inputs + 1, generator=g, dtype=torch.float64) for i, (out, inputs) in enumerate(made.shape.layers))
        multiplier = torch.tensor([1.7], dtype=torch.float64)
        start, quiet = one_step(made.support_x, made.support_y, made, Noise(clip=0.4, multiplier=torch.zeros_like(multiplier), draws=draws), lowest)
        _, noisy = one_step(made.support_x, made.support_y, made, Noise(clip=0.4, multiplier=multiplier, draws=draws), lowest)
        for i, draw in enumerate(draws):
            if draw is None:
                assert torch.equal(noisy.weights[i], start.weights[i]) and torch.equal(noisy.biases[i], start.biases[i])
                continue
            size = start.rates[0, 0, i] * 1.7 * 0.4 / made.support_x.shape[1]
            torch.testing.assert_close(quiet.weights[i] - noisy.weights[i], size * draw[:, 0, :, :-1], **TIGHT)
            torch.testing.assert_close(quiet.biases[i] - noisy.biases[i], size * draw[:, 0, :, -1], **TIGHT)


def test_under_noise_the_inner_loss_couples_no_records() -> None:
    """A privacy loss in the inner loop would couple them; it must stay out whatever λ is."""
    made = case(lowest=2, noisy=True)
    other = dataclasses.replace(made, weight=torch.full_like(made.weight, LAMBDA_MAX))
    problem = made.problem(made.leaves())
    coupled = dataclasses.replace(problem, weight=other.weight)
    assert torch.equal(problem.adapt(second_order=False).weights[-1], coupled.adapt(second_order=False).weights[-1])


def test_zero_rates_and_zero_steps_change_nothing() -> None:
    made = case()
    problem = made.problem(made.leaves())
    still = dataclasses.replace(problem, rows=dataclasses.replace(problem.rows, rates=torch.zeros_like(problem.rows.rates)))
    assert all(torch.equal(a, b) for a, b in zip(still.adapt(second_order=False).weights, problem.rows.weights, strict=True))
    none = dataclasses.replace(problem, steps=0).adapt(second_order=True)
    assert all(torch.equal(a, b) for a, b in zip(none.weights, problem.rows.weights, strict=True))


def test_the_reference_itself_learns() -> None:
    """A guard against a reference that agrees because both do nothing."""
    made = case(configs=1, tasks=1, steps=3)
    net = made.net(singles(made.leaves(), 0), 0)
    loss = lambda n, x, y: inner_loss(n, x, y, 0.0, "output_mi")  # noqa: E731
    end = adapted(net, made.support_x[0], made.support_y[0], loss, steps=3, lowest=0, second_order=False)
    assert loss(end, made.support_x[0], made.support_y[0]) < loss(net, made.support_x[0], made.support_y[0])
