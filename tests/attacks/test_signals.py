"""What is read off one output, against plain formulas where those are exact, and beyond."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mrp_core.audit.signals import class_ranks, label_margin, log_probabilities, tie_free
from mrp_core.registry import plugin
from tests.attacks.made import made


def test_margin_and_log_probabilities_are_the_plain_formulas() -> None:
    rng = np.random.default_rng(0)
    z, y = rng.normal(0, 2, (3, 20, 5)), rng.integers(0, 5, (3, 20))
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    own = np.take_along_axis(p, y[..., None], -1)[..., 0]
    np.testing.assert_allclose(label_margin(z, y), np.log(own / (1 - own)), rtol=1e-10)
    logp, against = log_probabilities(z)
    np.testing.assert_allclose(logp, np.log(p), rtol=1e-10)
    np.testing.assert_allclose(against, np.log(1 - p), rtol=1e-8)


def test_nothing_saturates_where_probabilities_do() -> None:
    z = np.array([[0.0, 60.0], [0.0, 61.0], [0.0, 5000.0], [0.0, -5000.0]])
    np.testing.assert_array_equal(label_margin(z, np.ones(4, int)), [60.0, 61.0, 5000.0, -5000.0])
    logp, against = log_probabilities(z)
    np.testing.assert_allclose(logp[0], [-60.0, -math.exp(-60)], rtol=1e-12)
    np.testing.assert_allclose(against[0], [-math.exp(-60), -60.0], rtol=1e-12)


def test_infinite_logits_are_the_limits() -> None:
    inf = np.inf
    z = np.array([[inf, 0, 1], [-inf, 0, 1], [inf, inf, 3], [-inf, -inf, -inf], [-inf, -inf, 2], [0, 0, -inf]])
    margin = label_margin(z, np.zeros(6, int))
    np.testing.assert_allclose(margin, [inf, -inf, 0, -math.log(2), -inf, 0], atol=1e-12)
    logp, against = log_probabilities(z)
    np.testing.assert_allclose(np.exp(logp), [[1, 0, 0], [0, 1 / (1 + math.e), math.e / (1 + math.e)], [0.5, 0.5, 0], [1 / 3] * 3, [0, 0, 1], [0.5, 0.5, 0]], atol=1e-12)
    np.testing.assert_allclose(np.exp(against), 1 - np.exp(logp), atol=1e-12)


@settings(max_examples=150, deadline=None)
@given(arrays(np.float64, (4, 3), elements=st.floats(allow_nan=False, width=64)))
def test_any_logits_give_numbers(z: NDArray[np.float64]) -> None:
    for part in (label_margin(z, np.array([0, 1, 2, 0])), *log_probabilities(z)):
        assert not np.isnan(part).any()


def naive_ranks(values: NDArray[np.float64], labels: NDArray[np.int64], others: NDArray[np.float64], theirs: NDArray[np.int64]) -> list[list[tuple[float, int]]]:
    out = []
    for v, y, o, t in zip(values, labels, others, theirs, strict=True):
        rows = [[a for a, c in zip(o, t, strict=True) if c == k] or list(o) for k in y]
        out.append([(sum(a < x for a in row) + 0.5 * sum(a == x for a in row), len(row)) for x, row in zip(v, rows, strict=True)])
    return out


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 1, 6]))
def test_ranks_within_a_class_equal_a_loop(seed: int, digits: int) -> None:
    rng = np.random.default_rng(seed)
    values, others = np.round(rng.normal(size=(3, 7)), digits), np.round(rng.normal(size=(3, 9)), digits)
    labels, theirs = rng.integers(0, 4, (3, 7)), rng.integers(0, 3, (3, 9))
    below, size = class_ranks(values, labels, others, theirs)
    np.testing.assert_array_equal(np.stack([below, size], -1), naive_ranks(values, labels, others, theirs))


def test_tie_free_shares_keep_the_ranks_and_break_ties_by_the_deviation() -> None:
    below, deviation = np.array([0.0, 0.0, 1.0, 2.0, 2.0, 2.0]), np.array([-1e6, 3.0, -50.0, -1.0, 1.0, 1e6])
    share = tie_free(below, np.array(2.0), deviation)
    assert (np.diff(share) > 0).all() and share.min() > 0 and share.max() < 1


def test_entropies_and_confidence_are_the_plain_formulas() -> None:
    whole = made(1)
    p = np.exp(whole.logits) / np.exp(whole.logits).sum(-1, keepdims=True)
    own = np.take_along_axis(p, np.broadcast_to(whole.labels, p.shape[:-1])[..., None], -1)[..., 0]
    np.testing.assert_allclose(plugin("attacks", "entropy").score(whole), (p * np.log(p)).sum(-1), rtol=1e-10)
    rest = (p * np.log1p(-p)).sum(-1) - own * np.log1p(-own)
    np.testing.assert_allclose(plugin("attacks", "modified_entropy").score(whole), (1 - own) * np.log(own) + rest, rtol=1e-9)
    top = p.max(-1)
    np.testing.assert_allclose(plugin("attacks", "confidence").score(whole), np.log(top / (1 - top)), rtol=1e-9)
    np.testing.assert_allclose(plugin("attacks", "loss_threshold").score(whole), np.log(own / (1 - own)), rtol=1e-9)
    right = whole.logits.argmax(-1) == whole.labels
    np.testing.assert_array_equal(plugin("attacks", "label_only_gap").score(whole), np.where(right, 1.0, -1.0))


@pytest.mark.parametrize(("name", "expected"), [("entropy", [0, 0, -math.log(2)]), ("modified_entropy", [0, -np.inf, -math.log(2)])])
def test_sure_answers_have_the_limits_as_entropies(name: str, expected: list[float]) -> None:
    whole = made(2, classes=2, records=3, models=2, targets=np.array([0]))
    whole.labels.flags.writeable = True
    whole.labels[:] = 0
    whole.logits[0] = [[np.inf, 0.0], [-np.inf, 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(plugin("attacks", name).score(whole)[0], expected, atol=1e-12)
