"""Clients on the pages: each by itself on Audit, in words that fit, and federated training in one press on Train."""

from __future__ import annotations

import dataclasses

import pytest

from mrp_core.charts.clients import client_points, fairness_frame
from mrp_core.config import OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.guarantees import task_guarantee
from mrp_core.measurement import Measurement
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile, samples
from pages.ui import controls, federated, promises
from pages.ui.clients import verdict
from tests.pages.test_acts import page, store

__all__ = ["store"]
KEYS = {"client_fairness_csv", "client_frontiers_csv"}


def test_audit_shows_each_ward_of_the_sample_by_itself(store: Store) -> None:
    at = page("audit", study="medical", point="lambda=0.4")
    assert not at.exception and not at.error
    assert "Each ward by itself" in [h.value for h in at.subheader]
    labels = [m.label for m in at.metric]
    assert "Mean of all wards" in labels and "Spread across wards, points" in labels and any(label.startswith("Worst ward: ") for label in labels)
    assert {d.key for d in at.get("download_button")} >= KEYS
    study = StudyFile.read(samples()["medical"])
    clients = client_points(study.points, study.config)
    assert clients is not None
    worst = fairness_frame(clients, Setting("lambda", 0.4)).clients[-1]
    assert next(m for m in at.metric if m.label == f"Worst ward: {worst.name}").value == f"{100 * worst.accuracy.value:.1f} %"
    at.segmented_control(key="client_leakage").set_value("mi").run()
    assert not at.exception


def test_a_study_without_clients_has_no_such_section(store: Store) -> None:
    at = page("audit", study="letters")
    assert not at.exception and not [h for h in at.subheader if "by itself" in h.value]
    assert not KEYS & {d.key for d in at.get("download_button")}


def test_the_verdict_needs_an_interval_below_zero() -> None:
    study = StudyFile.read(samples()["medical"])
    clients = client_points(study.points, study.config)
    assert clients is not None
    frame = fairness_frame(clients, Setting("lambda", 0.4))
    excess = lambda high: dataclasses.replace(frame, clients=tuple(dataclasses.replace(c, excess=Measurement(value=-0.2, low=-0.3, high=high, n=5)) for c in frame.clients))  # noqa: E731
    assert verdict(excess(-0.1), Setting("lambda", 0.4), "ward").startswith("Privacy does not cost all wards alike")
    assert verdict(excess(0.1), Setting("lambda", 0.4), "ward").startswith("No ward is shown to pay more")
    unknown = dataclasses.replace(frame, clients=tuple(dataclasses.replace(c, excess=Measurement(value=float("nan"), low=0, high=0)) for c in frame.clients))
    assert "is not resolved" in verdict(unknown, Setting("lambda", 0.4), "client") and "unprotected" in verdict(frame, UNPROTECTED, "client")


def test_the_guarantee_for_a_client_is_that_for_a_task_under_its_own_name() -> None:
    """One accountant: the words differ, the figures are those of the task-level guarantee."""
    wards = StudyConfig(task=TaskConfig(family="medical", mode="site", ways=2, queries=7), privacy=PrivacyConfig(task_noise=40.0),
                        outer=OuterConfig(iterations=50, learner="reptile", optimiser="sgd", rate=0.1))
    clients = [dataclasses.replace(wards, task=TaskConfig(family=family, mode="site", ways=2, queries=7)) for family in ("lending", "heart")]
    for config, name in ((wards, "ward"), *((c, "client") for c in clients)):
        found, said = task_guarantee(config), promises.tasks(config)
        assert promises.client(config) == name and f"a {name} with all its records, is protected by (ε, δ) = ({found.epsilon:.3g}, 0.001)" in said
        assert ("client-level differential privacy" in said) == (name == "client")
    adam = dataclasses.replace(wards, outer=dataclasses.replace(wards.outer, optimiser="adam", rate=3e-3))
    assert task_guarantee(adam) == task_guarantee(wards), "what the server makes of the noised sum is post-processing"


@pytest.mark.parametrize("setup", list(federated.SETUPS))
def test_federated_training_is_set_up_in_one_press(store: Store, setup: str) -> None:
    at = page("train")
    at.selectbox(key="knob:task.family").set_value("letters").run()
    at.button(key=f"federated_{setup}").click().run()
    assert not at.exception and not at.error and not at.button(key="launch").disabled
    chosen = str(at.session_state[controls.widget_key("task", "family")])
    assert "site" in plugin("tasks", chosen).modes and not plugin("tasks", chosen).simulated
    for (part, knob), value in {**federated.SETUPS[setup], ("task", "mode"): "site"}.items():
        assert at.session_state[controls.widget_key(part, knob)] == value


def test_a_family_of_sites_is_kept() -> None:
    assert federated.family("gaussian") == "gaussian" and federated.family("medical") == "medical"
    assert federated.family("letters") == "lending" and federated.family("heart") == "heart"
