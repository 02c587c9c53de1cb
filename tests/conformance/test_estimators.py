"""What every estimator of mutual information must keep to, whichever files lie in the package."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.estimating import EstimateKind, Sample
from mrp_core.mi_truth import cases
from mrp_core.registry import plugin, plugins

ESTIMATORS = plugins("estimators")
CASES = {case.name: case for case in cases()}
LEARNED = ("infonce", "smile", "club")
RECORDS = 120
FITTING = [(name, case) for name in ESTIMATORS for case in CASES if ESTIMATORS[name].applies(CASES[case].draw(RECORDS, 1))]
FIRST = {name: next(case for case in ("rho_06", "logistic") if (name, case) in FITTING) for name in ESTIMATORS}


def test_the_registry_is_not_empty() -> None:
    assert {"sampled_label", "noisy_scores_lower", "noisy_scores_upper", "ksg", "infonce", "smile", "club", "histogram"} <= set(ESTIMATORS)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_says_what_it_is(name: str) -> None:
    made = plugin("estimators", name)
    assert made.name == name and name.isidentifier()
    assert 3 <= len(made.title) <= 40 and made.summary[-1] in ".!" and len(made.summary) <= 140
    assert made.kind in get_args(EstimateKind) and isinstance(made.order, int)
    assert made.source[-4:].isdigit() and made.fails[-1] == "."
    assert type(made).__doc__ and dataclasses.is_dataclass(made)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "other"


def test_titles_and_orders_are_not_shared() -> None:
    assert len({p.title for p in ESTIMATORS.values()}) == len({p.order for p in ESTIMATORS.values()}) == len(ESTIMATORS)


@pytest.mark.parametrize(("name", "case"), [pytest.param(n, c, marks=[pytest.mark.slow] if n in LEARNED and c not in ("rho_0", "large", "logistic") else []) for n, c in FITTING])
def test_a_reading_is_in_order_and_never_above_its_cap(name: str, case: str) -> None:
    made = ESTIMATORS[name].estimate(CASES[case].draw(RECORDS, 1))
    assert made.kind == ESTIMATORS[name].kind
    assert math.isfinite(made.value) and made.low <= made.value <= made.high and made.value <= made.cap and made.high <= made.cap
    assert math.isnan(made.null), "not asked for"
    assert all(text[-1] == "." for text in made.notes)
    if made.saturated:
        assert made.value > made.cap - 0.3
    if made.kind in ("lower bound", "upper bound"):
        assert made.value >= 0


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_null_is_near_nothing_and_its_interval_holds_it(name: str) -> None:
    sample = CASES[FIRST[name]].draw(400, 2)
    made = ESTIMATORS[name].estimate(sample, null=True)
    assert made.value > 0.1 > abs(made.null)
    order = np.random.default_rng(9).permutation(400)
    alone = dataclasses.replace(sample, z=sample.z[order], means=None, noise=0.0, probabilities=None)
    if ESTIMATORS[name].applies(alone):
        unrelated = ESTIMATORS[name].estimate(alone)
        assert unrelated.low <= 0 <= unrelated.high
    assert any("shuffled" in text for text in made.notes)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_equal_samples_give_equal_readings(name: str) -> None:
    first, second = (ESTIMATORS[name].estimate(CASES[FIRST[name]].draw(RECORDS, 1)) for _ in range(2))
    assert dataclasses.replace(first, null=0.0) == dataclasses.replace(second, null=0.0)


@pytest.mark.parametrize("name", ["sampled_label", "noisy_scores_lower", "noisy_scores_upper", "ksg", "club", "histogram"])
def test_what_does_not_apply_is_no_number(name: str) -> None:
    other = {"sampled_label": "rho_06", "noisy_scores_lower": "cauchy", "noisy_scores_upper": "cauchy", "ksg": "logistic", "club": "logistic", "histogram": "wide"}[name]
    made = ESTIMATORS[name].estimate(CASES[other].draw(RECORDS, 0), null=True)
    assert not ESTIMATORS[name].applies(CASES[other].draw(RECORDS, 0))
    assert math.isnan(made.value) and math.isnan(made.low) and math.isnan(made.null) and made.notes and not made.saturated


def with_value(a: NDArray[np.float64], value: float) -> NDArray[np.float64]:
    out = a.copy()
    out[0, 0] = value
    return out


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(("change", "text"), [
    (lambda s: {"x": with_value(s.x, math.nan)}, r"x \(120, \d+\) holds 1 values that are NaN"),
    (lambda s: {"z": with_value(s.z, math.inf)}, r"z \(120, \d+\) holds 1 values"),
    (lambda s: {"x": s.x[:-1]}, r"x has the shape \(119, \d+\) and z has \(120, \d+\)"),
    (lambda s: {"x": s.x[:, 0]}, r"x has the shape \(120,\)"),
    (lambda s: {"z": s.z[:, :0]}, r"z has the shape \(120, 0\)"),
    (lambda s: {k: None if getattr(s, k) is None else getattr(s, k)[:1] for k in ("x", "z", "means", "probabilities")}, r"x has the shape \(1, \d+\), but this estimator needs at least"),
])
def test_bad_pairs_are_named(name: str, change: Any, text: str) -> None:
    sample = CASES[FIRST[name]].draw(RECORDS, 1)
    with pytest.raises(DataError, match=text):
        ESTIMATORS[name].estimate(dataclasses.replace(sample, **change(sample)))


@pytest.mark.parametrize(("name", "case", "change", "text"), [
    ("noisy_scores_lower", "rho_06", {"noise": 0.0}, "noise is 0.0"),
    ("noisy_scores_upper", "rho_06", {"noise": -1.0}, "noise is -1.0"),
    ("noisy_scores_upper", "rho_06", {"noise": math.nan}, "noise is nan"),
    ("club", "rho_06", {"noise": 0.0}, "noise is 0.0"),
    ("club", "rho_06", {"means": np.zeros((120, 2))}, r"means has the shape \(120, 2\), but must have that of z"),
    ("noisy_scores_lower", "rho_06", {"means": np.full((120, 1), math.nan)}, "means .* holds 120 values"),
    ("sampled_label", "logistic", {"probabilities": np.full((120, 2), 0.6)}, r"sum to 1"),
    ("sampled_label", "logistic", {"probabilities": np.full((120, 2), -1.0)}, "logits are no probabilities"),
    ("sampled_label", "logistic", {"probabilities": np.full((7, 2), 0.5)}, "one row per pair, 120"),
    ("infonce", "logistic", {"z": np.full((120, 1), 0.5)}, "the label 0.5"),
    ("smile", "logistic", {"z": np.full((120, 1), 2.0)}, "from 0 to 1"),
])
def test_bad_conditionals_are_named(name: str, case: str, change: dict[str, Any], text: str) -> None:
    with pytest.raises(DataError, match=text):
        ESTIMATORS[name].estimate(dataclasses.replace(CASES[case].draw(RECORDS, 1), **change))


@pytest.mark.parametrize("name", ["ksg", "infonce", "smile", "club", "histogram"])
def test_too_few_pairs_are_refused_and_the_least_are_enough(name: str) -> None:
    draw = lambda n: dataclasses.replace(CASES["rho_06"].draw(n, 0), means=None, noise=0.0)  # noqa: E731
    least = {"ksg": 16, "histogram": 20}.get(name, 40)
    with pytest.raises(DataError, match=f"at least {least} pairs"):
        ESTIMATORS[name].estimate(draw(least - 1))
    assert math.isfinite(ESTIMATORS[name].estimate(draw(least)).value)


NASTY = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, -1.0, 1e6]))


@pytest.mark.parametrize("name", ["ksg", "histogram"])
@given(x=arrays(np.float64, (24, 1), elements=NASTY), z=arrays(np.float64, (24, 1), elements=NASTY))
def test_awkward_pairs_keep_the_order_and_the_cap(name: str, x: NDArray[np.float64], z: NDArray[np.float64]) -> None:
    made = ESTIMATORS[name].estimate(Sample(x=x, z=z))
    assert made.low <= made.value <= made.high <= made.cap


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("x", [np.zeros((40, 1)), np.linspace(-1e6, 1e6, 40)[:, None]])
def test_critics_bear_constant_and_enormous_numbers(name: str, x: NDArray[np.float64]) -> None:
    made = ESTIMATORS[name].estimate(Sample(x=x, z=x[::-1].copy()))
    assert math.isfinite(made.value) and made.low <= made.value <= made.high <= made.cap


@given(p=arrays(np.float64, (6, 3), elements=st.floats(0, 1e3)))
def test_any_distributions_stay_within_zero_and_log_c(p: NDArray[np.float64]) -> None:
    p = (p + 1e-12) / (p + 1e-12).sum(-1, keepdims=True)
    made = ESTIMATORS["sampled_label"].estimate(Sample(x=np.zeros((6, 1)), z=np.zeros((6, 1)), probabilities=p))
    assert 0 <= made.low <= made.value <= made.high <= made.cap == math.log(3)


@given(means=arrays(np.float64, (5, 2), elements=st.floats(-1e4, 1e4)), noise=st.floats(1e-2, 1e3))
def test_any_means_keep_the_bounds_in_order(means: NDArray[np.float64], noise: float) -> None:
    z = means + noise * np.random.default_rng(0).standard_normal(means.shape)
    sample = Sample(x=means, z=z, means=means, noise=noise)
    lower, upper = (ESTIMATORS[f"noisy_scores_{side}"].estimate(sample) for side in ("lower", "upper"))
    assert 0 <= lower.low <= lower.value <= lower.high <= lower.cap and lower.value <= upper.value <= upper.high
