"""The settings of a study: what is released under which privacy weight, guarantee or baseline, and measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mrp_core.errors import ConfigError
from mrp_core.registry import plugin

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig


@dataclass(frozen=True, order=True)
class Setting:
    """One configuration of the released model that is measured.

    Attributes:
        kind: "lambda" (value: privacy weight; 0 is the unprotected model), "epsilon" (value: ε of the noisy adaptation; inf is
            the same adaptation without noise), or a baseline made from λ = 0 without training: "temperature" (value: T),
            "rate_distortion" (value: β), "steps" (value: inner steps, fewer than were trained or more), "rate" (value: factor on the inner rate), "head" (value: 1).
            "found" (value: a number from 1, from accurate to private) is what a search on measured objectives came to.
        value: See kind.
    """

    kind: str
    value: float

    @property
    def key(self) -> str:
        """Short text that identifies the setting in files and links, e.g. ``lambda=0.6``."""
        short = f"{self.value:g}"
        return f"{self.kind}={short if float(short) == self.value else repr(self.value)}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Inverse of :attr:`key`.

        Raises:
            ConfigError: If the text isn't a setting's key.
        """
        kind, _, value = key.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if kind not in SETTING_KINDS or math.isnan(number):
            raise ConfigError(f"{key!r} is not a setting; write for example lambda=0.6 or epsilon=3.")
        return cls(kind, number)


SETTING_KINDS: dict[str, str] = {"lambda": "λ", "epsilon": "ε", "temperature": "temperature release", "rate_distortion": "rate-distortion release",
                                 "steps": "other number of steps", "rate": "smaller rate", "head": "head only", "found": "found"}
UNPROTECTED = Setting("lambda", 0.0)
TEMPERATURES, BETAS = (1.5, 2.0, 3.0, 5.0, 8.0, 14.0), (8.0, 5.0, 3.5, 2.5, 1.8, 1.2, 0.6)


def settings_of(config: StudyConfig) -> tuple[Setting, ...]:
    """All settings that a study measures, the unprotected one first, then from coarse to fine so that a frontier shows early.

    A search on measured objectives may leave some of its "found" settings empty; those are never measured.
    """
    lambdas = [Setting("lambda", v) for v in _coarse_to_fine(config.lambdas)]
    noisy = [Setting("epsilon", e) for e in (math.inf, *sorted(set(config.privacy.epsilons), reverse=True))] if config.privacy.mechanism != "none" else []
    found = [Setting("found", float(i + 1)) for i in range(config.outer.search_points)] if plugin("search", config.outer.search).explores else []
    free: list[Setting] = []
    if config.audit.baselines:
        if config.privacy.channel == "sampled_label":
            free = [Setting("temperature", t) for t in TEMPERATURES] + [Setting("rate_distortion", b) for b in BETAS]
        free += [Setting("steps", float(k)) for k in range(1, config.inner.steps)] + [Setting("rate", 0.5), Setting("rate", 0.25), Setting("head", 1.0)]
    longer = [Setting("steps", float(config.inner.steps * 2**i)) for i in range(1, config.audit.longer.bit_length())] if config.inner.steps else []
    return tuple(dict.fromkeys([UNPROTECTED, *lambdas[:5], *noisy, *found, *lambdas[5:], *free, *longer]))


def _coarse_to_fine(values: tuple[float, ...]) -> list[float]:
    """The ends first, then the middles of the widest gaps."""
    order, gaps = [0, len(values) - 1], [(0, len(values) - 1)]
    for low, high in gaps:  # grows as it is walked
        middle = (low + high) // 2
        if low < middle:
            order.append(middle)
            gaps += [(low, middle), (middle, high)]
    return [values[i] for i in order]
