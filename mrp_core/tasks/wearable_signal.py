"""Wearable signal: the windows of the family Wearable as they were measured, six channels over two seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrp_core.config import TaskConfig
from mrp_core.pictures import scaled_by_channel
from mrp_core.taskdata import TaskSet
from mrp_core.wearers import ATTRIBUTES, checked_attribute, read_windows, wearer_tasks

FILE = "wearable_shoulder_raw.npz"
SAMPLES, RATE = 50, 25


@dataclass(frozen=True)
class WearableSignal:
    """The same windows, wearers, members and modes as in the family ``wearable``, as acceleration and rotation along three axes at 25 Hz.

    Features lie channel by channel, each with its 50 samples in order of time, and each channel is scaled as a whole.
    """

    name: str = "wearable_signal"
    title: str = "Wearable, raw signal"
    summary: str = "The exercises of the family Wearable from the signal itself: six channels of a smart watch over two seconds."
    area: str = "wearable"
    order: int = 8
    modes: tuple[str, ...] = ("site", "few_shot")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 7, "shots": 5, "queries": 6})
    sensitive: tuple[str, ...] = ATTRIBUTES
    grid: tuple[int, ...] = (6, SAMPLES)
    simulated: bool = False
    optional: bool = False
    licence: str = "BSD-3-Clause, © 2018 David M. Burns"
    origin: str = ("D. M. Burns et al., Shoulder physiotherapy exercise recognition: machine learning the inertial signals from a smartwatch, "
                   "arXiv:1802.01489 (2018); from the Python package seglearn, here at 25 Hz and rounded to 8 bits.")
    caveat: str = "Ten volunteers: a member is a window, not a person, and where a movement begins within a window is chance."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Wearer-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` doesn't fit the mode.
        """
        attribute = checked_attribute(self.name, config)
        windows, channels = read_windows(FILE, "channels", signal=True)
        member = windows.members(seed)
        x = scaled_by_channel(windows.raw, member & windows.of_training(), self.grid[0])
        features = tuple(f"{channel} {i / RATE:.2f} s" for channel in channels for i in range(SAMPLES))
        return wearer_tasks(windows, x, member, config, attribute, features)


PLUGIN = WearableSignal()
