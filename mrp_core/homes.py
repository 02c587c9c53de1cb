"""A simulated smart home: hours of hidden habits, what the sensors show of them, and what they betray of the household."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ACTIVITIES = ("sleep", "away", "cooking", "leisure")
SENSORS = ("log power", "motion in the kitchen", "motion in the living room", "motion in the bedroom", "door", "CO2", "temperature", "light",
           "hour (sine)", "hour (cosine)", "weekend")
MISLOGGED = 0.10
CHILD, LIVELY = 0.19, 0.13
"""How much more of power, motion, CO2 and doors there is in a home with a child, as a share; and how homes differ in that anyway, as the deviation of the logarithm."""
_SLEEP, _AWAY, _COOKING, _LEISURE = range(4)
_MOTION = np.array([[0.05, 0.05, 0.8], [0.02, 0.04, 0.02], [3.0, 0.9, 0.2], [0.6, 2.4, 0.6]])
"""Movements in kitchen, living room and bedroom in an hour of each activity."""
_WATTS = np.array([30.0, 10.0, 900.0, 160.0])
_LAMP = np.array([0.03, 0.02, 0.8, 0.7])

_Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class HomeLog:
    """What was drawn, hour by hour.

    Attributes:
        sensors: In the order of :data:`SENSORS`, float64 [homes, days, 24, 11].
        activity: The one that the household logged, a number in :data:`ACTIVITIES`, int64 [homes, days, 24].
        shown: The one that happened, and that the sensors show; another than the logged one in about a tenth of the hours.
        child, shift: Whether a child lives there, whether somebody works in shifts, bool [homes].
    """

    sensors: NDArray[np.float64]
    activity: NDArray[np.int64]
    shown: NDArray[np.int64]
    child: NDArray[np.bool_]
    shift: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Habits:
    """Of each home, [homes] each: hours of the day, shares of days, and multipliers of what its sensors read."""

    child: NDArray[np.bool_]
    shift: NDArray[np.bool_]
    wake: _Array
    bed: _Array
    leave: _Array
    back: _Array
    dinner: _Array
    works: _Array
    outings: _Array
    lively: _Array
    watts: _Array
    motion: _Array
    air: _Array
    heating: _Array
    noise: _Array


@functools.lru_cache(maxsize=4)
def simulated_homes(homes: int, days: int, seed: int) -> HomeLog:
    """Draw a log; equal arguments give the same one, which must not be written to.

    A home's habits (when its people wake, leave, return, dine and go to bed, on which days they work, what its appliances take, how its sensors
    read) are drawn first, then its hours, then what the sensors show. CO2 builds up while somebody is at home and is carried over from hour to
    hour. A shift worker's home lives 11 hours later in every second week.
    """
    rng = np.random.default_rng([seed, homes, days, 22])
    habits = _habits(homes, rng)
    shown = _hours(habits, days, rng)
    log = HomeLog(sensors=_sensors(habits, shown, rng), activity=_logged(shown, rng), shown=shown, child=habits.child, shift=habits.shift)
    for array in (log.sensors, log.activity, log.shown, log.child, log.shift):
        array.flags.writeable = False
    return log


def _habits(homes: int, rng: np.random.Generator) -> _Habits:
    about = lambda mean, spread, low, high: rng.normal(mean, spread, homes).clip(low, high)  # noqa: E731
    child, back = rng.permutation(homes) < round(0.4 * homes), about(17.2, 1.0, 14, 19)
    return _Habits(child=child, shift=rng.random(homes) < 0.15, wake=about(6.9, 0.8, 5, 9), bed=about(22.9, 0.7, 21, 24), leave=about(8.6, 0.6, 7, 10),
                   back=back, dinner=np.maximum(about(18.9, 0.8, 17, 21), back + 1), works=about(0.75, 0.2, 0.2, 1.0), outings=about(0.08, 0.02, 0.05, 0.15),
                   lively=np.exp(rng.normal(0, LIVELY, homes)), watts=np.exp(rng.normal(0, 0.35, homes)), motion=np.exp(rng.normal(0, 0.3, homes)), air=np.exp(rng.normal(0, 0.25, homes)),
                   heating=about(1.0, 0.4, 0.0, 2.5), noise=np.exp(rng.normal(0, 0.2, homes)))


def _hours(h: _Habits, days: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """What happens in each hour, [homes, days, 24]."""
    size, day = (len(h.wake), days, 24), np.arange(days)
    of = lambda habit, spread=0.5: habit[:, None, None] + rng.normal(0, spread, (*size[:2], 1))  # noqa: E731
    late = 11.0 * (h.shift[:, None] & (day // 7 % 2 == 1))[..., None]
    hour = (np.arange(24) + 0.5 - late) % 24
    works = (rng.random(size[:2]) < h.works[:, None]) & (day % 7 < 5)
    out = rng.random(size) < h.outings[:, None, None]
    out |= np.roll(out, 1, axis=2)
    dinner, cooks = of(h.dinner), rng.random((*size[:2], 3)) < (0.95, 0.75, 0.6)
    wake, free = of(h.wake), ~works[..., None]
    meals = (np.abs(hour - dinner) < 0.75) & cooks[..., :1] | (np.abs(hour - 12.5) < 0.75) & cooks[..., 1:2] & free | (np.abs(hour - wake - 0.6) < 0.5) & cooks[..., 2:]
    happens = np.where(meals, _COOKING, np.where(out, _AWAY, _LEISURE))
    happens = np.where(~free & (hour >= of(h.leave, 0.3)) & (hour < of(h.back)), _AWAY, happens)
    return np.where((hour < wake) | (hour >= of(h.bed)), _SLEEP, happens).astype(np.int64)


def _logged(shown: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """The household's own log: in about a tenth of the hours another activity, each as often as it is in that home."""
    share = np.stack([(shown == a).mean((1, 2)) for a in range(4)], axis=-1)
    keys = np.log(share + 1e-9)[:, None, None, :] + rng.gumbel(size=(*shown.shape, 4))
    other = np.where(np.arange(4) == shown[..., None], -np.inf, keys).argmax(-1)
    return np.where(rng.random(shown.shape) < MISLOGGED, other, shown).astype(np.int64)


def _sensors(h: _Habits, shown: NDArray[np.int64], rng: np.random.Generator) -> _Array:
    """Readings [homes, days, 24, 11]."""
    each = lambda habit: habit[:, None, None]  # noqa: E731
    home, more = shown != _AWAY, h.lively * (1.0 + CHILD * h.child)
    noise = lambda spread: spread * each(h.noise) * rng.standard_normal(shown.shape)  # noqa: E731
    power = np.log(each(h.watts * more) * (80.0 + _WATTS[shown])) + noise(0.55)
    rates = _MOTION[shown] * each(h.motion * more)[..., None] * rng.gamma(2.0, 0.5, (*shown.shape, 1))
    motion = np.log1p(rng.poisson(rates + 0.15))
    moved = home != np.roll(home.reshape(len(home), -1), 1, axis=1).reshape(home.shape)
    door = np.log1p(rng.poisson(0.25 * each(more) * home + 0.9 * moved))
    hour, weekend = np.arange(24), np.broadcast_to((np.arange(shown.shape[1]) % 7 >= 5)[:, None], shown.shape)
    daylight = np.clip(np.sin((hour - 6.5) / 12 * np.pi), 0, None)
    co2 = _air(home * each(h.air * more) * np.where(shown == _SLEEP, 0.8, 1.0)) + noise(0.25)
    warmth = 18.5 + each(h.heating) * home + 1.2 * daylight + noise(0.6)
    light = 0.8 * daylight + _LAMP[shown] * (1 - 0.7 * daylight) + noise(0.25)
    angle = 2 * np.pi * (hour + 0.5) / 24
    clock = [np.broadcast_to(v, shown.shape) for v in (np.sin(angle), np.cos(angle))]
    return np.stack([power, *np.moveaxis(motion, -1, 0), door, co2, warmth, light, *clock, weekend.astype(np.float64)], axis=-1)


def _air(source: _Array) -> _Array:
    """CO2 in units of what a full house settles at: each hour keeps 0.6 of the last one's, [homes, days, 24]."""
    flat = source.reshape(len(source), -1)
    level, out = flat.mean(1), np.empty_like(flat)
    for t in range(flat.shape[1]):
        level = 0.6 * level + 0.4 * flat[:, t]
        out[:, t] = level
    return out.reshape(source.shape)
