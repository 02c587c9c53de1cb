"""What a column of texts seems to hold: guessed from its values, for a person to correct."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

KINDS = ("number", "category", "boolean", "date", "text", "identifier")
MODELLED = ("number", "category", "boolean", "date")
"""Kinds that can be inputs."""
YES = {"true", "yes", "y", "t", "on", "1", "1.0"}
PAIRS = tuple(frozenset(pair) for pair in (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("1", "0"), ("1.0", "0.0")))
DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y", "%d-%b-%Y", "ISO8601")
NAMED_ID = re.compile(r"(^|[\s_.-])(id|ids|uuid|guid|key|nr|no|index|row|record)$|[a-z]Id$|ID$|^(person|patient|user|client|customer|subject)$", re.IGNORECASE)
ENOUGH, FEW, LONG, MIXED = 20, 50, 25, 0.98
"""Values that a verdict needs; categories that are few; characters of a long text; share of numbers in a column of numbers."""
EXAMPLES, LOOKED_AT = 4, 2000


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column as guessed.

    Attributes:
        name: As in the header.
        kind: One of :data:`KINDS`.
        missing: Share of rows without a value, from 0 to 1.
        distinct: Number of distinct values.
        examples: The commonest values, at most four, each of at most 40 characters.
    """

    name: str
    kind: str
    missing: float
    distinct: int
    examples: tuple[str, ...]


def described(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Each column of a table of texts, in order."""
    return tuple(_described(column_of(frame, str(name))) for name in frame.columns)


def column_of(frame: pd.DataFrame, name: str) -> pd.Series:
    """One column of a table of texts."""
    return pd.Series(frame[name])


def classes_of(column: pd.Series, kind: str) -> pd.Series:
    """A column's values as classes: yes and Yes are one."""
    return column.str.lower() if kind == "boolean" else column


def numbers(column: pd.Series, kind: str) -> NDArray[np.float64]:
    """A column of numbers, booleans or dates (days since 1970) as float64 [rows]; NaN where it has no such value."""
    if kind == "boolean":
        known = column.str.lower()
        return np.where(known.isna(), np.nan, known.isin(YES)).astype(np.float64)
    if kind == "date":
        return _days(column)
    values = _floats(column)
    return np.where(np.isfinite(values), values, np.nan)


def _described(column: pd.Series) -> Column:
    counts = column.value_counts()
    return Column(name=str(column.name), kind=_kind(str(column.name), counts), missing=float(column.isna().mean()), distinct=len(counts),
                  examples=tuple(str(v)[:40] for v in counts.index[:EXAMPLES]))


def _kind(name: str, counts: pd.Series) -> str:
    values, rows = pd.Series(counts.index.astype(str)), int(counts.sum())
    if frozenset(values.str.lower()) in PAIRS:
        return "boolean"
    if not rows:
        return "category"
    unique = len(values) == rows >= ENOUGH
    if not values.str.fullmatch(r"[+-]?0\d+").any():  # codes with leading zeros are no numbers
        known = np.isfinite(_floats(values))
        if known.all() or (len(values) > ENOUGH and counts.to_numpy()[known].sum() >= MIXED * rows):
            return "identifier" if _numbers_things(name, pd.Series(values[known]), unique) else "number"
    if not np.isnan(_days(values.head(LOOKED_AT))).any():
        return "date"
    long = bool(values.str.len().mean() > LONG)
    if len(values) > 0.9 * rows and rows >= ENOUGH:
        return "text" if long else "identifier"
    if NAMED_ID.search(name) and len(values) > FEW:
        return "identifier"
    return "text" if long and len(values) > max(FEW, 0.05 * rows) else "category"


def _numbers_things(name: str, values: pd.Series, unique: bool) -> bool:
    """Whether whole numbers only tell rows or persons apart: by the column's name, or because they count the rows."""
    if not values.str.fullmatch(r"[+-]?\d+").all():
        return False
    if NAMED_ID.search(name) and len(values) > ENOUGH:
        return True
    numeric = _floats(values)
    return unique and bool(numeric.max() - numeric.min() + 1 == len(values))


def _floats(values: pd.Series) -> NDArray[np.float64]:
    return np.asarray(pd.to_numeric(values, errors="coerce"), dtype=np.float64)


def _days(column: pd.Series) -> NDArray[np.float64]:
    """Days since 1970, by the format that most values have."""
    best = np.full(len(column), np.nan)
    if not column.str.contains(r"\d").any():
        return best
    for form in DATES:
        found = pd.to_datetime(column, format=form, errors="coerce", utc=True)
        days = ((found - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(days).sum() > np.isfinite(best).sum():
            best = days
        if np.isfinite(best).sum() == column.notna().sum():
            break
    return best
