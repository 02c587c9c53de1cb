"""Lending: US states as sites; whose loan gets a high interest rate, or another target of the same state."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.sites import Records, above_median, site_split
from mrp_core.tabular import distinct_rows, draw_members, read_table, sensitive_name, standardised
from mrp_core.taskdata import TaskSet

FILE = "finance_lendingclub.csv.gz"
TRAIN = ("CA", "NY", "FL", "NJ", "OH", "PA", "NC", "MI", "AZ", "MD", "CO", "TN", "MN", "WI", "NV", "LA", "AL", "KS")
VALIDATION = ("GA", "IN", "CT", "KY")
TEST = ("TX", "IL", "VA", "MA", "WA", "MO", "OR", "SC", "OK", "AR")
PLAIN = ("delinq_2yrs", "inq_last_6mths", "revol_util", "acc_now_delinq", "open_il_6m", "open_il_12m", "open_il_24m", "all_util", "inq_fi", "inq_last_12m", "num_il_tl",
         "term_60", "verified", "emp_years")
LOGGED = ("funded_amnt", "total_bal_il", "total_il_high_credit_limit", "delinq_amnt")
HALVES = ("int_rate", "funded_amnt", "annual_inc", "revol_util", "inq_last_12m", "open_il_24m")
FLAGS = ("term_60", "verified")
TOGETHER = {"revol_util": ("revol_util", "all_util"), "inq_last_12m": ("inq_last_12m", "inq_fi", "inq_last_6mths"), "open_il_24m": ("open_il_24m", "open_il_12m", "open_il_6m")}
LEAST = (15, 8)


@dataclass(frozen=True)
class Lending:
    """LendingClub, first quarter of 2016: the 32 states with at least 80 of the 9,857 granted loans.

    The states are divided by their size in turn: 18 for training, 4 for validation, 10 for the test. In mode ``site`` the question is whether a loan's rate is at
    least the median of the members of the training states. In mode ``site_target`` a task is a state and one of eight targets, whose column and near copies are
    masked; "above the median" is then that of the state's own members. The attribute is an income below that median; income itself is no input, though the
    others tell much of it.
    """

    name: str = "lending"
    title: str = "Lending by state"
    summary: str = "Predict which borrowers of a state get a high interest rate, for states that training never saw: 32 states, as many clients of a federation."
    area: str = "finance"
    order: int = 5
    modes: tuple[str, ...] = ("site", "site_target")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 10})
    sensitive: tuple[str, ...] = ("low income",)
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "MIT, (c) 2019 Max Kuhn, RStudio (the R package modeldata)"
    origin: str = "LendingClub's loans of the first quarter of 2016, the table lending_club of M. Kuhn's R package modeldata."
    caveat: str = "Only loans that were granted, and the label is the lender's price, not default; one pooled model does almost as well as one adapted to a state."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """State-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` isn't 2 or ``config.sensitive`` isn't offered.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a lending task has the classes no and yes; set ways to 2.")
        whole = read_table(FILE, ("state", "int_rate", "annual_inc", *PLAIN, *LOGGED))
        table = whole.loc[whole["state"].isin((*TRAIN, *VALIDATION, *TEST))].reset_index(drop=True)
        raw = inputs(table)
        keep = distinct_rows(raw)
        table, raw = table.iloc[keep].reset_index(drop=True), raw[keep]
        site, rate = table["state"].to_numpy(dtype=np.str_), table["int_rate"].to_numpy(dtype=np.float64)
        member = draw_members(pd.factorize(site, sort=True)[0] * 2 + (rate >= np.median(rate)), seed)
        basis = member & np.isin(site, TRAIN)
        income = table["annual_inc"].to_numpy(dtype=np.float64)
        records = Records(x=standardised(raw, basis), features=(*PLAIN, *LOGGED), site=site, member=member, sensitive=(income < np.median(income[basis])).astype(np.int64))
        targets = {"int_rate": (rate >= np.median(rate[basis])).astype(np.float64)} if config.mode == "site" else _targets(table, site, member)
        hidden = {t: TOGETHER.get(t, (t,)) for t in targets}
        splits = [site_split(records, part, targets, hidden, LEAST) for part in (TRAIN, VALIDATION, TEST)]
        facts = (("Borrowers", f"{len(table):,} in the 32 states with at least 80 (of {len(whole):,} in 50)"), ("Members", f"{member.sum():,}, drawn state by state and label by label"),
                 ("States", " / ".join(str(len(p)) for p in (TRAIN, VALIDATION, TEST))), ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)),
                 ("Inputs", f"{len(records.features)}; neither the rate nor the income"), ("Sensitive attribute", "an income below the median of the training states; never an input"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=2 * len(targets), permute_labels=False, features=records.features,
                       facts=facts, labels=("no", "yes"), sensitive_values=("higher income", "low income"))


def inputs(table: pd.DataFrame) -> NDArray[np.float64]:
    """Unscaled inputs with NaN where unknown, [records, 18]."""
    return np.column_stack([*(table[c].to_numpy(dtype=np.float64) for c in PLAIN), *(np.log1p(table[c].to_numpy(dtype=np.float64)) for c in LOGGED)])


def _targets(table: pd.DataFrame, site: NDArray[np.str_], member: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    value = lambda c: table[c].to_numpy(dtype=np.float64)  # noqa: E731
    return {**{c: above_median(value(c), site, member) for c in HALVES}, **{c: value(c) for c in FLAGS}}


PLUGIN = Lending()
