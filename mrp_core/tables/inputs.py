"""Columns of texts as numbers: inputs of a network, and sensitive attributes with two values. Statistics come from given rows only."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.tables.columns import classes_of, column_of, numbers
from mrp_core.tables.spec import TableSpec

LEVELS = 10
"""Values of a category that get an input of their own; the rarer ones share none."""
FLAGGED = 0.01
"""Share of missing values from which a column gets a flag for them."""
MOST_INPUTS, MOST_NUMBERS = 1000, 100_000_000


def encoded(frame: pd.DataFrame, spec: TableSpec, basis: NDArray[np.bool_]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Unscaled inputs, float64 [rows, inputs] with NaN where unknown, and their names.

    Numbers and dates (as days) stay as they are, booleans become 0 and 1; a category gets an input for each of its ten commonest values.

    Args:
        frame: Texts.
        spec: Which columns are inputs, and their kinds.
        basis: Rows whose values decide which categories and flags there are.

    Raises:
        DataError: If that makes too many inputs.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    for name in spec.features:
        columns |= _inputs(column_of(frame, name), name, spec.kind(name), basis)
        if len(columns) > MOST_INPUTS or len(columns) * len(frame) > MOST_NUMBERS:
            raise DataError(f"The {len(spec.features)} feature columns make more than {min(MOST_INPUTS, MOST_NUMBERS // len(frame)):,} inputs, the most for {len(frame):,} rows; "
                            "leave out some of them.")
    return np.column_stack(list(columns.values())), tuple(columns)


def binarised(column: pd.Series, kind: str, basis: NDArray[np.bool_]) -> tuple[NDArray[np.int64], tuple[str, str]]:
    """A sensitive attribute as 0, 1 or -1 (unknown), int64 [rows], and the names of 0 and 1.

    Numbers and dates are cut at the median of the basis rows; of other columns, 1 is the commonest value there.
    """
    if kind in ("number", "date"):
        values = numbers(column, kind)
        cut = _median(values[basis])
        shown = str(pd.Timestamp(0) + pd.Timedelta(days=cut))[:10] if kind == "date" else f"{cut:.6g}"
        return np.where(np.isnan(values), -1, values > cut).astype(np.int64), (f"at most {shown}", f"above {shown}")
    column = classes_of(column, kind)
    counts = column.loc[basis].value_counts()
    if counts.empty:
        return np.full(len(column), -1, dtype=np.int64), ("no", "yes")
    one = str(counts.sort_index(kind="stable").idxmax())
    others = [str(v) for v in column.dropna().unique() if str(v) != one]
    return np.where(column.isna(), -1, column == one).astype(np.int64), (others[0] if len(others) == 1 else f"not {one}", one)


def above(values: NDArray[np.float64], basis: NDArray[np.bool_]) -> tuple[NDArray[np.int64], float]:
    """Whether a number lies above the median of the basis rows: 0, 1 or -1 (unknown), int64 [rows], and the median."""
    cut = _median(values[basis])
    return np.where(np.isnan(values), -1, values > cut).astype(np.int64), cut


def _median(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else 0.0


def _inputs(column: pd.Series, name: str, kind: str, basis: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    if kind == "category":
        counts = column.loc[basis].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        levels = [str(v) for v in counts.index[:1 if len(counts) == 2 else LEVELS]]
        missing = column.isna().to_numpy()
        out = {f"{name} = {level}": (column == level).to_numpy(dtype=np.float64, na_value=0.0) for level in levels}
    else:
        values = numbers(column, kind)
        missing, out = np.isnan(values), {name: values}
    return out | ({f"{name} missing": missing.astype(np.float64)} if missing[basis].mean() > FLAGGED else {})
