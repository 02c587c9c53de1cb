"""Every page through AppTest: it draws without an exception, in the frame, and bad input is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mrp_core import studyfile

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("explore", "train", "adapt", "audit", "compare", "data", "learn")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)


def go(app: AppTest, page: str) -> AppTest:
    return app.run() if page == "explore" else app.switch_page(f"pages/{page}.py").run()


@pytest.mark.parametrize("name", PAGES)
def test_a_cold_page_has_its_question_and_the_menu(app: AppTest, name: str) -> None:
    at = go(app, name)
    assert not at.exception
    assert at.title[0].value.endswith("?")
    assert at.sidebar.selectbox(key="study_picker").value == "letters"


def test_explore_shows_three_numbers_and_a_sentence_from_the_paired_interval(app: AppTest) -> None:
    at = app.run()
    assert [m.label for m in at.metric] == ["Accuracy", "I(X;Ŷ)", "LiRA AUC"]
    assert "both differences are real" in at.info[0].value and "λ = 0.4" in at.info[0].value


def test_a_point_in_the_link_is_shown_and_a_wrong_one_is_a_sentence(app: AppTest) -> None:
    app.query_params["point"] = "epsilon=3"
    at = app.run()
    assert not at.exception and "ε = 3" in at.info[0].value
    app.query_params["point"] = "nonsense"
    at = app.run()
    assert not at.exception and "is not a setting" in at.warning[0].value


def test_an_unknown_study_in_the_link_is_a_sentence(app: AppTest) -> None:
    app.query_params["study"] = "nowhere"
    at = app.run()
    assert not at.exception and any("nowhere" in w.value for w in at.main.warning)


def test_a_wrong_knob_is_a_sentence_and_launch_is_off(app: AppTest) -> None:
    at = go(app, "train")
    at.text_input(key="knob:privacy.epsilons").set_value("3, -1").run()
    assert not at.exception
    assert "epsilons is -1" in at.error[0].value
    assert at.button(key="launch").disabled


def test_a_damaged_sample_is_a_sentence(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letters.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(studyfile, "SAMPLES", tmp_path)
    at = app.run()
    assert not at.exception
    assert "letters.json: The study file is damaged" in at.error[0].value.replace("\\", "")


def test_no_sample_and_no_study_points_to_training(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studyfile, "SAMPLES", tmp_path)
    at = app.run()
    assert not at.exception and "train one" in at.info[0].value
