"""What stands in a table's way: missing values, twins, columns that give the label away, tasks that are too small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.tables.columns import column_of, numbers
from mrp_core.tables.inputs import above

SAMPLE = 4000
"""Rows on which a column is tried as a predictor of the label."""
TELLING_AUC, TELLING_SHARE = 0.98, 0.95
"""AUC of one column, or share of the errors that it avoids on rows it wasn't fitted to, from which it gives the label away."""
LEAST, BINS = 10, 20
"""Rows of a class that an AUC needs, and quantile bins of a number."""
OFTEN = 0.5
"""Share of missing values that is remarked."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One remark on a table.

    Attributes:
        code: "missing", "duplicates", "constant", "gives_away", "mixed" or "few".
        level: "warning": results would mislead or rows are lost; "note": good to know.
        column: The column meant, or "" for the table.
        value: Its size: a share from 0 to 1, an AUC, or a number of rows.
        sentence: The remark in words.
    """

    code: str
    level: Literal["warning", "note"]
    column: str
    value: float
    sentence: str


def found(frame: pd.DataFrame, kinds: dict[str, str], label: str, features: tuple[str, ...]) -> tuple[Finding, ...]:
    """All remarks on the inputs of a table.

    Args:
        frame: Texts.
        kinds: Kind of every column.
        label: The column that is predicted.
        features: The columns that are inputs.
    """
    out = [f for name in features for f in _of_column(column_of(frame, name), kinds[name])]
    twins = int(frame.duplicated(subset=list(features)).sum()) if features else 0
    if twins:
        out.append(Finding(code="duplicates", level="note", column="", value=float(twins),
                           sentence=f"{twins:,} rows have the same inputs as an earlier row; they are left out, since a twin is no non-member."))
    unlabelled = int(column_of(frame, label).isna().sum())
    if unlabelled:
        out.append(Finding(code="missing", level="note", column=label, value=unlabelled / len(frame), sentence=f"{unlabelled:,} rows have no value of {label!r}; they are left out."))
    out += [_telling(name, label, strength) for name, strength in strengths(frame, kinds, label, features).items() if gives_away(kinds[name], strength)]
    return tuple(sorted(out, key=lambda f: f.level != "warning"))


def strengths(frame: pd.DataFrame, kinds: dict[str, str], label: str, columns: tuple[str, ...]) -> dict[str, float]:
    """How well each column alone predicts the label, on a fixed sample: AUC for numbers and dates, else the share of errors it avoids."""
    known = frame[column_of(frame, label).notna()]
    sample = known.iloc[np.sort(np.random.default_rng(0).permutation(len(known))[:SAMPLE])]
    target = _classes(column_of(sample, label), kinds[label])
    return {name: _strength(column_of(sample, name), kinds[name], target) for name in columns}


def gives_away(kind: str, strength: float) -> bool:
    """Whether a column of this strength is as good as the label itself."""
    return strength >= (TELLING_AUC if kind in ("number", "date") else TELLING_SHARE)


def _of_column(column: pd.Series, kind: str) -> list[Finding]:
    name, missing, out = str(column.name), float(column.isna().mean()), []
    if column.nunique() <= 1:
        out.append(Finding(code="constant", level="note", column=name, value=missing, sentence=f"{name!r} has the same value in every row; it tells a model nothing."))
    elif missing > OFTEN:
        out.append(Finding(code="missing", level="warning", column=name, value=missing, sentence=f"{name!r} has no value in {missing:.0%} of the rows; the median or a flag stands in."))
    unread = np.isnan(numbers(column, kind)).mean() - missing if kind in ("number", "date") else 0.0
    if unread > 0:
        out.append(Finding(code="mixed", level="note", column=name, value=float(unread), sentence=f"{name!r} holds values that are no {kind} in {unread:.1%} of the rows; they count as missing."))
    return out


def _telling(name: str, label: str, strength: float) -> Finding:
    return Finding(code="gives_away", level="warning", column=name, value=strength,
                   sentence=f"{name!r} alone predicts {label!r} almost without error ({strength:.2f}); if it is known only together with the label, leave it out.")


def _classes(label: pd.Series, kind: str) -> NDArray[np.int64]:
    if kind in ("number", "date") and label.nunique() > LEAST:
        return above(numbers(label, kind), np.ones(len(label), dtype=bool))[0]
    return pd.factorize(label, sort=True)[0].astype(np.int64)


def _strength(column: pd.Series, kind: str, target: NDArray[np.int64]) -> float:
    if kind not in ("number", "date"):
        return _avoided(pd.factorize(column)[0].astype(np.int64), target)
    values = numbers(column, kind)
    ranks = pd.Series(values).rank().to_numpy()
    aucs = [0.5] + [_auc(ranks[~np.isnan(ranks)], (target == c)[~np.isnan(ranks)]) for c in np.unique(target)]
    bins = pd.factorize(np.ceil(pd.Series(values).rank(pct=True).to_numpy() * BINS))[0].astype(np.int64)
    return max(*aucs, _avoided(bins, target) if len(np.unique(target)) > 2 else 0.0)


def _auc(ranks: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Mann and Whitney's: the chance that a row of the class ranks above another one, or below, whichever is more."""
    n, m = int(positive.sum()), int((~positive).sum())
    if min(n, m) < LEAST:
        return 0.5
    ranks = pd.Series(ranks).rank().to_numpy()
    auc = (ranks[positive].sum() - n * (n + 1) / 2) / (n * m)
    return float(max(auc, 1 - auc))


def _avoided(values: NDArray[np.int64], target: NDArray[np.int64]) -> float:
    """Share of the errors of always guessing the commonest class that are avoided by guessing each value's commonest, learned on every other row."""
    learn, judge = slice(0, None, 2), slice(1, None, 2)
    if len(target) < 4 * LEAST:
        return 0.0
    common = np.bincount(target[learn]).argmax()
    table = pd.crosstab(values[learn], target[learn])
    best = dict(zip(table.index.tolist(), table.columns[table.to_numpy().argmax(1)].tolist(), strict=True))
    guessed = np.array([best.get(v, common) for v in values[judge].tolist()])
    base = float((target[judge] != common).mean())
    return max(0.0, 1.0 - float((guessed != target[judge]).mean()) / base) if base else 0.0
