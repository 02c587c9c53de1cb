"""All attacks at once: which speaks for the evidence, which couldn't run and why, where decisions are taken."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mrp_core.audit import attack_result, evidence_of_target, headline_attack, membership_information, run_attacks
from mrp_core.errors import ConfigError, DataError
from mrp_core.registry import plugins
from tests.attacks.made import made

WITHOUT_SHADOWS = {"loss_threshold", "confidence", "entropy", "modified_entropy", "label_only_gap"}
OFFLINE = {"lira_offline", "lira_offline_per_record", "lira_offline_t", "rmia_offline", "attack_r"}


def test_every_attack_runs_where_there_is_everything() -> None:
    whole = made(1, lead=(2,), models=20, records=40)
    table = run_attacks(whole)
    assert list(table.results) == list(table.scores) == list(plugins("attacks")) and table.left_out == {}
    assert table.headline == "lira_online"
    for name, result in table.results.items():
        assert result.auc.shape == (2,)
        np.testing.assert_array_equal(result.auc, attack_result(table.scores[name], table.member).auc)


@pytest.mark.parametrize(("shadows", "headline"), [(16, "lira_online"), (15, "lira_online_t"), (4, "lira_online_t")])
def test_the_headline_depends_on_the_number_of_shadows(shadows: int, headline: str) -> None:
    whole = made(2, models=34)
    kept = np.arange(1, 1 + shadows) % 17 + 17 * (np.arange(1, 1 + shadows) % 2)
    held = evidence_of_target(whole.logits[0], whole.logits[kept], whole.keep[kept], whole.labels, member=whole.keep[0])
    assert headline_attack(held)[0] == headline and str(shadows) in headline_attack(held)[1]


def test_twins_do_not_count_as_shadows() -> None:
    assert headline_attack(made(3, models=16))[0] == "lira_online_t"
    assert headline_attack(made(3, models=18))[0] == "lira_online"


def test_with_out_shadows_only_the_offline_attacks_run_and_rmia_speaks() -> None:
    whole = made(4, models=12, records=80)
    held = evidence_of_target(whole.logits[0], np.where(whole.keep[1:, :, None], 0.0, whole.logits[1:]), np.zeros((11, 80), bool), whole.labels, member=whole.keep[0])
    table = run_attacks(held)
    assert table.headline == "rmia_offline" and set(table.scores) == WITHOUT_SHADOWS | OFFLINE
    assert "a typical record of keep (12, 80) has 0 in and 11 out" in table.left_out["lira_online"]


def test_without_shadows_the_loss_threshold_speaks() -> None:
    whole = made(5)
    table = run_attacks(evidence_of_target(whole.logits[0], None, None, whole.labels, member=whole.keep[0]))
    assert table.headline == "loss_threshold" and set(table.scores) == WITHOUT_SHADOWS
    assert set(table.left_out) == set(plugins("attacks")) - WITHOUT_SHADOWS
    assert all(reason.endswith(".") for reason in table.left_out.values())


def test_fewer_shadows_than_a_method_needs_is_an_error_where_it_was_asked_for() -> None:
    whole = made(6, models=4, records=20)
    assert set(run_attacks(whole).left_out) == {"lira_online_per_record", "lira_offline_per_record", "attack_r"}
    with pytest.raises(DataError, match=r"LiRA online, per-record variance needs at least 2 shadow models .* has 1 in and 1 out .* add shadow models\."):
        run_attacks(whole, ["loss_threshold", "lira_online_per_record"])


def test_named_attacks_only() -> None:
    whole = made(7)
    table = run_attacks(whole, ["entropy", "loss_threshold"])
    assert list(table.results) == ["entropy", "loss_threshold"] and table.headline == ""
    assert run_attacks(whole, ["lira_online_t"]).headline == "lira_online_t"
    with pytest.raises(ConfigError, match="'mind_reading' is not known among attacks"):
        run_attacks(whole, ["mind_reading"])


def test_unknown_membership_gives_scores_but_no_results() -> None:
    whole = made(8)
    held = evidence_of_target(whole.logits[0], whole.logits[1:], whole.keep[1:], whole.labels)
    assert plugins("attacks")["lira_online"].score(held).shape == (1, 60)
    with pytest.raises(DataError, match="pass the targets' membership"):
        run_attacks(held)


def test_attacks_without_a_threshold_decide_at_the_median_and_the_others_at_zero() -> None:
    whole = made(9, records=200)
    table = run_attacks(whole)
    loss, lira = table.results["loss_threshold"], table.results["lira_online"]
    scores = table.scores["loss_threshold"]
    above = scores > np.median(scores)
    np.testing.assert_allclose(loss.decision_tpr, above[table.member].mean())
    np.testing.assert_allclose(loss.decision_fpr, above[~table.member].mean())
    np.testing.assert_allclose(loss.information, membership_information(loss.decision_tpr, loss.decision_fpr))
    np.testing.assert_allclose(lira.decision_tpr, (table.scores["lira_online"] > 0)[table.member].mean())


def test_infinite_scores_are_judged() -> None:
    whole = made(10)
    logits = np.where((whole.labels[:, None] == np.arange(4)) & (whole.keep & (np.arange(60) % 3 == 0))[..., None], np.inf, whole.logits)
    table = run_attacks(dataclasses.replace(whole, logits=logits))
    assert np.isinf(table.scores["loss_threshold"]).any()
    assert all(0 <= float(r.auc) <= 1 and np.isfinite(r.information) for r in table.results.values())
