"""Heart: four real hospitals as the clients of a federation; who has narrowed coronary arteries."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.sites import Records, one_hot, site_split
from mrp_core.tabular import distinct_rows, draw_members, read_table, sensitive_name, standardised
from mrp_core.taskdata import TaskSet

FILE = "federated_heart.csv.gz"
TRAIN, NEW, TEST = ("Cleveland", "VA Long Beach", "Switzerland"), ("Cleveland, new patients",), ("Hungary",)
SHARE_NEW = 0.25
NUMERIC = ("age", "trestbps", "chol", "thalach", "oldpeak", "fbs", "exang")
PAIN = ("typical angina", "atypical angina", "non-anginal", "asymptomatic")
ECG = ("normal", "lv hypertrophy", "st-t abnormality")


@dataclass(frozen=True)
class Heart:
    """UCI Heart Disease (Detrano et al. 1989), the sites of FLamby's Fed-Heart-Disease: Cleveland, Hungary, Switzerland, VA Long Beach.

    Hungary is the test, a hospital that training never saw; of the others only Cleveland has as many women and as many healthy patients. Cleveland and VA Long Beach
    are for training; a quarter of Cleveland's patients, drawn by seed, are the validation, so no hospital is lost to it.
    Switzerland has 8 patients without the disease, 4 of them members: it takes part in the training if shots and query
    records together need no more. Where cholesterol is missing (all of Switzerland, a quarter of VA Long Beach) a flag says so, and gives the hospital away.
    """

    name: str = "heart"
    title: str = "Heart disease in four hospitals"
    summary: str = "Predict heart disease for the patients of a hospital that had no part in the training: four hospitals, which share updates instead of records."
    area: str = "federated"
    order: int = 11
    modes: tuple[str, ...] = ("site",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 15})
    sensitive: tuple[str, ...] = ("sex",)
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "CC BY 4.0"
    origin: str = "A. Janosi, W. Steinbrunn, M. Pfisterer, R. Detrano, Heart Disease, UCI Machine Learning Repository (1989), doi 10.24432/C52P4X."
    caveat: str = "Four hospitals are too few to meta-learn from, and the test is one hospital; for many clients take Lending by state, whose 32 states are clients too."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Hospitals as tasks; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` isn't 2 or ``config.sensitive`` isn't offered.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a task of this family has the classes no and yes; set ways to 2.")
        whole = read_table(FILE, ("hospital", "sex", "severity", "cp", "restecg", *NUMERIC))
        raw, names = inputs(whole)
        keep = distinct_rows(raw)
        table, raw = whole.iloc[keep].reset_index(drop=True), raw[keep]
        ill = (table["severity"] > 0).to_numpy(dtype=np.int64)
        hospital = table["hospital"].to_numpy(dtype=np.str_)
        site = _new_patients(hospital, ill, seed)
        member = draw_members(pd.factorize(site, sort=True)[0] * 2 + ill, seed)
        records = Records(x=standardised(raw, member & np.isin(site, TRAIN)), features=names, site=site, member=member, sensitive=(table["sex"] == "Male").to_numpy(dtype=np.int64))
        label = {"ill": ill.astype(np.float64)}
        splits = [site_split(records, part, label, {}, least) for part, least in ((TRAIN, (config.shots + config.queries, 1)), (NEW, (1, 1)), (TEST, (1, 1)))]
        if not splits[0].names:
            raise DataError(f"shots is {config.shots} and queries is {config.queries}, but no hospital has so many members of both classes for training; ask for fewer.")
        facts = (("Patients", f"{len(table)} with inputs of their own (of {len(whole)})"), ("Members", f"{member.sum():,}, drawn hospital by hospital and label by label"),
                 ("Hospitals", f"{', '.join(splits[0].names)} for training, a quarter of Cleveland for validation, {TEST[0]} for the test"),
                 ("Tasks", " / ".join(str(len(s.tasks)) for s in splits)), ("Left out", "Switzerland's 8 patients without the disease allow at most 4 records a class" if
                  "Switzerland" not in splits[0].names else "no hospital"), ("Inputs", f"{len(names)}, with a flag for missing cholesterol"),
                 ("Sensitive attribute", "sex (male or not); never an input"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=2, permute_labels=False, features=names, facts=facts, labels=("no", "yes"),
                       sensitive_values=("female", "male"))


def inputs(table: pd.DataFrame) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Unscaled inputs with NaN where unknown, [records, 15], and their names."""
    columns = {c: table[c] for c in NUMERIC} | {"chol missing": table["chol"].isna()} | one_hot(table, "cp", PAIN) | one_hot(table, "restecg", ECG)
    return np.column_stack([np.asarray(v, dtype=np.float64) for v in columns.values()]), tuple(columns)


def _new_patients(hospital: NDArray[np.str_], ill: NDArray[np.int64], seed: int) -> NDArray[np.str_]:
    """The site of each patient: the hospital, or that hospital's new patients, a share of each class drawn by seed."""
    new = draw_members(pd.factorize(hospital, sort=True)[0] * 2 + ill, seed + 1_000_003, share=SHARE_NEW)
    renamed = dict(zip(TRAIN, NEW, strict=False))
    return np.array([renamed.get(h, h) if n else h for h, n in zip(hospital.tolist(), new.tolist(), strict=True)])


PLUGIN = Heart()
