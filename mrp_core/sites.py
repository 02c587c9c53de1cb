"""Families whose tasks are sites (states, occupations, hospitals): their records as splits, one task for each site and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.taskdata import Split


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """All records of a family.

    Attributes:
        x: Scaled inputs, float32 [records, features].
        features: Names of the inputs.
        site: Name of each record's site, [records].
        member: bool [records].
        sensitive: int64 [records], -1 where unknown.
    """

    x: NDArray[np.float32]
    features: tuple[str, ...]
    site: NDArray[np.str_]
    member: NDArray[np.bool_]
    sensitive: NDArray[np.int64]


def one_hot(table: pd.DataFrame, column: str, values: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """A column of zeros and ones for each value, by "column value"."""
    known = table[column].to_numpy()
    return {f"{column} {v}": (known == v).astype(np.float64) for v in values}


def above_median(value: NDArray[np.float64], site: NDArray[np.str_], member: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 above the median of the members of the record's site, 0 up to it, NaN where unknown; no non-member and no other site has a say."""
    out = np.full(len(value), np.nan)
    for name in np.unique(site):
        mine = site == name
        known = value[mine & member]
        if not np.isnan(known).all():
            out[mine] = np.where(np.isnan(value[mine]), np.nan, value[mine] > np.nanmedian(known))
    return out


def site_split(records: Records, sites: Sequence[str], targets: Mapping[str, NDArray[np.float64]], hidden: Mapping[str, tuple[str, ...]], least: tuple[int, int]) -> Split:
    """The sites of one part of the family.

    Args:
        records: Of all sites.
        sites: Those of this part, in their order.
        targets: Of each target 0, 1 or NaN for each record; a task is a site and a target, and its classes are 0 and 1.
        hidden: The inputs that give a target away, by its name: masked in its tasks.
        least: Members and others that each class of a task must have; a site and target with fewer is left out.
    """
    rows = np.flatnonzero(np.isin(records.site, list(sites)))
    site, member = records.site[rows], records.member[rows]
    buckets, classes, names, visible = list[NDArray[np.int64]](), list[int](), list[str](), list[list[bool]]()
    for name in sites:
        for number, (target, value) in enumerate(targets.items()):
            both = [np.flatnonzero((site == name) & (value[rows] == v)) for v in (0.0, 1.0)]
            if any(member[b].sum() < least[0] or (~member[b]).sum() < least[1] for b in both):
                continue
            buckets += both
            classes += [2 * number, 2 * number + 1]
            names.append(name if len(targets) == 1 else f"{name}: {target}")
            visible.append([f not in hidden.get(target, ()) for f in records.features])
    return Split(x=records.x[rows], person=rows, member=member, sensitive=records.sensitive[rows], buckets=tuple(buckets), tasks=np.arange(len(buckets)).reshape(-1, 2),
                 names=tuple(names), visible=np.array(visible, dtype=bool).reshape(len(names), len(records.features)), bucket_class=np.array(classes, dtype=np.int64))
