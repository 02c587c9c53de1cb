"""What records outside the members of training can change: nothing that training sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mrp_core.config import TaskConfig
from mrp_core.taskdata import TaskSet
from mrp_core.tasks import digits, medical


def outsiders(tasks: TaskSet) -> Any:
    """Persons who aren't members of training: the non-members, and all of validation and test."""
    return np.concatenate([tasks.train.person[~tasks.train.member], tasks.validation.person, tasks.test.person])


def assert_training_is_untouched(before: TaskSet, after: TaskSet) -> None:
    member = before.train.member
    np.testing.assert_array_equal(member, after.train.member)
    np.testing.assert_array_equal(before.train.x[member], after.train.x[member])
    assert not np.array_equal(before.train.x[~member], after.train.x[~member])
    assert not np.array_equal(before.test.x, after.test.x)


@pytest.mark.parametrize("mode", ["site", "site_target"])
def test_other_patients_do_not_change_what_training_sees(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = TaskConfig(family="medical", mode=mode, ways=2)
    before, read = medical.PLUGIN.build(config, 1), medical.read_table

    def altered(name: str, columns: tuple[str, ...]) -> Any:
        table = read(name, columns)
        for column in ("crea", "meanbp", "alb"):
            table.loc[outsiders(before), column] = table.loc[outsiders(before), column] * 50 + 7
        return table

    monkeypatch.setattr(medical, "read_table", altered)
    after = medical.PLUGIN.build(config, 1)
    assert_training_is_untouched(before, after)
    left = dict(zip(after.train.names, after.train.tasks, strict=True))
    for name, row in zip(before.train.names, before.train.tasks, strict=True):
        for one, two in zip(row, left.get(name, ()), strict=False):  # a task may be left out for want of non-members, but no member's label may change
            np.testing.assert_array_equal(before.train.bucket_members(one, True), after.train.bucket_members(two, True))


def test_other_digits_do_not_change_what_training_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TaskConfig(family="digits")
    before, (x, y) = digits.PLUGIN.build(config, 1), digits._digits()
    altered = x.copy()
    altered[outsiders(before)] = 20 - altered[outsiders(before)]
    monkeypatch.setattr(digits, "_digits", lambda: (altered, y))
    assert_training_is_untouched(before, digits.PLUGIN.build(config, 1))
