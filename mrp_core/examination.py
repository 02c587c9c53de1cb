"""One setting under the microscope: every attack, who is most exposed, by class and group, and bounds on ε. Pure results; needs numpy only."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

from mrp_core.config import StudyConfig
from mrp_core.errors import DataError
from mrp_core.findings import AttackRow, AttributeRisk, EpsilonRange, Histogram, PartRisk, RecordRisk, TaskRisk
from mrp_core.knobs import knob, validate
from mrp_core.measurement import Measurement
from mrp_core.results import Curve
from mrp_core.settings import Setting

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class ExaminationOptions:
    """How closely a setting is looked at."""

    adaptations: int = knob(128, label="Shadow adaptations", low=8, high=1024,
                            help="Random half-subsets of each task, each with its complement: more of them sharpen the attack and what is known of each record.")
    noisy_copies: int = knob(16, label="Noisy copies", help="Copies of each record with a little noise, for the attack that sees labels only.", low=0, high=64)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class Examination:
    """All that was found at one setting.

    Attributes:
        study: Id of the study's configuration.
        seeds, tasks, adaptations, records: What it rests on; ``records`` is a pool's size.
        rule: How the headline attack was chosen.
        attacks: Every attack, the headline first.
        rocs: "roc:NAME" of each attack that was made.
        exposure: Histogram of the records' AUC over all tasks and seeds: (edges, counts).
        exposed: The most exposed records by rank.
        parts: By class, by task and by sensitive attribute.
        settling: (shadow adaptations, AUC of the headline attack with so many).
        epsilon: Bounds from both sides.
        attributes, task_membership: What else leaks; empty where the family has no such attribute, or too few tasks.
        origin: Facts on how it came about.
    """

    study: str
    setting: Setting
    options: ExaminationOptions
    seeds: tuple[int, ...]
    tasks: int
    records: int
    rule: str
    attacks: tuple[AttackRow, ...]
    rocs: tuple[Curve, ...]
    histogram: Histogram
    exposure: Histogram
    exposed: tuple[RecordRisk, ...]
    parts: tuple[PartRisk, ...]
    settling: tuple[tuple[int, Measurement], ...]
    epsilon: EpsilonRange
    attributes: tuple[AttributeRisk, ...] = ()
    task_membership: tuple[TaskRisk, ...] = ()
    origin: dict[str, str | float] = field(default_factory=dict)

    @property
    def headline(self) -> AttackRow:
        """The attack that speaks for the setting."""
        return next(a for a in self.attacks if a.headline)

    def to_json(self) -> str:
        """Compact JSON that :meth:`from_json` reads back; NaN and infinity become null."""
        raw = dataclasses.asdict(self)
        raw |= {"format": FORMAT, "setting": self.setting.key, "rocs": [c.to_dict() for c in self.rocs]}
        return json.dumps(_plain(raw), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Examination:
        """Inverse of :meth:`to_json`.

        Raises:
            DataError: If the text is damaged or of another format.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            if raw.pop("format") != FORMAT:
                raise ValueError("another format")
            return _built(raw)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise DataError(f"The examination is damaged ({type(error).__name__}: {error}); run it anew.") from error


def examination_id(config: StudyConfig, setting: Setting, options: ExaminationOptions, strategy: str, version: str) -> str:
    """First 16 hex digits of a SHA-256 over what decides the result: study, setting, options, the strategy's SHA-256 and the code's version."""
    content = [config.id, setting.key, dataclasses.asdict(options), strategy, version]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _measured(raw: dict[str, Any]) -> Measurement:
    return Measurement(value=_number(raw["value"]), low=_number(raw["low"]), high=_number(raw["high"]), n=int(raw["n"]), note=str(raw["note"]))


def _with_measurements(part: type[Any], raw: dict[str, Any]) -> Any:
    """A part of the examination from its dict: dicts that hold a measurement, and lists, back into what they were."""
    made = {k: math.nan if v is None else _measured(v) if isinstance(v, dict) and v.keys() == {"value", "low", "high", "n", "note"} else tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    return part(**made)


def _attack_row(raw: dict[str, Any]) -> AttackRow:
    means = {k: _measured(m) for k, m in raw.pop("means").items()}
    return AttackRow(**raw, means=means)


def _built(raw: dict[str, Any]) -> Examination:
    raw["setting"], raw["options"] = Setting.from_key(raw["setting"]), ExaminationOptions(**raw["options"])
    raw["seeds"] = tuple(raw["seeds"])
    raw["attacks"] = tuple(_attack_row(a) for a in raw["attacks"])
    raw["rocs"] = tuple(Curve.from_dict(c) for c in raw["rocs"])
    for name, part in (("exposed", RecordRisk), ("parts", PartRisk), ("attributes", AttributeRisk), ("task_membership", TaskRisk)):
        raw[name] = tuple(_with_measurements(part, r) for r in raw[name])
    for name in ("histogram", "exposure"):
        raw[name] = _with_measurements(Histogram, raw[name])
    raw["settling"] = tuple((int(n), _measured(m)) for n, m in raw["settling"])
    bounds: dict[str, Any] = {k: math.nan if v is None else v for k, v in raw["epsilon"].items()}
    raw["epsilon"] = EpsilonRange(**bounds)
    return Examination(**raw)
