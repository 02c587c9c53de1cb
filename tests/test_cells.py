"""Cells of an export, as a spreadsheet would take them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.cells import neutralised
from pages.ui.show import csv_text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
def test_a_formula_is_a_text(text: str) -> None:
    assert neutralised(text) == "'" + text


@given(st.text() | st.floats(allow_nan=False) | st.integers() | st.none())
def test_nothing_else_changes(value: str | float | None) -> None:
    found = neutralised(value)
    assert found == value or (isinstance(value, str) and value[0] in "=+-@\t\r\n＝＋－＠" and found == f"'{value}")


def test_exports_use_it_for_names_and_values() -> None:
    rows = list(csv.reader(io.StringIO(csv_text([{"=cmd|x": "@a", "n": -1.5}]))))
    assert rows == [["'=cmd|x", "n"], ["'@a", "-1.5"]]
