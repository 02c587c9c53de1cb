"""The outer learning rate's cycles."""

from __future__ import annotations

import itertools

import pytest

from mrp_core.annealing import annealed, cycle_ends


@pytest.mark.parametrize("total", [15, 150, 600, 1500, 50_000])
def test_each_cycle_is_twice_as_long_and_the_last_ends_with_the_training(total: int) -> None:
    lengths = [b - a for a, b in itertools.pairwise([0, *cycle_ends(total)])]
    assert sum(lengths) == total
    assert all(b == pytest.approx(2 * a, abs=1.5) for a, b in itertools.pairwise(lengths))


@pytest.mark.parametrize("total", [1, 2, 3, 7, 600])
def test_the_rate_starts_each_cycle_whole_and_falls_to_nearly_nothing(total: int) -> None:
    ends = cycle_ends(total)
    rates = [annealed(i, total) for i in range(total)]
    assert ends[-1] == total
    assert [i for i, r in enumerate(rates) if r == 1.0] == [0, *ends[:-1]]
    for begin, end in itertools.pairwise([0, *ends]):
        assert rates[begin:end] == sorted(rates[begin:end], reverse=True)
        assert rates[end - 1] <= 0.5 * (1.0 + 1e-12) or end - begin == 1


def test_by_hand() -> None:
    """600 iterations: cycles of 40, 80, 160 and 320; halfway through a cycle the rate is halved."""
    assert cycle_ends(600) == [40, 120, 280, 600]
    assert [annealed(i, 600) for i in (20, 80, 200, 440)] == pytest.approx([0.5] * 4)
    assert annealed(599, 600) < 1e-4
