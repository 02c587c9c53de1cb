"""Each attack against a naive loop or a closed form, and the slips that are common in the field, each beaten."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mrp_core.attacking import Evidence
from mrp_core.audit import attack_result, evidence, tpr_at
from mrp_core.audit.membership import lira, log_mean_probability
from mrp_core.audit.signals import label_margin
from mrp_core.errors import DataError
from mrp_core.registry import plugin
from tests.attacks.made import halves, made


def shadows_of(e: Evidence, target: int) -> list[int]:
    return [s for s in range(len(e.twin)) if s not in (target, e.twin[target])]


def phi_of(e: Evidence) -> NDArray[np.float64]:
    return label_margin(e.logits, e.labels[..., None, :])


def from_phi(phi: NDArray[np.float64], keep: NDArray[np.bool_], twin: NDArray[np.int64]) -> Evidence:
    """Two-class evidence whose margins are phi."""
    return evidence(np.stack([phi, np.zeros_like(phi)], -1), np.zeros(phi.shape[-1], int), keep, twin=twin)


def test_attack_r_is_the_rank_among_out_shadows_with_ties_broken() -> None:
    e = made(1, models=10, records=30)
    phi, score = phi_of(e), plugin("attacks", "attack_r").score(e)
    for t in range(10):
        for x in range(30):
            out = [s for s in shadows_of(e, t) if not e.keep[s, x]]
            rank = sum(phi[s, x] < phi[t, x] for s in out)
            assert rank / (len(out) + 1) < score[t, x] < (rank + 1) / (len(out) + 1)
    assert len(np.unique(score)) == score.size


def test_attack_r_without_ties_keeps_what_ranks_lose_at_low_rates() -> None:
    e = made(2, models=10, records=600, effect=3.0)
    phi, score = phi_of(e), plugin("attacks", "attack_r").score(e)
    ranks = np.zeros_like(phi)
    for t in range(10):
        out = np.array(shadows_of(e, t))
        ranks[t] = ((phi[out] < phi[t]) & ~e.keep[out]).sum(0) / (~e.keep[out]).sum(0)
    assert tpr_at(ranks, e.keep, 0.01) == 0.0
    assert tpr_at(score, e.keep, 0.01) > 0.2
    assert attack_result(score, e.keep).auc >= attack_result(ranks, e.keep).auc


def test_attack_p_is_the_rank_in_the_class_and_evens_out_hard_classes() -> None:
    e = made(3, models=6, records=40)
    assert e.population is not None and e.population_labels is not None
    phi, others, score = phi_of(e), label_margin(e.population, e.population_labels[None]), plugin("attacks", "attack_p").score(e)
    for t in range(6):
        for x in range(40):
            row = others[t, e.population_labels == e.labels[x]]
            rank = (row < phi[t, x]).sum()
            assert rank / (len(row) + 1) < score[t, x] < (rank + 1) / (len(row) + 1)
    hard = 4.0 * (e.labels == 0)[:, None] * (np.arange(4) == 0)
    easier = dataclasses.replace(e, logits=e.logits + hard, population=e.population + 4.0 * (e.population_labels == 0)[:, None] * (np.arange(4) == 0))
    auc = {name: attack_result(plugin("attacks", name).score(easier), e.keep).auc for name in ("attack_p", "loss_threshold")}
    assert auc["attack_p"] > auc["loss_threshold"] + 0.03


def test_a_class_without_population_is_ranked_among_all() -> None:
    e = made(4, models=4, records=20)
    assert e.population_labels is not None
    lacking = dataclasses.replace(e, population_labels=np.minimum(e.population_labels, 2))
    score = plugin("attacks", "attack_p").score(lacking)
    assert ((score > 0) & (score < 1)).all()


@pytest.mark.parametrize("variance", ["pooled", "per_record"])
def test_offline_lira_is_the_one_sided_deviation_from_out_shadows(variance: str) -> None:
    e = made(5, models=12, records=20)
    phi, score = phi_of(e), lira(e, variance, offline=True)  # type: ignore[arg-type]
    for t in range(12):
        groups = [phi[[s for s in shadows_of(e, t) if not e.keep[s, x]], x] for x in range(20)]
        v = np.array([g.var(ddof=1) for g in groups])
        n = np.array([len(g) for g in groups])
        v = np.full(20, (v * (n - 1)).sum() / (n - 1).sum()) if variance == "pooled" else v
        np.testing.assert_allclose(score[t], (phi[t] - [g.mean() for g in groups]) / np.sqrt(v), rtol=1e-9)


def test_offline_student_t_has_the_tail_of_its_predictive() -> None:
    """On records whose variances differ its deviates are about standard normal; the pooled ones have too heavy a tail."""
    rng = np.random.default_rng(6)
    keep, twin = halves(rng, (), 14, 4000)
    phi = rng.normal(0, 3, 4000) + np.sqrt(1 / rng.gamma(6.0, 1 / 5.0, 4000)) * rng.normal(size=(14, 4000))
    score = lira(from_phi(phi, keep, twin), "student_t", offline=True)
    pooled = lira(from_phi(phi, keep, twin), "pooled", offline=True)
    above = [float(np.mean(s > stats.norm.isf(0.01))) for s in (score, pooled)]
    assert 0.005 < above[0] < 0.012 and above[1] > 0.015


def test_offline_lira_reads_no_shadow_that_saw_the_record() -> None:
    e = made(7, models=12, records=20, targets=np.array([3]))
    logits = np.where(e.keep[..., None], 77.0 * np.arange(4), e.logits)
    logits[3] = e.logits[3]
    for name in ("lira_offline", "lira_offline_per_record", "attack_r", "rmia_offline"):
        attack = plugin("attacks", name)
        np.testing.assert_allclose(attack.score(dataclasses.replace(e, logits=logits)), attack.score(e), rtol=1e-6, atol=1e-9)


def test_the_two_sided_tail_is_clearly_beaten() -> None:
    """Members lie above the shadows without them. A density ratio against 'out' alone also accuses everyone who lies far below."""
    rng = np.random.default_rng(8)
    keep, twin = halves(rng, (), 34, 1500)
    phi = rng.normal(0, 2, 1500) + 1.0 * keep + rng.normal(size=keep.shape)
    one_sided = lira(from_phi(phi, keep, twin), "pooled", offline=True)
    auc = attack_result(one_sided, keep).auc
    assert auc == pytest.approx(stats.norm.cdf(1 / np.sqrt(2 * (1 + 1 / 16))), abs=0.01)
    assert auc > attack_result(np.abs(one_sided), keep).auc + 0.12
    assert tpr_at(one_sided, keep, 0.01) > 1.5 * tpr_at(np.abs(one_sided), keep, 0.01)


@pytest.mark.parametrize("sides", [(True, False), (False,)])
def test_mean_probabilities_of_shadows_equal_a_loop(sides: tuple[bool, ...]) -> None:
    e = made(9, models=10, records=25)
    own, mean = log_mean_probability(e, sides)
    p = 1 / (1 + np.exp(-phi_of(e)))
    np.testing.assert_allclose(own, np.log(p), rtol=1e-10)
    for t in range(10):
        for x in range(25):
            means = [np.mean([p[s, x] for s in shadows_of(e, t) if e.keep[s, x] == side]) for side in sides]
            assert mean[t, x] == pytest.approx(np.log(np.mean(means)), rel=1e-9)


def test_rmia_offline_guesses_the_mean_with_the_record() -> None:
    e = made(10, models=10, records=25)
    own, outside = log_mean_probability(e, (False,))
    a = plugin("attacks", "rmia_offline").a
    expected = own - np.log(((1 + a) * np.exp(outside) + (1 - a)) / 2)
    np.testing.assert_allclose(plugin("attacks", "rmia_offline").score(e), expected, rtol=1e-9, atol=1e-12)


def test_rmia_by_ratio_keeps_the_low_rates_where_the_published_score_is_tied() -> None:
    """The share of a population z with r_x > gamma r_z is 1 for all who beat every z: 297 z can't tell 1 in 1,000 apart."""
    e = made(11, models=34, records=1500, classes=10, effect=2.5, targets=np.arange(8))
    ratio = plugin("attacks", "rmia_online").score(e)
    member, rng = e.keep[e.targets], np.random.default_rng(0)
    published = np.stack([(r[:, None] > rng.choice(r[~m], 297, replace=False)).mean(-1) for r, m in zip(ratio, member, strict=True)])
    tied, free = attack_result(published, member), attack_result(ratio, member)
    assert tied.auc == pytest.approx(free.auc, abs=0.01) and free.auc > 0.8
    assert tied.at(0.001) == 0.0 and free.at(0.001) > 0.25


def test_rmia_stays_in_order_where_probabilities_round_to_0_or_1() -> None:
    keep, twin = halves(np.random.default_rng(12), (), 8, 6)
    base = np.array([2000.0, 900.0, 60.0, -60.0, -900.0, -2000.0])
    for move in (1.0, 50.0):
        phi = np.where(keep, base + move, base)
        own, means = log_mean_probability(from_phi(phi, keep, twin), (True, False))
        assert np.isfinite(own - means).all()
        seen = (own - means)[:, 2:]
        assert (seen[keep[:, 2:]] > 0).all() and (seen[~keep[:, 2:]] < 0).all()
    high = np.where(np.arange(8)[:, None] == 0, 10.0 * np.arange(6), -3000.0 - np.arange(6))
    score = np.subtract(*log_mean_probability(from_phi(high, keep, twin), (True, False)))[0]
    assert (np.diff(score) > 0).all(), "shadows far below the target are told apart too"


def test_quantile_regression_is_exact_where_mean_and_scale_are_linear() -> None:
    """phi | x is Gaussian with mean 2 x0 and scale exp(x1 / 2): the score of fresh records is standard normal."""
    rng = np.random.default_rng(13)
    x, px = rng.normal(size=(2, 3000, 2))
    draw = lambda f: 2 * f[:, 0] + np.exp(f[:, 1] / 2) * rng.normal(size=(2, len(f)))  # noqa: E731
    keep = np.stack([np.arange(3000) % 2 == 0, np.arange(3000) % 2 == 1])
    phi, population = draw(x), draw(px)
    whole = dataclasses.replace(
        from_phi(phi, keep, np.array([1, 0])), features=x, population=np.stack([population, 0 * population], -1), population_labels=np.zeros(3000, int), population_features=px)
    score = plugin("attacks", "quantile_regression").score(whole)
    truth = (phi - 2 * x[:, 0]) / np.exp(x[:, 1] / 2)
    assert np.corrcoef(score.ravel(), truth.ravel())[0, 1] > 0.97
    assert score.std() == pytest.approx(1.0, abs=0.1) and score.mean() == pytest.approx(0.0, abs=0.05)
    assert np.mean(score > stats.norm.isf(0.05)) == pytest.approx(0.05, abs=0.01)


def test_quantile_regression_beats_the_single_threshold_where_records_differ() -> None:
    e = made(14, models=6, records=400)
    auc = {name: attack_result(plugin("attacks", name).score(e), e.keep).auc for name in ("quantile_regression", "loss_threshold")}
    assert auc["quantile_regression"] > auc["loss_threshold"] + 0.08


def test_quantile_regression_takes_many_and_constant_features() -> None:
    e = made(15, models=4, records=60)
    assert e.features is not None and e.population_features is not None
    wide = [np.concatenate([f, np.zeros((len(f), 1)), np.random.default_rng(0).normal(size=(len(f), 150))], -1) for f in (e.features, e.population_features)]
    score = plugin("attacks", "quantile_regression").score(dataclasses.replace(e, features=wide[0], population_features=wide[1]))
    assert np.isfinite(score).all() and attack_result(score, e.keep).auc > 0.7
    with pytest.raises(DataError, match="at least 20 records"):
        few = {f: getattr(e, f)[..., :19, :] for f in ("population", "population_features")}
        plugin("attacks", "quantile_regression").score(dataclasses.replace(e, **few, population_labels=e.population_labels[:19]))  # type: ignore[index]


def test_the_shadow_classifier_finds_a_signal_that_is_in_the_shape_of_the_answer() -> None:
    """Members get answers nearer to a fixed confidence, neither surer nor less sure: no threshold on the loss sees it."""
    rng = np.random.default_rng(16)
    keep, twin = halves(rng, (), 12, 300)
    phi = 2.0 + np.where(keep, 0.3, 2.0) * rng.normal(size=keep.shape)
    e = from_phi(phi, keep, twin)
    auc = {name: attack_result(plugin("attacks", name).score(e), keep).auc for name in ("shadow_classifier", "loss_threshold")}
    assert auc["shadow_classifier"] > 0.8 and auc["loss_threshold"] < 0.55


def test_the_shadow_classifier_of_shadows_that_are_all_in_has_nothing_to_say() -> None:
    e = made(17, models=6, records=10, targets=np.array([0]))
    e.keep.flags.writeable = True
    e.keep[1:] = True
    e.keep[[1, 2], :] = False
    score = plugin("attacks", "shadow_classifier")
    scored = dataclasses.replace(score, examples=1).score(e)
    np.testing.assert_array_equal(scored, 0.0)
