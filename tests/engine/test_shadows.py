"""Stacked shadow models against one plain loop a model, and what they are for: attacks with few shadows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrp_core.audit import attack_result, lira_online
from mrp_core.audit.signals import label_margin
from mrp_core.config import ComputeOptions
from mrp_core.errors import ConfigError, DataError, TrainingError
from mrp_core.shadows import ShadowTraining, halves, shadow_models, train_shadows

EXACT = ComputeOptions(precision="float64")


def blobs(records: int = 60, features: int = 5, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(records) % classes
    return rng.normal(size=(records, features)) + rng.normal(size=(classes, features))[y], y


def naive(x: np.ndarray, y: np.ndarray, kept: np.ndarray, training: ShadowTraining, seed: int) -> np.ndarray:
    """One model with autograd and torch's optimisers; only the random draws are made as the batch makes them."""
    generator = torch.Generator().manual_seed(seed)
    units = (x.shape[1], *training.hidden, int(y.max()) + 1)
    layers = [torch.nn.Linear(i, o, dtype=torch.float64) for i, o in itertools.pairwise(units)]
    with torch.no_grad():
        for n, layer in enumerate(layers):
            gain = 1.0 if n == len(layers) - 1 else 2.0
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator, dtype=torch.float64) * (gain / layer.in_features) ** 0.5)
            layer.bias.zero_()
    net = torch.nn.Sequential(*[m for layer in layers for m in (layer, torch.nn.ReLU())][:-1])
    make: dict[str, Any] = {"adam": lambda p: torch.optim.Adam(p, lr=training.rate), "sgd": lambda p: torch.optim.SGD(p, lr=training.rate, momentum=training.momentum)}
    optimiser = make[training.optimiser](net.parameters())
    data, labels, mine = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(np.flatnonzero(kept))
    stream: list[int] = []
    for step in range(training.steps):
        if step % 256 == 0:
            stream = []
            while len(stream) < 256 * training.batch:
                stream += mine[torch.randperm(len(mine), generator=generator)].tolist()
        at = (step % 256) * training.batch
        index = torch.tensor(stream[at:at + training.batch])
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(data[index]), labels[index]).backward()
        optimiser.step()
    return net(data).detach().numpy()


@pytest.mark.parametrize("training", [
    ShadowTraining(hidden=(7,), steps=40, batch=8, rate=0.01), ShadowTraining(hidden=(6, 5), steps=25, batch=4, optimiser="sgd", rate=0.05),
    ShadowTraining(hidden=(4,), steps=300, batch=1, rate=0.01), ShadowTraining(hidden=(4,), steps=12, batch=100, optimiser="sgd", momentum=0.0, rate=0.1),
])
def test_the_batch_equals_one_plain_loop_a_model(training: ShadowTraining) -> None:
    x, y = blobs()
    keep, _ = halves(len(x), 4, seed=3)
    keep[0, 40:] = False  # sizes may differ
    stacked = train_shadows(x, y, keep, training, seeds=[5, 6, 7, 8], compute=EXACT)
    for r, seed in enumerate([5, 6, 7, 8]):
        np.testing.assert_allclose(stacked[r], naive(x, y, keep[r], training, seed), rtol=1e-8, atol=1e-9)


def test_a_model_alone_equals_itself_in_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = blobs()
    keep, _ = halves(len(x), 6)
    training = ShadowTraining(hidden=(8,), steps=60, batch=8)
    together = train_shadows(x, y, keep, training, seeds=range(10, 16), compute=EXACT)
    for r in range(6):
        np.testing.assert_allclose(train_shadows(x, y, keep[r:r + 1], training, seeds=[10 + r], compute=EXACT)[0], together[r], rtol=1e-9, atol=1e-10)
    monkeypatch.setattr("mrp_core.shadows._TOGETHER", 200)
    monkeypatch.setattr("mrp_core.shadows._ASKED", 64)
    np.testing.assert_allclose(train_shadows(x, y, keep, training, seeds=range(10, 16), compute=EXACT), together, rtol=1e-9, atol=1e-10)


def test_equal_seeds_give_equal_models_and_others_do_not() -> None:
    x, y = blobs()
    training = ShadowTraining(hidden=(8,), steps=5)
    first, second, other = (shadow_models(x, y, models=4, training=training, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.logits, second.logits)
    assert not np.allclose(first.logits, other.logits) and (first.keep != other.keep).any()
    assert not np.allclose(first.logits[0], first.logits[1])
    np.testing.assert_array_equal(first.keep[first.twin], ~first.keep)
    assert first.logits.shape == (4, 60, 3) and first.logits.dtype == np.float64


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(1, 12), st.integers(0, 2**31 - 1))
def test_halves_are_complementary(records: int, pairs: int, seed: int) -> None:
    keep, twin = halves(records, 2 * pairs, seed)
    assert (keep[twin] == ~keep).all() and (twin[twin] == np.arange(2 * pairs)).all() and (keep.sum(0) == pairs).all()
    assert set(keep.sum(1).tolist()) <= {records // 2, (records + 1) // 2}
    np.testing.assert_array_equal(halves(records, 2 * pairs + 2, seed)[0][:pairs], keep[:pairs])  # more models leave the first as they are


def test_a_model_learns_its_half() -> None:
    x, y = blobs(120)
    made = shadow_models(x, y, models=4, training=ShadowTraining(hidden=(32,), steps=400, batch=16, rate=0.01))
    assert (made.logits.argmax(-1) == y)[made.keep].mean() > 0.95


@pytest.mark.parametrize(("change", "words"), [
    ({"x": np.zeros((0, 3))}, "x is"), ({"x": np.full((60, 5), np.nan)}, "finite"), ({"x": np.zeros(60)}, "records, features"), ({"y": np.zeros(59, dtype=int)}, "y is"),
    ({"y": np.full(60, -1)}, "whole number from 0"), ({"y": np.zeros(60)}, "whole number"), ({"keep": np.ones((4, 60))}, "boolean"),
    ({"keep": np.ones((4, 59), dtype=bool)}, "keep is"), ({"keep": np.zeros((2, 60), dtype=bool)}, "Model 0 keeps no record"), ({"seeds": [1, 2, 3]}, "seeds has 3"),
])
def test_bad_input_is_named(change: dict[str, Any], words: str) -> None:
    x, y = blobs()
    given: dict[str, Any] = {"x": x, "y": y, "keep": halves(60, 4)[0], "training": ShadowTraining(steps=1), **change}
    with pytest.raises(DataError, match=words):
        train_shadows(**given)


@pytest.mark.parametrize(("records", "models"), [(60, 3), (60, 0), (1, 2)])
def test_halves_need_pairs_and_records(records: int, models: int) -> None:
    with pytest.raises(DataError, match="even"):
        halves(records, models)


def test_bad_training_is_named() -> None:
    with pytest.raises(ConfigError, match="optimiser"):
        ShadowTraining(optimiser="lbfgs")
    with pytest.raises(ConfigError, match="rate"):
        ShadowTraining(rate=float("nan"))
    x, y = blobs()
    with pytest.raises(TrainingError, match="lower the learning rate"):
        train_shadows(1e30 * x, y, halves(60, 2)[0], ShadowTraining(optimiser="sgd", rate=10.0, steps=50))


def test_few_shadows_are_worth_more_with_a_student_t() -> None:
    """Digits with a fifth of the labels random, MLP 64-64-10, complementary halves; 4 shadows are left once the target and its twin are out.

    Figures of :mod:`benchmarks.shadows` (11 groups of six): AUC 0.69 with each record's own variance, 0.79 pooled, 0.81 Student-t.
    """
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    x, y = load_digits(return_X_y=True)
    rows = rng.permutation(len(x))[:1500]
    wrong = rng.random(1500) < 0.2
    y = np.where(wrong, rng.integers(0, 10, 1500), y[rows])
    made = shadow_models(x[rows] / 16.0, y, models=6, training=ShadowTraining(steps=2000, rate=0.01))
    phi = label_margin(made.logits, y)
    own, pooled, student = (float(attack_result(lira_online(phi, made.keep, made.twin, v), made.keep).auc) for v in ("per_record", "pooled", "student_t"))
    assert student >= 0.78 > 0.72 >= own
    assert student > pooled > own
    untouched = rng.permuted(made.keep, axis=1)  # negative control: halves that no model was trained on
    untouched[3:] = ~untouched[:3]
    nothing = float(attack_result(lira_online(phi, untouched, made.twin, "student_t"), untouched).auc)
    assert abs(nothing - 0.5) < 0.02
