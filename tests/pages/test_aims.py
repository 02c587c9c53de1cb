"""What a study was meant to lower and what it lowered, in words; and two studies on one chart."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from mrp_core.config import OuterConfig, PrivacyConfig, StudyConfig
from mrp_core.measurement import Measurement
from mrp_core.results import Summary
from mrp_core.settings import Setting
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile, samples
from pages.ui import aims, studies
from pages.ui.comparable import comparable
from tests.pages.test_acts import OWN, finished, page, store

__all__ = ["store"]


def measured(value: float, half: float) -> Measurement:
    return Measurement(value=value, low=value - half, high=value + half, n=6)


def test_the_sentence_sorts_by_the_intervals_and_names_what_was_meant() -> None:
    study = studies.load("letters")
    differences = {"mi": measured(-0.5 * math.log(2), 0.1), "lira_auc": measured(0.05, 0.02), "membership_bits": measured(-0.1, 0.2), "accuracy": measured(-0.3, 0.01)}
    text = aims.sentence(study, Summary(setting=Setting.from_key("lambda=0.8"), means={}, differences=differences, seeds={}))
    assert text == ("**Output mutual information** is meant to lower I(X;Ŷ). At λ = 0.8, its far end, it lowers I(X;Ŷ); it raises LiRA AUC; "
                    "it is not told apart from λ = 0 in Membership leakage.")


def test_the_table_holds_the_differences_of_both_ends() -> None:
    ends = [Summary(setting=Setting.from_key(key), means={}, differences=d, seeds={}) for key, d in (
        ("lambda=0.8", {"mi": measured(-0.5 * math.log(2), 0.1 * math.log(2))}), ("epsilon=1", {"mi": measured(math.nan, 0.1), "lira_auc": measured(-0.2, 0.05)}))]
    first, second = aims.rows(ends)
    assert list(first.values()) == ["I(X;Ŷ)", "-0.50 bits [-0.60, -0.40]", "—"]
    assert list(second.values()) == ["LiRA AUC", "—", "-0.200 [-0.250, -0.150]"]


@pytest.mark.parametrize("name", sorted(samples()))
def test_explore_says_what_the_samples_lowered(name: str) -> None:
    at = page("explore", study=name)
    assert not at.exception
    (text,) = [m.value for m in at.markdown if "is meant to lower" in m.value]
    assert "At λ = 0.8, its far end, it lowers I(X;Ŷ)" in text and "At ε = 1" in text


def test_two_studies_of_the_same_tasks_stand_on_one_chart(store: Store) -> None:
    other = StudyConfig(title="Other loss", privacy=PrivacyConfig(loss="kl_uniform"), outer=OuterConfig(iterations=3, seeds=2))
    key = finished(store)
    points = store.study_file(key).points
    second = store.import_file(StudyFile(config=other, points=points))
    at = page("explore", study=key)
    assert second in at.selectbox(key="beside").options or "Other loss" in at.selectbox(key="beside").options
    at.selectbox(key="beside").set_value(second).run()
    assert not at.exception and at.query_params["beside"] in (second, [second])
    assert any("dashed line: Other loss" in c.value for c in at.caption)


def test_studies_of_other_tasks_are_not_offered(store: Store) -> None:
    assert OWN.task.family == "letters"
    assert "medical" not in {c.key for c in comparable(studies.load("letters"))}


def test_a_study_that_is_not_there_draws_nothing_beside(store: Store, tmp_path: Path) -> None:
    at = page("explore", study=finished(store), beside="nonsense")
    assert not at.exception and not any("dashed line" in c.value for c in at.caption)
