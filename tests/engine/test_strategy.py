"""A strategy on disk, and what it says about how each setting adapts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from mrp_core.accounting import noise_multiplier
from mrp_core.config import ComputeOptions
from mrp_core.engine import train
from mrp_core.errors import CheckpointError, ConfigError
from mrp_core.evaluation import audit_tasks, evaluate
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import FORMAT, Strategy, noise_levels
from mrp_core.taskdata import held_out
from mrp_core.tensorfile import pack, unpack
from tests.engine.toy import toy_study


def test_saved_and_loaded_it_is_the_same(strategy: Strategy, tmp_path: Path) -> None:
    strategy.save(tmp_path / "s.safetensors")
    again = Strategy.load(tmp_path / "s.safetensors")
    for name in ("config", "shape", "arms", "levels", "choice", "seen"):
        assert getattr(again, name) == getattr(strategy, name), name
    assert again.parameters.keys() == strategy.parameters.keys()
    assert all(torch.equal(again.parameters[k], v) and again.parameters[k].dtype == v.dtype for k, v in strategy.parameters.items())


def test_loaded_it_adapts_bit_for_bit_alike(strategy: Strategy) -> None:
    again = Strategy.from_bytes(strategy.to_bytes())
    config = strategy.config
    held = held_out(plugin("tasks", "toy").build(config.task, 0).test, tasks=2, shots=3, records=4, seed=0)
    tasks = audit_tasks(held, adaptations=4, seed=0, seen=strategy.seen[0], like=strategy.parameters["cb0"])
    for setting in settings_of(config):
        if setting.kind not in ("temperature", "rate_distortion"):
            a, b = (evaluate(s, [s.adaptation(setting, 0)], tasks).pool for s in (strategy, again))
            assert (a == b).all(), setting


def test_truncated_anywhere_is_one_sentence(strategy: Strategy) -> None:
    data = strategy.to_bytes()
    for end in (0, 4, 8, 100, 2000, len(data) // 2, len(data) - 1):
        with pytest.raises(CheckpointError, match=r"^The strategy 'strategy\.safetensors' is damaged \(.*\); train the study anew\.$"):
            Strategy.from_bytes(data[:end])


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_one_altered_byte_anywhere_is_noticed(strategy: Strategy, place: float) -> None:
    """In the weights too, where safetensors itself would not see it."""
    data = bytearray(strategy.to_bytes())
    data[int(place * len(data))] ^= 0x10
    with pytest.raises(CheckpointError, match="damaged"):
        Strategy.from_bytes(bytes(data))


def test_foreign_files_are_one_sentence(strategy: Strategy, tmp_path: Path) -> None:
    tensors = load(strategy.to_bytes())
    about, _ = unpack(strategy.to_bytes())
    foreign = [save(tensors), save(tensors, metadata={"format": "pt"}), save(tensors, metadata={"about": "[]"}), save(tensors, metadata={"about": "{}"}), pack({}, {"format": FORMAT}),
               pack(tensors, {**about, "format": "mrp-strategy-9"}), b"PK\x03\x04" + bytes(500), b"{}"]
    for data in foreign:
        with pytest.raises(CheckpointError, match=r"strategy\.safetensors.* train (it|the study) anew\.$"):
            Strategy.from_bytes(data)
    with pytest.raises(CheckpointError, match=r"^The strategy 'gone\.safetensors' can't be read \(No such file or directory\); train the study anew\.$"):
        Strategy.load(tmp_path / "gone.safetensors")
    with pytest.raises(CheckpointError, match="can't be read"):
        Strategy.load(tmp_path)


def test_the_same_strategy_is_the_same_bytes(strategy: Strategy) -> None:
    assert len({strategy.to_bytes() for _ in range(5)} | {Strategy.from_bytes(strategy.to_bytes()).to_bytes()}) == 1


@pytest.mark.parametrize("part", [{"arms": []}, {"levels": 3}, {"seen": []}, {"shape": {"features": 6}}, {"config": {"outer": {"iterations": -1}}}, {"choice": [[0], [0], [0], [99]]}])
def test_a_header_that_contradicts_itself_is_refused(strategy: Strategy, part: dict[str, Any]) -> None:
    about, tensors = unpack(strategy.to_bytes())
    with pytest.raises(CheckpointError, match="damaged"):
        Strategy.from_bytes(pack(tensors, {**about, **part}))


def test_how_each_setting_adapts(strategy: Strategy) -> None:
    for setting in settings_of(strategy.config):
        plan = strategy.adaptation(setting, 0)
        assert plan.weight == (setting.value if setting.kind == "lambda" else 0.0)
        assert plan.rate_factor == (setting.value if setting.kind == "rate" else 1.0)
        if setting.kind == "epsilon":
            assert plan.noise == noise_multiplier(setting.value, 2, 1e-3) and plan.steps == 2 and plan.lowest == 2
        else:
            assert plan.noise is None
            assert plan.steps == (int(setting.value) if setting.kind == "steps" else 2)
            assert plan.lowest == (2 if setting.kind == "head" else 0)
    assert strategy.adaptation(Setting("epsilon", math.inf), 0).noise == 0.0
    assert strategy.adaptation(Setting("epsilon", 3.0), 0).noise > strategy.adaptation(Setting("epsilon", 20.0), 0).noise > 0


def test_plans_follow_the_study() -> None:
    """Head-only learners, head-only studies, all layers under noise."""
    lowest = lambda setting, **changes: train(toy_study(outer__iterations=1, **changes)).adaptation(setting, 0).lowest  # noqa: E731
    assert lowest(UNPROTECTED, outer__learner="anil") == 2
    assert lowest(UNPROTECTED, inner__adapts="head") == 2
    assert lowest(Setting("epsilon", 3.0), privacy__dp_adapts="all") == 0
    assert lowest(Setting("epsilon", 3.0), privacy__dp_adapts="all", outer__learner="anil") == 2


def test_each_seed_has_its_own_weights(strategy: Strategy) -> None:
    rows = {seed: strategy.adaptation(UNPROTECTED, seed).row for seed in (0, 1)}
    assert rows[0] != rows[1]
    assert not torch.equal(strategy.parameters["w0"][rows[0]], strategy.parameters["w0"][rows[1]])


@pytest.mark.parametrize(("setting", "seed"), [(Setting("lambda", 0.9), 0), (Setting("lambda", -0.1), 0), (Setting("epsilon", 0.5), 0), (UNPROTECTED, 2), (UNPROTECTED, -1)])
def test_what_it_was_not_trained_for_is_one_sentence(strategy: Strategy, setting: Setting, seed: int) -> None:
    with pytest.raises(ConfigError, match=rf"^The strategy was not trained for {setting.key} with seed {seed}; choose a setting and a seed of its study\.$"):
        strategy.adaptation(setting, seed)


def test_between_trained_values_it_serves_any(strategy: Strategy) -> None:
    assert strategy.adaptation(Setting("lambda", 0.123), 0).weight == 0.123
    assert strategy.adaptation(Setting("epsilon", 7.7), 0).noise == noise_multiplier(7.7, 2, 1e-3)


def test_a_sweep_serves_its_own_values_only() -> None:
    swept = train(toy_study(outer__search="lambda_sweep", outer__iterations=3), ComputeOptions())
    assert len({swept.adaptation(Setting("lambda", v), 0).row for v in swept.config.lambdas}) == 3
    with pytest.raises(ConfigError, match=r"not trained for lambda=0\.1"):
        swept.adaptation(Setting("lambda", 0.1), 0)


def test_noise_levels_ascend_from_none() -> None:
    levels = noise_levels(toy_study(privacy__epsilons=(20.0, 3.0, 3.0)))
    assert levels == (0.0, noise_multiplier(20.0, 2, 1e-3), noise_multiplier(3.0, 2, 1e-3))
    assert noise_levels(toy_study(privacy__mechanism="none")) == ()
