"""What a report tells of a study beside its numbers: settings in words, how it was measured, and where its records come from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mrp_core import __version__, tables
from mrp_core.config import StudyConfig
from mrp_core.errors import DataError
from mrp_core.knobs import Knob, knobs_of
from mrp_core.registry import plugin
from mrp_core.reports.source import Source
from mrp_core.reports.texts import TEXT
from mrp_core.studyfile import SAMPLES
from mrp_core.wording import say

_PART = re.compile(r"\*\*(.+?)\.\*\*\s+(.*)", re.DOTALL)


@dataclass(frozen=True)
class Told:
    """One setting of a study: its name, its value in words, what it does, and whether it differs from the default."""

    label: str
    value: str
    help: str
    changed: bool


def settings_told(config: StudyConfig) -> dict[str, list[Told]]:
    """Every knob by the title of its part."""
    plain = StudyConfig()
    return {title: [Told(_label(knob), _value(name, knob, getattr(getattr(config, part), name)), knob.help,
                         getattr(getattr(config, part), name) != getattr(getattr(plain, part), name)) for name, (_, knob) in knobs_of(getattr(config, part)).items()]
            for part, title in TEXT["parts"].items()}


def _label(knob: Knob) -> str:
    """With its unit, unless the name says that already."""
    return knob.label if not knob.unit or knob.unit in knob.label.lower() else f"{knob.label}, {knob.unit}"


def _value(name: str, knob: Knob, value: Any) -> str:
    if isinstance(value, bool):
        return str(TEXT["on" if value else "off"])
    if isinstance(value, tuple):
        return ", ".join(f"{v:g}" for v in value)
    if isinstance(value, str):
        return say(plugin(knob.registry, value).title) if knob.registry else TEXT["titles"].get(value, value) or str(TEXT["empty" if name == "sensitive" else "none"])
    return f"{value:g}"


def measured_told(source: Source) -> list[tuple[str, str]]:
    """How a study was measured, as (label, words)."""
    config, origin, t = source.file.config, source.file.origin, TEXT["told"]
    outer, audit, task = config.outer, config.audit, config.task
    seconds, cores = (_number(origin, name) for name in ("seconds", "cores"))
    told = {
        "released": channel(config), "tasks": t["tasks"].format(tasks=audit.tasks), "seeds": ", ".join(map(str, config.seeds)),
        "members": t["members"].format(ways=task.ways, shots=task.shots), "adaptations": t["adaptations"].format(n=audit.adaptations), "records": t["records"].format(n=audit.records),
        "training": t["training"].format(learner=say(plugin("meta", outer.learner).title), search=say(plugin("search", outer.search).title), iterations=outer.iterations, batch=outer.meta_batch,
                                         loss=say(plugin("privacy", config.privacy.loss).title)),
        "cost": t["unknown"] if seconds is None else t["cost"].format(seconds=seconds),
        "machine": t["unknown"] if cores is None else t["machine"].format(cores=cores, processor=origin.get("processor", t["unknown"]), machine=origin.get("machine", t["unknown"])),
        "versions": t["versions"].format(**versions(source)), "date": str(origin.get("date", t["unknown"])), "id": config.id,
    }
    return [(label, told[name]) for name, label in TEXT["measured"].items()]


def versions(source: Source) -> dict[str, str]:
    """The programs that a study was computed with: "mrp", "torch", "python"."""
    origin, unknown = source.file.origin, TEXT["told"]["unknown"]
    return {"mrp": str(origin.get("code_version", origin.get("code version", __version__))), "torch": str(origin.get("torch", unknown)), "python": str(origin.get("python", unknown))}


def channel(config: StudyConfig) -> str:
    """What is released, in words."""
    return str(TEXT["titles"].get(config.privacy.channel, config.privacy.channel))


def data_told(config: StudyConfig) -> list[tuple[str, str]]:
    """Where the records of a study come from, as the family says, as (label, words)."""
    family, d = plugin("tasks", config.task.family), TEXT["data"]
    table = [(d["table"], _table(config.task.table))] if config.task.family == "table" else []
    return [(d["family"], say(family.title)), *table, (d["summary"], say(family.summary)), (d["origin"], say(family.origin)), (d["licence"], say(family.licence)), (d["caveat"], say(family.caveat))]


def _table(id: str) -> str:
    try:
        return tables.load(id).title
    except DataError:
        return str(TEXT["no_table"].format(id=id or TEXT["none"]))


def provenance(config: StudyConfig) -> list[tuple[str, list[tuple[str, str]]]]:
    """The notes that lie beside the family's files: per file its parts as (heading, text)."""
    out = []
    for name in plugin("tasks", config.task.family).files:
        path = SAMPLES.parent / f"{name.split('.')[0]}.provenance.md"
        if path.is_file():
            out.append((name, list(_parts(path.read_text(encoding="utf-8")))))
    return out


def _parts(text: str) -> Sequence[tuple[str, str]]:
    blocks = [block.strip() for block in text.split("\n\n") if block.strip() and not block.startswith("# ")]
    found = [_PART.fullmatch(block) for block in blocks]
    clean = lambda words: re.sub(r"<(https?://[^>]+)>", r"\1", " ".join(words.replace("`", "").split()))  # noqa: E731
    return [(match[1], clean(match[2])) if match else ("", clean(block)) for match, block in zip(found, blocks, strict=True)]


def _number(origin: Mapping[str, str | float], name: str) -> float | None:
    value = origin.get(name)
    return float(value) if isinstance(value, int | float) else None
