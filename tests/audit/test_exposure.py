"""Record by record, part by part, and with more shadows: what is found is what was put in, and a flattering rank is judged anew."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from mrp_core.audit import lira_online
from mrp_core.audit.exposure import auc_interval, exposed_records, part_risk, record_auc, settling, two_halves
from mrp_core.errors import DataError

R, N = 64, 20
TWIN = (np.arange(R) + R // 2) % R


def drawn(moves: np.ndarray | float, tasks: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Statistic and membership [tasks, R, N]; ``moves`` is by how much being in shifts each record."""
    rng = np.random.default_rng(seed)
    half = rng.random((tasks, R // 2, N)).argsort(-1) < N // 2
    keep = np.concatenate([half, ~half], 1)
    return rng.normal(size=keep.shape) + rng.normal(0, 3, (tasks, 1, N)) + moves * keep, keep


def test_the_auc_of_a_record_is_the_mann_whitney_statistic_of_its_trials() -> None:
    phi, keep = drawn(1.0)
    found = record_auc(phi, keep)
    for t, n in ((0, 0), (2, 19)):
        inside, outside = phi[t, keep[t, :, n], n], phi[t, ~keep[t, :, n], n]
        assert found[t, n] == pytest.approx(mannwhitneyu(inside, outside).statistic / (len(inside) * len(outside)))


@pytest.mark.parametrize("distance", [0.0, 0.7, 2.0, 4.0])
def test_record_intervals_cover(distance: float) -> None:
    rng, truth = np.random.default_rng(1), norm.cdf(distance / np.sqrt(2))
    phi = np.concatenate([rng.normal(distance, 1, (2000, 32, 1)), rng.normal(0, 1, (2000, 32, 1))], 1)
    keep = np.repeat([True, False], 32)[:, None]
    low, high = auc_interval(record_auc(phi, keep)[:, 0], 32, 32)
    assert 0.92 <= ((low <= truth) & (truth <= high)).mean() <= 0.99


def test_an_interval_at_the_end_has_a_width() -> None:
    low, high = auc_interval(np.array([1.0, 0.0, 0.5]), 8, 8)
    assert high[0] == pytest.approx(1.0) and 0.6 < low[0] < 0.95
    assert low[1] == pytest.approx(0.0) and high[1] == pytest.approx(1 - low[0])
    assert low[2] == pytest.approx(1 - high[2], abs=1e-6)
    with pytest.raises(DataError, match="members is 0"):
        auc_interval(np.array([0.5]), 0, 4)


def test_halves_keep_pairs_together() -> None:
    a, b = two_halves(TWIN)
    assert sorted([*a, *b]) == list(range(R)) and len(a) == len(b) == R // 2
    assert set(TWIN[a]) == set(a) and set(TWIN[b]) == set(b)
    alone = two_halves(np.arange(6))
    assert [x.tolist() for x in alone] == [[0, 2, 4], [1, 3, 5]]


def test_the_most_exposed_record_is_found_and_not_flattered() -> None:
    phi, keep = drawn(np.where(np.arange(N) == 7, 6.0, 0.0))
    rank, judge, trials = exposed_records(lira_online(phi, keep, TWIN), keep, TWIN)
    assert (rank.argmax(1) == 7).all() and (judge[:, 7] > 0.95).all() and trials == (16, 16)
    phi, keep = drawn(0.0, tasks=200)
    rank, judge, _ = exposed_records(phi, keep, TWIN)
    best = rank.argmax(1)
    assert rank[np.arange(200), best].mean() > 0.65, "the largest of many by chance"
    assert judge[np.arange(200), best].mean() == pytest.approx(0.5, abs=0.02)


def test_parts_differ_where_records_do() -> None:
    phi, keep = drawn(np.where(np.arange(N) < 5, 3.0, 0.0))
    score = lira_online(phi, keep, TWIN)
    part = np.broadcast_to(np.arange(N) < 5, (3, N))
    exposed, safe = part_risk(score, keep, part), part_risk(score, keep, ~part)
    assert (exposed[0] > 0.9).all() and (np.abs(safe[0] - 0.5) < 0.1).all()
    assert (exposed[1] > 5 * safe[1]).all()
    nobody = part_risk(score, keep, np.zeros((3, N), bool))
    assert np.isnan(nobody[0]).all() and np.isnan(nobody[1]).all()
    everyone = part_risk(score, keep, np.ones((3, N), bool))
    weights = (5 * exposed[1] + 15 * safe[1]) / 20
    assert everyone[1] == pytest.approx(weights, abs=0.02)


def test_the_attack_settles_as_shadows_grow() -> None:
    phi, keep = drawn(0.8, tasks=40)
    found = settling(phi, keep, TWIN)
    assert [n for n, _ in found] == [4, 8, 16, 32, 64]
    means = [auc.mean() for _, auc in found]
    assert means == sorted(means) and means[-1] - means[-2] < means[1] - means[0]
    np.testing.assert_allclose(found[-1][1], settling(phi, keep, TWIN, seed=3)[-1][1])
