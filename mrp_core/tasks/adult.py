"""Adult: occupations as sites; who earns more than 50,000 dollars a year, or another target of the same occupation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.sites import Records, above_median, one_hot, site_split
from mrp_core.tabular import distinct_rows, draw_members, read_table, sensitive_name, standardised
from mrp_core.taskdata import TaskSet

FILE = "finance_adult.csv.gz"
TRAIN = ("Adm-clerical", "Craft-repair", "Exec-managerial", "Machine-op-inspct", "Prof-specialty", "Handlers-cleaners", "Tech-support")
VALIDATION = ("Protective-serv",)
TEST = ("Sales", "Transport-moving", "Farming-fishing", "Other-service")
NUMERIC, LOGGED = ("age", "education_num", "hours_per_week"), ("capital_gain", "capital_loss")
WORK = ("Private", "Self-emp-not-inc", "Local-gov", "State-gov", "Self-emp-inc", "Federal-gov")
MARITAL = ("Married-civ-spouse", "Never-married", "Divorced", "Separated", "Widowed")
VALUES = {"sex": ("female", "male"), "race": ("other", "white")}
LEAST = (17, 8)


@dataclass(frozen=True)
class Adult:
    """UCI Adult (Kohavi 1996), at most 1,500 persons of an occupation; the twelve with enough high incomes are sites.

    Seven are for training, one for validation, four for the test, of both manual and office work on each side. ``relationship`` is left out, since husband and wife
    are sexes; so are sex and race, the attributes. Records with equal inputs are one person here: with so few columns about a fifth repeat another. In mode
    ``site_target`` a task is an occupation and one of six targets, whose columns are masked; "above the median" is that of the occupation's own members.
    """

    name: str = "adult"
    title: str = "Income by occupation"
    summary: str = "Predict who earns more than 50,000 dollars in an occupation, for occupations that training never saw."
    area: str = "finance"
    order: int = 6
    modes: tuple[str, ...] = ("site", "site_target")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 12})
    sensitive: tuple[str, ...] = ("sex", "race")
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "CC BY 4.0"
    origin: str = "B. Becker, R. Kohavi, Adult, UCI Machine Learning Repository (1996), doi 10.24432/C5XW20; from the US census survey of 1994."
    caveat: str = "Incomes of 1994; marriage tells much of sex, which is what makes it good for attribute inference and weak for a membership attack."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Occupation-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` isn't 2 or ``config.sensitive`` isn't offered.
        """
        attribute = sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.ways != 2:
            raise DataError(f"ways is {config.ways}, but an income task has the classes no and yes; set ways to 2.")
        whole = read_table(FILE, ("occupation", "income", "workclass", "marital_status", "native_country", "sex", "race", *NUMERIC, *LOGGED))
        table = whole.loc[whole["occupation"].isin((*TRAIN, *VALIDATION, *TEST))].reset_index(drop=True)
        raw, names = inputs(table)
        keep = distinct_rows(raw)
        table, raw = table.iloc[keep].reset_index(drop=True), raw[keep]
        site = table["occupation"].to_numpy(dtype=np.str_)
        member = draw_members(pd.factorize(site, sort=True)[0] * 2 + table["income"].to_numpy(dtype=np.int64), seed)
        known = {"sex": table["sex"] == "Male", "race": table["race"] == "White"}[attribute]
        records = Records(x=standardised(raw, member & np.isin(site, TRAIN)), features=names, site=site, member=member, sensitive=known.to_numpy(dtype=np.int64))
        targets = _targets(table, site, member)
        if config.mode == "site":
            targets = {"income": targets["income"]}
        splits = [site_split(records, part, targets, _hidden(names), LEAST) for part in (TRAIN, VALIDATION, TEST)]
        facts = (("Persons", f"{len(table):,} with inputs of their own, in twelve occupations (of {len(whole):,} in thirteen)"),
                 ("Members", f"{member.sum():,}, drawn occupation by occupation and label by label"), ("Occupations", " / ".join(str(len(p)) for p in (TRAIN, VALIDATION, TEST))),
                 ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)), ("Inputs", f"{len(names)}; neither sex nor race nor relationship"),
                 ("Sensitive attribute", f"{attribute} ({VALUES[attribute][1]} or not); never an input"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=2 * len(targets), permute_labels=False, features=names,
                       facts=facts, labels=("no", "yes"), sensitive_values=VALUES[attribute])


def inputs(table: pd.DataFrame) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Unscaled inputs, [records, 17], and their names."""
    columns = {c: table[c] for c in NUMERIC} | {c: np.log1p(table[c]) for c in LOGGED}
    columns |= one_hot(table, "workclass", WORK) | one_hot(table, "marital_status", MARITAL) | {"native_country US": table["native_country"] == "US"}
    return np.column_stack([np.asarray(v, dtype=np.float64) for v in columns.values()]), tuple(columns)


def _targets(table: pd.DataFrame, site: NDArray[np.str_], member: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    value = lambda c: table[c].to_numpy(dtype=np.float64)  # noqa: E731
    return {"income": value("income"), **{c: above_median(value(c), site, member) for c in NUMERIC},
            "married": (table["marital_status"] == "Married-civ-spouse").to_numpy(dtype=np.float64), "private": (table["workclass"] == "Private").to_numpy(dtype=np.float64)}


def _hidden(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    of = lambda column: tuple(n for n in names if n.startswith(column))  # noqa: E731
    return {**{c: (c,) for c in NUMERIC}, "married": of("marital_status"), "private": of("workclass")}


PLUGIN = Adult()
