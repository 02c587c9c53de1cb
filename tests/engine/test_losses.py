"""What the engine hands to privacy losses: record norms, attributes, members; and the attacker that is trained against the strategy."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mrp_core import registry
from mrp_core.checkpoint import TrainingState
from mrp_core.config import AuditConfig, ComputeOptions, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import audit, live, train
from mrp_core.episodes import EpisodeSampler
from mrp_core.errors import ConfigError, JobInterrupted
from mrp_core.jobs.context import SilentContext
from mrp_core.kernel import outputs, record_norms
from mrp_core.losses import Released
from mrp_core.networks import CRITIC, initial_critic
from mrp_core.registry import plugin, plugins
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Strategy
from mrp_core.training import BLOCK, Trainer
from tests.engine.reference import case, inner_loss, net_of
from tests.engine.toy import Toy, toy_study

EXACT = ComputeOptions(precision="float64")
LEARNERS = sorted(n for n, learner in plugins("meta").items() if learner.trains)


class Marked(Toy):
    """The toy with an attribute that the first feature shows: 1 above its median, unknown for each seventh record."""

    def build(self, config: Any, seed: int) -> Any:
        made = super().build(config, seed)
        value = lambda s: np.where(np.arange(len(s.x)) % 7 == 0, -1, s.x[:, 0] > np.median(s.x[:, 0])).astype(np.int64)  # noqa: E731
        return dataclasses.replace(made, **{n: dataclasses.replace(getattr(made, n), sensitive=value(getattr(made, n))) for n in ("train", "validation", "test")})


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.plugins("tasks"), "marked", Marked(name="marked", sensitive=("first",)))


def trainer(config: StudyConfig, compute: ComputeOptions = EXACT) -> Trainer:
    return Trainer(config, compute, {s: plugin("tasks", config.task.family).build(config.task, s) for s in config.seeds})


# ---- sensitivity ----

@pytest.mark.parametrize("lowest", [0, 1, 2])
def test_record_norms_equal_the_gradient_of_each_record_by_itself(lowest: int) -> None:
    made = case(configs=2, tasks=2)
    leaves = made.leaves()
    rows = made.problem(leaves).rows
    got = record_norms(rows, made.support_x, made.support_y, lowest)
    for b in range(4):
        net = net_of({k: v[b // 2] for k, v in leaves.items()}, made.shape, float(made.weight[b]), 0.0)
        for i in range(made.support_x.shape[1]):
            found = torch.autograd.grad(inner_loss(net, made.support_x[b, i:i + 1], made.support_y[b, i:i + 1], 0.0, "none"), [*net.weights[lowest:], *net.biases[lowest:]], retain_graph=True)
            torch.testing.assert_close(got[b, i], torch.sqrt(sum(g.square().sum() for g in found)), rtol=1e-10, atol=1e-12)


def test_record_norms_are_differentiable_twice() -> None:
    made = case(configs=1, tasks=1, hidden=(4,), shots=2)
    rows = made.problem(made.leaves()).rows
    of = lambda w, b: record_norms(rows.with_weights((rows.weights[0].detach(), w), (rows.biases[0].detach(), b)), made.support_x, made.support_y).sum()  # noqa: E731
    leaves = tuple(t.detach().requires_grad_() for t in (rows.weights[1], rows.biases[1]))
    torch.autograd.gradcheck(of, leaves)
    torch.autograd.gradgradcheck(of, leaves)


def test_the_loss_sees_the_start_and_the_end_of_the_adaptation() -> None:
    made = case(privacy="gradient_sensitivity", configs=2, tasks=2)
    problem = made.problem(made.leaves())
    adapted = problem.adapt(second_order=True)
    both = torch.cat([record_norms(r, made.support_x, made.support_y) for r in (problem.rows, adapted)], 1)
    wanted = 0.1 * torch.log(torch.exp(both / 0.1).mean(1))
    torch.testing.assert_close(problem.outer(adapted).privacy, wanted, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(problem.outer_unadapted().privacy, 0.1 * torch.log(torch.exp(both[:, :12] / 0.1).mean(1)), rtol=1e-10, atol=1e-10)


# ---- attribute ----

def test_episodes_carry_each_records_attribute_and_draw_the_same_records() -> None:
    plain, split = (family.build(toy_study().task, 0).train for family in (Toy(), Marked()))
    of = lambda s: EpisodeSampler(s, shots=3, queries=4, permute=True, device=torch.device("cpu"), dtype=torch.float64).draw(30, 5)  # noqa: E731
    without, drawn = of(plain), of(split)
    assert torch.equal(without.support_x, drawn.support_x) and torch.equal(without.query_x, drawn.query_x) and torch.equal(without.classes, drawn.classes)
    assert (without.query_sensitive == -1).all()
    where = {tuple(row): int(a) for row, a in zip(torch.from_numpy(split.x).double().tolist(), split.sensitive, strict=True)}
    for x, a in ((drawn.support_x, drawn.support_sensitive), (drawn.query_x, drawn.query_sensitive)):
        assert a.flatten().tolist() == [where[tuple(row)] for row in x.flatten(0, 1).tolist()]


def test_the_attribute_loss_is_taken_on_the_records_that_the_task_loss_is_taken_on() -> None:
    made = case(privacy="attribute_mi", configs=1, tasks=3)
    problem, loss = made.problem(made.leaves()), plugin("privacy", "attribute_mi")
    adapted = problem.adapt(second_order=True)
    wanted = loss.value(Released(logits=outputs(adapted, made.query_x), marginal=problem.rows.marginal, attribute=made.query_sensitive))
    torch.testing.assert_close(problem.outer(adapted).privacy, wanted)
    both = torch.cat([made.support_x, made.query_x], 1)
    known = torch.cat([made.support_sensitive, made.query_sensitive], 1)
    wanted = loss.value(Released(logits=outputs(problem.rows, both), marginal=problem.rows.marginal, attribute=known))
    torch.testing.assert_close(plugin("meta", "joint_then_finetune").outer(problem).privacy, wanted)


def test_the_attribute_is_measured_where_there_is_one() -> None:
    def measured(**changes: Any) -> bool:
        (points, _), = audit(train(toy_study(outer__iterations=1, **changes)), [UNPROTECTED])
        return all("attribute_mi" in p.values for p in points)

    assert measured(task__family="marked") and not measured()


@pytest.mark.slow
def test_the_attribute_loss_lowers_what_it_is_meant_to_lower() -> None:
    """Where the sensitive direction may be that of the task, so that there is something to lower."""
    task = {k: v for k, v in plugin("tasks", "gaussian").defaults.items() if k not in ("hardness", "queries")}
    config = StudyConfig(task=TaskConfig(family="gaussian", hardness=0.0, queries=25, **task), outer=OuterConfig(seeds=3), audit=AuditConfig(adaptations=16),
                         privacy=PrivacyConfig(loss="attribute_mi", mechanism="none", lambda_max=40.0, lambda_points=2))
    strategy = train(config)
    plain, private = (np.mean([p.values["attribute_mi"] for p in points]) for points, _ in audit(strategy, [UNPROTECTED, Setting("lambda", 40.0)]))
    assert private < 0.7 * plain


def test_a_family_without_an_attribute_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"^loss is 'attribute_mi', but the family 'toy' has no sensitive attribute; choose a family that has one, or another loss\.$"):
        toy_study(privacy__loss="attribute_mi")


# ---- adversarial ----

def outer(made: Any, leaves: dict[str, Tensor]) -> Any:
    return plugin("meta", "maml").outer(made.problem(leaves))


def test_the_attacker_climbs_and_the_strategy_descends_weighted() -> None:
    """Against plain autograd of the two players' own aims, and finite differences for the strategy."""
    made = case(privacy="adversarial", configs=2, tasks=3)
    leaves = made.leaves()
    critic = [k for k in leaves if k.startswith(CRITIC)]
    rest = [k for k in leaves if k not in critic]
    loss = outer(made, leaves)
    torch.testing.assert_close(loss.total, loss.task + made.weight * loss.privacy, rtol=1e-12, atol=1e-12)
    found = dict(zip(leaves, torch.autograd.grad(loss.total.sum(), list(leaves.values()), retain_graph=True, allow_unused=True), strict=True))
    problem = made.problem(leaves)
    adapted = problem.adapt(second_order=True)
    gain = plugin("privacy", "adversarial").value(Released(
        logits=outputs(adapted, made.query_x), labels=made.query_y, marginal=adapted.marginal, member_logits=outputs(adapted, made.support_x), member_labels=made.support_y,
        critic=adapted.critic))
    torch.testing.assert_close(loss.privacy, gain)
    climb = torch.autograd.grad(gain.sum(), [leaves[k] for k in critic], retain_graph=True)
    for key, up in zip(critic, climb, strict=True):
        assert up.abs().sum() > 0
        torch.testing.assert_close(found[key], -up, rtol=1e-9, atol=1e-12)
    descend = torch.autograd.grad((loss.task + made.weight * gain).sum(), [leaves[k] for k in rest], allow_unused=True)
    for key, down in zip(rest, descend, strict=True):
        assert (found[key] is None) == (down is None)
        if down is not None:
            torch.testing.assert_close(found[key], down, rtol=1e-9, atol=1e-12)
    g, h = torch.Generator().manual_seed(0), 1e-6
    way = {k: torch.zeros_like(v) if k in critic else torch.randn(v.shape, generator=g, dtype=v.dtype) for k, v in leaves.items()}
    ends = [outer(made, {k: (v.detach() + s * h * way[k]).requires_grad_() for k, v in leaves.items()}).total.sum().item() for s in (1, -1)]
    slope = sum(float((found[k] * way[k]).sum()) for k in rest if found[k] is not None)
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(slope, rel=1e-5, abs=1e-7)


def fitted(members: Tensor, others: Tensor, labels: Tensor) -> list[float]:
    """Gain before and after 300 steps of the attacker alone."""
    loss = plugin("privacy", "adversarial")
    critic = {k.removeprefix(CRITIC): v.requires_grad_() for k, v in initial_critic(loss.critic(3), [0], torch.float64).items()}
    gain = lambda: loss.value(Released(logits=others, labels=labels, marginal=torch.zeros(1, 3), member_logits=members, member_labels=labels, critic=critic))  # noqa: E731
    first, steps = gain().item(), torch.optim.Adam(critic.values(), lr=0.01, maximize=True)
    for _ in range(300):
        steps.zero_grad()
        gain().sum().backward()
        steps.step()
    return [first, gain().item()]


def test_an_attacker_finds_members_that_differ_and_none_that_dont() -> None:
    g = torch.Generator().manual_seed(0)
    labels = torch.arange(3).repeat(100).unsqueeze(0)
    others = torch.randn(1, 300, 3, generator=g, dtype=torch.float64)
    apart = others + 6.0 * torch.nn.functional.one_hot(labels, 3)
    before, after = fitted(apart, others, labels)
    assert after > before + 0.3 and 0.5 < after <= math.log(2)
    assert 0 <= fitted(others, others, labels)[1] + 1e-3 < 2e-3, "the same outputs on both sides"


def test_other_losses_have_no_attacker_and_each_arm_its_own() -> None:
    assert not any(k.startswith(CRITIC) for k in trainer(toy_study()).fresh().parameters)
    plain, made = (trainer(toy_study(privacy__loss=n, outer__seeds=2)).fresh().parameters for n in ("output_mi", "adversarial"))
    assert all(torch.equal(made[k], v) for k, v in plain.items()), "the rest starts as ever"
    assert {k for k in made if k not in plain} == {CRITIC + n for n in ("w0", "b0", "w1", "b1")}
    assert made["critic.w0"].shape == (4, 32, 5) and not torch.equal(made["critic.w0"][0], made["critic.w0"][1])


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_attacker_trains_with_every_learner_that_adapts(learner: str) -> None:
    made = trainer(toy_study(privacy__loss="adversarial", outer__learner=learner, privacy__mechanism="none"))
    state = made.fresh()
    before = {k: v.clone() for k, v in state.parameters.items()}
    with ThreadPoolExecutor(1) as pool:
        values = [made.iterate(state, pool) for _ in range(3)]
    moved = not torch.equal(before["critic.w0"], state.parameters["critic.w0"])
    assert moved == (not plugin("meta", learner).joint), "where nothing is adapted on, nobody is a member"
    assert all(np.isfinite(v["privacy_loss"]) and (v["privacy_loss"] == 0.0) == (not moved) for v in values)


def test_a_strategy_with_an_attacker_is_saved_and_resumed_like_any_other() -> None:
    config = toy_study(privacy__loss="adversarial", outer__iterations=BLOCK + 4)
    whole = trainer(config).run(trainer(config).fresh(), SilentContext(keep=False))
    context = SilentContext(stop_after=BLOCK + 1)
    with pytest.raises(JobInterrupted):
        trainer(config).run(trainer(config).fresh(), context)
    state = TrainingState.from_bytes(context.checkpoints[-1][1], config.id, torch.device("cpu"))
    end = trainer(config).run(state, SilentContext(keep=False))
    assert all(torch.equal(end.parameters[k], v) for k, v in whole.parameters.items()) and "critic.w1" in whole.parameters
    strategy = train(config, EXACT)
    again = Strategy.from_bytes(strategy.to_bytes())
    assert again.parameters.keys() == strategy.parameters.keys() >= {"critic.w0", "critic.b1"}
    (one, _), = audit(strategy, [Setting("lambda", 0.8)])
    (two, _), = audit(again, [Setting("lambda", 0.8)])
    assert [p.to_json() for p in one] == [p.to_json() for p in two]


# ---- budget ----

@pytest.mark.parametrize("search", ["conditioned", "lambda_sweep"])
def test_a_budget_is_trained_and_measured_at_lambda_zero_and_every_epsilon(search: str) -> None:
    context = SilentContext()
    config = toy_study(privacy__loss="privacy_budget", outer__search=search, outer__iterations=40)
    strategy = train(config, EXACT, context)
    assert [a.levels for a in strategy.arms if a.kind == "lambda"] == [(0.0,)]
    points = {s.key: p for s in settings_of(config) for p, _ in audit(strategy, [s])}
    assert {"lambda=0", "epsilon=inf", "epsilon=20", "epsilon=3"} <= set(points) and not any(k.startswith("lambda") for k in points if k != "lambda=0")
    assert [s.key for s in live(strategy, seed=0, task=0, draw=0).settings] == ["lambda=0", "epsilon=3", "epsilon=20", "epsilon=inf"]
    assert "validation:lambda:most" not in {name for _, name in context.curves} >= {"validation:lambda:none"}
    with pytest.raises(ConfigError, match=r"not trained for lambda=0\.4"):
        strategy.adaptation(Setting("lambda", 0.4), 0)


def test_the_unprotected_arm_of_a_budget_is_that_of_any_study_at_lambda_zero() -> None:
    """There is no privacy term in it: a sweep's λ = 0 has the same weights."""
    budget, sweep = (toy_study(privacy__loss=n, outer__search="lambda_sweep", outer__iterations=i) for n, i in (("privacy_budget", 4), ("output_mi", 12)))
    a, b = (trainer(c).run(trainer(c).fresh(), SilentContext(keep=False)) for c in (budget, sweep))
    torch.testing.assert_close(a.parameters["w0"][0], b.parameters["w0"][0])

