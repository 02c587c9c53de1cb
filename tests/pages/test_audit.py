"""The audit page: a headline in people, two meters side by side, ε from both sides, and the closer look with its job."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import mrp_core.jobs
from mrp_core import studyfile
from mrp_core.config import OuterConfig, StudyConfig, TaskConfig
from mrp_core.examination import Examination, ExaminationOptions
from mrp_core.measurement import Measurement
from mrp_core.results import Point, StudyState, Summary
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.store import Store
from mrp_core.store.attempt import Attempt
from mrp_core.store.examinations import RESULT, submit_examination, wanted
from mrp_core.store.queue import Queue
from mrp_core.studyfile import StudyFile
from pages.ui import exposed, meters
from tests.examples import EXAMPLE

ROOT = Path(__file__).resolve().parents[2]
OWN = StudyConfig(title="Audited", outer=OuterConfig(iterations=3, seeds=2))
LOOKED, PLAIN = Setting("epsilon", 3.0), Setting("lambda", 1.0)
TABS = ("Attacks", "Scores", "Records", "Groups", "Settling", "What else leaks")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of sample studies with one small study, its strategy and an examination of one setting, beside an empty store."""
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(mrp_core.jobs, "ensure_supervisor", lambda store: False)
    monkeypatch.setattr(studyfile, "SAMPLES", tmp_path)
    points = [Point(setting=s, seed=seed, values={"accuracy": (0.9, 0.9), "mi": (v, v + 0.01 * seed), "mi_excess": (v / 2, v / 2), "membership_bits": (v / 4, v / 4),
                                                  "lira_auc": (0.5 + v / 3, 0.5 + v / 3 - 0.001 * seed), "lira_tpr_1pct": (v / 5, v / 5 + 0.002 * seed)})
              for s, v in ((UNPROTECTED, 0.8), (PLAIN, 0.2), (LOOKED, 0.1)) for seed in OWN.seeds]
    (tmp_path / "made.json").write_text(StudyFile(config=OWN, points=tuple(points)).to_json(), encoding="utf-8")
    (tmp_path / "made.safetensors").write_bytes(b"weights")
    ship(tmp_path, dataclasses.replace(EXAMPLE, study=OWN.id, setting=LOOKED))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def ship(home: Path, made: Examination) -> None:
    (home / "examinations").mkdir(exist_ok=True)
    (home / "examinations" / f"made.{made.setting.key}.json").write_text(made.to_json(), encoding="utf-8")


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    made = Store.open()
    yield made
    made.close()


def page(point: Setting = LOOKED) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    at.query_params["study"], at.query_params["point"] = "made", point.key
    return at.switch_page("pages/audit.py").run()


def text(at: AppTest) -> str:
    assert not at.exception
    return "\n".join(element.value for kind in (at.info, at.markdown, at.caption, at.warning, at.error) for element in kind)


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def test_the_headline_counts_people_with_an_interval_beside_the_unprotected_model(home: Path) -> None:
    said = page().info[0].value
    assert "of 1,000 people at the 1 % false-alarm level, **20 [18, 23]** would be recognised as members; chance is 10. For the unprotected model it is 160 [158, 163];" in said
    assert "the paired difference, \u2212140 [\u2212140, \u2212140] of 1,000, is real" in said
    said = page(UNPROTECTED).info[0].value
    assert said.startswith("λ = 0, the unprotected model: of 1,000 people") and "paired" not in said


def test_parts_stand_in_order_from_the_question_to_the_closer_look(home: Path) -> None:
    at = page()
    assert [s.value for s in at.subheader] == ["Mutual information beside membership", "ε from both sides", "A closer look"]
    assert [m.label for m in at.metric] == ["I(X;Ŷ)", "Excess I(X;Ŷ|Y)", "Membership leakage", "LiRA AUC"]
    assert tuple(tab.label for tab in at.tabs) == TABS
    assert "The two meters agree: against λ = 0, I(X;Ŷ) falls by 1.01 bits" in text(at)


def test_epsilon_is_told_from_both_sides_with_the_most_that_so_many_trials_show(home: Path) -> None:
    said = text(page())
    assert "(ε, δ) = (3, 0.001), an upper bound" in said and "at least 0.50, at 95 % confidence in 384 independent trials" in said
    assert "So many trials could show 1.80 at most" in said and "no proof of privacy" in said and "The cost of choosing: ε = 3 is this setting's own" in said
    said = text(page(PLAIN))
    assert "carries no guarantee" in said and "comes with the closer look" in said and "cost of choosing" not in said


def test_an_attack_above_the_guarantee_is_called_a_contradiction(home: Path) -> None:
    ship(home, dataclasses.replace(EXAMPLE, study=OWN.id, setting=LOOKED, epsilon=dataclasses.replace(EXAMPLE.epsilon, lower=3.5, ceiling=5.0)))
    assert "more than the guarantee allows" in page().error[0].value


def test_the_closer_look_shows_every_part_in_words(home: Path) -> None:
    at = page()
    said = text(at)
    assert "**LiRA online** speaks for this setting: AUC 0.800 [0.750, 0.850]" in said and "The largest of 2 attacks is not the answer" in said
    assert "- Robustness (Choquette-Choo et al. 2021): It needs noisy copies of each record." in said
    assert "70 % of the records are told above AUC 0.75; chance alone would put 2.0 % there." in said
    assert "1 of these 2 lie above guessing" in said
    assert "By class: the intervals do not all overlap. Most exposed is A (0.900 [0.850, 0.950]), least B" in said
    assert "By sex: the 2 intervals all overlap" in said
    assert "From 8 to 16 shadow adaptations the AUC moved by +0.030" in said
    assert "**sex**: an adversary gets AUC 0.600" in said and "the interval lies above guessing" in said and "One is unknown." in said
    assert "above guessing and apart from the untrained start" in said and "no more than the untrained start explains" in said and said.count("Not calibrated.") == 1
    attacks = next(d.value for d in at.dataframe if "Paper" in d.value)
    assert attacks["Attack"].tolist() == ["LiRA online (headline)", "Loss threshold"]
    assert attacks.iloc[0]["TPR at 1 % FPR"] == "20.0 % [15.0, 25.0]" and attacks.iloc[1]["Advantage"] == "—"
    assert "16 shadow adaptations of each of 2 tasks, 2 seeds; a pool of 20 records" in said and "Shipped with the sample study." in said


def test_an_examination_of_another_study_is_not_shown(home: Path) -> None:
    ship(home, dataclasses.replace(EXAMPLE, setting=LOOKED))
    at = page()
    assert not at.tabs and "Examine this setting" in labels(at)


def test_a_damaged_examination_is_a_sentence_and_the_rest_stays(home: Path) -> None:
    (home / "examinations" / f"made.{LOOKED.key}.json").write_text("{", encoding="utf-8")
    at = page()
    assert "can't be shown: The examination is damaged" in at.warning[0].value and len(at.metric) == 4 and not at.tabs


def test_without_a_strategy_there_is_nothing_to_press(home: Path) -> None:
    (home / "made.safetensors").unlink()
    at = page(PLAIN)
    assert "needs the trained strategy" in text(at) and not [name for name in labels(at) if "xamin" in name or "shadow" in name]
    assert page().tabs


def test_asking_queues_a_job_that_is_followed_cancelled_and_resumed(home: Path, store: Store) -> None:
    at = page(PLAIN)
    assert "about 12 s" in text(at)
    at.button(key="examine").click().run()
    id = wanted(OWN, b"weights", PLAIN, ExaminationOptions())
    job = store.progress(id)
    assert job is not None and job.state is StudyState.QUEUED
    again = page(PLAIN)
    assert "examine" not in [b.key for b in again.button]
    again.button(key="examine_cancel").click().run()
    stopped = store.progress(id)
    assert stopped is not None and stopped.state is StudyState.CANCELLED
    at = page(PLAIN)
    assert "was cancelled. Finished seeds are kept" in text(at) and "Examine this setting" not in labels(at)
    at.button(key="examine_resume_128").click().run()
    resumed = store.progress(id)
    assert resumed is not None and resumed.state is StudyState.QUEUED


def test_a_failed_job_says_why(home: Path, store: Store) -> None:
    from sqlalchemy import update

    from mrp_core.store.schema import JOB

    id = submit_examination(store, OWN, home / "made.safetensors", PLAIN, ExaminationOptions())
    with store.database.write() as connection:
        connection.execute(update(JOB).where(JOB.c.study == id).values(state="failed", error="A file is missing."))
    at = page(PLAIN)
    assert "with 128 shadow adaptations failed: A file is missing." in at.error[0].value and at.button(key="examine_resume_128")


def test_the_result_with_the_most_shadows_is_shown_and_closer_ones_offered(home: Path, store: Store) -> None:
    assert [name for name in labels(page()) if "shadow" in name] == ["128 shadow adaptations", "256 shadow adaptations", "512 shadow adaptations"]
    options = ExaminationOptions(adaptations=256)
    id = submit_examination(store, OWN, home / "made.safetensors", LOOKED, options)
    claim = Queue(store.database).claim("here", "cpu:0", lease=60.0, study=id)
    assert claim is not None
    attempt = Attempt(store.database, store.home, claim)
    attempt.put_artifact(RESULT, dataclasses.replace(EXAMPLE, study=OWN.id, setting=LOOKED, options=options).to_json().encode())
    at = page()
    assert [name for name in labels(at) if "shadow" in name] == ["512 shadow adaptations"]
    assert "256 shadow adaptations of each" in text(at) and "Examined here on 2026-01-02" in text(at)


def test_a_store_that_cannot_be_opened_leaves_the_shipped_examination(home: Path) -> None:
    (home / "home").mkdir()
    (home / "home" / "studies.db").write_bytes(b"this is no database" * 100)
    at = page()
    assert at.tabs and "move it away, or restore it" in text(at)


DOWN, UP, NONE = (Measurement(value=v, low=v - h, high=v + h, n=4) for v, h in ((-0.2, 0.1), (0.2, 0.1), (-0.05, 0.1)))
AGREE, DISAGREE = "The two meters agree", "The two meters disagree"


@pytest.mark.parametrize(("mi", "auc", "said"), [
    (DOWN, DOWN, (AGREE, "falls by 0.29 bits [0.14, 0.43]", "falls by 0.200 [0.100, 0.300]")), (UP, UP, (AGREE, "more leaks", "rises by 0.200")),
    (NONE, NONE, (AGREE, "nothing is resolved")), (DOWN, NONE, (DISAGREE, "falls by 0.29 bits", "but the AUC of LiRA is not told apart from it (-0.050 [-0.150, +0.050])")),
    (DOWN, UP, (DISAGREE, "but the AUC of LiRA rises")), (NONE, DOWN, (DISAGREE, "I(X;Ŷ) is not told apart", "but the AUC of LiRA falls"))])
def test_meters_agree_or_not_by_their_paired_intervals_alone(mi: Measurement, auc: Measurement, said: tuple[str, ...]) -> None:
    words = meters.verdict(Summary(setting=PLAIN, means={}, differences={"mi": mi, "lira_auc": auc}, seeds={}))
    assert words.startswith(said[0]) and all(part in words for part in said)


def test_without_a_pair_nothing_is_said_of_agreement() -> None:
    lost = Measurement(value=math.nan, low=math.nan, high=math.nan)
    for differences in ({}, {"mi": DOWN}, {"mi": DOWN, "lira_auc": lost}):
        assert "can't be said" in meters.verdict(Summary(setting=PLAIN, means={}, differences=differences, seeds={}))
    assert "unprotected model" in meters.verdict(Summary(setting=UNPROTECTED, means={}, differences={}, seeds={}))


def test_what_a_record_looks_like_is_its_farthest_features_in_words() -> None:
    assert exposed.looks((0.5, -2.0, 1.0, 3.04), ("a", "b", "c", "d")) == "d +3.0, b \u22122.0, c +1.0"
    assert exposed.looks((), ("a",)) == exposed.looks((1.0, 2.0), ("a",)) == ""


def test_records_that_are_pictures_are_shown_as_pictures(home: Path) -> None:
    digits = dataclasses.replace(OWN, task=TaskConfig(family="digits"))
    held = StudyFile.read(home / "made.json")
    (home / "made.json").write_text(dataclasses.replace(held, config=digits).to_json(), encoding="utf-8")
    pictured = tuple(dataclasses.replace(r, values=tuple(float(i) for i in range(64))) for r in EXAMPLE.exposed)
    ship(home, dataclasses.replace(EXAMPLE, study=digits.id, setting=LOOKED, exposed=pictured))
    at = page()
    assert len(at.get("image")) == 1 and "farthest from 0" not in text(at)
    ship(home, dataclasses.replace(EXAMPLE, study=digits.id, setting=LOOKED))
    assert not page().get("image")


def test_the_page_is_drawn_without_the_engine(tmp_path: Path) -> None:
    code = ("import sys\nfrom streamlit.testing.v1 import AppTest\nat = AppTest.from_file('app.py', default_timeout=90)\nat = at.switch_page('pages/audit.py').run()\n"
            "assert not at.exception and at.metric, at.exception\nprint([m for m in ('torch', 'sklearn') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "MRP_HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr[-2000:]


def test_shipped_examinations_are_named_by_sample_and_setting(home: Path) -> None:
    assert {key: json.loads(path.read_text(encoding="utf-8"))["setting"] for key, path in studyfile.examinations("made").items()} == {LOOKED.key: LOOKED.key}
    assert studyfile.examinations("mad") == studyfile.examinations("none") == {}
