"""What every privacy loss, meta-learner and search must keep to, whichever files lie in their packages; and the closed forms of those that have one."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor

from mrp_core.config import OuterConfig, PrivacyConfig, StudyConfig
from mrp_core.errors import ConfigError
from mrp_core.exploring import price
from mrp_core.losses import NEEDS, Released
from mrp_core.measurement import METRICS
from mrp_core.objective import paired_halves
from mrp_core.privacy.membership_mi import binary_gaussian_information, label_margin
from mrp_core.registry import plugin, plugins
from mrp_core.settings import settings_of
from mrp_core.strategy import noise_levels
from tests.engine.reference import case

LOSSES, LEARNERS, SEARCHES = (plugins(package) for package in ("privacy", "meta", "search"))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_offers_an_end_of_its_slider_that_the_knob_allows(name: str) -> None:
    assert PrivacyConfig(loss=name, lambda_max=LOSSES[name].reach).lambda_max > 0


def test_no_registry_is_empty() -> None:
    assert {"output_mi", "kl_marginal", "kl_uniform", "membership_mi", "club", "information_bottleneck", "attribute_mi", "gradient_sensitivity", "adversarial",
            "privacy_budget"} <= set(LOSSES)
    assert {"maml", "fomaml", "anil", "meta_sgd", "reptile", "joint_then_finetune", "from_scratch"} <= set(LEARNERS)
    assert {"conditioned", "lambda_sweep", "chebyshev", "multi_gradient", "evolutionary", "reinforce"} <= set(SEARCHES)


@pytest.mark.parametrize(("package", "name"), [(p, n) for p in ("privacy", "meta", "search") for n in plugins(p)])
def test_every_plugin_says_what_it_is(package: str, name: str) -> None:
    made = plugin(package, name)
    assert made.name == name and name.isidentifier()
    assert isinstance(made.title, str) and 3 <= len(made.title) <= 40
    assert isinstance(made.summary, str) and made.summary[-1] in ".!" and len(made.summary) <= 140
    assert isinstance(made.order, int)
    assert type(made).__doc__ and dataclasses.is_dataclass(made)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "other"


def test_titles_and_orders_are_not_shared() -> None:
    for found in (LOSSES, LEARNERS, SEARCHES):
        assert len({p.title for p in found.values()}) == len({p.order for p in found.values()}) == len(found)


# ---- privacy losses ----

def outputs(rows: int = 3, records: int = 12, ways: int = 3, pairs: int = 4, size: float = 2.0, seed: int = 0, loss: str = "output_mi") -> Released:
    """Everything that any loss may ask for, and the attacker of the one that is asked."""
    g = torch.Generator().manual_seed(seed)
    normal = lambda *shape: size * torch.randn(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    halves = paired_halves(torch.rand(rows, pairs // 2, records, generator=g, dtype=torch.float64), ways, pairs)
    keep = torch.zeros(rows, pairs, records, dtype=torch.float64).scatter_(-1, halves, 1.0)
    labels = torch.arange(ways).repeat_interleave(records // ways).expand(rows, -1)
    moved = 3.0 * keep.unsqueeze(-1) * torch.nn.functional.one_hot(labels, ways).unsqueeze(1)
    return Released(logits=normal(rows, records, ways), marginal=normal(rows, ways), pool_logits=normal(rows, 1, records, ways) + 0.3 * normal(rows, pairs, records, ways) + moved,
                    pool_labels=labels, keep=keep, attribute=torch.randint(-1, 2, (rows, records), generator=g), norms=normal(rows, 2 * records).abs(), labels=labels,
                    member_logits=normal(rows, records, ways), member_labels=labels.flip(1), critic={k: normal(rows, *s) for k, s in LOSSES[loss].critic(ways).items()})


def source(name: str) -> str:
    """The outputs that a loss is a function of."""
    return "pool_logits" if LOSSES[name].pairs else "norms" if "norms" in LOSSES[name].needs else "logits"


def alone(made: Released, row: int) -> Released:
    """One row of them."""
    cut = lambda v: {k: t[row:row + 1] for k, t in v.items()} if isinstance(v, dict) else v[row:row + 1]  # noqa: E731
    return Released(**{f.name: cut(getattr(made, f.name)) for f in dataclasses.fields(made)})


WEIGHTED = [n for n, loss in LOSSES.items() if loss.weighted]


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_declares_what_it_lowers_and_needs(name: str) -> None:
    loss = LOSSES[name]
    assert loss.lowers in METRICS and METRICS[loss.lowers].axis == "leakage"
    assert loss.formula.strip() and isinstance(loss.inner, bool)
    assert loss.pairs >= 0 and loss.pairs % 2 == 0
    assert loss.needs <= NEEDS and isinstance(loss.weighted, bool)
    assert not (loss.inner and (loss.pairs or loss.needs or loss.critic(3))), "one support set has no pairs, and the inner loop gets the released logits only"
    assert not (loss.pairs and loss.needs)
    assert not loss.critic(3) or "members" in loss.needs


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [0.01, 2.0, 200.0])
def test_a_loss_is_one_finite_value_a_row_and_not_negative(name: str, size: float) -> None:
    value = LOSSES[name].value(outputs(size=size, loss=name))
    assert value.shape == (3,) and torch.isfinite(value).all()
    assert LOSSES[name].critic(3) or (value >= -1e-12).all(), "only an attacker that isn't trained yet gains less than nothing"


@pytest.mark.parametrize("name", WEIGHTED)
def test_the_gradient_of_a_loss_is_finite_and_not_zero(name: str) -> None:
    made, field = outputs(loss=name), source(name)
    leaf = getattr(made, field).clone().requires_grad_()
    marginal = made.marginal.clone().requires_grad_()
    value = LOSSES[name].value(dataclasses.replace(made, **{field: leaf, "marginal": marginal}))
    (gradient,) = torch.autograd.grad(value.sum(), leaf)
    assert torch.isfinite(gradient).all() and (gradient.flatten(1).norm(dim=1) > 1e-6).all()
    torch.autograd.gradcheck(lambda z: LOSSES[name].value(dataclasses.replace(made, **{field: z})), leaf, atol=1e-6)


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("size", [0.0, 1e4])
def test_the_gradient_is_finite_even_at_equal_and_at_saturated_outputs(name: str, size: float) -> None:
    made, field = outputs(size=size, loss=name), source(name)
    leaf = getattr(made, field).clone().requires_grad_()
    (gradient,) = torch.autograd.grad(LOSSES[name].value(dataclasses.replace(made, **{field: leaf})).sum(), leaf)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_doesnt_depend_on_the_order_of_records_nor_on_other_rows(name: str) -> None:
    made = outputs(loss=name)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    of = lambda f: getattr(made, f)  # noqa: E731
    moved = {f: of(f)[:, order] for f in ("logits", "pool_labels", "attribute", "labels", "member_logits", "member_labels")}
    mixed = dataclasses.replace(made, **moved, pool_logits=of("pool_logits")[:, :, order], keep=of("keep")[..., order], norms=of("norms").flip(1))
    value = LOSSES[name].value(made)
    torch.testing.assert_close(LOSSES[name].value(mixed), value, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(LOSSES[name].value(alone(made, 1)), value[1:2], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in LOSSES if not LOSSES[n].pairs])
def test_a_loss_doesnt_depend_on_the_numbering_of_classes(name: str) -> None:
    made = outputs(loss=name)
    assert made.member_logits is not None and made.member_labels is not None and made.labels is not None
    turned = dataclasses.replace(made, logits=made.logits.flip(-1), marginal=made.marginal.flip(-1), labels=2 - made.labels,
                                 member_logits=made.member_logits.flip(-1), member_labels=2 - made.member_labels)
    torch.testing.assert_close(LOSSES[name].value(turned), LOSSES[name].value(made), rtol=1e-12, atol=1e-12)


def closed_mi(logits: Tensor) -> np.ndarray:
    p = np.exp(logits.numpy() - logits.numpy().max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    q = p.mean(1, keepdims=True)
    return (p * np.log(p / q)).sum(-1).mean(-1)


def test_output_mi_is_the_mutual_information() -> None:
    made = outputs()
    np.testing.assert_allclose(LOSSES["output_mi"].value(made).numpy(), closed_mi(made.logits), rtol=1e-10)
    sure = dataclasses.replace(made, logits=60.0 * torch.eye(3, dtype=torch.float64).repeat(1, 4, 1).expand(3, -1, -1))
    np.testing.assert_allclose(LOSSES["output_mi"].value(sure).numpy(), math.log(3), rtol=1e-9)
    alike = dataclasses.replace(made, logits=made.logits[:, :1].expand(-1, 12, -1))
    np.testing.assert_allclose(LOSSES["output_mi"].value(alike).numpy(), 0.0, atol=1e-12)


def test_kl_marginal_bounds_it_and_is_tight_at_the_true_marginal() -> None:
    made, loss = outputs(), LOSSES["kl_marginal"]
    mi = LOSSES["output_mi"].value(made)
    for seed in range(20):
        marginal = 2 * torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert (loss.value(dataclasses.replace(made, marginal=marginal)) >= mi - 1e-12).all()
    tight = dataclasses.replace(made, marginal=made.logits.softmax(-1).mean(1).log())
    torch.testing.assert_close(loss.value(tight), mi, rtol=1e-12, atol=1e-12)
    leaf = tight.marginal.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss.value(dataclasses.replace(made, marginal=leaf)).sum(), leaf)
    assert gradient.abs().max() < 1e-12, "and has its minimum there"


def test_kl_uniform_is_no_mutual_information_and_says_so() -> None:
    made, loss = outputs(), LOSSES["kl_uniform"]
    p = made.logits.softmax(-1).numpy()
    np.testing.assert_allclose(loss.value(made).numpy(), (-np.log(3 * p)).mean((1, 2)), rtol=1e-10)
    alike = dataclasses.replace(made, logits=torch.tensor([9.0, 0.0, 0.0], dtype=torch.float64).expand(3, 12, 3))
    assert (LOSSES["output_mi"].value(alike).abs() < 1e-12).all() and (loss.value(alike) > 4).all(), "same sure answer to everyone: nothing is told, much is punished"
    assert loss.value(dataclasses.replace(made, logits=made.logits * 100)).min() > 50, "no bound"
    torch.testing.assert_close(loss.value(dataclasses.replace(made, logits=torch.zeros(3, 12, 3))), torch.zeros(3), atol=1e-6, rtol=0)
    assert "isn't one" in type(loss).__doc__ and "not a mutual information" in loss.summary


def test_membership_mi_is_nothing_where_in_and_out_look_alike() -> None:
    made, loss = outputs(), LOSSES["membership_mi"]
    assert made.pool_logits is not None
    alike = dataclasses.replace(made, pool_logits=made.pool_logits[:, :1].expand(-1, 4, -1, -1))
    assert (loss.value(alike) < 1e-6).all()
    apart = dataclasses.replace(made, pool_logits=made.pool_logits + 40.0 * made.keep.unsqueeze(-1) * torch.eye(3, dtype=torch.float64)[made.pool_labels].unsqueeze(1))
    assert (loss.value(apart) > 0.95 * math.log(2)).all() and (loss.value(apart) <= math.log(2)).all()


def test_membership_mi_is_not_fooled_by_noise_and_finds_a_shift() -> None:
    """Debiased: random margins read nearly nothing, and a shift by d standard deviations reads about J(d)."""
    g = torch.Generator().manual_seed(0)
    base = outputs(rows=64, records=60, ways=3, seed=3)
    assert base.keep is not None and base.pool_labels is not None
    noise = torch.randn(64, 4, 60, generator=g, dtype=torch.float64)
    label = torch.nn.functional.one_hot(base.pool_labels, 3).unsqueeze(1).double()
    for d in (0.0, 1.0, 2.0):
        margins = (noise + d * base.keep).unsqueeze(-1) * label
        value = LOSSES["membership_mi"].value(dataclasses.replace(base, pool_logits=margins)).mean()
        assert float(value) == pytest.approx(float(binary_gaussian_information(torch.tensor(d, dtype=torch.float64))), abs=0.03)


def test_membership_mi_without_pairs_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="membership_mi needs paired adaptations"):
        LOSSES["membership_mi"].value(dataclasses.replace(outputs(), pool_logits=None))


def test_the_margin_is_the_log_odds_of_the_label() -> None:
    made = outputs()
    labels = torch.arange(12).remainder(3).expand(3, -1)
    p = made.logits.softmax(-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(label_margin(made.logits, labels), torch.log(p / (1 - p)))


def test_binary_gaussian_information_against_quadrature() -> None:
    """I(M; S) of a fair coin seen through N(±d/2, 1), within 0.002 bits everywhere, and never falling."""
    grid = np.concatenate([np.linspace(0.02, 8, 80), [10.0, 15.0]])

    def bits(d: float) -> float:
        return 1 - quad(lambda s: norm.pdf(s - d / 2) * np.logaddexp(0, -d * s) / math.log(2), -12 - d / 2, 12 + d / 2, points=[-d / 2, 0, d / 2], limit=400)[0]

    made = binary_gaussian_information(torch.from_numpy(grid)).numpy() / math.log(2)
    np.testing.assert_allclose(made, [bits(d) for d in grid], atol=0.002)
    assert (np.diff(made) >= 0).all()
    assert float(binary_gaussian_information(torch.tensor(0.0, dtype=torch.float64))) < 1e-9


# ---- meta-learners ----

@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_declares_what_it_does(name: str) -> None:
    learner = LEARNERS[name]
    assert all(isinstance(getattr(learner, flag), bool) for flag in ("head_only", "joint", "trains", "tunes_rate", "baseline", "element_rates"))
    assert not (learner.joint and learner.element_rates), "a joint head has no rates to take rows of"
    assert not learner.joint or learner.trains
    assert learner.trains or learner.tunes_rate, "without training, a rate has to come from somewhere"


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_gives_each_row_a_finite_loss_and_each_weight_a_gradient(name: str, loss: str) -> None:
    made = case(privacy=loss, lowest=2 if LEARNERS[name].head_only else 0, element_rates=LEARNERS[name].element_rates)
    leaves = made.leaves()
    outer = LEARNERS[name].outer(made.problem(leaves))
    for part in (outer.task, outer.privacy, outer.total):
        assert part.shape == made.weight.shape and torch.isfinite(part).all()
    assert LOSSES[loss].critic(3) or (outer.privacy >= -1e-12).all()
    found = dict(zip(leaves, torch.autograd.grad(outer.total.sum(), list(leaves.values()), allow_unused=True), strict=True))
    for key in ("w0", "b0", "w1", "w2", "cw0", "cw1", *(k for k in leaves if k[0] == "r")):
        assert found[key] is not None and torch.isfinite(found[key]).all() and (found[key].flatten(1).norm(dim=1) > 0).all(), key


@pytest.mark.parametrize("name", [n for n, learner in LEARNERS.items() if learner.trains])
def test_the_gradient_of_a_learner_points_downhill(name: str) -> None:
    """A small step along it lowers its own total, except for Reptile, whose direction is no gradient of the loss: there it lowers the pull."""
    made = case(lowest=2 if LEARNERS[name].head_only else 0, element_rates=LEARNERS[name].element_rates)
    total = lambda p: LEARNERS[name].outer(made.problem(p)).total.sum()  # noqa: E731
    leaves = made.leaves()
    before = total(leaves)
    found = torch.autograd.grad(before, list(leaves.values()), allow_unused=True)
    size = 1e-4
    moved = {k: (v.detach() - size * (torch.zeros_like(v) if g is None else g)).requires_grad_() for (k, v), g in zip(leaves.items(), found, strict=True)}
    assert total(moved) < before


def test_reptile_moves_the_start_towards_the_adapted_weights() -> None:
    made = case(configs=1, tasks=1)
    leaves = made.leaves()
    problem = made.problem(leaves)
    (gradient,) = torch.autograd.grad(LEARNERS["reptile"].outer(problem).total.sum(), leaves["w0"])
    ends = problem.adapt(second_order=False)
    torch.testing.assert_close(gradient, (leaves["w0"] - ends.weights[0]).detach() / problem.rows.rates.mean().detach(), rtol=1e-9, atol=1e-10)


def test_joint_training_sees_support_and_query_and_adapts_nothing() -> None:
    made = case(configs=1, tasks=2)
    problem = made.problem(made.leaves())
    loss = LEARNERS["joint_then_finetune"].outer(problem)
    swapped = dataclasses.replace(problem, support_x=problem.query_x, support_y=problem.query_y, query_x=problem.support_x, query_y=problem.support_y)
    torch.testing.assert_close(LEARNERS["joint_then_finetune"].outer(swapped).total, loss.total)
    hurried = dataclasses.replace(problem, steps=0)
    assert torch.equal(LEARNERS["joint_then_finetune"].outer(hurried).total, loss.total)


# ---- searches ----

def study(search: str, **privacy: Any) -> StudyConfig:
    return StudyConfig(outer=OuterConfig(search=search, iterations=900, seeds=2, first_seed=4), privacy=PrivacyConfig(lambda_points=9, epsilons=(3.0, 20.0), **privacy))


@pytest.mark.parametrize("privacy", [{"mechanism": "none"}, {}, *({"loss": n} for n in LOSSES if n not in WEIGHTED)], ids=str)
@pytest.mark.parametrize("name", SEARCHES)
def test_the_arms_of_a_search_serve_every_setting_of_every_seed(name: str, privacy: dict[str, str]) -> None:
    config = study(name, **privacy)
    noise = noise_levels(config)
    arms = SEARCHES[name].arms(config, noise)
    assert {a.seed for a in arms} == {4, 5}
    assert all(list(a.levels) == sorted(set(a.levels)) and a.kind in ("lambda", "epsilon") for a in arms)
    for seed in config.seeds:
        assert all(sum(a.serves("lambda", seed, s.value) for a in arms) == 1 for s in settings_of(config) if s.kind == "lambda")
        assert all(sum(a.serves("epsilon", seed, v) for a in arms) == 1 for v in noise)
    assert any(a.kind == "epsilon" for a in arms) == (config.privacy.mechanism != "none")
    assert not any(a.serves("lambda", 6, 0.0) for a in arms)


@pytest.mark.parametrize("loss", ["output_mi", *(n for n in LOSSES if n not in WEIGHTED)])
@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_spends_the_same_total_on_the_lambda_axis(name: str, loss: str) -> None:
    config = study(name, loss=loss)
    arms = [a for a in SEARCHES[name].arms(config, noise_levels(config)) if a.kind == "lambda"]
    trained = SEARCHES[name].iterations(config) * len(arms) / len(config.seeds)
    explored = SEARCHES[name].evaluations(config) * price(config, SEARCHES[name].objective(config)) if SEARCHES[name].explores else 0.0
    assert config.outer.iterations - 1 < trained + explored <= config.outer.iterations
    assert trained == config.outer.iterations or explored > 0.8 * config.outer.search_share * config.outer.iterations
    assert SEARCHES[name].iterations(dataclasses.replace(config, outer=dataclasses.replace(config.outer, iterations=2))) >= 1


@pytest.mark.parametrize("name", SEARCHES)
def test_without_a_weight_every_total_is_the_task_loss_and_its_gradient(name: str) -> None:
    """λ = 0 is the unprotected model, however a search joins the losses."""
    task, leak = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([0.0, 0.3, 1.7], [1.1, 0.0, 0.4]))
    total = SEARCHES[name].total(task, leak, torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(total, task, rtol=1e-12, atol=1e-15)
    found = torch.autograd.grad(total.sum(), (task, leak), materialize_grads=True, allow_unused=True)
    torch.testing.assert_close(found, (torch.ones_like(task), torch.zeros_like(leak)), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_with_separate_gradients_trains_each_arm_for_one_level(name: str) -> None:
    search, config = SEARCHES[name], study(name)
    assert isinstance(search.separate, bool)
    assert not search.separate or all(len(a.levels) == 1 for a in search.arms(config, noise_levels(config)))
    if not search.separate:
        task, leak, weight = (torch.rand(50, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(3))
        worse = search.total(task, leak + 0.1, weight + 0.1)
        assert (worse > search.total(task, leak, weight + 0.1)).all(), "what leaks more costs more"
