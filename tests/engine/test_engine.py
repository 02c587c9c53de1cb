"""Training and audit as a whole: alone equals batched, chunks don't matter, resumed equals undisturbed, controls stay at chance."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from mrp_core.config import AuditConfig, ComputeOptions, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import audit, live, run_study, train
from mrp_core.errors import CheckpointError, ConfigError, JobInterrupted, TrainingError
from mrp_core.jobs.context import SilentContext
from mrp_core.limits import fano
from mrp_core.registry import plugin, plugins
from mrp_core.results import summarise
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Strategy
from mrp_core.training import Trainer

TASK = TaskConfig(family="gaussian", mode="site", ways=2, shots=5, queries=10)
PRIVACY = PrivacyConfig(lambda_points=2, epsilons=(3.0,))
AUDIT = AuditConfig(tasks=2, adaptations=8, records=10)
TINY = StudyConfig(task=TASK, privacy=PRIVACY, outer=OuterConfig(iterations=12, meta_batch=4, seeds=2, hidden=(8,)), audit=AUDIT)
EXACT = ComputeOptions(precision="float64")


def with_outer(config: StudyConfig = TINY, **values: object) -> StudyConfig:
    return dataclasses.replace(config, outer=dataclasses.replace(config.outer, **values))


@pytest.fixture(scope="module")
def strategy() -> Strategy:
    return train(TINY, EXACT)


def test_a_seed_alone_equals_the_same_seed_in_a_batch(strategy: Strategy) -> None:
    alone = train(with_outer(seeds=1, first_seed=1), EXACT)
    for setting in (UNPROTECTED, Setting("lambda", 0.8), Setting("epsilon", 3.0)):
        a, b = (s.parameters for s in (alone, strategy))
        i, j = alone.adaptation(setting, 1).row, strategy.adaptation(setting, 1).row
        assert all(torch.allclose(a[k][i], b[k][j], atol=1e-10, rtol=0) for k in a)


def test_chunks_do_not_change_results(strategy: Strategy) -> None:
    small = train(TINY, dataclasses.replace(EXACT, chunk_rows=3))
    assert all(torch.allclose(small.parameters[k], v, atol=1e-10, rtol=0) for k, v in strategy.parameters.items())
    settings = [UNPROTECTED, Setting("epsilon", 3.0)]
    for (a, _), (b, _) in zip(audit(strategy, settings, EXACT), audit(strategy, settings, dataclasses.replace(EXACT, chunk_rows=5)), strict=True):
        for p, q in zip(a, b, strict=True):
            assert all(np.allclose(p.values[k], q.values[k], equal_nan=True, atol=1e-9) for k in p.values)


def test_a_study_stopped_anywhere_goes_on_to_the_same_points() -> None:
    whole = SilentContext()
    run_study(TINY, ComputeOptions(), whole)
    for stop in (5, 15):
        context = SilentContext(checkpoint_seconds=0, stop_after=stop)
        with pytest.raises(JobInterrupted):
            run_study(TINY, ComputeOptions(), context)
        context.stop_after = None
        run_study(TINY, ComputeOptions(), context)
        assert {k: p.to_json() for k, p in context.points.items()} == {k: p.to_json() for k, p in whole.points.items()}
    assert {s for s, _ in whole.points} == set(settings_of(TINY))


def test_a_damaged_strategy_is_said(strategy: Strategy) -> None:
    data = strategy.to_bytes()
    again = Strategy.from_bytes(data)
    assert again.config == strategy.config and all(torch.equal(again.parameters[k], v) for k, v in strategy.parameters.items())
    for broken in (data[:100], b"", data[:-9], b"\xff" * 64):
        with pytest.raises(CheckpointError, match="damaged"):
            Strategy.from_bytes(broken)
    with pytest.raises(ConfigError, match="not trained for"):
        strategy.adaptation(Setting("lambda", 5.0), 0)


def test_a_diverged_configuration_is_frozen_and_when_all_are_it_is_one_sentence() -> None:
    trainer = Trainer(TINY, ComputeOptions(), {s: plugin("tasks", "gaussian").build(TASK, s) for s in TINY.seeds})
    state = trainer.fresh()
    state.parameters["w0"][1] = torch.nan
    before = {k: v.clone() for k, v in state.parameters.items()}
    with ThreadPoolExecutor(1) as pool:
        assert trainer.iterate(state, pool)["diverged"] == 1.0
        assert state.alive.tolist() == [True, False, True, True]
        assert not torch.equal(state.parameters["b1"][0], before["b1"][0])
        assert torch.equal(state.parameters["b1"][1], before["b1"][1])
        state.parameters["w0"][:] = torch.nan
        with pytest.raises(TrainingError, match="diverged in all 4 configurations by iteration 2; lower the outer rate"):
            trainer.iterate(state, pool)


@pytest.mark.parametrize("name", sorted(plugins("meta")))
def test_every_meta_learner_trains_and_serves_all_settings(name: str) -> None:
    context = SilentContext()
    run_study(with_outer(learner=name, seeds=1), ComputeOptions(), context)
    assert {s for s, _ in context.points} == set(settings_of(TINY))


@pytest.mark.parametrize("name", sorted(plugins("privacy")))
def test_every_privacy_loss_trains(name: str) -> None:
    strategy = train(dataclasses.replace(with_outer(seeds=1), privacy=dataclasses.replace(PRIVACY, loss=name)))
    assert all(torch.isfinite(v).all() for v in strategy.parameters.values())


def test_the_sweep_serves_the_same_settings() -> None:
    context = SilentContext()
    run_study(with_outer(search="lambda_sweep", seeds=1), ComputeOptions(), context)
    assert {s for s, _ in context.points} == set(settings_of(TINY))


def test_training_helps_and_no_point_passes_fanos_limit() -> None:
    config = with_outer(dataclasses.replace(TINY, audit=dataclasses.replace(AUDIT, tasks=6)), iterations=120)
    points = [p for points, _ in audit(train(config), settings_of(config)) for p in points]
    found = {s.setting: s for s in summarise(points)}
    assert found[UNPROTECTED].means["accuracy"].value > 0.8
    for s in found.values():
        accuracy, mi = s.means["accuracy"], s.means["mi"]
        slack = (mi.high - mi.low) + 0.05
        assert mi.value >= float(fano(accuracy.value, 2)) - slack, s.setting


def test_live_grid_has_every_setting_and_equals_itself(strategy: Strategy) -> None:
    a, b = (live(strategy, seed=0, task=1, draw=3) for _ in range(2))
    assert [s.kind for s in a.settings] == ["lambda", "lambda", "epsilon", "epsilon"]
    assert np.array_equal(a.probabilities, b.probabilities)
    assert np.allclose(a.probabilities.sum(-1), 1.0)
    with pytest.raises(ConfigError, match="tasks 0 to 1"):
        live(strategy, seed=0, task=2, draw=0)


def test_no_graphics_card_is_one_sentence() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a graphics card")
    with pytest.raises(ConfigError, match="choose cpu"):
        run_study(TINY, ComputeOptions(device="cuda"), SilentContext())
