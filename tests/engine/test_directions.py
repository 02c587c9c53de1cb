"""What the knobs claim about accuracy and leakage, where it is cheap to check: paired by seed, on tiny studies of simulated records."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from mrp_core.config import AuditConfig, ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import audit, train
from mrp_core.intervals import interval
from mrp_core.knobs import knobs_of
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.strategy import Strategy

BASE = StudyConfig(task=TaskConfig(family="gaussian", mode="site", ways=2, shots=4, queries=10), privacy=PrivacyConfig(lambda_points=2, mechanism="none", epsilons=(1.0, 12.0)),
                   inner=InnerConfig(steps=3), outer=OuterConfig(iterations=40, meta_batch=8, seeds=4, hidden=(16,)), audit=AuditConfig(tasks=6, adaptations=16, records=20, baselines=False))
NOISE: dict[str, object] = {"mechanism": "dp_adaptation"}
CLAIMS: dict[str, tuple[dict[str, object], dict[str, object], Setting, dict[str, int], str]] = {
    "task.shots": ({}, {"shots": 16}, UNPROTECTED, {"accuracy": 1, "lira_auc": -1}, "rises|falls"),
    "privacy.channel_noise": ({"channel": "noisy_scores", "channel_noise": 0.3}, {"channel": "noisy_scores", "channel_noise": 3.0}, UNPROTECTED, {"accuracy": -1, "mi": -1}, "falls|falls"),
    "privacy.channel_digits": ({"channel": "scores", "channel_digits": 1}, {"channel": "scores", "channel_digits": 3}, UNPROTECTED, {"accuracy": 0, "mi": 1, "lira_auc": 1}, "no effect|rises"),
    "privacy.attacker_queries": ({"attacker_queries": 1}, {"attacker_queries": 10}, UNPROTECTED, {"accuracy": 0, "mi": 0, "lira_auc": 1}, "no effect|membership rises"),
    "privacy.delta": (NOISE | {"delta": 1e-6}, NOISE | {"delta": 1e-2}, Setting("epsilon", 12.0), {"accuracy": 1, "lira_auc": 1}, "rises|rises"),
}
"""Knob -> what it and others of its part are before and after, the setting looked at, which way each measure moves (0: not at all), and with what the clauses begin or hold."""


def changed(part: str, values: dict[str, object]) -> StudyConfig:
    return dataclasses.replace(BASE, **{part: dataclasses.replace(getattr(BASE, part), **values)})


@cache
def trained(config: StudyConfig) -> Strategy:
    """A channel or an attacker changes nothing of the training, so one is enough for all of them."""
    return train(config, ComputeOptions())


def measured(config: StudyConfig, setting: Setting) -> dict[str, np.ndarray]:
    """Mean over tasks of each measure, one a seed."""
    plain = BASE.privacy
    same = dataclasses.replace(config.privacy, channel=plain.channel, channel_noise=plain.channel_noise, channel_digits=plain.channel_digits, attacker_queries=plain.attacker_queries)
    strategy = dataclasses.replace(trained(dataclasses.replace(config, privacy=same)), config=config)
    points = sorted((p for made, _ in audit(strategy, [setting], ComputeOptions()) for p in made), key=lambda p: p.seed)
    return {name: np.array([np.mean(p.values[name]) for p in points]) for name in ("accuracy", "mi", "lira_auc")}


def moves(before: dict[str, np.ndarray], after: dict[str, np.ndarray], name: str) -> int:
    """Which way a measure moved, by the paired interval over seeds; 0 if it didn't move at all."""
    difference = after[name] - before[name]
    if not difference.any():
        return 0
    found = interval(difference[:, None])
    assert found.low > 0 or found.high < 0, f"{name} is not resolved: {found}"
    return 1 if found.low > 0 else -1


@pytest.mark.parametrize("knob", CLAIMS)
def test_a_claimed_direction_holds(knob: str) -> None:
    part, _, name = knob.partition(".")
    before, after, setting, expected, words = CLAIMS[knob]
    spec = knobs_of(getattr(BASE, part))[name][1]
    assert all(word in clause for word, clause in zip(words.split("|"), (spec.accuracy, spec.leakage), strict=True))
    low, high = measured(changed(part, before), setting), measured(changed(part, after), setting)
    assert {measure: moves(low, high, measure) for measure in expected} == expected


def test_the_sliders_move_as_they_say() -> None:
    noisy = changed("privacy", NOISE | {"delta": 1e-2})
    assert [moves(measured(BASE, UNPROTECTED), measured(BASE, Setting("lambda", 0.8)), m) for m in ("accuracy", "mi")] == [-1, -1]
    assert [moves(measured(noisy, Setting("epsilon", 1.0)), measured(noisy, Setting("epsilon", 12.0)), m) for m in ("accuracy", "lira_auc")] == [1, 1]
    words = knobs_of(PrivacyConfig)
    assert words["lambda_max"][1].accuracy.startswith("lower") and words["epsilons"][1].accuracy.startswith("rises") and words["epsilons"][1].leakage.startswith("membership rises")
