"""What must find nothing finds nothing, and intervals cover what they say."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

import mrp_core.audit
from mrp_core.audit import attack_result, lira_online, loss_threshold
from mrp_core.intervals import interval

REPETITIONS = 200


def _phi(rng: np.random.Generator, shape: tuple[int, int, int, int], effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adaptations of [seeds, tasks]: tasks differ in spread and (if there is an effect) in how much membership moves phi."""
    s, t, r, n = shape
    half = rng.random((s, t, r // 2, n)).argsort(-1) < n // 2
    keep = np.concatenate([half, ~half], axis=2)
    spread = np.exp(0.5 * rng.normal(size=(s, t, 1, 1)))
    move = effect * np.exp(0.6 * rng.normal(size=(s, t, 1, 1)))
    shared = 0.5 * rng.normal(size=(s, t, r, 1))  # records of one adaptation aren't independent
    phi = rng.normal(0, 2, (s, t, 1, n)) + spread * (move * keep + shared + rng.normal(size=keep.shape))
    return phi, keep, (np.arange(r) + r // 2) % r


@pytest.mark.parametrize("variance", ["pooled", "per_record", "student_t"])
def test_membership_that_is_not_used_is_not_found(variance: str) -> None:
    phi, keep, twin = _phi(np.random.default_rng(0), (3, 12, 64, 50), 0.0)
    result = attack_result(lira_online(phi, keep, twin, variance), keep)  # type: ignore[arg-type]
    auc = interval(result.auc)
    assert auc.low <= 0.5 <= auc.high and auc.high - auc.low < 0.03
    assert result.information.mean() < 0.001
    assert abs(result.at(0.01).mean() - 0.01) < 0.004
    loss = interval(attack_result(loss_threshold(phi), keep).auc)
    assert loss.low <= 0.5 <= loss.high


def test_why_rotating_the_target_reads_a_little_below_one_half() -> None:
    """Two targets are in each other's shadows: on one and the same record a member drags the threshold of the other towards itself. Few pairs are of one record."""
    models, records = 16, 20
    phi, keep, twin = _phi(np.random.default_rng(4), (1, 1500, models, records), 0.0)
    score = lira_online(phi, keep, twin)
    overall = attack_result(score, keep).auc.mean()
    one_record = attack_result(np.swapaxes(score, -1, -2)[..., None], np.swapaxes(keep, -1, -2)[..., None]).auc.mean()
    others = (overall - one_record / records) / (1 - 1 / records)
    assert 0.43 < one_record < 0.48 and 0.492 < overall < 0.5
    assert abs(others - 0.5) < abs(overall - 0.5) < 0.008


@pytest.mark.parametrize("attack", ["pooled", "student_t", "threshold"])
def test_intervals_cover_one_half_when_there_is_nothing_to_find(attack: str) -> None:
    covered = 0
    for seed in range(REPETITIONS):
        phi, keep, twin = _phi(np.random.default_rng(seed), (3, 8, 16, 20), 0.0)
        score = loss_threshold(phi) if attack == "threshold" else lira_online(phi, keep, twin, attack)  # type: ignore[arg-type]
        auc = interval(attack_result(score, keep).auc)
        covered += auc.low <= 0.5 <= auc.high
    assert covered >= 0.92 * REPETITIONS


def test_intervals_cover_a_real_attack_whose_success_differs_between_tasks() -> None:
    shape = (3, 12, 16, 20)
    phi, keep, twin = _phi(np.random.default_rng(10_000), (60, 60, *shape[2:]), 1.0)
    truth = attack_result(lira_online(phi, keep, twin), keep).auc.mean()
    covered = 0
    for seed in range(REPETITIONS):
        phi, keep, twin = _phi(np.random.default_rng(seed), shape, 1.0)
        auc = interval(attack_result(lira_online(phi, keep, twin), keep).auc)
        covered += auc.low <= truth <= auc.high
    assert truth > 0.65
    assert covered >= 0.92 * REPETITIONS


def test_the_example_in_the_package_runs() -> None:
    result = doctest.testmod(mrp_core.audit)
    assert result.attempted > 15 and result.failed == 0
