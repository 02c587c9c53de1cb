"""Each held-out client by itself: where it is in a study's points, and whether accuracy, and what privacy takes of it, are the same for all."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.charts.frontier import setting_label
from mrp_core.config import StudyConfig
from mrp_core.intervals import interval, simultaneous_level
from mrp_core.measurement import Measurement
from mrp_core.registry import plugin
from mrp_core.results import Point, grid
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.taskdata import held_out_names

Table = NDArray[np.float64]
"""One metric by seed and client, NaN where a client wasn't measured."""


@dataclass(frozen=True, kw_only=True)
class ClientPoints:
    """The points of a study, and where each client is in them.

    Attributes:
        points: By setting and seed.
        seeds: Ascending.
        places: Per client and seed the places of its values; a client may be adapted several times in a seed, or not at all.
    """

    points: Mapping[tuple[Setting, int], Point]
    seeds: tuple[int, ...]
    places: Mapping[str, Mapping[int, tuple[int, ...]]]

    @property
    def names(self) -> tuple[str, ...]:
        """Clients, by name."""
        return tuple(self.places)

    def table(self, setting: Setting, metric: str) -> Table:
        """A metric of each client, the mean of its adaptations, float64 [seeds, clients]; NaN where it wasn't measured."""
        out = np.full((len(self.seeds), len(self.places)), np.nan)
        for (i, seed), (k, places) in itertools.product(enumerate(self.seeds), enumerate(self.places.values())):
            point = self.points.get((setting, seed))
            if point is not None and metric in point.values and seed in places:
                out[i, k] = np.mean([point.values[metric][p] for p in places[seed]])
        return out

    def pooled(self, setting: Setting, metric: str) -> Table:
        """A metric of all held-out tasks as they come, float64 [seeds, tasks], as every other page has it."""
        found = [p for seed in self.seeds if (p := self.points.get((setting, seed))) is not None]
        return grid(found, metric) if found and all(metric in p.values for p in found) else np.empty((0, 0))


@dataclass(frozen=True, kw_only=True)
class Client:
    """One client at one setting.

    Attributes:
        accuracy, base: At the setting and at λ = 0, 95 % over seeds.
        change: Paired difference of the two; the intervals of all clients hold at once.
        excess: The same less the mean change of all clients: below zero where privacy costs this client more.
        seeds: Seeds in which it was measured.
    """

    name: str
    accuracy: Measurement
    base: Measurement
    change: Measurement
    excess: Measurement
    seeds: int


@dataclass(frozen=True, kw_only=True)
class FairnessFrame:
    """Accuracy across clients at one setting.

    Attributes:
        label: Words for the setting.
        clients: From the most to the least accurate.
        mean, base_mean: Over clients, 95 % over seeds.
        change: Paired difference of the two.
        spread, base_spread: Standard deviation across clients of their mean accuracies, at the setting and at λ = 0, by the jackknife over seeds.
        gap: Accuracy of the best client less that of the worst, paired by seed. Both were picked by looking, so its interval is that which holds for all pairs at once.
    """

    label: str
    clients: tuple[Client, ...]
    mean: Measurement
    base_mean: Measurement
    change: Measurement
    spread: Measurement
    base_spread: Measurement
    gap: Measurement

    @property
    def hardest(self) -> Client:
        """The client that loses most against the mean."""
        return min(self.clients, key=lambda c: c.excess.value if c.excess.resolved else 0.0)

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export, in per cent."""
        parts = ("accuracy", "base", "change", "excess")
        titles = {"accuracy": "accuracy, %", "base": "accuracy at λ = 0, %", "change": "change, points", "excess": "change beyond the mean change, points"}
        return [{"client": c.name, "setting": self.label, "seeds": c.seeds, **{f"{titles[p]}{end}": 100 * getattr(getattr(c, p), key) for p in parts
                 for end, key in (("", "value"), (" low", "low"), (" high", "high"))}} for c in self.clients]


def client_points(points: Sequence[Point], config: StudyConfig) -> ClientPoints | None:
    """Find the clients of a study in its points; None where it has none.

    A client is a held-out task of a mode "site" that at least two seeds measured under one name, in records that aren't made up anew for each seed; there must be two.
    Points from before names were kept have them by drawing the held-out tasks once more.

    Raises:
        DataError: If that is needed and the family can't be built.
    """
    if not config.task.mode.startswith("site") or plugin("tasks", config.task.family).simulated:
        return None
    by = {(p.setting, p.seed): p for p in points}
    seeds = tuple(sorted({p.seed for p in points}))
    kept = {p.seed: p.tasks for p in points if p.tasks}
    names = {seed: kept.get(seed) or held_out_names(config, seed) for seed in seeds} if len(seeds) > 1 else {}
    places: dict[str, dict[int, tuple[int, ...]]] = {}
    for seed, order in names.items():
        for name in order:
            places.setdefault(name, {})[seed] = tuple(i for i, other in enumerate(order) if other == name)
    found = {name: places[name] for name in sorted(places) if len(places[name]) > 1}
    return ClientPoints(points=by, seeds=seeds, places=found) if len(found) > 1 else None


def fairness_frame(clients: ClientPoints, setting: Setting) -> FairnessFrame:
    """Compare the clients at a setting with one another and with λ = 0."""
    at, base = clients.table(setting, "accuracy"), clients.table(UNPROTECTED, "accuracy")
    change = at - base
    excess = change - _row_means(change)
    levels = _level(change), _level(excess)
    made = [Client(name=name, accuracy=_over_seeds(at[:, k], low=0.0), base=_over_seeds(base[:, k], low=0.0), change=_over_seeds(change[:, k], level=levels[0]),
                   excess=_over_seeds(excess[:, k], level=levels[1]), seeds=int((~np.isnan(at[:, k])).sum())) for k, name in enumerate(clients.names)]
    ranked = sorted((c for c in made if c.accuracy.resolved), key=lambda c: -c.accuracy.value)
    return FairnessFrame(label=setting_label(setting), clients=tuple(ranked), mean=_over_seeds(_row_means(at)[:, 0], low=0.0), base_mean=_over_seeds(_row_means(base)[:, 0], low=0.0),
                         change=_over_seeds(_row_means(change)[:, 0]), spread=_spread(at), base_spread=_spread(base), gap=_gap(at))


def _row_means(table: Table) -> Table:
    """Mean over the clients of a seed, [seeds, 1]; NaN unless all were measured, since the mean of some isn't that of all."""
    return table.mean(1, keepdims=True)


def _over_seeds(values: NDArray[np.float64], *, level: float = 0.95, low: float = -1.0) -> Measurement:
    return interval(values[~np.isnan(values)].reshape(-1, 1), level=level, low=low, high=1.0)


def _level(table: Table) -> float:
    """Level at which the interval of each column must be taken so that all hold at once: by the seeds that have all of them, or Bonferroni's."""
    whole = table[~np.isnan(table).any(1)]
    return simultaneous_level(whole[:, None, :]) if len(whole) > 1 else 1 - 0.05 / table.shape[1]


def _spread(table: Table) -> Measurement:
    """Standard deviation across clients of their means over seeds; the jackknife (Efron & Stein 1981) takes off what noise adds to it, and gives the interval."""
    whole = table[~np.isnan(table).any(1)]
    n = len(whole)
    if n < 2:
        return interval(np.array([[whole.mean(0).std(ddof=1)]]) if n else np.empty((0, 1)))
    left_out = np.array([np.delete(whole, i, 0).mean(0).std(ddof=1) for i in range(n)])
    pseudo = n * whole.mean(0).std(ddof=1) - (n - 1) * left_out
    found = interval(pseudo.reshape(-1, 1), low=0.0)
    return found if found.value >= 0 else Measurement(value=0.0, low=0.0, high=max(0.0, found.high), n=found.n)


def _gap(table: Table) -> Measurement:
    if np.isnan(table).all(0).any():
        return interval(np.empty((0, 1)))
    means = np.nanmean(table, 0)
    pairs = np.stack([table[:, a] - table[:, b] for a, b in itertools.combinations(range(table.shape[1]), 2)], 1)
    return _over_seeds(table[:, means.argmax()] - table[:, means.argmin()], level=_level(pairs))
