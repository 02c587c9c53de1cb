"""Who is whose shadow."""

from __future__ import annotations

import numpy as np
import pytest

from mrp_core.audit.shadows import log_shadow_mean, shadow_sums, shadow_weights, typical_shadows
from tests.attacks.made import made


def test_neither_the_target_nor_its_twin_is_a_shadow() -> None:
    e = made(1, models=6, records=8, targets=np.array([4, 0]))
    np.testing.assert_array_equal(shadow_weights(e), [[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 1, 1]])
    assert typical_shadows(e) == (2, 2)


@pytest.mark.parametrize("inside", [True, False])
def test_sums_and_means_equal_a_loop_also_where_they_underflow(inside: bool) -> None:
    e = made(2, lead=(2,), models=6, records=8)
    for scale in (1.0, 4000.0):
        logs = scale * np.random.default_rng(0).normal(size=e.keep.shape)
        mean, number = log_shadow_mean(e, logs, inside=inside)
        sums = shadow_sums(e, logs, inside=inside)
        for b, t, x in np.ndindex(2, 6, 8):
            used = [logs[b, s, x] for s in range(6) if s not in (t, e.twin[t]) and e.keep[b, s, x] == inside]
            assert number[b, t, x] == len(used) and sums[b, t, x] == pytest.approx(sum(used))
            assert mean[b, t, x] == pytest.approx(np.logaddexp.reduce(used) - np.log(len(used)), rel=1e-9)
