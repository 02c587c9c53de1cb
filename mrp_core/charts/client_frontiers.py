"""The frontier of each held-out client, in the units on screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrp_core.charts.clients import ClientPoints, Table
from mrp_core.charts.frontier import setting_label
from mrp_core.intervals import interval
from mrp_core.measurement import METRICS
from mrp_core.settings import Setting
from mrp_core.wording import say

POOLED = "all held-out tasks"


@dataclass(frozen=True, kw_only=True)
class ClientLine:
    """Settings of one kind along one client, from accurate to private: keys, labels, and both metrics in units on screen with their intervals, (value, low, high)."""

    name: str
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    x: tuple[tuple[float, float, float], ...]
    y: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class ClientFrontiers:
    """Accuracy against leakage of each client; ``pooled`` is that of all held-out tasks, which stands behind each of them."""

    x_title: str
    y_title: str
    lines: tuple[ClientLine, ...]
    pooled: ClientLine

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"client": line.name, "setting": key, self.x_title: x[0], "x low": x[1], "x high": x[2], self.y_title: y[0], "y low": y[1], "y high": y[2]}
                for line in (self.pooled, *self.lines) for key, x, y in zip(line.keys, line.x, line.y, strict=True)]


def client_frontiers(clients: ClientPoints, kind: str, x: str = "lira_auc") -> ClientFrontiers:
    """Walk along the settings of a kind ("lambda" or "epsilon"), for each client and for all held-out tasks.

    Args:
        clients: See :func:`client_points`.
        kind: Which settings.
        x: Leakage.
    """
    settings = sorted({s for s, _ in clients.points if s.kind == kind}, reverse=kind == "epsilon")
    tables = [(s, clients.table(s, x), clients.table(s, "accuracy")) for s in settings]
    lines = tuple(_line(name, [(s, a[:, k:k + 1], b[:, k:k + 1]) for s, a, b in tables], x) for k, name in enumerate(clients.names))
    pooled = _line(POOLED, [(s, clients.pooled(s, x), clients.pooled(s, "accuracy")) for s in settings], x)
    title = lambda m: f"{METRICS[m].label}, {say(METRICS[m].unit)}" if METRICS[m].unit else METRICS[m].label  # noqa: E731
    return ClientFrontiers(x_title=title(x), y_title=title("accuracy"), lines=lines, pooled=pooled)


def _line(name: str, measured: Sequence[tuple[Setting, Table, Table]], x: str) -> ClientLine:
    """Settings at which both metrics are resolved; seeds without a client don't count for it."""
    found = [(s, _ends(a, x), _ends(b, "accuracy")) for s, a, b in measured]
    found = [f for f in found if not (math.isnan(f[1][0]) or math.isnan(f[2][0]))]
    return ClientLine(name=name, keys=tuple(s.key for s, _, _ in found), labels=tuple(setting_label(s) for s, _, _ in found), x=tuple(a for _, a, _ in found), y=tuple(b for _, _, b in found))


def _ends(table: Table, metric: str) -> tuple[float, float, float]:
    m, spec = interval(table[~np.isnan(table).all(1)], low=0.0, high=METRICS[metric].high), METRICS[metric]
    return spec.shown(m.value), spec.shown(m.low), spec.shown(m.high)
