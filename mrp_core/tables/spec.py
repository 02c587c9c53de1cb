"""What a table of one's own is to be used for: which column plays which part. The file itself is named by its hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Self

from mrp_core.errors import DataError
from mrp_core.tables.columns import KINDS, MODELLED

VERSION = 1
HASH = re.compile(r"[0-9a-f]{64}")
_TEXTS, _LISTS = ("table", "label", "task", "person", "title"), ("sensitive", "features")


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """Roles of a table's columns. Two specs that differ in more than their title have different ids.

    Attributes:
        table: SHA-256 of the file as it was given.
        label: Column that is predicted.
        task: Column whose values are the tasks (sites, groups); "" where the label's classes themselves make the tasks.
        person: Column that says whose row it is; "" where every row is another person's.
        sensitive: Columns that an observer may want to infer; never inputs.
        features: Columns that are inputs.
        kinds: Kind of every column that has a part, as (column, kind) pairs in order of name: later guesses change nothing.
        title: What a person calls it; no part of the identity.
    """

    table: str
    label: str
    task: str = ""
    person: str = ""
    sensitive: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    title: str = "My table"

    def __post_init__(self) -> None:
        if not HASH.fullmatch(self.table):
            raise DataError(f"table is {self.table[:80]!r}, but must be the 64 hex digits that an upload returned; add the table first.")
        title = " ".join("".join(c if c.isprintable() else " " for c in self.title).split())[:100]
        object.__setattr__(self, "title", title or "My table")
        object.__setattr__(self, "kinds", tuple(sorted(self.kinds)))
        self._check_parts()
        kinds = dict(self.kinds)
        for name, kind in self.kinds:
            if kind not in KINDS:
                raise DataError(f"The kind of the column {name!r} is {kind!r}, but must be one of: {', '.join(KINDS)}.")
        for name in self.used:
            if name not in kinds:
                raise DataError(f"The column {name!r} has a part, but no kind; give it one of: {', '.join(KINDS)}.")
        for name in (*self.features, *self.sensitive):
            if kinds[name] not in MODELLED:
                raise DataError(f"The column {name!r} is of the kind {kinds[name]}, which can't be an input or a sensitive attribute; leave it out, or correct its kind.")

    def _check_parts(self) -> None:
        if not self.label:
            raise DataError("label is empty; say which column is to be predicted.")
        parts = [self.label, *filter(None, (self.task, self.person)), *self.sensitive]
        for name in (*parts, *self.features):
            if (*parts, *self.features).count(name) > 1:
                raise DataError(f"The column {name!r} has two parts; what is predicted, groups, tells persons apart or is sensitive can be nothing else.")
        if not self.features:
            raise DataError("features is empty; at least one column must be an input.")

    @property
    def used(self) -> tuple[str, ...]:
        """All columns that have a part."""
        return (self.label, *filter(None, (self.task, self.person)), *self.sensitive, *self.features)

    @property
    def id(self) -> str:
        """First 16 hex digits of the SHA-256 over all but the title."""
        content = {k: v for k, v in dataclasses.asdict(self).items() if k != "title"}
        return hashlib.sha256(json.dumps({"version": VERSION, **content}, sort_keys=True).encode()).hexdigest()[:16]

    def kind(self, column: str) -> str:
        """Kind of a column that has a part."""
        return dict(self.kinds)[column]

    def to_json(self) -> str:
        """JSON that :meth:`from_json` reads back."""
        return json.dumps({"version": VERSION, **dataclasses.asdict(self)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read JSON text.

        Raises:
            DataError: If it isn't such a description.
        """
        try:
            content = json.loads(text)
            if not isinstance(content, dict) or content.pop("version", None) != VERSION:
                raise ValueError("it is of another version")
            return cls(**_typed(content))
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"The description of a table can't be read ({str(error)[:80]}); add the table anew.") from error


def _typed(content: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists, not tuples; everything else must be text."""
    out: dict[str, Any] = {k: tuple(content[k]) for k in _LISTS if k in content} | {k: content[k] for k in _TEXTS if k in content}
    out["kinds"] = tuple((str(name), str(kind)) for name, kind in content.get("kinds", ()))
    if set(content) - set(out):
        raise ValueError(f"{min(set(content) - set(out))!r} is unknown")
    if not all(isinstance(v, str) for k, v in out.items() for v in ((v,) if k in _TEXTS else v if k in _LISTS else ())):
        raise ValueError("a name is no text")
    return out
