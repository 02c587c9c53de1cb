"""What a person does on the pages: presets, launching, following, pinning, renaming, deleting; each against a store of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import mrp_core.jobs
from mrp_core.config import OuterConfig, StudyConfig
from mrp_core.results import Point, StudyState
from mrp_core.settings import Setting
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile

ROOT = Path(__file__).resolve().parents[2]
OWN = StudyConfig(title="Mine *today*", outer=OuterConfig(iterations=3, seeds=2))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store that the pages open too; no supervisor is started."""
    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    monkeypatch.setattr(mrp_core.jobs, "ensure_supervisor", lambda store: False)
    st.cache_resource.clear()
    made = Store.open()
    yield made
    made.close()
    st.cache_resource.clear()


def page(name: str, **parameters: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    for key, value in parameters.items():
        at.query_params[key] = value
    return at.run() if name == "explore" else at.switch_page(f"pages/{name}.py").run()


def finished(store: Store) -> str:
    """An own study with three settings of two seeds, all made up for this test."""
    values = {"lambda=0": 0.9, "lambda=1": 0.7, "epsilon=3": 0.8, "epsilon=7": 0.85}
    points = [Point(setting=Setting.from_key(key), seed=seed, values={"accuracy": (v, v - 0.02 * seed), "mi": (v * math.log(2), v / 2), "lira_auc": (v, v - 0.1)})
              for key, v in values.items() for seed in (0, 1)]
    return store.import_file(StudyFile(config=OWN, points=tuple(points)))


def test_launch_queues_the_study_and_follows_it(store: Store) -> None:
    at = page("train")
    at.text_input(key="knob:title").set_value("From the page").run()
    at.button(key="launch").click().run()
    (row,) = store.studies()
    assert (row.title, row.state) == ("From the page", StudyState.QUEUED)
    assert at.query_params["study"] in (row.id, [row.id])
    assert not at.exception and at.button(key="cancel")
    again = page("train", study=row.id)
    assert again.subheader[0].value == "From the page"
    again.button(key="cancel").click().run()
    assert store.study(row.id).state is StudyState.CANCELLED
    assert "resume" in again.warning[0].value.lower()
    again.button(key="resume").click().run()
    assert store.study(row.id).state is StudyState.QUEUED


def test_presets_and_efforts_set_the_knobs(store: Store) -> None:
    at = page("train")
    at.segmented_control(key="protection").set_value("none").run()
    assert at.selectbox(key="knob:privacy.mechanism").value == "none"
    assert at.slider(key="knob:privacy.lambda_points").value == 2
    at.segmented_control(key="effort").set_value("quick").run()
    assert at.slider(key="knob:privacy.lambda_points").value == 2
    at.segmented_control(key="protection").set_value("strongest").run()
    assert (at.selectbox(key="knob:privacy.loss").value, at.number_input(key="knob:outer.iterations").value) == ("membership_mi", 150)
    assert not at.exception


def test_another_family_brings_its_own_defaults(store: Store) -> None:
    at = page("train")
    at.selectbox(key="knob:task.family").set_value("medical").run()
    assert at.selectbox(key="knob:task.mode").value in ("site", "site_target")
    assert at.slider(key="knob:task.ways").value == 2
    assert not at.exception and not at.error


def test_recompute_queues_the_sample_and_opens_it(store: Store) -> None:
    at = page("explore")
    at.button(key="recompute").click().run()
    (row,) = store.studies()
    assert row.state is StudyState.QUEUED
    assert not at.exception and at.title[0].value == "What happens with my settings?"


def test_a_failed_study_says_why_and_can_be_resumed(store: Store) -> None:
    key = store.submit(OWN)
    from sqlalchemy import update

    from mrp_core.store.schema import JOB

    with store.database.write() as connection:
        connection.execute(update(JOB).where(JOB.c.study == key).values(state="failed", error="Every configuration has diverged; lower the rates."))
    at = page("train", study=key)
    assert "diverged; lower the rates" in at.error[0].value
    assert at.button(key="resume")


def test_an_own_study_is_explored_like_a_sample(store: Store) -> None:
    at = page("explore", study=finished(store), point="lambda=1")
    assert not at.exception
    assert [m.value for m in at.metric][:2] == ["69.5 %", "0.60 bits"]
    assert "λ = 1" in at.info[0].value
    assert at.sidebar.selectbox(key="study_picker").value == OWN.id


def test_the_wording_follows_the_paired_interval(store: Store) -> None:
    at = page("explore", study=finished(store), point="lambda=1")
    assert "accuracy falls by 20.0 points [20.0, 20.0]" in at.info[0].value
    at = page("explore", study=OWN.id, point="lambda=0")
    assert "λ = 0 is the unprotected model" in at.info[0].value


def test_pinned_points_stand_side_by_side_until_unpinned(store: Store) -> None:
    key = finished(store)
    for point in ("lambda=1", "epsilon=3"):
        page("explore", study=key, point=point).button(key="pin").click().run()
    assert [p.setting_key for p in store.pins()] == ["lambda=1", "epsilon=3"]
    at = page("compare")
    assert not at.exception
    table = at.table[0].value
    assert table.shape[1] == 3
    assert "69.5 %" in table.iloc[0, 1] and "79.5 %" in table.iloc[0, 2]
    at.button(key=f"unpin:{key}:lambda=1").click().run()
    assert [p.setting_key for p in store.pins()] == ["epsilon=3"]


def test_two_pinned_guarantees_come_with_the_cost_of_choosing_between_them(store: Store) -> None:
    key = finished(store)
    store.pin(key, "epsilon=3")
    assert not any("cost of choosing" in c.value for c in page("compare").caption)
    store.pin(key, "epsilon=7")
    assert any("The cost of choosing: ε = 7" in c.value and "each of 2 such settings" in c.value for c in page("compare").caption)


def test_compare_lists_studies_and_a_study_of_another_version_is_not_lost(store: Store) -> None:
    key = finished(store)
    assert page("compare").dataframe[0].value.iloc[0, 0] == OWN.title
    from sqlalchemy import update

    from mrp_core.store.schema import STUDY

    with store.database.write() as connection:
        connection.execute(update(STUDY).where(STUDY.c.id == key).values(config='{"version": 99}'))
    at = page("compare")
    assert not at.exception and "nothing of it is lost" in at.warning[0].value


def test_a_store_that_cannot_be_opened_leaves_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "studies.db").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    st.cache_resource.clear()
    at = page("explore")
    assert not at.exception
    assert at.metric[0].label == "Accuracy"
    assert len(at.sidebar.error) == 1
    for name in ("train", "compare"):
        assert not page(name).exception
    st.cache_resource.clear()


def test_a_point_of_a_sample_can_be_pinned_too(store: Store) -> None:
    explored = page("explore", point="epsilon=3")
    explored.button(key="pin").click().run()
    table = page("compare").table[0].value
    assert "ε = 3" in table.columns[1] and str(explored.metric[0].value) in table.iloc[0, 1]


def test_two_studies_of_one_title_have_labels_of_their_own(store: Store) -> None:
    """The browser sends back an option's label: of two that are alike it would open the first."""
    first = finished(store)
    second = store.submit(StudyConfig(title=OWN.title, outer=OuterConfig(iterations=4, seeds=2)))
    options = page("explore", study=first).sidebar.selectbox(key="study_picker").options
    assert len(set(options)) == len(options)
    assert {f"{OWN.title} ({key[:6]})" for key in (first, second)} <= set(options)


def test_whoever_looks_at_a_waiting_study_sees_that_it_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor may have ended, or been ended, since the study was launched."""
    asked: list[Path] = []
    monkeypatch.setattr(mrp_core.jobs, "ensure_supervisor", lambda opened: asked.append(opened.home))
    key = store.submit(OWN)
    assert not page("explore").exception and len(asked) == 1
    assert not page("train", study=key).exception and len(asked) > 2
    store.cancel(key)
    asked.clear()
    assert not page("train", study=key).exception and asked == []


def test_a_long_title_stands_in_full_below_the_picker(store: Store) -> None:
    title = "A study with a title that no picker in a narrow side menu can show"
    key = store.submit(StudyConfig(title=title, outer=OuterConfig(iterations=5, seeds=2)))
    assert title in [c.value for c in page("explore", study=key).sidebar.caption]


def test_a_finished_study_has_a_frontier_and_not_one_so_far(store: Store) -> None:
    headings = [s.value for s in page("train", study=finished(store)).subheader]
    assert "The frontier" in headings and "The frontier so far" not in headings


def test_compare_ranks_the_studies_that_are_judged_like_the_current_one(store: Store) -> None:
    key = finished(store)
    other = replace(OWN, title="Other shots", task=replace(OWN.task, shots=1))
    store.import_file(StudyFile(config=other, points=(Point(setting=Setting.from_key("lambda=0"), seed=0, values={"accuracy": (0.5,), "mi": (0.1,), "lira_auc": (0.6,)}),)))
    at = page("compare", study=key)
    assert not at.exception
    assert "Searches and losses compared" in [s.value for s in at.subheader]
    table = at.dataframe[1].value
    assert len(table) == 2 and table["Study"].str.contains("Mine").sum() == 1, "the sample of letters, judged alike, and the own study"
    assert "Other shots" not in set(table["Study"])
    volumes = [float(str(v).split()[0]) for v in table["Accuracy × I(X;Ŷ)"]]
    assert volumes == sorted(volumes, reverse=True) and all(0 < v < 1 for v in volumes)
    assert any("2 other finished studies are judged otherwise" in m.value for m in at.markdown), "medical and the other shots"
    assert any("from 20 % at 2.32 bits to 100 % at 0.00 bits" in c.value for c in at.caption)


def test_explore_says_what_the_median_and_the_extreme_seeds_attain(store: Store) -> None:
    at = page("explore", study=finished(store), point="lambda=1")
    assert not at.exception
    assert any("the median frontier over 2 seeds attains 70.0 % accuracy; the least lucky seed 69.0, the most lucky 70.0 %" in c.value for c in at.caption), [c.value for c in at.caption]
