"""The numbers of the frontier chart: what stands where, in the units on screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mrp_core.config import StudyConfig
from mrp_core.frontier import attainment, non_dominated, staircase
from mrp_core.intervals import student
from mrp_core.limits import fano
from mrp_core.measurement import METRICS
from mrp_core.results import Summary
from mrp_core.settings import SETTING_KINDS, UNPROTECTED, Setting
from mrp_core.wording import Texts, say

Status = Literal["front", "near", "dominated", "baseline"]
TRAINED = ("lambda", "epsilon", "found")
RELEASES = ("temperature", "rate_distortion")
CHEAP = ("steps", "rate", "head")
INFORMATION = ("mi", "mi_excess", "attribute_mi")
_SEED_DOTS = 240
SIGNS = Texts({"lambda": "λ = ", "epsilon": "ε = ", "temperature": "temperature T = ", "rate_distortion": "rate-distortion β = "})


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One setting: mean and 95 % interval both ways, in units on screen.

    Attributes:
        status: "front": not dominated; "dominated"; "near": dominated on average, but no difference from the front is resolved; "baseline".
    """

    key: str
    label: str
    kind: str
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float
    status: Status


@dataclass(frozen=True, kw_only=True)
class FrontierFrame:
    """All that the frontier chart shows.

    Attributes:
        marks: Settings in order of the study.
        seeds: (x, y) of single seeds of trained settings.
        stairs: Corners of the attained staircase, by x.
        band: Corners of what the least lucky and the most lucky seed attain (with 20 seeds or more: 5 % and 95 % of them); empty with one seed.
        limit: (x, y) of the absolute limit; empty where none is known.
        chance, zero_step: Accuracy of guessing and before adaptation; NaN where unknown.
        x_chance: Leakage at which an attacker only guesses; NaN where there is none.
    """

    x_title: str
    y_title: str
    marks: tuple[Mark, ...]
    seeds: tuple[tuple[float, float], ...]
    stairs: tuple[tuple[float, float], ...]
    band: tuple[tuple[tuple[float, float], ...], ...]
    limit: tuple[tuple[float, float], ...]
    chance: float
    zero_step: float
    x_chance: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def rows(self) -> list[dict[str, str | float]]:
        """The chart as a table, for export."""
        return [{"setting": m.key, "kind": m.kind, "status": m.status, self.x_title: m.x, "x low": m.x_low, "x high": m.x_high,
                 self.y_title: m.y, "y low": m.y_low, "y high": m.y_high} for m in self.marks]


def frontier_frame(summaries: Sequence[Summary], config: StudyConfig, x: str = "mi", y: str = "accuracy") -> FrontierFrame:
    """Arrange the summaries of a study on two metrics.

    Settings for which a metric isn't resolved are left out; so are the baselines that speak of another axis.
    """
    kinds = TRAINED + (RELEASES if x in INFORMATION else CHEAP)
    used = [s for s in summaries if s.setting.kind in kinds and all(m in s.means and s.means[m].resolved for m in (x, y))]
    trained = [s for s in used if s.setting.kind in TRAINED]
    status = _statuses(trained, x, y)
    marks = tuple(_mark(s, x, y, status.get(s.setting, "baseline"), trained_steps=config.inner.steps) for s in used)
    seeds = {s.setting: _seed_dots(s, x, y) for s in trained}
    front = sorted((m.x, m.y) for m in marks if m.status == "front")
    limit = _limit(config, x)
    chance = 100 / config.task.ways if y == "accuracy" else math.nan
    zero = next((s.means["accuracy_0"].value * 100 for s in summaries if s.setting == UNPROTECTED and "accuracy_0" in s.means and y == "accuracy"), math.nan)
    dots = _thinned([dot for group in seeds.values() for dot in group])
    x_chance = METRICS[x].shown(METRICS[x].low) if x not in INFORMATION and METRICS[x].kind == "attack" else math.nan
    x_range, y_range = _ranges(marks, dots, chance, x_chance)
    stairs, band = _corners([p[0] for p in front], [p[1] for p in front]), _band(list(seeds.values()), x_range[1])
    return FrontierFrame(x_title=_title(x), y_title=_title(y), marks=marks, seeds=tuple(dots), stairs=stairs, band=band,
                         limit=limit, chance=chance, zero_step=zero, x_chance=x_chance, x_range=x_range, y_range=y_range)


def setting_label(setting: Setting, about: str = "") -> str:
    """Words for a setting, e.g. "λ = 0.6", "ε = 3", "head only, no noise"; ``about`` is what a found one stands for, where that is known."""
    if setting.kind == "found":
        return say("found {n:g}").format(n=setting.value) + (f": {about}" if about else "")
    if setting.kind == "epsilon" and math.isinf(setting.value):
        return say("head only, no noise")
    if setting == UNPROTECTED:
        return say("λ = 0, unprotected")
    if setting.kind in SIGNS:
        return f"{SIGNS[setting.kind]}{setting.value:g}"
    if setting.kind == "steps":
        return say("{n:g} inner step" if setting.value == 1 else "{n:g} inner steps").format(n=setting.value)
    return say("head only") if setting.kind == "head" else f"{say(SETTING_KINDS[setting.kind])} × {setting.value:g}"


def _title(metric: str) -> str:
    spec = METRICS[metric]
    return f"{spec.label}, {say(spec.unit)}" if spec.unit else spec.label


def _mark(s: Summary, x: str, y: str, status: Status, *, trained_steps: int) -> Mark:
    mx, my, ux, uy = s.means[x], s.means[y], METRICS[x].shown, METRICS[y].shown
    longer = s.setting.kind == "steps" and s.setting.value > trained_steps
    return Mark(key=s.setting.key, label=setting_label(s.setting, s.about), kind="longer" if longer else s.setting.kind, x=ux(mx.value), x_low=ux(mx.low), x_high=ux(mx.high),
                y=uy(my.value), y_low=uy(my.low), y_high=uy(my.high), status=status)


def _statuses(trained: Sequence[Summary], x: str, y: str) -> dict[Setting, Status]:
    if not trained:
        return {}
    mask = non_dominated([s.means[x].value for s in trained], [s.means[y].value for s in trained])
    front = [s for s, keep in zip(trained, mask, strict=True) if keep]
    out: dict[Setting, Status] = {}
    for s, keep in zip(trained, mask, strict=True):
        better = [f for f in front if f.means[x].value <= s.means[x].value and f.means[y].value >= s.means[y].value]
        sure = any(_differ(f.seeds[x], s.seeds[x]) or _differ(f.seeds[y], s.seeds[y]) for f in better)
        out[s.setting] = "front" if keep else "dominated" if sure else "near"
    return out


def _differ(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether paired per-seed means differ: Student's t at 95 %."""
    n = min(len(a), len(b))
    d = [p - q for p, q in zip(a, b, strict=False)]
    if n < 2 or any(math.isnan(v) for v in d):
        return False
    mean = sum(d) / n
    spread = math.sqrt(sum((v - mean) ** 2 for v in d) / (n - 1) / n)
    return abs(mean) > student(0.95, n - 1) * spread


def _seed_dots(s: Summary, x: str, y: str) -> list[tuple[float, float]]:
    return [(METRICS[x].shown(a), METRICS[y].shown(b)) for a, b in zip(s.seeds[x], s.seeds[y], strict=True) if not (math.isnan(a) or math.isnan(b))]


def _thinned(dots: list[tuple[float, float]]) -> list[tuple[float, float]]:
    every = -(-len(dots) // _SEED_DOTS) if dots else 1
    return dots[::every]


def _corners(leakage: Sequence[float], utility: Sequence[float], until: float | None = None) -> tuple[tuple[float, float], ...]:
    return tuple((float(a), float(b)) for a, b in staircase(leakage, utility, until=until))


def _band(per_setting: Sequence[Sequence[tuple[float, float]]], until: float) -> tuple[tuple[tuple[float, float], ...], ...]:
    count = min((len(dots) for dots in per_setting), default=0)
    if count < 2:
        return ()
    runs = [list(zip(*(dots[i] for dots in per_setting), strict=True)) for i in range(count)]
    surfaces = attainment([run[0] for run in runs], [run[1] for run in runs], (95.0, 5.0))
    least, most = (_corners(s[:, 0].tolist(), s[:, 1].tolist(), until) for s in surfaces.values())
    if not least:
        return ()
    start = least[0][0]
    reached = max((y for x, y in most if x <= start), default=least[0][1])
    return least, ((start, reached), *(p for p in most if p[0] > start))


def _limit(config: StudyConfig, x: str) -> tuple[tuple[float, float], ...]:
    """Fano's least I(X;Ŷ) for each accuracy; known for balanced classes and the sampled label only."""
    if x != "mi" or config.privacy.channel != "sampled_label":
        return ()
    ways = config.task.ways
    accuracies = [1 / ways + (1 - 1 / ways) * i / 100 for i in range(101)]
    return tuple((METRICS["mi"].shown(float(least)), 100 * a) for least, a in zip(fano(accuracies, ways), accuracies, strict=True))


def _ranges(marks: Sequence[Mark], dots: Sequence[tuple[float, float]], chance: float, x_chance: float) -> tuple[tuple[float, float], tuple[float, float]]:
    xs = [v for m in marks for v in (m.x, m.x_low, m.x_high) if math.isfinite(v)] + [d[0] for d in dots]
    ys = [v for m in marks for v in (m.y, m.y_low, m.y_high) if math.isfinite(v)] + [d[1] for d in dots]
    xs = xs or [0.0, 1.0]
    ys = [*(ys or [0.0, 100.0]), *([chance] if math.isfinite(chance) else [])]
    floor = x_chance if math.isfinite(x_chance) else 0.0
    low, high = min([*xs, floor]), max(xs)
    pad_x, pad_y = max(0.05 * (high - low), 1e-3), max(0.06 * (max(ys) - min(ys)), 1.0)
    return (low - (pad_x if math.isfinite(x_chance) else 0.0), high + pad_x), (max(0.0, min(ys) - pad_y), min(102.0, max(ys) + pad_y))
