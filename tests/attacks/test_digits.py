"""The attacks on real models that have learned by heart: handwritten digits, a fifth of them mislabelled, four shadow models."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mrp_core.attacking import Evidence
from mrp_core.audit import AttackTable, attack_result, evidence, run_attacks

pytestmark = pytest.mark.slow
RECORDS, MODELS = 1500, 6


def trained(x: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> list[NDArray[np.float64]]:
    """Weights and biases of an MLP 64-64-10."""
    from sklearn.neural_network import MLPClassifier

    # exactly 150 epochs: neither tolerance nor patience ends them, and so nothing warns of the end
    model = MLPClassifier((64,), max_iter=1, warm_start=True, learning_rate_init=0.005, batch_size=64, alpha=0.0, random_state=seed)
    for _ in range(150):
        model.partial_fit(x, y, classes=np.arange(10))
    return [model.coefs_[0], model.intercepts_[0], model.coefs_[1], model.intercepts_[1]]


@pytest.fixture(scope="module")
def held() -> Evidence:
    """Three pairs of models on complementary halves; each is the target once, with the four of the other pairs as shadows."""
    from sklearn.datasets import load_digits

    rng, data = np.random.default_rng(0), load_digits()
    order = rng.permutation(len(data.target))
    x, y = data.data[order] / 16, data.target[order].copy()
    wrong = rng.random(len(y)) < 0.2
    y[wrong] = rng.integers(0, 10, wrong.sum())
    half = np.stack([rng.permutation(RECORDS) < RECORDS // 2 for _ in range(MODELS // 2)])
    keep = np.concatenate([half, ~half])
    z = []
    for i, member in enumerate(keep):
        w0, b0, w1, b1 = trained(x[:RECORDS][member], y[:RECORDS][member], i)
        z.append(np.maximum(x @ w0 + b0, 0) @ w1 + b1)
    logits, fresh = np.split(np.stack(z), [RECORDS], axis=1)
    return evidence(logits, y[:RECORDS], keep, population=fresh, population_labels=y[RECORDS:], features=x[:RECORDS], population_features=x[RECORDS:])


@pytest.fixture(scope="module")
def table(held: Evidence) -> AttackTable:
    return run_attacks(held)


def test_four_shadows_are_enough_with_a_prior_over_records(table: AttackTable) -> None:
    auc = {name: float(r.auc) for name, r in table.results.items()}
    assert table.headline == "lira_online_t" and auc["lira_online_t"] >= 0.78
    assert auc["lira_online_per_record"] < 0.70
    low = {name: float(r.at(0.01)) for name, r in table.results.items()}
    assert low["lira_online_t"] > 5 * low["lira_online_per_record"]


def test_the_one_sided_tail_beats_the_two_sided_one(held: Evidence, table: AttackTable) -> None:
    score = table.scores["lira_offline"]
    assert table.results["lira_offline"].auc > attack_result(np.abs(score), held.keep).auc + 0.08


def test_every_attack_finds_something_and_calibrated_ones_find_it_at_low_rates(table: AttackTable) -> None:
    assert min(float(r.auc) for r in table.results.values()) > 0.52
    for name in ("lira_online", "lira_online_t", "lira_offline", "rmia_online", "attack_r"):
        assert table.results[name].at(0.001) > 0.01, name
    assert table.results["loss_threshold"].at(0.001) < 0.005
