"""Studies beside one another, and what the seeds attain: numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mrp_core.charts.attained import attained
from mrp_core.charts.comparison import comparable, compared_study, ranked
from mrp_core.config import AuditConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.results import Summary
from tests.charts.made import summary

CONFIG = StudyConfig(task=TaskConfig(ways=4), outer=OuterConfig(search="lambda_sweep", iterations=90, seeds=2))
FULL = math.log(4)
STUDY = [
    summary("lambda=0", mi=(0.5 * FULL, 0.5 * FULL), accuracy=(0.85, 0.70), lira_auc=(0.8, 0.9)),
    summary("lambda=1", mi=(0.25 * FULL, 0.25 * FULL), accuracy=(0.55, 0.40), lira_auc=(0.9, 0.6)),
    summary("temperature=2", mi=(0.1 * FULL, 0.1 * FULL), accuracy=(0.85, 0.85), lira_auc=(0.5, 0.5)),
]
T_95_1 = 12.7062047364  # Student's t, one degree of freedom


def test_a_row_holds_the_hypervolume_of_what_was_trained_with_an_interval_over_seeds() -> None:
    made = compared_study("abc", "Mine", CONFIG, STUDY, 12.5)
    # in the box of [0.25, 1] x [0, ln 4]: (leakage, gain) as shares (1/2, 0.8), (1/4, 0.4) with seed 0; (1/2, 0.6), (1/4, 0.2) with seed 1
    mi = (0.5 * 0.8 + 0.25 * 0.4, 0.5 * 0.6 + 0.25 * 0.2)
    # of [0.5, 1]: (0.6, 0.8) beats (0.8, 0.4) with seed 0; (0.8, 0.6) and (0.2, 0.2) with seed 1
    auc = (0.4 * 0.8, 0.2 * 0.6 + 0.6 * 0.2)
    for name, (a, b) in {"mi": mi, "lira_auc": auc}.items():
        m = made.volumes[name]
        half = T_95_1 * abs(a - b) / 2
        assert (m.value, m.low, m.high) == pytest.approx(((a + b) / 2, max(0.0, (a + b) / 2 - half), min(1.0, (a + b) / 2 + half)))
    assert (made.family, made.search, made.learner, made.iterations, made.seconds, made.settings, made.seeds) == ("Letters", "One training per λ", "MAML", 90, 12.5, 2, 2)
    row = made.row()
    assert list(row)[:2] == ["study", "family"] and row["id"] == "abc"
    assert row["hypervolume, accuracy × I(X;Ŷ)"] == pytest.approx(0.425)
    assert row["hypervolume, accuracy × LiRA AUC, high"] == pytest.approx(made.volumes["lira_auc"].high)


def test_one_seed_has_no_interval_and_nothing_measured_no_value() -> None:
    one = [Summary(setting=s.setting, means=s.means, differences={}, seeds={k: v[:1] for k, v in s.seeds.items()}) for s in STUDY]
    m = compared_study("a", "A", CONFIG, one).volumes["mi"]
    assert m.value == pytest.approx(0.5) and math.isnan(m.low) and math.isnan(m.high)
    none = compared_study("b", "B", CONFIG, [])
    assert not any(m.resolved for m in none.volumes.values()) and none.seeds == 0 and math.isnan(none.seconds)


def test_studies_stand_from_the_largest_hypervolume_to_those_without() -> None:
    better = [summary("lambda=0", mi=(0.1, 0.1), accuracy=(0.9, 0.9), lira_auc=(0.9, 0.9))]
    made = [compared_study(k, k, CONFIG, s) for k, s in {"z": [], "worse": STUDY, "y": [], "best": better}.items()]
    assert [s.key for s in ranked(made)] == ["best", "worse", "y", "z"]


def test_studies_are_comparable_if_they_are_judged_alike_however_they_were_trained() -> None:
    trained = replace(CONFIG, outer=OuterConfig(search="conditioned", learner="anil", seeds=7), privacy=PrivacyConfig(loss="membership_mi", lambda_max=3.0, mechanism="none"))
    assert comparable(CONFIG, CONFIG) and comparable(CONFIG, trained) and comparable(trained, CONFIG)
    others = [replace(CONFIG, task=TaskConfig(family="digits", ways=4)), replace(CONFIG, task=TaskConfig(ways=5)), replace(CONFIG, task=TaskConfig(ways=4, shots=1)),
              replace(CONFIG, audit=AuditConfig(tasks=13)), replace(CONFIG, audit=AuditConfig(adaptations=32)), replace(CONFIG, privacy=PrivacyConfig(channel="top_label"))]
    assert not any(comparable(CONFIG, other) for other in others)


def test_what_seeds_attain_is_their_best_accuracy_at_that_leakage_or_less() -> None:
    at = lambda share: attained(STUDY, "mi", share * FULL)  # noqa: E731
    whole, quarter, less = at(0.5), at(0.25), at(0.2)
    assert (whole.least, whole.median, whole.most, whole.seeds) == pytest.approx((70.0, 85.0, 85.0, 2)), "half of two seeds is one of them"
    assert (quarter.least, quarter.median, quarter.most) == pytest.approx((40.0, 55.0, 55.0))
    assert all(math.isnan(v) for v in (less.least, less.median, less.most)), "a release isn't trained"
    some = attained(STUDY, "lira_auc", 0.7)
    assert math.isnan(some.least) and some.most == pytest.approx(40.0), "one seed of two gets there"
    assert attained([], "mi", 1.0).seeds == 0
