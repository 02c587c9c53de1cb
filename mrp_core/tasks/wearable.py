"""Wearable: which shoulder exercise somebody does, told by the motion of a smart watch, for wearers that training never saw."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrp_core.config import TaskConfig
from mrp_core.tabular import standardised
from mrp_core.taskdata import TaskSet
from mrp_core.wearers import ATTRIBUTES, checked_attribute, read_windows, wearer_tasks

FILE = "wearable_shoulder.npz"


@dataclass(frozen=True)
class Wearable:
    """Ten wearers at seven shoulder exercises (Burns et al. 2018), 2,369 windows of two seconds as 79 features.

    Wearers 1 to 6 are for training, 7 for validation, 8 to 10 for the test. In mode ``site`` a task is a wearer with all seven exercises as fixed
    labels. In mode ``few_shot`` a task is a few exercises, numbered anew each time, of the wearers of a split together, as on a watch that a
    household shares; there the wearer is an attribute that answers may give away. Members and others are drawn from early and late windows alike:
    the file's ``late`` flag is a stratum of the draw, not a border between support and query, since a drift in time would pass for membership.
    """

    name: str = "wearable"
    title: str = "Wearable"
    summary: str = "Tell which of seven shoulder exercises somebody does, from a smart watch, after a few windows of a wearer that training never saw."
    area: str = "wearable"
    order: int = 7
    modes: tuple[str, ...] = ("site", "few_shot")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 7, "shots": 5, "queries": 6})
    sensitive: tuple[str, ...] = ATTRIBUTES
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "BSD-3-Clause, © 2018 David M. Burns"
    origin: str = ("D. M. Burns et al., Shoulder physiotherapy exercise recognition: machine learning the inertial signals from a smartwatch, "
                   "arXiv:1802.01489 (2018); from the Python package seglearn.")
    caveat: str = "Ten volunteers: a member is a window, not a person, and windows of one recording resemble one another."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Wearer-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` doesn't fit the mode.
        """
        attribute = checked_attribute(self.name, config)
        windows, features = read_windows(FILE, "features")
        member = windows.members(seed)
        x = standardised(windows.raw, member & windows.of_training())
        return wearer_tasks(windows, x, member, config, attribute, features)


PLUGIN = Wearable()
