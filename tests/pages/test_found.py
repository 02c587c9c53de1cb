"""What a search on measured objectives found, as the pages show it: words, a slider of its own, and places that stayed empty."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

import mrp_core.jobs
from mrp_core.config import OuterConfig, StudyConfig
from mrp_core.results import Curve, Point
from mrp_core.settings import Setting, settings_of
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile
from pages.ui import slide
from tests.pages.test_acts import page

ROOT = Path(__file__).resolve().parents[2]
CONFIG = StudyConfig(title="Bred", outer=OuterConfig(search="evolutionary", iterations=3, seeds=2))
PLANS = {1: "λ 0.2, 3 steps, head", 2: "ε 3, 2 steps, head"}


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A finished study with λ = 0 and two settings found, made up for this test."""
    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    monkeypatch.setattr(mrp_core.jobs, "ensure_supervisor", lambda store: False)
    st.cache_resource.clear()
    store = Store.open()
    found = {"lambda=0": 0.9, "found=1": 0.8, "found=2": 0.7}
    points = [Point(setting=Setting.from_key(k), seed=seed, notes={"setting": PLANS[int(k[-1])]} if k.startswith("found") else {},
                    values={"accuracy": (v, v - 0.02 * seed), "mi": (v * math.log(2), v / 2), "lira_auc": (v, v - 0.1)}) for k, v in found.items() for seed in (0, 1)]
    curve = Curve(setting=None, name="validation:search:front", x=(1.0, 2.0), y=(0.1, 0.2), note="2 of 12 places for settings were filled.")
    yield store.import_file(StudyFile(config=CONFIG, points=tuple(points), curves=(curve,)))
    store.close()
    st.cache_resource.clear()


def test_a_found_setting_is_explained_and_has_a_slider(key: str) -> None:
    at = page("explore", study=key, point="found=2")
    assert not at.exception
    assert any("found 2: ε 3, 2 steps, head" in m.value for m in at.markdown)
    assert at.select_slider(key="slider_found").value == "found=2"
    assert list(at.select_slider(key="slider_found").options) == ["1", "2"]


def test_the_train_page_says_how_many_places_stayed_empty(key: str) -> None:
    at = page("train", study=key)
    assert not at.exception
    said = [c.value for c in at.caption]
    assert "2 of 12 places for settings were filled." in said


def test_found_settings_slide_from_accurate_to_private_apart_from_the_free_ones() -> None:
    groups = slide.groups(settings_of(CONFIG))
    assert [s.value for s in groups["found"]] == [float(i) for i in range(1, 13)]
    assert all(s.kind != "found" for name, items in groups.items() if name != "found" for s in items)
