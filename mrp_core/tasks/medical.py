"""Medical: wards of seriously ill patients; who dies within 180 days, or another target of the same ward."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tabular import distinct_rows, draw_members, read_table, sensitive_name, standardised
from mrp_core.taskdata import Split, TaskSet

FILE = "medical_support2.csv.gz"
NUMERIC = ("age", "num_co", "scoma", "hday", "meanbp", "wblc", "hrt", "resp", "temp", "pafi",
           "alb", "bili", "crea", "sod", "ph", "glucose", "bun", "urine", "adlp", "adls")
LOGGED = ("crea", "bili", "wblc", "bun", "urine", "glucose")
FLAGGED = ("pafi", "alb", "bili", "ph", "glucose", "bun", "urine", "adlp", "adls")
TEST, VALIDATION = ("Cirrhosis", "Lung Cancer"), ("COPD",)
WARDS = (15, 3, 6)
BANDS = ("younger", "middle", "older")
DIED = ("died_180d", "died_60d", "died_365d")
HALVES = ("crea", "wblc", "hrt", "resp", "meanbp", "temp", "sod", "scoma", "num_co", "age", "pafi", "alb", "bili", "bun")
TOGETHER = {"bun": ("bun", "crea"), "crea": ("bun", "crea")}
VALUES = {"race": ("other", "white"), "sex": ("female", "male")}
MEANING = {"race": "race (white or not)", "sex": "sex (male or not)"}
LEAST = (20, 15)
"""Members and others of each class: in mode ``site_target``, a ward and target with fewer are left out."""


@dataclass(frozen=True)
class Medical:
    """SUPPORT2 (Knaus et al. 1995): 9,105 hospitalised adults; a ward is a disease and a third of its ages.

    Cirrhosis and lung cancer are the test, COPD the validation, the other five diseases are for training. In mode ``site_target`` a task
    is a ward and one of 17 targets, whose column, missing flag and near copies are masked from the input; "above the median" is judged
    by the median of the members who have the ward's disease, so that both classes are there and no other patient has a say.
    """

    name: str = "medical"
    title: str = "Medical wards"
    summary: str = "Predict death within 180 days for the patients of a ward, for diseases that training never saw."
    area: str = "medical"
    order: int = 2
    modes: tuple[str, ...] = ("site", "site_target")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 7})
    sensitive: tuple[str, ...] = ("race", "sex")
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "free use with acknowledgement (hbiostat.org); CC BY 4.0 at UCI"
    origin: str = ("W. Knaus et al., The SUPPORT prognostic model, Ann Intern Med 122 (1995) 191-203; obtained from hbiostat.org, "
                   "courtesy of the Vanderbilt University Department of Biostatistics.")
    caveat: str = "Patients of 1989-1994; the public table doesn't say which hospital, so wards are disease by age, not sites."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Disease-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` isn't 2 or ``config.sensitive`` isn't offered.
        """
        attribute = sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a medical task has the classes no and yes; set ways to 2.")
        table = read_table(FILE, ("disease", "age_band", "race", "sex", "cancer", "diabetes", "dementia", *NUMERIC, *DIED))
        raw, names = _inputs(table)
        keep = distinct_rows(raw)
        table, raw = table.iloc[keep].reset_index(drop=True), raw[keep]
        disease = table["disease"].to_numpy()
        ward = pd.factorize(table["disease"] + table["age_band"].astype(str), sort=True)[0] * 2 + table["died_180d"].to_numpy()
        member = draw_members(ward.astype(np.int64), seed)
        part = np.where(np.isin(disease, TEST), 2, np.where(np.isin(disease, VALIDATION), 1, 0))
        x = standardised(raw, member & (part == 0))
        targets = DIED[:1] if config.mode == "site" else (*DIED, *HALVES)
        splits = [_split(table, x, names, member, _sensitive(table, attribute), part == i, targets) for i in range(3)]
        few = [w * len(targets) - len(s.tasks) for w, s in zip(WARDS, splits, strict=True)]
        facts = (("Patients", f"{len(table):,}"), ("Members", f"{member.sum():,}, drawn ward by ward and outcome by outcome"),
                 ("Wards", " / ".join(map(str, WARDS))), ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)),
                 *([("Left out", f"{' / '.join(map(str, few))} ward-target pairs with too few patients of one class")] if any(few) else []),
                 ("Inputs", f"{len(names)}, with a flag for each value that is often missing"),
                 ("Sensitive attribute", f"{MEANING[attribute]}; never an input"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=2 * len(targets), permute_labels=False, features=names,
                       facts=facts, labels=("no", "yes"), sensitive_values=VALUES[attribute])


def _sensitive(table: pd.DataFrame, attribute: str) -> NDArray[np.int64]:
    """1 for white or male, 0 for other known values, -1 where the table doesn't tell, [records]."""
    value, one = table[attribute], {"race": "white", "sex": "male"}[attribute]
    return np.where(value.isna() | (value == "missing"), -1, value == one).astype(np.int64)


def _inputs(table: pd.DataFrame) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Unscaled inputs with NaN where unknown, [records, 33]."""
    columns = {c: np.log1p(table[c]) if c in LOGGED else table[c] for c in NUMERIC}
    columns |= {"diabetes": table["diabetes"], "dementia": table["dementia"]}
    columns |= {"cancer": table["cancer"] != "no", "cancer metastatic": table["cancer"] == "metastatic"}
    columns |= {f"{c} missing": table[c].isna() for c in FLAGGED}
    return np.column_stack([np.asarray(v, dtype=np.float64) for v in columns.values()]), tuple(columns)


def _target(table: pd.DataFrame, member: NDArray[np.bool_], target: str) -> NDArray[np.float64]:
    """0, 1 or NaN for each patient, [records]: a death, or above the median of the members with the patient's disease."""
    value = table[target].to_numpy(dtype=np.float64)
    if target in DIED:
        return value
    disease, median = table["disease"].to_numpy(), np.zeros(len(table))
    for name in set(disease):
        median[disease == name] = np.nanmedian(value[(disease == name) & member])
    return np.where(np.isnan(value), np.nan, value > median)


def _split(table: pd.DataFrame, x: NDArray[np.float32], names: tuple[str, ...], member: NDArray[np.bool_], sensitive: NDArray[np.int64],
           inside: NDArray[np.bool_], targets: tuple[str, ...]) -> Split:
    rows = np.flatnonzero(inside)
    own, chosen = table.iloc[rows].reset_index(drop=True), member[rows]
    values = [_target(own, chosen, target) for target in targets]
    buckets, classes, titles, visible = [], [], [], []
    for (disease, band), group in own.groupby(["disease", "age_band"]):
        ward = group.index.to_numpy(dtype=np.int64)
        for number, (target, value) in enumerate(zip(targets, values, strict=True)):
            both = [ward[value[ward] == v] for v in (0.0, 1.0)]
            if len(targets) > 1 and any(chosen[b].sum() < LEAST[0] or (~chosen[b]).sum() < LEAST[1] for b in both):
                continue
            buckets += both
            classes += [2 * number, 2 * number + 1]
            titles.append(f"{disease}, {BANDS[int(band)]}" + (f": {target}" if len(targets) > 1 else ""))
            hidden = TOGETHER.get(target, (target,))
            visible.append([n.removesuffix(" missing") not in hidden for n in names])
    return Split(x=x[rows], person=rows, member=chosen, sensitive=sensitive[rows], buckets=tuple(buckets), tasks=np.arange(len(buckets)).reshape(-1, 2),
                 names=tuple(titles), visible=np.array(visible), bucket_class=np.array(classes))


PLUGIN = Medical()
