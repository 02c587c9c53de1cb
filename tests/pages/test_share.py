"""Report and files on the pages, and the menu under each chart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import mrp_core.jobs
from mrp_core.charts import pictures
from mrp_core.config import OuterConfig, StudyConfig
from mrp_core.store import Store
from pages.ui import share, studies

ROOT = Path(__file__).resolve().parents[2]
FILES = {"share_report", "share_reproduce", "share_json", "share_csv", "share_toml"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
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


def buttons(at: AppTest) -> set[str]:
    return {str(b.key) for b in at.get("download_button")}


@pytest.mark.parametrize("name", ["explore", "compare"])
def test_all_files_are_offered_in_one_place(store: Store, name: str) -> None:
    at = page(name, study="medical", point="epsilon=3")
    assert not at.exception and buttons(at) >= FILES
    assert any("about **ε = 3**" in m.value for m in at.markdown)


def test_a_study_without_a_point_has_its_settings_and_a_sentence(store: Store) -> None:
    key = store.submit(StudyConfig(title="Mine *today* [x](y)", outer=OuterConfig(iterations=3)))
    at = page("compare", study=key)
    assert not at.exception and buttons(at) & FILES == {"share_json", "share_toml"}
    assert any("has no finished point yet" in m.value and "\\*today\\*" in m.value for m in at.markdown)


def test_a_chart_has_one_menu_of_numbers_and_pictures_or_says_what_is_missing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = {"frontier_csv", "frontier_png", "frontier_svg"}
    monkeypatch.setattr(pictures, "browser", lambda: "chromium")
    assert buttons(page("explore")) & chart == chart
    monkeypatch.setattr(pictures, "browser", lambda: "")
    at = page("explore")
    assert not at.exception and buttons(at) & chart == {"frontier_csv"}
    assert any("install the package chromium" in m.value and "camera icon" in m.value for m in at.markdown)


def test_points_are_told_by_task(store: Store) -> None:
    lines = share.points_csv(studies.load("letters")).splitlines()
    assert lines[0] == "setting,seed,metric,task,value" and len(lines) > 1000


def test_every_rule_of_the_style_sheet_is_closed() -> None:
    """A brace lost in a merge would put all that follows inside a rule for phones."""
    depth = 0
    for line in (ROOT / "pages" / "ui" / "style.css").read_text(encoding="utf-8").splitlines():
        assert depth == 0 or not line.startswith(("/*", "@media")), line
        depth += line.count("{") - line.count("}")
    assert depth == 0
