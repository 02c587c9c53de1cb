"""Guarantees in words, where a person meets them: beside an ε on the audit page, under pinned points, and on the train page as knobs are turned."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import mrp_core.jobs
from mrp_core.accounting import gaussian_epsilon, noise_multiplier
from mrp_core.config import OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.guarantees import selection_guarantee, task_guarantee
from mrp_core.settings import UNPROTECTED, Setting
from pages.ui import promises

ROOT = Path(__file__).resolve().parents[2]
THREE = Setting("epsilon", 3.0)
PLAIN = StudyConfig()
WARDS = StudyConfig(task=TaskConfig(family="medical", mode="site", ways=2, queries=7), privacy=PrivacyConfig(task_noise=40.0), outer=OuterConfig(iterations=50))


def with_privacy(config: StudyConfig, **changes: object) -> StudyConfig:
    return dataclasses.replace(config, privacy=dataclasses.replace(config.privacy, **changes))


def test_a_guarantee_says_whom_it_protects_by_how_much_noise_and_under_which_delta() -> None:
    said = promises.guarantee(THREE, PLAIN)
    assert "(ε, δ) = (3, 0.001), an upper bound" in said and f"σ = {noise_multiplier(3.0, 3, 1e-3):.3g}" in said
    assert "each support record that a new task is adapted on" in said and "δ is below 1 / 25" in said
    for none in (UNPROTECTED, Setting("epsilon", math.inf), Setting("temperature", 2.0)):
        assert promises.guarantee(none, PLAIN) == "" == promises.choosing(none, PLAIN, 8)


@pytest.mark.parametrize(("delta", "broken"), [(0.039, False), (0.04, True), (0.1, True)])
def test_a_delta_that_lets_one_record_out_is_warned_of_and_not_refused(delta: float, broken: bool) -> None:
    config = with_privacy(PLAIN, delta=delta)
    assert bool(promises.delta_warning(config)) == broken
    assert ("to publish one record" in promises.guarantee(THREE, config)) == broken
    assert promises.delta_warning(with_privacy(config, mechanism="none")) == ""


def test_the_cost_of_choosing_stands_apart_from_the_setting_s_own_epsilon() -> None:
    said = promises.choosing(THREE, PLAIN, 8)
    sigma = noise_multiplier(3.0, 3, 1e-3)
    assert "ε = 3 is this setting's own" in said and f"**ε = {selection_guarantee(sigma, 3, 1e-3, 8).epsilon:.3g}**" in said
    assert f"a fixed 8 spends {gaussian_epsilon(math.sqrt(24) / sigma, 1e-3):.3g}" in said
    assert promises.choosing(THREE, PLAIN, 1) == ""


def test_what_protects_the_training_tasks_says_what_a_task_is_and_what_is_public() -> None:
    found = task_guarantee(WARDS)
    said = promises.tasks(WARDS)
    assert f"a ward with all its records, is protected by (ε, δ) = ({found.epsilon:.3g}, 0.001)" in said and f"by {found.accountant}" in said
    assert "taken as public" in said and "whoever doesn't know it" in said and "not below" not in said
    assert "which is not below 1 / 15" in promises.tasks(with_privacy(WARDS, task_delta=0.08))
    assert promises.tasks(PLAIN) == ""


def test_the_train_page_tells_the_noise_as_knobs_are_turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = train_page(tmp_path, monkeypatch)
    said = "\n".join(c.value for c in at.caption)
    assert "σ = 4.46 for ε = 1 [1.15]" in said and "tighter PLD figure" in said and not at.warning
    at.text_input(key="knob:privacy.epsilons").set_value("2").run()
    assert f"σ = {noise_multiplier(2.0, 3, 1e-3):.3g} for ε = 2" in "\n".join(c.value for c in at.caption)
    at.number_input(key="knob:privacy.delta").set_value(0.09).run()
    assert "is not below 1 / " in at.warning[0].value and not at.button(key="launch").disabled
    at.text_input(key="knob:privacy.epsilons").set_value("0").run()
    assert at.error[0].value.startswith("epsilons is 0.0, but must") and at.button(key="launch").disabled


def test_tasks_that_cannot_be_protected_are_one_sentence_before_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = train_page(tmp_path, monkeypatch)
    at.selectbox(key="knob:task.family").set_value("letters").run()
    assert not at.error and "knob:privacy.task_clip" not in [n.key for n in at.number_input]
    at.number_input(key="knob:privacy.task_noise").set_value(2.0).run()
    assert at.error[0].value.replace("\\", "").startswith("task_noise is 2, but tasks of the mode 'few_shot' share") and at.button(key="launch").disabled
    assert "knob:privacy.task_clip" in [n.key for n in at.number_input]
    at.selectbox(key="knob:task.family").set_value("gaussian").run()
    assert not at.error and any("a client with all its records" in c.value for c in at.caption)


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def train_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("MRP_HOME", str(home))
    monkeypatch.setattr(mrp_core.jobs, "ensure_supervisor", lambda store: False)
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).switch_page("pages/train.py").run()
    assert not at.exception
    return at


def test_an_explored_epsilon_needs_no_accountant() -> None:
    """The first page tells σ by the exact formula; the library is loaded where its figures are shown."""
    code = ("from pages.ui import promises; from mrp_core.config import StudyConfig; from mrp_core.settings import Setting; import sys\n"
            "assert promises.guarantee(Setting('epsilon', 3.0), StudyConfig())\nprint(*[m for m in ('torch', 'sklearn', 'dp_accounting') if m in sys.modules])")
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
