"""An examination of a toy strategy: it agrees with the study's own audit, goes on where it stopped, and says what can't be said."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mrp_core.config import ComputeOptions, StudyConfig, TaskConfig
from mrp_core.engine import Bench, train
from mrp_core.errors import ConfigError, JobInterrupted
from mrp_core.examination import Examination, ExaminationOptions, examination_id
from mrp_core.examiner import examine, run
from mrp_core.jobs.context import SilentContext
from mrp_core.registry import plugins
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.strategy import Strategy
from tests.engine.toy import toy_study

OPTIONS = ExaminationOptions(adaptations=16, noisy_copies=4)


@pytest.fixture(scope="module")
def found(strategy: Strategy) -> Examination:
    return examine(strategy, UNPROTECTED, OPTIONS)


def test_the_headline_is_what_the_audit_of_a_study_finds(strategy: Strategy) -> None:
    again = examine(strategy, UNPROTECTED, ExaminationOptions(adaptations=strategy.config.audit.adaptations, noisy_copies=0))
    measured = [Bench.of(strategy, seed, ComputeOptions()).measure(UNPROTECTED).point for seed in strategy.config.seeds]
    row = next(a for a in again.attacks if a.name == "lira_online")
    assert row.means["auc"].value == pytest.approx(np.mean([p.values["lira_auc"] for p in measured]), abs=1e-9)
    assert row.means["tpr_1pct"].value == pytest.approx(np.mean([p.values["lira_tpr_1pct"] for p in measured]), nan_ok=True)
    gone = next(a for a in again.attacks if a.name == "label_only_noise")
    assert not gone.means and gone.left_out.endswith((".", "!"))


def test_every_attack_is_there_or_says_why_not(found: Examination) -> None:
    assert {a.name for a in found.attacks} == set(plugins("attacks"))
    assert [a.headline for a in found.attacks].count(True) == 1 and found.attacks[0].headline
    assert all(bool(a.means) != bool(a.left_out) for a in found.attacks)
    assert {c.name for c in found.rocs} == {f"roc:{a.name}" for a in found.attacks if a.means}


def test_counts_add_up(found: Examination) -> None:
    trials = len(found.seeds) * found.tasks * OPTIONS.adaptations * found.records
    assert sum(found.histogram.members) == sum(found.histogram.others) == trials // 2
    records = len(found.seeds) * found.tasks * found.records
    assert sum(found.exposure.members) == sum(found.exposure.others) == records
    assert sum(p.records for p in found.parts if p.by == "task") == records
    assert sum(p.records for p in found.parts if p.by == "class") == records
    assert [n for n, _ in found.settling] == [4, 8, 16]
    assert len({(r.seed, r.task, r.index) for r in found.exposed}) == len(found.exposed) <= 12


def test_a_bound_from_below_never_passes_its_ceiling(found: Examination, strategy: Strategy) -> None:
    assert 0 <= found.epsilon.lower <= found.epsilon.ceiling and math.isnan(found.epsilon.upper)
    noisy = examine(strategy, Setting("epsilon", 3.0), OPTIONS).epsilon
    assert noisy.upper == 3.0 and noisy.lower <= noisy.upper


def test_json_round_trip(found: Examination) -> None:
    again = Examination.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert (again.setting, again.headline.name, again.options) == (found.setting, found.headline.name, found.options)


def test_releases_are_examined_as_what_they_release(strategy: Strategy, found: Examination) -> None:
    flat = examine(strategy, Setting("temperature", 4.0), OPTIONS)
    auc = {a.name: a.means["auc"].value for a in flat.attacks if a.means}
    plain = {a.name: a.means["auc"].value for a in found.attacks if a.means}
    assert auc["label_only_gap"] == pytest.approx(plain["label_only_gap"]), "a temperature doesn't change the top label"
    assert auc["loss_threshold"] != plain["loss_threshold"]


def test_an_interrupted_job_goes_on_to_the_same_result(strategy: Strategy) -> None:
    def context(stop: int | None) -> SilentContext:
        made = SilentContext(stop_after=stop)
        made.artifacts = {"strategy.safetensors": strategy.to_bytes(), "request.json": json.dumps({"setting": "lambda=0", "options": {"adaptations": 16, "noisy_copies": 4}}).encode()}
        return made

    stopped = context(1)
    with pytest.raises(JobInterrupted):
        run(strategy.config, ComputeOptions(), stopped)
    first = stopped.artifacts["seed-0.npz"]
    going = context(None)
    going.artifacts |= stopped.artifacts
    result, whole = run(strategy.config, ComputeOptions(), going), run(strategy.config, ComputeOptions(), context(None))
    assert going.artifacts["seed-0.npz"] == first
    strip = lambda e: {k: v for k, v in json.loads(e.to_json()).items() if k != "origin"}  # noqa: E731
    assert strip(result) == strip(whole) == strip(Examination.from_json(going.artifacts["examination.json"].decode()))


def test_a_job_without_its_request_is_one_sentence(strategy: Strategy) -> None:
    with pytest.raises(ConfigError, match="ask for it again"):
        run(strategy.config, ComputeOptions(), SilentContext())


def test_groups_by_sensitive_attribute() -> None:
    config = StudyConfig(task=TaskConfig(family="gaussian", mode="site", ways=2, shots=5), **{k: getattr(toy_study(outer__iterations=2), k) for k in ("privacy", "inner", "outer")})
    found = examine(train(config), UNPROTECTED, ExaminationOptions(adaptations=8, noisy_copies=0))
    groups = [p for p in found.parts if p.by == "s"]
    assert [g.name for g in groups] == ["s = +1", "s = -1"]
    assert sum(g.records for g in groups) == found.tasks * found.records
    assert [a.name for a in found.attributes] == ["s"]


def test_what_decides_the_result_is_in_the_id() -> None:
    config, setting = StudyConfig(), Setting("lambda", 0.4)
    base = examination_id(config, setting, OPTIONS, "a", "1")
    others = {examination_id(config, UNPROTECTED, OPTIONS, "a", "1"), examination_id(config, setting, ExaminationOptions(adaptations=32), "a", "1"),
              examination_id(config, setting, OPTIONS, "b", "1"), examination_id(config, setting, OPTIONS, "a", "2")}
    assert base == examination_id(config, setting, OPTIONS, "a", "1") and base not in others and len(others) == 4
    with pytest.raises(ConfigError, match="adaptations"):
        ExaminationOptions(adaptations=2)
