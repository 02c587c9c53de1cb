"""Summaries and curves made by hand, so that every number on a chart is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mrp_core.measurement import Measurement
from mrp_core.results import Curve, Summary
from mrp_core.settings import Setting

BIT = math.log(2)


def summary(key: str, **metrics: float | Sequence[float]) -> Summary:
    """A setting with its per-seed means; intervals reach 0.01 to both sides."""
    seeds = {name: tuple(v) if isinstance(v, Sequence) else (float(v),) for name, v in metrics.items()}
    return Summary(setting=Setting.from_key(key), means={name: measured(sum(v) / len(v)) for name, v in seeds.items()}, differences={}, seeds=seeds)


def measured(value: float, note: str = "") -> Measurement:
    return Measurement(value=value, low=value - 0.01, high=value + 0.01, n=6, note=note)


def curve(key: str, tpr: Mapping[float, float], attack: str = "lira") -> Curve:
    """A ROC with a band of half and twice the rate."""
    return Curve(setting=Setting.from_key(key), name=f"roc:{attack}", x=tuple(tpr), y=tuple(tpr.values()), low=tuple(v / 2 for v in tpr.values()),
                 high=tuple(min(1.0, 2 * v) for v in tpr.values()))
