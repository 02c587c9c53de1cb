"""I(A;Ŷ) as measured: a naive delete-one loop, closed forms, and no bias where nothing leaks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from mrp_core.audit import disclosure
from mrp_core.audit.disclosure import attribute_information
from mrp_core.errors import DataError


def plug_in(p: NDArray[np.float64], a: NDArray[np.int64], weight: NDArray[np.float64]) -> float:
    """Mutual information of the joint table, entry by entry."""
    table = np.array([(weight[a == v, None] * p[a == v]).sum(0) for v in np.unique(a)])
    return sum(t * math.log(t / table[i].sum() / table[:, j].sum()) for (i, j), t in np.ndenumerate(table) if t > 0)


def naive(p: NDArray[np.float64], a: NDArray[np.int64], y: NDArray[np.int64]) -> float:
    """Stratified jackknife by deleting one known record at a time; each class keeps its weight."""
    p, a, y = p[a >= 0], a[a >= 0], y[a >= 0]
    size = np.array([(y == c).sum() for c in y])
    theta = plug_in(p, a, np.full(len(y), 1 / len(y)))
    out = theta
    for i in range(len(y)):
        if size[i] > 1:
            weight = np.where(y == y[i], size[i] / len(y) / (size[i] - 1), 1 / len(y))
            rest = np.arange(len(y)) != i
            out += (size[i] - 1) / size[i] * (theta - plug_in(p[rest], a[rest], weight[rest]))
    return out


@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_it_equals_deleting_one_record_at_a_time(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosure, "_CHUNK", chunk)
    rng = np.random.default_rng(0)
    p, a, y = rng.dirichlet([0.5, 1.0, 2.0], size=(2, 3, 18)), rng.integers(-1, 3, (2, 1, 18)), np.tile(np.repeat(np.arange(3), 6), (2, 1, 1))
    a[0, 0, :5] = -1  # one class keeps a single record
    got = attribute_information(p, a, y)
    assert got.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert got[i, j] == pytest.approx(naive(p[i, j], a[i, 0], y[i, 0]), abs=1e-12)


def test_without_a_leak_it_is_zero_on_average_and_the_plug_in_is_not() -> None:
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(2), 15)
    p, a = np.eye(2)[rng.integers(0, 2, (3000, 30))], rng.integers(0, 2, (3000, 30))
    made = attribute_information(p, a, y)
    error = made.std() / math.sqrt(len(made))
    assert abs(made.mean()) < 4 * error + 5e-4 < 0.004
    raw = np.mean([plug_in(q, b, np.full(30, 1 / 30)) for q, b in zip(p[:500], a[:500], strict=True)])
    assert raw > 0.013, "the plug-in alone would report 1 / (2 N)"


def test_with_many_records_it_is_the_closed_form() -> None:
    """Binary symmetric: Ŷ equals A with probability 0.8."""
    rng = np.random.default_rng(2)
    a = rng.integers(0, 2, 40_000)
    p = np.where(a[:, None] == np.arange(2), 0.8, 0.2)
    assert attribute_information(p, a, np.zeros(40_000, dtype=np.int64)) == pytest.approx(math.log(2) + 0.8 * math.log(0.8) + 0.2 * math.log(0.2), abs=1e-3)


def test_nothing_known_is_not_a_number_and_one_value_tells_nothing() -> None:
    p, y = np.full((1, 4, 2), 0.5), np.array([[0, 0, 1, 1]])
    assert np.isnan(attribute_information(p, np.full((1, 4), -1), y)).all()
    assert attribute_information(p, np.ones((1, 4), dtype=np.int64), y) == pytest.approx(0.0)


def test_shapes_that_do_not_fit_are_one_sentence() -> None:
    with pytest.raises(DataError, match=r"p has the shape \(4, 2\), attribute \(3,\)"):
        attribute_information(np.full((4, 2), 0.5), np.zeros(3, dtype=np.int64), np.zeros(4, dtype=np.int64))
