"""A study whose protection is the budget alone: ε is its only slider, on every page that has one, and the train page hides λ."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrp_core.config import AuditConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import audit, train
from mrp_core.settings import Setting, settings_of
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile
from pages.ui.slide import groups
from tests.pages.test_acts import page, store
from tests.pages.test_views import warmed

__all__ = ["store"]
BUDGET = StudyConfig(title="Budget", task=TaskConfig(ways=2, shots=3), privacy=PrivacyConfig(loss="privacy_budget", epsilons=(1.0, 3.0, 12.0)),
                     outer=OuterConfig(iterations=3, meta_batch=2, seeds=2, hidden=(8,)), audit=AuditConfig(tasks=2, adaptations=8, records=4))
KEYS = ["lambda=0", "epsilon=inf", "epsilon=12", "epsilon=3", "epsilon=1"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> StudyFile:
    """Trained and measured, at a size that takes a second."""
    path: Path = tmp_path_factory.mktemp("budget") / "budget.safetensors"
    strategy = train(BUDGET)
    strategy.save(path)
    found = list(audit(strategy, settings_of(BUDGET)))
    return StudyFile(config=BUDGET, points=tuple(p for points, _ in found for p in points), curves=tuple(c for _, curves in found for c in curves), strategy=path)


def test_the_study_measures_lambda_zero_and_every_epsilon(file: StudyFile) -> None:
    assert {p.setting.key for p in file.points if p.setting.kind in ("lambda", "epsilon")} == set(KEYS)


@pytest.mark.parametrize("name", ["explore", "audit", "adapt"])
def test_epsilon_is_the_only_slider(store: Store, file: StudyFile, name: str) -> None:
    key = store.import_file(file)
    at = page(name, study=key)
    at = warmed(at) if name == "adapt" else at
    assert not at.exception and not at.error
    slider = at.select_slider(key="slider_epsilon")
    assert (slider.options, slider.value) == (["unprotected", "no noise", "12", "3", "1"], "epsilon=12")
    assert not [s for s in at.select_slider if s.key == "slider_lambda"]
    slider.set_value("lambda=0").run()
    assert not at.exception and at.select_slider(key="slider_epsilon").value == "lambda=0"


@pytest.mark.parametrize("name", ["train", "compare"])
def test_the_other_pages_show_it_too(store: Store, file: StudyFile, name: str) -> None:
    at = page(name, study=store.import_file(file))
    assert not at.exception and not at.error


def test_the_train_page_hides_lambda_and_says_when_there_is_no_noise(store: Store) -> None:
    at = page("train")
    knobs = lambda: {w.key for w in [*at.number_input, *at.slider, *at.text_input]}  # noqa: E731
    assert {"knob:privacy.lambda_max", "knob:privacy.lambda_points"} <= knobs()
    at.selectbox(key="knob:privacy.loss").set_value("privacy_budget").run()
    assert not at.exception and not at.error and not at.button(key="launch").disabled
    assert not {"knob:privacy.lambda_max", "knob:privacy.lambda_points"} & knobs() and "knob:privacy.epsilons" in knobs()
    at.selectbox(key="knob:privacy.mechanism").set_value("none").run()
    assert "protects by noise alone" in at.error[0].value and at.button(key="launch").disabled
    at.selectbox(key="knob:privacy.loss").set_value("output_mi").run()
    assert not at.error and {"knob:privacy.lambda_max", "knob:privacy.lambda_points"} <= knobs()
    assert at.number_input(key="knob:privacy.lambda_max").value == pytest.approx(0.8)


def test_a_loss_on_an_attribute_that_the_family_lacks_is_a_sentence(store: Store) -> None:
    at = page("train")
    at.selectbox(key="knob:privacy.loss").set_value("attribute_mi").run()
    assert not at.exception and "has no sensitive attribute" in at.error[0].value and at.button(key="launch").disabled
    at.selectbox(key="knob:task.family").set_value("medical").run()
    assert not at.exception and not at.error


def test_groups_join_a_single_lambda_to_epsilon_only() -> None:
    of = lambda *keys: {k: [s.key for s in v] for k, v in groups([Setting.from_key(k) for k in keys]).items()}  # noqa: E731
    assert of("epsilon=3", "lambda=0", "epsilon=inf", "steps=1") == {"epsilon": ["lambda=0", "epsilon=inf", "epsilon=3"], "free": ["steps=1"]}
    assert of("lambda=0", "steps=1") == {"lambda": ["lambda=0"], "free": ["steps=1"]}
    assert of("lambda=0", "lambda=0.8", "epsilon=3") == {"lambda": ["lambda=0", "lambda=0.8"], "epsilon": ["epsilon=3"]}
