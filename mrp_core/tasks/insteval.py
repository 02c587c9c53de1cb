"""Lecture ratings: a task is a student of ETH Zurich, and the question which lectures that student likes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tabular import distinct_rows, draw_members, read_table, sensitive_name, standardised
from mrp_core.taskdata import Split, TaskSet

FILE = "recsys_insteval.csv.gz"
COLUMNS = ("user", "item", "rating", "studage", "lectage", "service", "dept")
LIKED = 4
LEAST = 18
"""Ratings of each side that a student needs to be a task: 10 members, a pool of 5 shots, and 8 others to be judged on."""
PRIOR = 5.0
"""Ratings that the prior of a shrunken mean counts for."""
PARTS = (0, 0, 0, 0, 0, 0, 1, 2, 2, 2)
"""Part of a student by the last digit of the number: 0 training, 1 validation, 2 test."""


@dataclass(frozen=True)
class InstEval:
    """InstEval (Bates et al. 2015): 73,421 ratings of 1 to 5 by 2,972 students for 1,128 lecturers; liked means 4 or 5.

    Students with at least 18 ratings on each side are tasks; a record is one rating, and a member is one that may be in the support set. What is
    known of a lecturer (mean, share of likes, spread, count) comes from the other students alone, who are no task: no rating of a training,
    validation or test student has a say in any input. Of the student's own lectures only which they are is used, never how they were rated.

    The sensitive attribute is the record's: a service lecture is one given for another department than the lecturer's, so it tells where the
    student studies. The student's semester would be the same for all records of a task, where an adversary who knows the task has nothing to infer.
    """

    name: str = "insteval"
    title: str = "Lecture ratings"
    summary: str = "Predict which lectures a student likes after a few of that student's ratings, for students that training never saw."
    area: str = "recommendation"
    order: int = 10
    modes: tuple[str, ...] = ("site",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 5})
    sensitive: tuple[str, ...] = ("service",)
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "GPL, version 2 or later, for this file alone"
    origin: str = "The table InstEval of the R package lme4: D. Bates et al., Fitting linear mixed-effects models using lme4, J Stat Softw 67(1) (2015) 1-48."
    caveat: str = "Only students with many ratings of both kinds are tasks; lecturers' means come from the other students, whose own exposure isn't audited."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Student-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` isn't 2 or ``config.sensitive`` isn't offered.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a student likes a lecture or doesn't; set ways to 2.")
        read = read_table(FILE, COLUMNS)
        table = {c: read[c].to_numpy(dtype=np.int64) for c in COLUMNS} | {"row": np.arange(len(read))}
        asked = _enough(table["user"], table["rating"])
        own, others = ({c: v[use] for c, v in table.items()} for use in (asked, ~asked))
        raw, names = _inputs(own, others)
        keep = distinct_rows(raw)
        keep = keep[_enough(own["user"][keep], own["rating"][keep])]
        own, raw = {c: v[keep] for c, v in own.items()}, raw[keep]
        user, liked = own["user"], own["rating"] >= LIKED
        member, part = draw_members(2 * user + liked, seed), np.array(PARTS)[user % 10]
        x = standardised(raw, member & (part == 0))
        splits = [_split(own, x, member, part == i) for i in range(3)]
        facts = (("Students", f"{len(np.unique(user)):,} of {len(np.unique(table['user'])):,} have {LEAST} ratings on each side and are tasks"),
                 ("Ratings", f"{len(user):,} ({asked.sum() - len(user)} left out, since all their inputs equal another's)"), ("Members", f"{member.sum():,}, drawn student by student, liked or not"),
                 ("Tasks", " / ".join(str(len(s.tasks)) for s in splits)),
                 ("Lecturers' means", f"from {len(others['user']):,} ratings of the {len(np.unique(others['user'])):,} other students"),
                 ("Sensitive attribute", "service lecture, given for another department than the lecturer's; never an input"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=2, permute_labels=False, features=names, facts=facts,
                       labels=("rated 1 to 3", "rated 4 or 5"), sensitive_values=("lecture of the own department", "service lecture"))


def _enough(user: NDArray[np.int64], rating: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the rating's student has enough ratings on each side, [ratings]."""
    sides = [np.bincount(user, weights=side, minlength=user.max() + 1) for side in (rating >= LIKED, rating < LIKED)]
    return np.minimum(*sides)[user] >= LEAST


def _inputs(own: dict[str, NDArray[np.int64]], others: dict[str, NDArray[np.int64]]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Unscaled inputs of the tasks' ratings, [ratings, 24]; statistics of lecturers from the other students' ratings."""
    asked, known = own["item"], others["item"]
    rating, liked = others["rating"].astype(np.float64), (others["rating"] >= LIKED).astype(np.float64)
    mean = _shrunken(rating, known, asked, rating.mean())
    known_aged, asked_aged = (10 * t["item"] + t["lectage"] for t in (others, own))
    count = np.log1p(np.bincount(known, minlength=asked.max() + 1)[asked])
    lectures = np.bincount(own["user"])
    popular, squared = (np.bincount(own["user"], weights=v)[own["user"]] / lectures[own["user"]] for v in (count, count ** 2))
    columns: dict[str, NDArray[np.generic]] = {
        "lecturer's mean rating": mean, "lecturer's share of likes": _shrunken(liked, known, asked, liked.mean()),
        "lecturer's spread": _shrunken(rating ** 2, known, asked, (rating ** 2).mean()) - mean ** 2,
        "lecturer's mean at that age": _shrunken(rating, known_aged, asked_aged, mean), "log ratings of the lecturer": count,
        "age of the lecture": own["lectage"], "student's semester": own["studage"], "log lectures of the student": np.log(lectures[own["user"]]),
        "mean log ratings of the student's lecturers": popular, "spread of log ratings of the student's lecturers": np.sqrt(np.maximum(squared - popular ** 2, 0.0)),
    }
    columns |= {f"department {d}": own["dept"] == d for d in np.unique(others["dept"])}
    return np.column_stack([v.astype(np.float64) for v in columns.values()]), tuple(columns)


def _shrunken(value: NDArray[np.float64], known: NDArray[np.int64], asked: NDArray[np.int64], prior: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the values with the key asked for, drawn to the prior, which a key without values gets; [ratings asked for]."""
    keys = max(known.max(), asked.max()) + 1
    total, count = np.bincount(known, weights=value, minlength=keys), np.bincount(known, minlength=keys)
    return (total[asked] + PRIOR * prior) / (count[asked] + PRIOR)


def _split(own: dict[str, NDArray[np.int64]], x: NDArray[np.float32], member: NDArray[np.bool_], inside: NDArray[np.bool_]) -> Split:
    rows = np.flatnonzero(inside)
    user, liked = own["user"][rows], own["rating"][rows] >= LIKED
    students = np.unique(user)
    buckets = tuple(np.flatnonzero((user == s) & (liked == side)) for s in students for side in (False, True))
    return Split(x=x[rows], person=own["row"][rows], member=member[rows], sensitive=own["service"][rows], buckets=buckets,
                 tasks=np.arange(len(buckets)).reshape(-1, 2), names=tuple(f"student {s}" for s in students),
                 visible=np.ones((len(students), x.shape[1]), dtype=bool), bucket_class=np.tile([0, 1], len(students)))


PLUGIN = InstEval()
