"""A finished study as one JSON file: configuration, points, curves and where it was computed. Samples ship in this form."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrp_core.config import StudyConfig
from mrp_core.errors import DataError, MRPError
from mrp_core.results import Curve, Point

SAMPLES = Path(__file__).resolve().parent.parent / "sample_data" / "studies"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """A study that can be shown without a store.

    Attributes:
        config: What was run.
        points, curves: What was measured.
        origin: Facts on how it came about: seconds, machine, torch version, code version, date; shown behind the badge.
        strategy: Path of the saved strategy (safetensors), or None if it isn't at hand.
    """

    config: StudyConfig
    points: tuple[Point, ...]
    curves: tuple[Curve, ...] = ()
    origin: dict[str, str | float] = field(default_factory=dict)
    strategy: Path | None = None

    def to_json(self) -> str:
        """JSON text that :meth:`from_json` reads back; the strategy's path is left out, and simulated records are said to be so at the top."""
        raw = {"format": FORMAT, **({"simulated": True} if self.config.simulated else {}), "config": self.config.to_dict(), "origin": self.origin,
               "points": [p.to_dict() for p in self.points], "curves": [c.to_dict() for c in self.curves]}
        return json.dumps(raw, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, strategy: Path | None = None) -> StudyFile:
        """Read a study file.

        Raises:
            DataError: If the text is damaged or of another format.
            ConfigError: If its configuration is not acceptable.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            if raw["format"] != FORMAT:
                raise DataError(f"The study file is of format {raw['format']!r}, but this program reads {FORMAT}; export it anew.")
            config = StudyConfig.from_dict(raw["config"])
            points = tuple(Point.from_dict(p) for p in raw["points"])
            curves = tuple(Curve.from_dict(c) for c in raw["curves"])
            if len({len(v) for p in points for v in p.values.values()}) > 1:
                raise ValueError("points with different numbers of tasks")
            return cls(config=config, points=points, curves=curves, origin=dict(raw["origin"]), strategy=strategy)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise DataError(f"The study file is damaged ({type(error).__name__}: {error}); export it anew, or restore it from the repository.") from error

    @classmethod
    def read(cls, path: Path) -> StudyFile:
        """Read a file; a strategy of the same name with the ending ``.safetensors`` beside it is taken along.

        Raises:
            DataError: If the file can't be read, or as :meth:`from_json`, with the file's name.
        """
        weights = path.with_suffix(".safetensors")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"The study file {path.name!r} can't be read ({error}); restore it from the repository.") from error
        try:
            return cls.from_json(text, strategy=weights if weights.exists() else None)
        except MRPError as error:
            raise DataError(f"{path.name}: {error}") from error


def samples() -> dict[str, Path]:
    """Files of the shipped sample studies by name (``letters``, ``medical`` ...), the default first."""
    found = {p.stem: p for p in sorted(SAMPLES.glob("*.json"))}
    return {k: found[k] for k in sorted(found, key=lambda name: (name != "letters", name))}


def examinations(name: str) -> dict[str, Path]:
    """Files of the shipped examinations of a sample study by the key of their setting (``lambda=0.4`` ...); empty where none are shipped."""
    return {p.name[len(name) + 1:-len(".json")]: p for p in sorted((SAMPLES / "examinations").glob(f"{name}.*.json"))}
