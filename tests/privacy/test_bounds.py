"""CLUB, the information bottleneck and the attribute's information against hand-computed cases, quadrature, simulation and what they must bound."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gumbel_r
from torch import Tensor

from mrp_core.errors import ConfigError
from mrp_core.losses import Released
from mrp_core.privacy.gradient_sensitivity import TEMPERATURE
from mrp_core.registry import plugin

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def value(name: str, logits: Tensor, marginal: Tensor | None = None, **more: Tensor) -> Tensor:
    rest = torch.zeros(len(logits), logits.shape[-1], dtype=logits.dtype) if marginal is None else marginal
    return plugin("privacy", name).value(Released(logits=logits, marginal=rest, **more))


def released(p: list[list[float]]) -> Tensor:
    """Logits [1, N, C] of given probabilities."""
    return torch.tensor([p], dtype=torch.float64).log()


@st.composite
def logits(draw: st.DrawFn) -> Tensor:
    size = draw(st.sampled_from([0.1, 1.0, 5.0, 30.0]))
    g = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    return size * torch.randn(2, draw(st.integers(1, 9)), draw(st.integers(2, 6)), generator=g, dtype=torch.float64)


# ---- CLUB ----

def test_club_by_hand() -> None:
    """Two records with 1/4 and 3/4 and the other way round: (log p(y|x) - log p(y|x')) is ± log 3, for the other record only, so (3/4 - 1/4) log 3 / 2."""
    assert float(value("club", released([[0.25, 0.75], [0.75, 0.25]]))) == pytest.approx(0.25 * math.log(3), rel=1e-12)
    assert float(value("output_mi", released([[0.25, 0.75], [0.75, 0.25]]))) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), rel=1e-9)


@given(logits())
def test_club_is_never_below_the_information(z: Tensor) -> None:
    assert (value("club", z) >= value("output_mi", z) - 1e-9).all()


def test_club_and_the_information_vanish_together() -> None:
    same = torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).expand(-1, 8, -1)
    for name in ("club", "output_mi"):
        torch.testing.assert_close(value(name, same), torch.zeros(3, dtype=torch.float64), **TIGHT)
    apart = same.clone()
    apart[:, 0, 0] += 0.1
    assert (value("club", apart) > value("output_mi", apart)).all() and (value("output_mi", apart) > 1e-5).all()


def test_club_has_no_upper_limit() -> None:
    assert float(value("club", 200.0 * torch.eye(3, dtype=torch.float64).unsqueeze(0))) > 50 > math.log(3)


# ---- information bottleneck ----

def test_the_divergence_of_two_gumbels_by_quadrature() -> None:
    for a in (-1.5, -0.2, 0.0, 0.7, 2.5):
        by_area, _ = quad(lambda z, a=a: gumbel_r.pdf(z, loc=a) * (gumbel_r.logpdf(z, loc=a) - gumbel_r.logpdf(z)), a - 6, a + 60, points=[a], limit=200)
        assert a + math.exp(-a) - 1 == pytest.approx(by_area, abs=1e-8)


def test_a_label_is_the_argmax_of_scores_with_gumbel_noise() -> None:
    s, draws = np.array([0.3, -1.0, 1.2]), 200_000
    seen = np.bincount((s + np.random.default_rng(0).gumbel(size=(draws, 3))).argmax(1), minlength=3) / draws
    np.testing.assert_allclose(seen, np.exp(s) / np.exp(s).sum(), atol=5 * 0.5 / math.sqrt(draws))


def test_the_bottleneck_is_the_divergence_at_the_best_shift() -> None:
    """By a search over shifts, and by simulation of the scores at that shift."""
    g = torch.Generator().manual_seed(1)
    s, r = torch.randn(1, 1, 4, generator=g, dtype=torch.float64), torch.randn(1, 4, generator=g, dtype=torch.float64)
    a = (s[0, 0] - r[0]).numpy()
    grid = np.linspace(-4, 4, 80_001)[:, None]
    sums = (a + grid + np.exp(-a - grid) - 1).sum(1)
    got = float(value("information_bottleneck", s, r))
    assert got == pytest.approx(sums.min(), abs=1e-7)
    best = a + grid[sums.argmin()]
    z = best + np.random.default_rng(2).gumbel(size=(400_000, 4))
    gains = (gumbel_r.logpdf(z, loc=best) - gumbel_r.logpdf(z)).sum(1)
    assert gains.mean() == pytest.approx(got, abs=5 * gains.std() / math.sqrt(len(z)))


@given(logits(), st.integers(0, 2**31), st.sampled_from([0.0, 1.0, 10.0]))
def test_the_bottleneck_bounds_the_information_for_any_marginal(z: Tensor, seed: int, size: float) -> None:
    r = size * torch.randn(2, z.shape[-1], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    made = value("information_bottleneck", z, r)
    assert (made >= value("kl_marginal", z, r) - 1e-9).all(), "the label is a function of the noisy scores"
    assert (made >= value("output_mi", z) - 1e-9).all()


def test_the_bottleneck_is_zero_only_where_nothing_depends_on_the_record() -> None:
    g = torch.Generator().manual_seed(3)
    r, shift = torch.randn(2, 5, generator=g, dtype=torch.float64), torch.randn(2, 7, 1, generator=g, dtype=torch.float64)
    same = r.unsqueeze(1) + 10 * shift
    torch.testing.assert_close(value("information_bottleneck", same, r), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-12)
    assert (value("information_bottleneck", same + 0.01 * torch.randn(2, 7, 5, generator=g, dtype=torch.float64), r) > 1e-6).all()
    assert (value("information_bottleneck", same, r + torch.randn(2, 5, generator=g, dtype=torch.float64)) > 1e-2).all()


# ---- attribute ----

def test_the_attribute_by_hand() -> None:
    """Sure answers that are the attribute tell one bit; that are independent of it, nothing; a mixture what its 2 x 2 table tells."""
    sure, attribute = 40.0 * torch.eye(2, dtype=torch.float64)[torch.tensor([[0, 0, 1, 1]])], torch.tensor([[0, 0, 1, 1]])
    assert float(value("attribute_mi", sure, attribute=attribute)) == pytest.approx(math.log(2), abs=1e-9)
    assert float(value("attribute_mi", sure, attribute=torch.tensor([[0, 1, 0, 1]]))) == pytest.approx(0, abs=1e-9)
    mixed = value("attribute_mi", released([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]), attribute=torch.tensor([[0, 0, 1]]))
    table = np.array([[1.4, 0.6], [0.2, 0.8]]) / 3
    assert float(mixed) == pytest.approx(float((table * np.log(table / table.sum(0) / table.sum(1, keepdims=True))).sum()), abs=1e-10)


def test_unknown_attributes_are_left_out_and_with_none_known_it_is_zero() -> None:
    z = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    attribute = torch.tensor([[0, 1, -1, 1, -1, 0]])
    keep = attribute[0] >= 0
    torch.testing.assert_close(value("attribute_mi", z, attribute=attribute), value("attribute_mi", z[:, keep], attribute=attribute[:, keep]), **TIGHT)
    leaf = z.clone().requires_grad_()
    got = torch.autograd.grad(value("attribute_mi", leaf, attribute=attribute).sum(), leaf)[0]
    assert not got[:, ~keep].any() and got[:, keep].any()
    assert float(value("attribute_mi", z, attribute=torch.full((1, 6), -1))) == 0.0


@given(logits(), st.integers(0, 2**31))
def test_the_attribute_learns_no_more_than_the_record(z: Tensor, seed: int) -> None:
    """A is a function of the record, so I(A;Ŷ) <= I(X;Ŷ), and at most the entropy of A."""
    attribute = torch.randint(0, 3, z.shape[:2], generator=torch.Generator().manual_seed(seed))
    made = value("attribute_mi", z, attribute=attribute)
    assert (made <= value("output_mi", z) + 1e-9).all() and (made >= -1e-12).all() and (made <= math.log(3) + 1e-9).all()


# ---- sensitivity ----

def test_the_smooth_maximum_lies_between_the_mean_and_the_largest_norm() -> None:
    norms = 3 * torch.rand(4, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    made = value("gradient_sensitivity", torch.zeros(4, 1, 2), norms=norms)
    assert (norms.mean(1) <= made).all() and (made <= norms.max(1).values).all() and (made >= norms.max(1).values - TEMPERATURE * math.log(30)).all()
    torch.testing.assert_close(value("gradient_sensitivity", torch.zeros(4, 1, 2), norms=torch.full((4, 7), 2.5, dtype=torch.float64)), torch.full((4,), 2.5, dtype=torch.float64))


@pytest.mark.parametrize(("name", "words"), [("attribute_mi", "needs the sensitive attribute"), ("gradient_sensitivity", "needs the gradient norms"), ("adversarial", "needs members")])
def test_what_is_missing_is_one_sentence(name: str, words: str) -> None:
    bare = Released(logits=torch.zeros(1, 2, 2), marginal=torch.zeros(1, 2))
    with pytest.raises(ConfigError, match=words):
        plugin("privacy", name).value(bare)
    assert dataclasses.replace(bare).critic == {}
