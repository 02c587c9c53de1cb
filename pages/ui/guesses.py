"""Which part each column of an uploaded table may play: first guesses by name and kind, for a person to correct."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mrp_core.tables import MODELLED, Column

LABEL = re.compile(r"label|target|outcome|^class$|^y$|result|died|death|dead|default|churn|diagnos|relapse|readmi|severity|liked?$|fraud", re.IGNORECASE)
TASK = re.compile(r"site|ward|hospital|clinic|cent(er|re)|state|region|country|city|store|branch|department|group|school|device|home|client|task", re.IGNORECASE)
PERSON = re.compile(r"person|patient|subject|user|customer|client|member|student|wearer|^p?id$|_id$", re.IGNORECASE)
SENSITIVE = re.compile(r"^(sex|gender|race|ethnic\w*|religion|disab\w*|nationality|orientation|marital\w*)$|ethnic|gender", re.IGNORECASE)
GROUPS, CLASSES = (4, 500), (2, 20)


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Columns by the part that they play; "" and () where none does."""

    label: str
    task: str
    person: str
    sensitive: tuple[str, ...]


def guessed(columns: Sequence[Column], rows: int) -> Roles:
    """Label: a yes/no or a column of few values, by name, else the last one. Task and person: by name alone, since a wrong guess would mislead."""
    few = [c for c in columns if c.kind == "boolean" or (c.kind in ("category", "number") and CLASSES[0] <= c.distinct <= CLASSES[1])]
    sensitive = tuple(c.name for c in columns if c.kind in MODELLED and SENSITIVE.search(c.name))
    person = _first(c.name for c in columns if PERSON.search(c.name) and c.kind in ("identifier", "category", "number") and c.distinct > CLASSES[1] and c.distinct < rows)
    free = [c for c in few if c.name not in (*sensitive, person) and not TASK.fullmatch(c.name)]
    booleans = [c.name for c in free if c.kind == "boolean"]
    label = _first((*(c.name for c in free if LABEL.search(c.name)), *reversed(booleans), *(c.name for c in reversed(free)), *(c.name for c in reversed(columns))))
    task = _first(c.name for c in columns if TASK.search(c.name) and c.kind in ("category", "number", "identifier") and GROUPS[0] <= c.distinct <= GROUPS[1]
                  and c.name not in (label, person, *sensitive))
    return Roles(label=label, task=task, person=person, sensitive=tuple(s for s in sensitive if s != label))


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "")
