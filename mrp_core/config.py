"""A study's configuration: frozen, to and from TOML, identified by the hash of its content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import tomli_w

from mrp_core.errors import ConfigError
from mrp_core.knobs import knobs_of
from mrp_core.parts import AuditConfig, ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, TaskConfig
from mrp_core.registry import plugin

__all__ = ["AuditConfig", "ComputeOptions", "InnerConfig", "OuterConfig", "PrivacyConfig", "StudyConfig", "TaskConfig"]

VERSION = 1
SIMULATED = "# The records of this study are simulated.\n"


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """Everything that decides a study's result. Two equal configurations have the same :attr:`id`."""

    title: str = "Untitled study"
    task: TaskConfig = field(default_factory=TaskConfig)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    inner: InnerConfig = field(default_factory=InnerConfig)
    outer: OuterConfig = field(default_factory=OuterConfig)
    audit: AuditConfig = field(default_factory=AuditConfig)

    def __post_init__(self) -> None:
        family = plugin("tasks", self.task.family)
        if "attribute" in plugin("privacy", self.privacy.loss).needs and not (family.sensitive or hasattr(family, "offered")):  # what a table offers is known where it lies
            raise ConfigError(f"loss is {self.privacy.loss!r}, but the family {self.task.family!r} has no sensitive attribute; choose a family that has one, or another loss.")
        if self.outer.network == "convolution" and not plugin("tasks", self.task.family).grid:
            raise ConfigError(f"network is 'convolution', but records of the family {self.task.family!r} are no pictures or signals; set network to 'auto' or 'dense'.")
        if self.privacy.task_noise > 0 and self.task.mode != "site":
            raise ConfigError(f"task_noise is {self.privacy.task_noise:g}, but tasks of the mode {self.task.mode!r} share classes or records, so a guarantee for one task would protect "
                              "neither; take a family whose tasks are sites (mode site), or set task_noise to 0.")
        if self.privacy.task_noise > 0 and plugin("search", self.outer.search).separate:
            raise ConfigError(f"task_noise is {self.privacy.task_noise:g}, but the search {self.outer.search!r} takes two gradients of each task, which the guarantee doesn't count; "
                              "choose another search, or set task_noise to 0.")

    @property
    def id(self) -> str:
        """First 16 hex digits of the SHA-256 of the version and of every knob that isn't at its default; the title doesn't count.

        A knob that is added later leaves the studies that don't turn it as they are. A default that changes needs a new version.
        """
        plain = StudyConfig().to_dict()
        content = {f"{part}.{k}": v for part, values in self.to_dict().items() if isinstance(values, dict) for k, v in values.items() if v != plain[part][k]}
        return hashlib.sha256(json.dumps({"version": VERSION, **content}, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def simulated(self) -> bool:
        """Whether the records are made up: said wherever the study is shown, and in all that is exported of it."""
        return bool(plugin("tasks", self.task.family).simulated)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that are run."""
        return tuple(range(self.outer.first_seed, self.outer.first_seed + self.outer.seeds))

    @property
    def grid(self) -> tuple[int, ...]:
        """Channels and sizes of a record where the network is one of convolutions; empty where it is dense."""
        return () if self.outer.network == "dense" else plugin("tasks", self.task.family).grid

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of each hidden layer, or filters of each block, of the network that is trained. The head is the layer after them: its index is their number."""
        return self.outer.filters if self.grid else self.outer.hidden

    @property
    def lambdas(self) -> tuple[float, ...]:
        """The privacy weights audited: evenly spaced from 0 to ``lambda_max``; 0 alone for a privacy loss without a weight."""
        if not plugin("privacy", self.privacy.loss).weighted:
            return (0.0,)
        return tuple(round(self.privacy.lambda_max * i / (self.privacy.lambda_points - 1), 10) for i in range(self.privacy.lambda_points))

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict, with the format's version."""
        content = dataclasses.asdict(self)
        for part in content.values():
            if isinstance(part, dict):
                part.update({k: list(v) for k, v in part.items() if isinstance(v, tuple)})
        return {"version": VERSION, **content}

    def to_toml(self) -> str:
        """The configuration as TOML text that :meth:`from_toml` reads back; a comment says so where the records are simulated."""
        return (SIMULATED if self.simulated else "") + tomli_w.dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read TOML text.

        Raises:
            ConfigError: If it isn't TOML, is of another version, or a knob is unknown or out of range.
        """
        try:
            content = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits and endless nesting among them
            raise ConfigError(f"The study file is not valid TOML: {error}. Correct that place, or export the study anew.") from error
        return cls.from_dict(content)

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read a TOML file.

        Raises:
            ConfigError: If the file can't be read, or as :meth:`from_toml`.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError(f"The study file {str(path)!r} can't be read: {error}. Give the path of a TOML file.") from error
        return cls.from_toml(text)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """Build from a nested dict as :meth:`to_dict` makes it; missing knobs take their defaults.

        Raises:
            ConfigError: As :meth:`from_toml`.
        """
        content = dict(content)
        version = content.pop("version", VERSION)
        if version != VERSION:
            raise ConfigError(f"The study is of configuration version {version!r}, but this program reads version {VERSION}; "
                              "open it with the program that wrote it, or export it anew.")
        title = content.pop("title", "Untitled study")
        if not isinstance(title, str) or not title.strip() or len(title) > 200:
            raise ConfigError(f"title is {title!r}, but must be a text of 1 to 200 characters.")
        parts = {f.name: f for f in dataclasses.fields(cls) if f.name != "title"}
        unknown = sorted(set(content) - set(parts))
        if unknown:
            raise ConfigError(f"The study has an unknown part {unknown[0]!r}; the parts are: {', '.join(parts)}.")
        return cls(title=title.strip(), **{name: _part(name, f.default_factory, content[name]) for name, f in parts.items() if name in content})


def _part(name: str, part: Any, values: Any) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"The part {name!r} is {values!r}, but must be a table of knobs.")
    known = knobs_of(part)
    for key in values:
        if key not in known:
            raise ConfigError(f"{name}.{key} is not a knob; the knobs of {name} are: {', '.join(known)}.")
    return part(**{key: _typed(known[key][0].default, value) for key, value in values.items()})


def _typed(default: Any, value: Any) -> Any:
    """TOML has lists, not tuples, and a person may write 1 for 1.0."""
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(_typed(default[0], item) for item in value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        return float(value)
    return value
