"""What the store hands out: frozen rows."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from mrp_core.config import StudyConfig
from mrp_core.errors import ConfigError, StoreError
from mrp_core.results import StudyState


@dataclass(frozen=True, kw_only=True)
class StudyRow:
    """A study as lists show it.

    Attributes:
        id, title, note, owner: Its identity and words.
        config: What is run, with the present title.
        state: Where its job stands.
        created: Seconds since 1970.
        deleted: Whether it is in the bin.
        n_points: Stored points (settings x seeds).
        code_version: Program that computed it last.
        pinned: Keys of its pinned settings.
    """

    id: str
    title: str
    note: str
    owner: str
    config: StudyConfig
    state: StudyState
    created: float
    deleted: bool
    n_points: int
    code_version: str
    pinned: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a study's job is.

    Attributes:
        phase, step, total: ``step`` of ``total`` steps of the phase "train" or "audit"; phase is "" before the first report.
        seconds_left: For the rest of the phase at the rate seen last, or None while unknown.
        values: What was reported last, e.g. the losses.
        state: Where the job stands.
        attempt: How many times a process has taken the job.
        error: Why it failed or was interrupted, as a sentence, else None.
        resumed_from: Step of the checkpoint that this attempt went on from; settings already measured if training was finished; None from the start.
        started, finished: Seconds since 1970, or None.
        cancel_requested: Whether a person wants it to stop and it hasn't yet.
    """

    phase: str
    step: int
    total: int
    seconds_left: float | None
    values: dict[str, float]
    state: StudyState
    attempt: int
    error: str | None
    resumed_from: int | None
    started: float | None
    finished: float | None
    cancel_requested: bool


@dataclass(frozen=True)
class EventRow:
    """Something that happened to a study: when (seconds since 1970), by whom, what."""

    time: float
    who: str
    what: str


@dataclass(frozen=True)
class PinRow:
    """A pinned setting of a study."""

    study: str
    setting_key: str
    label: str


def study_row(row: Row[Any], pinned: tuple[str, ...]) -> StudyRow:
    """From a joined row of study and job.

    Raises:
        StoreError: If this program can't read the stored configuration.
    """
    try:
        config = dataclasses.replace(StudyConfig.from_dict(json.loads(row.config)), title=row.title)
    except (ConfigError, ValueError) as error:
        raise StoreError(f"The study {row.title!r} ({row.id}), stored by version {row.code_version}, can't be read: {error}") from error
    return StudyRow(id=row.id, title=row.title, note=row.note, owner=row.owner, config=config, state=StudyState(row.state), created=row.created,
                    deleted=row.deleted is not None, n_points=row.n_points, code_version=row.code_version, pinned=pinned)


def progress_row(row: Row[Any]) -> Progress:
    """From a row of job."""
    running = row.state == StudyState.RUNNING
    return Progress(phase=row.phase, step=row.step, total=row.total, seconds_left=row.seconds_left if running else None, values=json.loads(row.latest),
                    state=StudyState(row.state), attempt=row.attempt, error=row.error, resumed_from=row.resumed_from, started=row.started,
                    finished=row.finished, cancel_requested=running and row.cancel_requested is not None)
