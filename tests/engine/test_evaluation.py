"""Held-out adaptation and the released channel: batches against loops and closed forms, and controls in which nothing may be found."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mrp_core.audit.membership import lira_online, loss_threshold
from mrp_core.audit.roc import attack_result
from mrp_core.audit.signals import label_margin
from mrp_core.channel import softmax, statistic, utility
from mrp_core.config import PrivacyConfig
from mrp_core.engine import Bench, ComputeOptions, audit, held_out_names, live
from mrp_core.errors import ConfigError
from mrp_core.evaluation import AuditTasks, Outputs, audit_tasks, evaluate
from mrp_core.intervals import interval
from mrp_core.measuring import Logits, released_from
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Strategy
from mrp_core.taskdata import HeldOutTasks, held_out
from tests.engine.reference import adapted, inner_loss, net_of

TASKS, ADAPTATIONS, RECORDS = 3, 8, 6
ADAPTED = [Setting("lambda", 0.0), Setting("lambda", 0.8), Setting("steps", 1.0), Setting("rate", 0.5), Setting("head", 1.0), Setting("epsilon", 3.0), Setting("epsilon", math.inf)]


@pytest.fixture(scope="module")
def held(toy: None, strategy: Strategy) -> HeldOutTasks:
    return held_out(plugin("tasks", "toy").build(strategy.config.task, 0).test, tasks=TASKS, shots=3, records=RECORDS, seed=0)


@pytest.fixture(scope="module")
def tasks(strategy: Strategy, held: HeldOutTasks) -> AuditTasks:
    return audit_tasks(held, adaptations=ADAPTATIONS, seed=0, seen=strategy.seen[0], like=strategy.parameters["cb0"])


def same(a: Outputs, b: Outputs) -> bool:
    return all(np.allclose(getattr(a, k), getattr(b, k), rtol=1e-11, atol=1e-11) for k in ("pool", "fresh", "start"))


def test_the_audit_equals_a_loop_over_plans_tasks_and_halves(strategy: Strategy, tasks: AuditTasks) -> None:
    """Each adaptation by the unbatched reference, with the same halves and the same noise."""
    made = evaluate(strategy, [strategy.adaptation(s, 0) for s in ADAPTED], tasks)
    config = strategy.config
    generator = torch.Generator().manual_seed(tasks.seed * 9_176_471 + 23)
    head = torch.randn(TASKS, ADAPTATIONS, 2, 3, strategy.shape.hidden[-1] + 1, generator=generator).double()
    for p, setting in enumerate(ADAPTED):
        plan = strategy.adaptation(setting, 0)
        own = {k: v[plan.row].clone().requires_grad_() for k, v in strategy.parameters.items()}
        net = net_of(own, strategy.shape, plan.weight, plan.noise or 0.0, base_rate=config.inner.rate * plan.rate_factor, lambda_max=config.privacy.lambda_max)
        for t, r in itertools.product(range(TASKS), range(ADAPTATIONS)):
            half = tasks.halves[t, r]
            loss = lambda n, x, y, plan=plan: inner_loss(n, x, y, plan.weight if plan.noise is None else 0.0, "output_mi")  # noqa: E731
            noise = {} if plan.noise is None else {"clip": config.privacy.clip, "sigma": plan.noise, "draws": (None, None, head[t, r])}
            end = adapted(net, tasks.pool_x[t, half], tasks.pool_y[t, half], loss, steps=plan.steps, lowest=plan.lowest, second_order=False, **noise)
            np.testing.assert_allclose(made.pool[p, t, r], end(tasks.pool_x[t]).detach().numpy(), rtol=1e-9, atol=1e-10, err_msg=f"{setting} {t} {r}")
            np.testing.assert_allclose(made.fresh[p, t, r], end(tasks.fresh_x[t]).detach().numpy(), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(made.start[p, 0], net(tasks.fresh_x[0]).detach().numpy(), rtol=1e-9, atol=1e-10)


def test_chunks_and_company_do_not_change_an_adaptation(strategy: Strategy, held: HeldOutTasks, tasks: AuditTasks) -> None:
    plans = [strategy.adaptation(s, 0) for s in ADAPTED]
    whole = evaluate(strategy, plans, tasks, 64)
    for rows in (1, 17, 4096):
        assert same(evaluate(strategy, plans, tasks, rows), whole)
    for p, plan in enumerate(plans):
        alone = evaluate(strategy, [plan], tasks)
        assert same(alone, Outputs(pool=whole.pool[[p]], fresh=whole.fresh[[p]], start=whole.start[[p]])), ADAPTED[p]
    one = held.one(0)
    single = audit_tasks(one, adaptations=ADAPTATIONS, seed=0, seen=strategy.seen[0], like=strategy.parameters["cb0"])
    assert same(evaluate(strategy, plans, single, 1), evaluate(strategy, plans, single, 4096))


def test_halves_are_complements_and_take_half_of_each_class(tasks: AuditTasks) -> None:
    keep, twin = tasks.keep, tasks.twin
    assert keep.shape == (TASKS, ADAPTATIONS, 18) and (keep.sum(-1) == 9).all()
    assert (keep[:, twin] == ~keep).all() and (twin[twin] == np.arange(ADAPTATIONS)).all()
    labels = tasks.pool_y.numpy()
    for t in range(TASKS):
        for row in keep[t]:
            assert np.bincount(labels[t][row]).tolist() == [3, 3, 3]
    assert len({row.tobytes() for row in keep.reshape(-1, 18)}) > TASKS * ADAPTATIONS / 2


def test_noise_is_shared_by_settings_and_differs_between_adaptations(strategy: Strategy, tasks: AuditTasks) -> None:
    noisy = strategy.adaptation(Setting("epsilon", 3.0), 0)
    twice = evaluate(strategy, [noisy, noisy], tasks)
    assert (twice.fresh[0] == twice.fresh[1]).all()
    still = dataclasses.replace(tasks, halves=tasks.halves[:, :1].expand(-1, ADAPTATIONS, -1))
    alike = evaluate(strategy, [noisy], still).fresh[0]
    assert not np.allclose(alike[:, 0], alike[:, 1])


@dataclasses.dataclass
class Scored:
    """Margins [T, R, N] of pool records and of fresh records under the same adaptations."""

    pool: NDArray[np.float64]
    fresh: NDArray[np.float64]
    keep: NDArray[np.bool_]
    twin: NDArray[np.int64]


@pytest.fixture(scope="module")
def scored(strategy: Strategy) -> Scored:
    held = held_out(plugin("tasks", "toy").build(strategy.config.task, 1).test, tasks=12, shots=3, records=6, seed=1)
    tasks = audit_tasks(held, adaptations=32, seed=1, seen=strategy.seen[0], like=strategy.parameters["cb0"])
    made = evaluate(strategy, [strategy.adaptation(UNPROTECTED, 0)], tasks)
    return Scored(pool=label_margin(made.pool[0], held.pool_y[:, None, :]), fresh=label_margin(made.fresh[0], held.eval_y[:, None, :]), keep=tasks.keep, twin=tasks.twin)


def test_members_are_found_when_they_were_adapted_on(scored: Scored) -> None:
    """The positive control: without it, the negative one would pass with a blind attack."""
    found = interval(attack_result(lira_online(scored.pool, scored.keep, scored.twin, "pooled"), scored.keep).auc[None])
    assert found.low > 0.55


@pytest.mark.parametrize("attack", ["pooled", "student_t", "threshold"])
def test_records_that_no_adaptation_saw_are_not_found(scored: Scored, attack: str) -> None:
    """Fresh records under random membership labels, eight times: every attack is at chance within its interval."""
    rng = np.random.default_rng(0)
    n = scored.fresh.shape[-1]
    found = []
    for _ in range(8):
        half = rng.random((12, 16, n)).argsort(-1) < n // 2
        keep = np.concatenate([half, ~half], 1)
        scores = loss_threshold(scored.fresh) if attack == "threshold" else lira_online(scored.fresh, keep, scored.twin, attack)
        found.append(attack_result(scores, keep).auc)
    middle = interval(np.stack(found))
    assert middle.low <= 0.5 <= middle.high and abs(middle.value - 0.5) < 0.015


def test_live_equals_an_audit_of_one_adaptation(strategy: Strategy) -> None:
    made = live(strategy, seed=1, task=2, draw=5)
    bench = Bench.of(strategy, 1, ComputeOptions())
    one = bench.held.one(2)
    tasks = audit_tasks(one, adaptations=2, seed=100_003 + 5, seen=strategy.seen[1], like=strategy.parameters["cb0"])
    keep, privacy = tasks.keep[0, 0], strategy.config.privacy
    assert made.settings == (*(Setting("lambda", v) for v in (0.0, 0.4, 0.8)), Setting("epsilon", 3.0), Setting("epsilon", 20.0), Setting("epsilon", math.inf))
    assert made.task_name == bench.held.names[2] == held_out_names(strategy, 1)[2]
    assert (made.eval_y == one.eval_y[0]).all() and (made.support_x == one.pool_x[0][keep]).all() and (made.support_y == one.pool_y[0][keep]).all()
    for i, setting in enumerate(made.settings):
        alone = evaluate(strategy, [strategy.adaptation(setting, 1)], tasks)
        used = utility(privacy, alone.fresh[0, 0, 0], one.eval_y[0])
        phi = statistic(privacy, alone.pool[0, 0, 0], one.pool_y[0])
        assert made.accuracy[i] == pytest.approx(float(used.accuracy), abs=1e-12)
        assert made.mi[i] == pytest.approx(float(used.information.total), abs=1e-12)
        np.testing.assert_allclose(made.probabilities[i], softmax(alone.fresh[0, 0, 0]), atol=1e-12)
        np.testing.assert_allclose(made.support_phi[i], phi[keep], atol=1e-10)
        np.testing.assert_allclose(made.other_phi[i], phi[~keep], atol=1e-10)
        wins = (phi[keep][:, None] > phi[~keep]).mean() + 0.5 * (phi[keep][:, None] == phi[~keep]).mean()
        assert made.threshold_auc[i] == pytest.approx(wins, abs=1e-12)
        assert made.accuracy_0[i] == pytest.approx(float(utility(privacy, alone.start[0, 0], one.eval_y[0]).accuracy), abs=1e-12)


def test_live_draws_differ_and_unknown_tasks_are_one_sentence(strategy: Strategy) -> None:
    a, b = live(strategy, seed=0, task=0, draw=0), live(strategy, seed=0, task=0, draw=1)
    assert not np.array_equal(a.support_x, b.support_x)
    for seed, task in ((2, 0), (0, 3), (0, -1)):
        with pytest.raises(ConfigError, match=rf"^seed is {seed} and task is {task}, but the study has the seeds 0 to 1 and the tasks 0 to 2\.$"):
            live(strategy, seed=seed, task=task, draw=0)


def test_points_have_a_finite_value_for_each_task_and_releases_reuse_the_unprotected_model(strategy: Strategy) -> None:
    settings = [UNPROTECTED, Setting("temperature", 2.0), Setting("rate_distortion", 3.5), Setting("epsilon", 3.0)]
    found = {p.setting: p for points, _ in audit(strategy, settings) for p in points if p.seed == 0}
    for setting, point in found.items():
        assert all(len(v) == 3 for v in point.values.values())
        assert all(np.isfinite(v).all() for k, v in point.values.items() if k not in ("lira_tpr_1pct", "lira_tpr_01pct")), setting
    assert found[settings[3]].values["epsilon"] == (3.0,) * 3 and "epsilon" not in found[UNPROTECTED].values
    assert found[settings[1]].values["accuracy_argmax"] == found[UNPROTECTED].values["accuracy_argmax"]
    assert np.mean(found[settings[1]].values["mi"]) < np.mean(found[UNPROTECTED].values["mi"])
    assert set(settings) <= set(settings_of(strategy.config))


# ---- the released output ----

LABELS = np.tile(np.repeat(np.arange(3), 8), (2, 1))
Z = np.random.default_rng(1).normal(0, 2, (2, 24, 3)) + 2.0 * (LABELS[..., None] == np.arange(3))


def test_sampled_label_in_closed_form() -> None:
    made = utility(PrivacyConfig(channel="sampled_label"), Z, LABELS)
    p = softmax(Z)
    assert made.accuracy == pytest.approx(np.take_along_axis(p, LABELS[..., None], -1)[..., 0].mean(-1), abs=1e-12)
    sure = utility(PrivacyConfig(), 50.0 * (LABELS[..., None] == np.arange(3)), LABELS)
    assert sure.accuracy == pytest.approx([1.0, 1.0]) and sure.f1 == pytest.approx([1.0, 1.0])
    assert sure.information.total == pytest.approx([math.log(3)] * 2) and sure.information.excess == pytest.approx([0.0, 0.0], abs=1e-9)
    nothing = utility(PrivacyConfig(), np.zeros((2, 24, 3)), LABELS)
    assert nothing.accuracy == pytest.approx([1 / 3, 1 / 3]) and nothing.information.total == pytest.approx([0.0, 0.0], abs=1e-12)
    assert made.note == ""


def test_top_label_in_closed_form() -> None:
    made = utility(PrivacyConfig(channel="top_label"), Z, LABELS)
    assert made.accuracy == pytest.approx((Z.argmax(-1) == LABELS).mean(-1))
    share = np.stack([np.bincount(row, minlength=3) / 24 for row in Z.argmax(-1)])
    entropy = -(share * np.log(share)).sum(-1)
    assert (np.abs(made.information.total - entropy) < 0.1).all() and "entropy" in made.note
    assert (utility(PrivacyConfig(channel="top_label"), 7.0 * Z + 3.0, LABELS).information.total == made.information.total).all()


def test_noisy_scores_between_no_noise_and_all_noise() -> None:
    make = lambda noise: utility(PrivacyConfig(channel="noisy_scores", channel_noise=noise), Z, LABELS, 0)  # noqa: E731
    quiet, middle, loud = make(0.01), make(1.0), make(20.0)
    assert quiet.accuracy == pytest.approx((Z.argmax(-1) == LABELS).mean(-1))
    assert (quiet.information.total > middle.information.total).all() and (middle.information.total > loud.information.total).all()
    assert quiet.information.total == pytest.approx([math.log(24)] * 2, abs=0.05) and quiet.information.capped.all()
    assert (loud.information.total < 0.05).all()
    assert "lower bound" in quiet.note
    assert make(1.0).accuracy == pytest.approx(middle.accuracy)


def test_rounded_scores_in_closed_form() -> None:
    make = lambda digits: utility(PrivacyConfig(channel="scores", channel_digits=digits), Z, LABELS)  # noqa: E731
    assert make(6).information.total == pytest.approx([math.log(24)] * 2), "all scores differ: the entropy of the record"
    coarse = make(1)
    for b in range(2):
        _, counts = np.unique(np.round(softmax(Z[b]), 1), axis=0, return_counts=True)
        assert coarse.information.total[b] == pytest.approx(-(counts / 24 * np.log(counts / 24)).sum())
    assert coarse.accuracy == pytest.approx((Z.argmax(-1) == LABELS).mean(-1))


def test_the_margin_is_the_log_odds_of_the_label() -> None:
    p = softmax(Z)
    own = np.take_along_axis(p, LABELS[..., None], -1)[..., 0]
    np.testing.assert_allclose(label_margin(Z, LABELS), np.log(own / (1 - own)), rtol=1e-9)
    far = label_margin(np.array([[800.0, 0.0, -800.0]]), np.array([0]))
    assert far[0] == pytest.approx(800.0), "finite where probabilities are 0 or 1"


@pytest.mark.parametrize("channel", ["sampled_label", "noisy_scores"])
def test_more_queries_come_closer_to_what_unlimited_ones_see(channel: str) -> None:
    unlimited = statistic(PrivacyConfig(channel=channel), Z, LABELS)
    np.testing.assert_allclose(unlimited, label_margin(Z, LABELS))
    shown = np.abs(label_margin(Z, LABELS)) < 3.0
    error = [np.abs(statistic(PrivacyConfig(channel=channel, attacker_queries=m), Z, LABELS) - unlimited)[shown].mean() for m in (1, 30, 1000)]
    assert error[0] > 2 * error[1] > 4 * error[2] and error[2] < 0.2


def test_one_query_of_a_sampled_label_shows_one_of_two_values() -> None:
    seen = statistic(PrivacyConfig(attacker_queries=1), Z, LABELS)
    assert len(np.unique(seen.round(9))) == 2
    p = np.take_along_axis(softmax(Z), LABELS[..., None], -1)[..., 0]
    many = np.mean([statistic(PrivacyConfig(attacker_queries=1), Z, LABELS, seed) == seen.max() for seed in range(400)], 0)
    np.testing.assert_allclose(many, p, atol=5 * 0.5 / math.sqrt(400))


@pytest.mark.parametrize("channel", ["top_label", "scores"])
def test_a_deterministic_output_shows_the_same_at_every_query_and_no_more_than_it_releases(channel: str) -> None:
    one, many = (statistic(PrivacyConfig(channel=channel, attacker_queries=m), Z, LABELS) for m in (1, 500))
    assert (one == many).all()
    if channel == "top_label":
        assert len(np.unique(one.round(9))) == 2
        assert (one == statistic(PrivacyConfig(channel=channel), Z / 3.0, LABELS)).all()
    else:
        q = np.maximum(np.round(softmax(Z), 1), 0.01)
        own = np.take_along_axis(q, LABELS[..., None], -1)[..., 0]
        np.testing.assert_allclose(one, np.log(own / (q.sum(-1) - own)), rtol=1e-9, atol=1e-12)


def test_releases_in_closed_form() -> None:
    unprotected = Logits(pool=Z[:, None], fresh=Z[:, None], start=Z)
    warm = released_from(Setting("temperature", 2.0), unprotected)
    np.testing.assert_allclose(softmax(warm.fresh), softmax(Z / 2.0)[:, None], atol=1e-12)
    p = softmax(Z)
    tilted = released_from(Setting("rate_distortion", 3.0), unprotected)
    q = softmax(tilted.fresh)[:, 0]
    ratio = q / np.exp(3.0 * p)
    ratio /= ratio.sum(-1, keepdims=True)
    assert np.isfinite(tilted.pool).all() and q.sum(-1) == pytest.approx(np.ones((2, 24)))
    normal = q / np.exp(3.0 * p)
    odds = normal[..., 1:] / normal[..., :1]
    np.testing.assert_allclose(odds, np.broadcast_to(odds[:, :1], odds.shape), rtol=1e-8, err_msg="the marginal is one for all records")
