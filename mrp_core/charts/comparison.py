"""Studies beside one another: what each was given, and how much of the plane its frontier attains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrp_core.charts.frontier import TRAINED
from mrp_core.charts.volume import trained_volumes
from mrp_core.config import StudyConfig
from mrp_core.intervals import interval
from mrp_core.measurement import METRICS, Measurement
from mrp_core.registry import plugin
from mrp_core.results import Summary
from mrp_core.wording import say

LEAKAGES = ("mi", "lira_auc")
_SAME = {"task": ("family", "mode", "ways", "shots", "sensitive", "hardness"), "privacy": ("channel", "channel_noise", "channel_digits", "attacker_queries"),
         "audit": ("tasks", "adaptations", "records")}


@dataclass(frozen=True, kw_only=True)
class ComparedStudy:
    """One study of the comparison.

    Attributes:
        key, title: Which.
        family, search, loss, learner: Titles of what it was made from.
        iterations: Meta-iterations of the study.
        seconds: What it took, training and audit; NaN where nobody knows.
        settings: Trained settings that its frontier is made of.
        seeds: Seeds that the intervals rest on.
        volumes: Per leakage the hypervolume as a share of the box, mean over seeds with Student's 95 % interval.
    """

    key: str
    title: str
    family: str
    search: str
    loss: str
    learner: str
    iterations: int
    seconds: float
    settings: int
    seeds: int
    volumes: Mapping[str, Measurement]

    def row(self) -> dict[str, str | float]:
        """The numbers, for a table and for export; NaN where there is none."""
        out: dict[str, str | float] = {"study": self.title, "family": self.family, "search": self.search, "privacy loss": self.loss, "learner": self.learner,
                                       "meta-iterations": self.iterations, "seconds": self.seconds, "settings": self.settings, "seeds": self.seeds}
        for x, m in self.volumes.items():
            name = f"hypervolume, accuracy × {METRICS[x].label}"
            out |= {name: m.value, f"{name}, low": m.low, f"{name}, high": m.high}
        return out | {"id": self.key}


def comparable(a: StudyConfig, b: StudyConfig) -> bool:
    """Whether two studies are judged alike: same kind of tasks, same released output, same audit; they may differ in how they were trained."""
    return all(getattr(getattr(a, part), name) == getattr(getattr(b, part), name) for part, names in _SAME.items() for name in names)


def compared_study(key: str, title: str, config: StudyConfig, summaries: Sequence[Summary], seconds: float = math.nan) -> ComparedStudy:
    """Measure the frontier of one study on every leakage, seed by seed."""
    volumes = {x: interval(np.array(trained_volumes(summaries, config, x)).reshape(-1, 1), low=0.0, high=1.0) for x in LEAKAGES}
    return ComparedStudy(key=key, title=title, family=say(plugin("tasks", config.task.family).title), search=say(plugin("search", config.outer.search).title),
                         loss=say(plugin("privacy", config.privacy.loss).title), learner=say(plugin("meta", config.outer.learner).title), iterations=config.outer.iterations,
                         seconds=seconds, settings=sum(s.setting.kind in TRAINED for s in summaries), seeds=max(m.n for m in volumes.values()), volumes=volumes)


def ranked(studies: Sequence[ComparedStudy]) -> list[ComparedStudy]:
    """By hypervolume on the first leakage, largest first; those without one last, by title."""
    first = LEAKAGES[0]
    return sorted(studies, key=lambda s: (not s.volumes[first].resolved, -s.volumes[first].value if s.volumes[first].resolved else 0.0, s.title))
