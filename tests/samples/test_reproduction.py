"""The shipped studies are what this code computes: audited again from their strategies, and one of them from nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mrp_core.engine import audit
from mrp_core.examination import Examination
from mrp_core.examiner import examine
from mrp_core.results import Summary, summarise
from mrp_core.settings import Setting
from mrp_core.strategy import Strategy
from mrp_core.studyfile import SAMPLES, StudyFile, examinations, samples

METRICS = ("accuracy", "accuracy_0", "mi", "mi_task", "lira_auc", "lira_tpr_1pct")
SETTINGS = tuple(Setting.from_key(k) for k in ("lambda=0", "lambda=0.4", "lambda=0.8", "epsilon=1", "epsilon=3", "epsilon=inf", "rate_distortion=2.5", "steps=1"))


def by_setting(study: StudyFile) -> dict[Setting, Summary]:
    return {s.setting: s for s in summarise([p for p in study.points if p.setting in SETTINGS])}


def assert_reproduced(found: dict[Setting, Summary], shipped: dict[Setting, Summary]) -> None:
    """On one machine the two runs are equal. Another processor rounds differently, and training turns that into a run with luck of its own: then the 95 % intervals
    of all headline means overlap, and most means lie inside the shipped interval."""
    assert set(found) == set(shipped) == set(SETTINGS)
    inside = []
    for setting, summary in found.items():
        for metric in METRICS:
            mean, known = summary.means[metric], shipped[setting].means[metric]
            assert max(mean.low, known.low) <= min(mean.high, known.high), f"{setting.key} {metric}: {mean} and {known} lie apart"
            inside.append(known.low <= mean.value <= known.high)
    assert np.mean(inside) >= 0.75


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_shipped_strategy_gives_the_shipped_points(name: str) -> None:
    study = StudyFile.read(samples()[name])
    assert study.strategy is not None
    strategy = Strategy.load(study.strategy)
    assert strategy.config.id == study.config.id
    settings = [s for s in SETTINGS if s.kind in ("lambda", "epsilon")][:4]
    again = {s.setting: s for s in summarise([p for points, _ in audit(strategy, settings) for p in points])}
    shipped = by_setting(study)
    for setting, summary in again.items():
        for metric in METRICS:
            assert summary.means[metric].value == pytest.approx(shipped[setting].means[metric].value, abs=2e-3), (setting.key, metric)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_mrp_run_reproduces_the_first_sample_within_its_intervals(tmp_path: Path) -> None:
    out = tmp_path / "again.json"
    subprocess.run([sys.executable, "-m", "mrp_core", "run", str(SAMPLES / "letters.toml"), "--out", str(out), "--json"], check=True, capture_output=True,
                   env={**os.environ, "MRP_HOME": str(tmp_path / "home")})
    shipped = StudyFile.read(samples()["letters"])
    again = StudyFile.read(out)
    assert again.config == shipped.config
    assert_reproduced(by_setting(again), by_setting(shipped))


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_shipped_examinations_are_of_the_shipped_strategy(name: str) -> None:
    study, found = StudyFile.read(samples()[name]), examinations(name)
    assert {"lambda=0", "epsilon=3"} <= set(found)
    for key, path in found.items():
        made = Examination.from_json(path.read_text(encoding="utf-8"))
        assert (made.study, made.setting.key, made.seeds) == (study.config.id, key, study.config.seeds)


@pytest.mark.slow
def test_examining_a_sample_again_finds_the_same() -> None:
    path = samples()["medical"].with_suffix(".safetensors")
    shipped = Examination.from_json(examinations("medical")["epsilon=3"].read_text(encoding="utf-8"))
    again = examine(Strategy.load(path), shipped.setting, shipped.options)
    for row in shipped.attacks:
        mean = next(a for a in again.attacks if a.name == row.name).means.get("auc")
        assert (mean is None) == bool(row.left_out)
        assert mean is None or mean.value == pytest.approx(row.means["auc"].value, abs=5e-3), row.name
    assert [(p.by, p.name, p.records) for p in again.parts] == [(p.by, p.name, p.records) for p in shipped.parts]
    assert again.epsilon.lower == pytest.approx(shipped.epsilon.lower, abs=0.05)
