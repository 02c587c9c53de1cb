"""What a study has measured: points per setting and seed, curves, and their summary over seeds. Needs numpy only."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import UNPROTECTED, Setting
from mrp_core.measurement import METRICS, Measurement

RESAMPLES = 1000


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
        notes: Per metric why it is not resolved, or what else to say.
    """

    setting: Setting
    seed: int
    values: dict[str, tuple[float, ...]]
    notes: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Compact JSON; NaN becomes null."""
        values = {k: [None if math.isnan(x) else float(f"{x:.5g}") for x in v] for k, v in self.values.items()}
        return json.dumps({"setting": self.setting.key, "seed": self.seed, "values": values, "notes": self.notes}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Point:
        """Inverse of :meth:`to_json`."""
        raw = json.loads(text)
        values = {k: tuple(math.nan if x is None else float(x) for x in v) for k, v in raw["values"].items()}
        return cls(setting=Setting.from_key(raw["setting"]), seed=int(raw["seed"]), values=values, notes=raw["notes"])


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
        """Compact JSON with four significant digits."""
        raw = asdict(self)
        raw["setting"] = self.setting.key if self.setting else None
        for k in ("x", "y", "low", "high"):
            raw[k] = [float(f"{v:.4g}") if math.isfinite(v) else None for v in raw[k]]
        return json.dumps(raw, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Curve:
        """Inverse of :meth:`to_json`."""
        raw: dict[str, Any] = json.loads(text)
        lines = {k: tuple(math.nan if v is None else float(v) for v in raw[k]) for k in ("x", "y", "low", "high")}
        return cls(setting=Setting.from_key(raw["setting"]) if raw["setting"] else None, name=raw["name"], note=raw["note"], **lines)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A setting over all its seeds: the mean of each metric with its interval, and the paired difference from λ = 0.

    Attributes:
        means: Metric -> mean over seeds and tasks, with a bootstrap interval over seeds, then tasks.
        differences: Metric -> mean paired difference (same seed, same task) from the unprotected setting, with its own interval.
        seeds: Metric -> mean of each seed, in order.
    """

    setting: Setting
    means: dict[str, Measurement]
    differences: dict[str, Measurement]
    seeds: dict[str, tuple[float, ...]]


def grid(points: list[Point], metric: str) -> NDArray[np.float64]:
    """Values of one setting as float64 [seeds, tasks], seeds in ascending order."""
    return np.array([p.values[metric] for p in sorted(points, key=lambda p: p.seed)], dtype=np.float64)


def interval(values: NDArray[np.float64], *, resamples: int = RESAMPLES, level: float = 0.95, note: str = "") -> Measurement:
    """Mean of [seeds, tasks] with a percentile interval of a bootstrap over seeds, then over tasks within a seed (two-stage).

    With one seed only tasks are drawn; with one value there is no interval, and low and high are NaN.
    """
    if values.size == 0 or np.isnan(values).any():
        return Measurement(value=math.nan, low=math.nan, high=math.nan, n=0, note=note or "not resolved")
    if values.size == 1:
        return Measurement(value=float(values[0, 0]), low=math.nan, high=math.nan, n=1, note=note or "one value has no interval")
    draws = _resampling(*values.shape, resamples) @ values.ravel()
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Measurement(value=float(values.mean()), low=float(low), high=float(high), n=values.size, note=note)


@functools.lru_cache(maxsize=32)
def _resampling(seeds: int, tasks: int, resamples: int) -> NDArray[np.float64]:
    """Weights [resamples, seeds x tasks] of a two-stage bootstrap: every mean of one shape is resampled alike, by one product."""
    rng = np.random.default_rng(0)
    s = rng.integers(0, seeds, (resamples, seeds, 1))
    t = rng.integers(0, tasks, (resamples, seeds, tasks))
    flat = (s * tasks + t).reshape(resamples, -1) + np.arange(resamples)[:, None] * (seeds * tasks)
    counts = np.bincount(flat.ravel(), minlength=resamples * seeds * tasks)
    return counts.reshape(resamples, -1) / (seeds * tasks)


def summarise(points: list[Point], *, comparisons: int = 1) -> list[Summary]:
    """Summaries of all settings, sorted; differences are paired by seed and task.

    Args:
        points: Points of one study.
        comparisons: How many settings are looked at together: intervals of differences are at level 1 - 0.05 / comparisons (Bonferroni).
    """
    by_setting: dict[Setting, list[Point]] = {}
    for p in points:
        by_setting.setdefault(p.setting, []).append(p)
    base = {p.seed: p for p in by_setting.get(UNPROTECTED, [])}
    level = 1 - 0.05 / max(1, comparisons)
    return [_summary(setting, group, base, level) for setting, group in sorted(by_setting.items())]


def _summary(setting: Setting, group: list[Point], base: dict[int, Point], level: float) -> Summary:
    metrics = [m for m in METRICS if all(m in p.values for p in group)]
    paired = [p for p in group if p.seed in base]
    means, differences, seeds = {}, {}, {}
    for m in metrics:
        values = grid(group, m)
        means[m] = interval(values, note=group[0].notes.get(m, ""))
        seeds[m] = tuple(values.mean(1).tolist())
        if paired and setting != UNPROTECTED and all(m in base[p.seed].values for p in paired):
            differences[m] = interval(grid(paired, m) - grid([base[p.seed] for p in paired], m), resamples=4 * RESAMPLES, level=level)
    return Summary(setting=setting, means=means, differences=differences, seeds=seeds)
