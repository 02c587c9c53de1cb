"""The few records that a family's card shows."""

from __future__ import annotations

import numpy as np
import pytest

from mrp_core.config import TaskConfig
from mrp_core.registry import plugins
from pages.ui.records import ENLARGED, PER_CLASS, sample_of, sheet


@pytest.mark.parametrize("name", [name for name, family in plugins("tasks").items() if not family.optional])
def test_every_family_has_records_to_show(name: str) -> None:
    family = plugins("tasks")[name]
    built = family.build(TaskConfig(family=name, **{"mode": family.modes[0], **family.defaults}), 0)
    sample = sample_of(built)
    assert (sample.picture is None) == (built.image is None)
    if sample.picture is None:
        assert 2 <= len(sample.rows) <= 8
        assert len({row["label"] for row in sample.rows}) == built.test.tasks.shape[1]
    else:
        assert sample.picture.shape[1] % PER_CLASS == 0 and sample.picture.min() < 60 < 255 == sample.picture.max()


def test_a_sheet_has_a_row_for_each_class() -> None:
    records = np.linspace(-2, 2, 6 * 4, dtype=np.float32).reshape(6, 4)
    made = sheet(records, np.array([0, 0, 0, 3, 3, 0]), (2, 2), per_class=3)
    side = 2 * ENLARGED + 6
    assert made.shape == (2 * side, 2 * side)
    assert made[0, 0] == 255 and made.min() == 0
