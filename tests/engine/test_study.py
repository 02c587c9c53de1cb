"""A whole study as a job runs it: what it leaves behind, what it survives, and the limits that its points respect."""

from __future__ import annotations

import numpy as np
import pytest

from mrp_core.config import ComputeOptions
from mrp_core.engine import run_study
from mrp_core.errors import JobInterrupted
from mrp_core.jobs.context import SilentContext
from mrp_core.limits import DPLimit, fano
from mrp_core.measurement import METRICS
from mrp_core.registry import plugins
from mrp_core.results import Point, summarise
from mrp_core.settings import settings_of
from mrp_core.strategy import Strategy
from tests.engine.toy import Toy, toy_study

ARTIFACT = "strategy.safetensors"


def points(context: SilentContext) -> dict[object, str]:
    return {key: point.to_json() for key, point in context.points.items()}


@pytest.fixture(scope="module")
def whole(toy: None) -> SilentContext:
    context = SilentContext(checkpoint_seconds=0)
    run_study(toy_study(outer__seeds=2), ComputeOptions(), context)
    return context


def test_a_study_leaves_points_curves_and_its_strategy(whole: SilentContext) -> None:
    config = toy_study(outer__seeds=2)
    settings = settings_of(config)
    assert set(whole.points) == {(s, seed) for s in settings for seed in (0, 1)}
    for point in whole.points.values():
        assert set(METRICS) - {"epsilon", "attribute_mi"} <= set(point.values)
        assert Point.from_json(point.to_json()).setting == point.setting
    assert {(c.setting, c.name) for c in whole.curves.values() if c.setting} == {(s, f"roc:{attack}") for s in settings for attack in ("lira", "lira_t", "threshold")}
    assert {c.name for c in whole.curves.values() if not c.setting} == {f"validation:{kind}:{end}" for kind in ("lambda", "epsilon") for end in ("none", "most")}
    for curve in whole.curves.values():
        assert len(curve.x) == len(curve.y) > 1 and list(curve.x) == sorted(curve.x)
        if curve.setting:
            assert (np.diff(curve.y) >= -1e-12).all() and (np.array(curve.low) <= np.array(curve.high)).all()
    assert Strategy.from_bytes(whole.artifacts[ARTIFACT]).config == config
    phases = [phase for phase, *_ in whole.reports]
    assert phases == ["train"] * config.outer.iterations + ["audit"] * len(settings)
    assert [step for phase, step, *_ in whole.reports if phase == "audit"] == list(range(1, len(settings) + 1))


@pytest.mark.parametrize("stop", [4, 14])
def test_a_stop_in_training_or_in_the_audit_costs_nothing(whole: SilentContext, stop: int) -> None:
    config = toy_study(outer__seeds=2)
    context = SilentContext(stop_after=stop)
    with pytest.raises(JobInterrupted):
        run_study(config, ComputeOptions(), context)
    kept = dict(context.points)
    assert len(kept) == 2 * max(0, stop + 1 - config.outer.iterations)
    context.stop_after = None
    run_study(config, ComputeOptions(), context)
    assert points(context) == points(whole)
    assert all(context.points[key] is point for key, point in kept.items()), "what was measured is not measured again"


def test_a_damaged_strategy_or_checkpoint_is_made_anew(whole: SilentContext) -> None:
    config = toy_study(outer__seeds=2)
    context = SilentContext()
    context.artifacts[ARTIFACT] = whole.artifacts[ARTIFACT][:-20]
    context.checkpoints = [(7, whole.checkpoints[-1][1][:500])]
    run_study(config, ComputeOptions(), context)
    assert points(context) == points(whole)
    assert Strategy.from_bytes(context.artifacts[ARTIFACT]).config == config


def test_a_finished_study_is_not_run_again(whole: SilentContext) -> None:
    before = len(whole.reports)
    run_study(toy_study(outer__seeds=2), ComputeOptions(), whole)
    assert len(whole.reports) == before


def test_no_point_lies_beyond_a_limit_by_more_than_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fano on the information axis for every setting; on the ε axis what differential privacy allows any attack. Classes stand well apart, so that much can leak."""
    monkeypatch.setitem(plugins("tasks"), "toy", Toy(spread=2.5))
    context = SilentContext()
    config = toy_study(outer__iterations=60, outer__rate=0.005, inner__rate=0.3, audit__tasks=8, audit__adaptations=16, audit__records=10, outer__seeds=2)
    run_study(config, ComputeOptions(), context)
    found = summarise(list(context.points.values()))
    assert max(s.means["accuracy"].value for s in found) > 0.6, "a study that learned nothing would respect every limit"
    for s in found:
        accuracy, mi = s.means["accuracy"], s.means["mi"]
        assert mi.high >= float(fano(accuracy.low, 3)), s.setting
        assert mi.value >= float(fano(accuracy.value, 3)) - (mi.high - mi.low), s.setting
        if s.setting.kind == "epsilon":
            assert s.means["lira_auc"].low <= DPLimit(s.setting.value, config.privacy.delta).auc, s.setting
