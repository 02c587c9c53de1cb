"""Smart home: a simulated household's hour, and what its people were doing; another home is another task."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.homes import ACTIVITIES, SENSORS, simulated_homes
from mrp_core.tabular import distinct_rows, draw_members, sensitive_name, standardised
from mrp_core.taskdata import Split, TaskSet

DAYS = 28
HOMES = (36, 8, 16)
HOURS = 40
"""At most so many hours of each activity are taken from a home, so that the rare one, cooking, isn't far behind."""


@dataclass(frozen=True)
class SmartHome:
    """60 simulated homes of :mod:`mrp_core.homes` over 28 days; a task is a home, a record an hour, the label the activity that the home logged.

    Homes are drawn independently, so the first 36 are for training, 8 for validation and 16 for the test. Of each activity at most 40 hours a home
    are taken, at random: every hour has its neighbours, and few of them are taken together.

    The sensitive attribute is the hour's: whether nobody was at home, which a burglar would like to know. It isn't the label, since about a tenth of
    the log is wrong, but close to it: to hide it is to give up telling "away" from the rest. Whether a child lives there, or a shift worker, is the same
    for all hours of a home: an adversary who knows which home it is has nothing to infer, so the audits can't judge it, and it isn't offered.
    """

    name: str = "smart_home"
    title: str = "Smart home"
    summary: str = "Tell what a household does from an hour of its sensors, for made-up homes with habits that training never saw."
    area: str = "smart home"
    order: int = 9
    modes: tuple[str, ...] = ("site",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 4, "shots": 5, "queries": 10})
    sensitive: tuple[str, ...] = ("away",)
    grid: tuple[int, ...] = ()
    simulated: bool = True
    optional: bool = False
    licence: str = "none needed: drawn by this program"
    origin: str = "Simulated by this program: 60 homes with hidden habits over 28 days, since no package holds sensor logs of several homes; equal seeds draw equal logs."
    caveat: str = "Simulated: how much a home betrays was set by hand, so figures show how such a leak is found, not how large it is in real homes."
    files: tuple[str, ...] = ()

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Home-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: If ``config.ways`` isn't 4 or ``config.sensitive`` isn't offered.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.ways != len(ACTIVITIES):
            raise DataError(f"ways is {config.ways}, but a home has four activities; set ways to {len(ACTIVITIES)}.")
        log = simulated_homes(sum(HOMES), DAYS, seed)
        sensors, bucket = log.sensors.reshape(-1, len(SENSORS)), (len(ACTIVITIES) * np.arange(sum(HOMES))[:, None, None] + log.activity).ravel()
        taken = _taken(bucket, seed)
        taken = taken[distinct_rows(sensors[taken])]
        raw, own, away = sensors[taken], bucket[taken], (log.shown.ravel()[taken] == ACTIVITIES.index("away")).astype(np.int64)
        member, home = draw_members(own, seed), own // len(ACTIVITIES)
        first = np.cumsum([0, *HOMES])
        x = standardised(raw, member & (home < first[1]))
        splits = [_split(x, own, taken, member, away, range(first[i], first[i + 1])) for i in range(3)]
        facts = (("Homes", f"{sum(HOMES)}, simulated, {DAYS} days each"), ("Hours", f"{len(x):,} of {len(sensors):,}: at most {HOURS} of each activity and home"),
                 ("Members", f"{member.sum():,}, drawn home by home and activity by activity"), ("Tasks", " / ".join(map(str, HOMES))),
                 ("Wrong log", f"{(log.shown != log.activity).mean():.0%} of the hours show another activity than the logged one"),
                 ("Sensitive attribute", "nobody at home in that hour; never an input, but close to the label away"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=len(ACTIVITIES), permute_labels=False, features=SENSORS, facts=facts,
                       labels=ACTIVITIES, sensitive_values=("somebody at home", "nobody at home"))


def _taken(bucket: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """At most 40 random hours of each home and activity, ascending."""
    order = np.random.default_rng([seed, 23]).permutation(len(bucket))
    order = order[np.argsort(bucket[order], kind="stable")]
    start = np.searchsorted(bucket[order], bucket[order])
    return np.sort(order[np.arange(len(order)) - start < HOURS])


def _split(x: NDArray[np.float32], bucket: NDArray[np.int64], hour: NDArray[np.int64], member: NDArray[np.bool_], away: NDArray[np.int64], homes: range) -> Split:
    ways = len(ACTIVITIES)
    rows = np.flatnonzero((bucket >= ways * homes.start) & (bucket < ways * homes.stop))
    buckets = tuple(np.flatnonzero(bucket[rows] == ways * h + a) for h in homes for a in range(ways))
    return Split(x=x[rows], person=hour[rows], member=member[rows], sensitive=away[rows], buckets=buckets, tasks=np.arange(len(buckets)).reshape(-1, ways),
                 names=tuple(f"home {h + 1}" for h in homes), visible=np.ones((len(homes), x.shape[1]), dtype=bool), bucket_class=np.tile(np.arange(ways), len(homes)))


PLUGIN = SmartHome()
