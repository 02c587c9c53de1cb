"""What a study has measured: points per setting and seed, curves, and their summary over seeds. Needs numpy only."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrp_core.intervals import interval, simultaneous_level
from mrp_core.measurement import METRICS, Measurement
from mrp_core.settings import UNPROTECTED, Setting


class StudyState(StrEnum):
    """Where a study stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One setting of one seed, measured on the held-out tasks.

    Attributes:
        setting, seed: What was measured.
        values: Per metric the value of each held-out task, in the metric's own unit; NaN where not resolved.
        notes: Per metric why it is not resolved, or what else to say; under "setting" what a setting found by a search stands for.
        tasks: Names of the held-out tasks, in the order of the values; empty in points from before they were kept.
    """

    setting: Setting
    seed: int
    values: dict[str, tuple[float, ...]]
    notes: dict[str, str] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Compact JSON; NaN becomes null."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold, with five significant digits."""
        values = {k: [None if math.isnan(x) else float(f"{x:.5g}") for x in v] for k, v in self.values.items()}
        return {"setting": self.setting.key, "seed": self.seed, "values": values, "notes": self.notes, **({"tasks": list(self.tasks)} if self.tasks else {})}

    @classmethod
    def from_json(cls, text: str) -> Point:
        """Inverse of :meth:`to_json`."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Point:
        """Inverse of :meth:`to_dict`."""
        values = {k: tuple(math.nan if x is None else float(x) for x in v) for k, v in raw["values"].items()}
        return cls(setting=Setting.from_key(raw["setting"]), seed=int(raw["seed"]), values=values, notes=raw["notes"], tasks=tuple(map(str, raw.get("tasks", ()))))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line with a 95 % band, e.g. the ROC of one setting over all seeds and tasks.

    Attributes:
        setting: The setting, or None for a training curve.
        name: "roc:lira" | "roc:lira_t" | "roc:threshold" | "train:..." .
        x, y, low, high: Equally long.
        note: Convention and floor, e.g. "step convention; not resolved below 0.06 %".
    """

    setting: Setting | None
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    note: str = ""

    def to_json(self) -> str:
        """Compact JSON of :meth:`to_dict`."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold, with four significant digits."""
        raw = asdict(self)
        raw["setting"] = self.setting.key if self.setting else None
        for k in ("x", "y", "low", "high"):
            raw[k] = [float(f"{v:.4g}") if math.isfinite(v) else None for v in raw[k]]
        return raw

    @classmethod
    def from_json(cls, text: str) -> Curve:
        """Inverse of :meth:`to_json`."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Curve:
        """Inverse of :meth:`to_dict`."""
        lines = {k: tuple(math.nan if v is None else float(v) for v in raw[k]) for k in ("x", "y", "low", "high")}
        return cls(setting=Setting.from_key(raw["setting"]) if raw["setting"] else None, name=raw["name"], note=raw["note"], **lines)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A setting over all its seeds: the mean of each metric with its interval, and the paired difference from λ = 0.

    Attributes:
        means: Metric -> mean over seeds and tasks, with its interval.
        differences: Metric -> mean paired difference (same seed, same task) from the unprotected setting, with its own interval.
        seeds: Metric -> mean of each seed, in order.
        about: What a setting found by a search stands for, or "".
    """

    setting: Setting
    means: dict[str, Measurement]
    differences: dict[str, Measurement]
    seeds: dict[str, tuple[float, ...]]
    about: str = ""


def grid(points: list[Point], metric: str) -> NDArray[np.float64]:
    """Values of one setting as float64 [seeds, tasks], seeds in ascending order."""
    return np.array([p.values[metric] for p in sorted(points, key=lambda p: p.seed)], dtype=np.float64)


def summarise(points: list[Point], *, together: bool = False) -> list[Summary]:
    """Summaries of all settings, sorted; differences are paired by seed and task.

    Args:
        points: Points of one study.
        together: Whether the intervals of a metric's differences hold for all settings at once, as they must where a person picks among them
            (:func:`mrp_core.intervals.simultaneous_level`); otherwise each is at 95 % by itself.
    """
    by_setting: dict[Setting, list[Point]] = {}
    for p in points:
        by_setting.setdefault(p.setting, []).append(p)
    pairs = {s: _differences(group, by_setting.get(UNPROTECTED, [])) for s, group in by_setting.items() if s != UNPROTECTED}
    levels = _levels(list(pairs.values())) if together else {}
    return [_summary(setting, group, pairs.get(setting, {}), levels) for setting, group in sorted(by_setting.items())]


def _differences(group: list[Point], unprotected: list[Point]) -> dict[str, NDArray[np.float64]]:
    """Per metric the differences of a setting from λ = 0, [seeds in both, tasks]."""
    base = {p.seed: p for p in unprotected}
    paired = [p for p in group if p.seed in base]
    if not paired:
        return {}
    return {m: grid(paired, m) - grid([base[p.seed] for p in paired], m) for m in METRICS if all(m in p.values and m in base[p.seed].values for p in paired)}


def _levels(pairs: list[dict[str, NDArray[np.float64]]]) -> dict[str, float]:
    """Per metric the level of each interval so that those of all settings hold together; settings measured in other seeds than most don't count."""
    out = {}
    for m in METRICS:
        found = [d[m] for d in pairs if m in d and not np.isnan(d[m]).any()]
        shapes = [d.shape for d in found]
        common = max(set(shapes), key=shapes.count, default=None)
        if common is not None:
            out[m] = simultaneous_level(np.stack([d for d in found if d.shape == common], -1))
    return out


def _summary(setting: Setting, group: list[Point], pairs: dict[str, NDArray[np.float64]], levels: dict[str, float]) -> Summary:
    metrics = [m for m in METRICS if all(m in p.values for p in group)]
    values = {m: grid(group, m) for m in metrics}
    means = {m: interval(v, low=0.0, high=METRICS[m].high, note=group[0].notes.get(m, "")) for m, v in values.items()}
    reach = {m: METRICS[m].high - min(0.0, METRICS[m].low) for m in pairs}  # no two values lie farther apart
    differences = {m: interval(d, low=-reach[m], high=reach[m], level=levels.get(m, 0.95)) for m, d in pairs.items() if m in means}
    return Summary(setting=setting, means=means, differences=differences, seeds={m: tuple(v.mean(1).tolist()) for m, v in values.items()},
                   about=group[0].notes.get("setting", ""))
