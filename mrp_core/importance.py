"""Which knobs tell good studies from the rest: what varied among them, and PED-ANOVA's share of each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mrp_core.config import StudyConfig
from mrp_core.errors import DataError
from mrp_core.knobs import Knob, knobs_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

MINIMUM = 10
"""Fewest studies whose knobs are weighed: the better half must hold five, as Optuna asks for."""
Value = float | str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Varied:
    """A knob that isn't the same in all studies.

    Attributes:
        name: Its part and field, e.g. ``outer.iterations``.
        knob: Its words.
        values: One a study: a number, or text for choices, switches and lists.
    """

    name: str
    knob: Knob
    values: tuple[Value, ...]

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return all(isinstance(v, float) for v in self.values)

    @property
    def logarithmic(self) -> bool:
        """Whether its slider spaces values by factors, and all are positive."""
        return self.numeric and self.knob.scale == "log" and all(isinstance(v, float) and v > 0 for v in self.values)


def varied(configs: Sequence[StudyConfig]) -> tuple[Varied, ...]:
    """The knobs that differ among studies, in the order of their declaration."""
    if not configs:
        return ()
    out = []
    for part in dataclasses.fields(configs[0]):
        for field, (_, knob) in knobs_of(getattr(configs[0], part.name)).items() if dataclasses.is_dataclass(getattr(configs[0], part.name)) else ():
            values = tuple(_value(getattr(getattr(c, part.name), field)) for c in configs)
            if len(set(values)) > 1:
                out.append(Varied(name=f"{part.name}.{field}", knob=knob, values=values))
    return tuple(out)


def importances(knobs: Sequence[Varied], result: Sequence[float]) -> Mapping[str, float]:
    """How much each knob alone tells the better half of the studies from all of them, as shares that sum to 1; largest first.

    PED-ANOVA compares where the better half lies along each knob with where all lie. It needs no forest of trees, gives the same answer each time, and takes numbers and choices
    alike; fANOVA fits a random forest, which a few dozen studies can't feed. It sees no interplay of knobs, can't tell apart knobs that were always moved together, and
    studies that a person chose to run are no random sample: what it shows is where good studies lie, not what made them good.

    Args:
        knobs: Those that vary.
        result: One number a study, higher is better.

    Raises:
        DataError: With fewer than :data:`MINIMUM` studies, without a knob, with results that aren't all numbers, or where all results are alike.

    Source:
        Watanabe, Bansal & Hutter 2023, "PED-ANOVA: Efficiently quantifying hyperparameter importance in arbitrary subspaces", IJCAI; by Optuna.
    """
    if not knobs or len(result) < MINIMUM or not all(math.isfinite(r) for r in result) or min(result) == max(result):
        raise DataError(f"{len(result)} studies with {len(knobs)} knobs that vary can't be weighed: that takes at least {MINIMUM} with results that differ, and a knob that isn't the same in all.")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spaces = {k.name: _space(k) for k in knobs}
    study = optuna.create_study(direction="maximize")
    for i, r in enumerate(result):
        study.add_trial(optuna.trial.create_trial(params={k.name: k.values[i] for k in knobs}, distributions=spaces, value=float(r)))
    found = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.5))
    return {name: float(share) for name, share in sorted(found.items(), key=lambda item: (-item[1], item[0]))}


def _space(k: Varied) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    numbers = [v for v in k.values if isinstance(v, float)]
    if k.numeric:
        return FloatDistribution(min(numbers), max(numbers), log=k.logarithmic)
    return CategoricalDistribution(sorted({str(v) for v in k.values}))


def _value(value: object) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return ", ".join(f"{v:g}" if isinstance(v, int | float) else str(v) for v in value) if isinstance(value, tuple) else str(value)
