"""Texts of people in files that a spreadsheet may open."""

from __future__ import annotations

from typing import TypeVar

_Cell = TypeVar("_Cell")
FORMULA = "=+-@\t\r\n＝＋－＠"
"""First characters that make a spreadsheet take a cell for a formula, or end the cell (OWASP, CSV injection), full-width forms among them."""


def neutralised(value: _Cell) -> _Cell | str:
    """A cell for export: a text that a spreadsheet would take for a formula gets an apostrophe; numbers stay as they are.

    >>> neutralised("=1+1"), neutralised("fine"), neutralised(-1.5)
    ("'=1+1", 'fine', -1.5)
    """
    return f"'{value}" if isinstance(value, str) and value and value[0] in FORMULA else value
