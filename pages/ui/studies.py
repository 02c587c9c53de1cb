"""Any study, shipped or own, through one door; what a page computes from it is cached by its key and version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from mrp_core import studyfile
from mrp_core.config import StudyConfig
from mrp_core.errors import MRPError, StoreError
from mrp_core.results import Curve, Point, StudyState
from mrp_core.settings import Setting
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile
from pages.ui import session
from pages.ui.working import keep_going

ACTIVE = (StudyState.QUEUED, StudyState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A study that can be picked."""

    key: str
    title: str
    sample: bool
    family: str = ""
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study as a page sees it.

    Attributes:
        key: Name of a sample, or id of an own study; ``?study=`` in the URL.
        version: Changes whenever anything stored of it changes; caches are keyed by it.
        strategy: File of the trained strategy, or None.
    """

    key: str
    title: str
    sample: bool
    version: int
    config: StudyConfig
    state: StudyState
    points: tuple[Point, ...]
    curves: tuple[Curve, ...]
    origin: dict[str, str | float]
    strategy: Path | None

    @property
    def settings(self) -> list[Setting]:
        """Settings that have points, in order."""
        return sorted({p.setting for p in self.points})

    @property
    def file(self) -> StudyFile:
        """The study in its export form."""
        return StudyFile(config=replace(self.config, title=self.title), points=self.points, curves=self.curves, origin=self.origin, strategy=self.strategy)


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The store of this app, opened once.

    Raises:
        StoreError: If it can't be opened.
    """
    return Store.open()


def choices(*, report: bool = False) -> list[Choice]:
    """Sample studies first, then own ones, the newest first.

    With ``report``, as the frame asks once for each look at a page, a store that can't be read is told in the side menu (the samples stay),
    and what waits or runs gets a supervisor if its own has gone.
    """
    found = [_sample_choice(name, path) for name, path in studyfile.samples().items()]
    try:
        rows = store().studies()
        found += [Choice(key=row.id, title=row.title, sample=False, family=row.config.task.family, simulated=row.config.simulated) for row in rows]
        if report and any(row.state in ACTIVE for row in rows):
            keep_going(store())
    except StoreError as error:
        if report:
            st.sidebar.error(str(error))
    return found


def current_key(options: Sequence[Choice]) -> str:
    """The key of the study that the URL asks for, or the first one."""
    asked = session.value(session.STUDY)
    return asked if any(c.key == asked for c in options) else options[0].key if options else ""


def current() -> Study | None:
    """The study that the URL asks for; None if there is none at all.

    Raises:
        MRPError: If it can't be read.
    """
    key = current_key(choices())
    return load(key) if key else None


def load(key: str) -> Study:
    """Read a study by key.

    Raises:
        MRPError: If it is damaged or unknown.
    """
    path = studyfile.samples().get(key)
    if path is not None:
        return _sample(key, path, path.stat().st_mtime_ns)
    return _own(key, store().version(key))


def _sample_choice(name: str, path: Path) -> Choice:
    """From the small TOML file beside the study where there is one: the study itself is read when it is shown."""
    toml = path.with_suffix(".toml")
    try:
        config = _toml(toml, toml.stat().st_mtime_ns) if toml.exists() else _sample(name, path, path.stat().st_mtime_ns).config
    except MRPError:
        return Choice(key=name, title=name, sample=True)
    return Choice(key=name, title=config.title, sample=True, family=config.task.family, simulated=config.simulated)


@st.cache_resource(show_spinner=False, max_entries=64)
def _toml(path: Path, changed: int) -> StudyConfig:
    return StudyConfig.from_file(path)


@st.cache_resource(show_spinner=False, max_entries=16)
def _sample(key: str, path: Path, changed: int) -> Study:
    held = StudyFile.read(path)
    return Study(key=key, title=held.config.title, sample=True, version=changed, config=held.config, state=StudyState.DONE, points=held.points, curves=held.curves,
                 origin=held.origin, strategy=held.strategy)


@st.cache_resource(show_spinner=False, max_entries=16)
def _own(key: str, version: int) -> Study:
    row, held = store().study(key), store().study_file(key)
    return Study(key=key, title=row.title, sample=False, version=version, config=row.config, state=row.state, points=held.points, curves=held.curves,
                 origin={"created": row.created, **held.origin}, strategy=held.strategy)
