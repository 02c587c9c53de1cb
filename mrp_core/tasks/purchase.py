"""Purchase: simulated shopping baskets on which a classifier over-fits, for the classical membership demonstration."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.tabular import class_tasks, distinct_rows, draw_members, sensitive_name, standardised
from mrp_core.taskdata import Split, TaskSet

CLASSES, PRODUCTS, CUSTOMERS = 50, 300, 120
SPLITS = (30, 8, 12)
POPULARITY = (-1.5, 1.0)
INTERESTS, TASTE, APPETITE = 20, 0.73, 0.5
"""Interests that all tastes are made of; spread of a class's leaning to each product, and of a customer's to buying at all, in logits as the popularity's."""


@dataclass(frozen=True)
class Purchase:
    """Which of 300 products a customer ever bought; the class is the customer's kind, one of 50 with 120 customers each.

    A customer j of kind c buys product p with probability sigmoid(b_p + t_cp + k_j), b ~ N(-1.5, 1), k ~ N(0, 0.5^2). Tastes are t_cp = 0.73 g_c.h_p
    with g ~ N(0, I) and h ~ N(0, I / 20): all kinds share 20 interests, so that training has something to learn for kinds that it never sees.

    The shape is that of Purchase-100 (Shokri et al. 2017, Membership Inference Attacks Against Machine Learning Models), whose records can't be
    passed on; the spreads were set so that logistic regression learns its records by heart. Kinds are split 30 / 8 / 12 by number.
    """

    name: str = "purchase"
    title: str = "Purchase-like baskets"
    summary: str = "Tell kinds of customers apart by what they bought: made-up baskets that invite learning by heart, for showing membership attacks."
    area: str = "teaching"
    order: int = 14
    modes: tuple[str, ...] = ("few_shot",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "few_shot", "ways": 5, "shots": 5, "queries": 15})
    sensitive: tuple[str, ...] = ()
    grid: tuple[int, ...] = ()
    simulated: bool = True
    optional: bool = False
    licence: str = "none needed: drawn by this program"
    origin: str = "Simulated by this program in the shape of Purchase-100 (Shokri et al. 2017), which no package holds; equal seeds draw equal baskets."
    caveat: str = "Simulated: real Purchase-100 records are not here, so figures don't compare with papers that use them; they show how an attack works."
    files: tuple[str, ...] = ()

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Class-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: If ``config.sensitive`` isn't empty, or a split has fewer classes than ``config.ways``.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        bought, kind = baskets(seed)
        keep = distinct_rows(bought)
        x, y = bought[keep], kind[keep]
        member = draw_members(y, seed)
        parts = np.split(np.arange(CLASSES), np.cumsum(SPLITS)[:-1])
        x32 = standardised(x, member & np.isin(y, parts[0]))
        splits = [_split(x32, y, member, classes, config.ways, part) for classes, part in zip(parts, ("training", "validation", "test"), strict=True)]
        facts = (("Customers", f"{len(x):,}, simulated, {CUSTOMERS} of each kind"), ("Members", f"{member.sum():,}, drawn kind by kind"),
                 ("Classes", "{} for training, {} for validation, {} for the test".format(*SPLITS)), ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)),
                 ("Inputs", f"{PRODUCTS} products, bought or not; a customer buys {bought.sum(1).mean():.0f} of them on average"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=CLASSES, permute_labels=True,
                       features=tuple(f"product {i}" for i in range(1, PRODUCTS + 1)), facts=facts)


def baskets(seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Purchases 0 or 1 [6000, 300] and the customers' kinds [6000]; equal seeds draw equal baskets."""
    bought, kind = _drawn(seed)
    return bought.astype(np.float64), kind.copy()


@functools.lru_cache(maxsize=4)
def _drawn(seed: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    rng = np.random.default_rng([seed, 21])
    popularity = rng.normal(*POPULARITY, PRODUCTS)
    taste = TASTE * rng.normal(0.0, 1.0, (CLASSES, INTERESTS)) @ rng.normal(0.0, INTERESTS ** -0.5, (INTERESTS, PRODUCTS))
    kind = np.repeat(np.arange(CLASSES), CUSTOMERS)
    logits = popularity + taste[kind] + rng.normal(0.0, APPETITE, (len(kind), 1))
    return rng.random(logits.shape) < 1.0 / (1.0 + np.exp(-logits)), kind


def _split(x: NDArray[np.float32], y: NDArray[np.int64], member: NDArray[np.bool_], classes: NDArray[np.int64], ways: int, part: str) -> Split:
    rows = np.flatnonzero(np.isin(y, classes))
    own, tasks = y[rows], class_tasks(len(classes), ways, part)
    return Split(x=x[rows], person=rows, member=member[rows], sensitive=np.full(len(rows), -1),
                 buckets=tuple(np.flatnonzero(own == c) for c in classes), tasks=tasks,
                 names=tuple("kinds " + ", ".join(str(classes[i] + 1) for i in task) for task in tasks),
                 visible=np.ones((len(tasks), x.shape[1]), dtype=bool), bucket_class=classes)


PLUGIN = Purchase()
