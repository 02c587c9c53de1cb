"""What examinations have measured for groups of persons, over all settings of a study."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from mrp_core import __version__, studyfile
from mrp_core.errors import DataError, StoreError
from mrp_core.examination import Examination, ExaminationOptions, examination_id
from mrp_core.findings import PartRisk
from mrp_core.settings import Setting
from mrp_core.store.examinations import finished_examinations, read_examination
from pages.ui import studies
from pages.ui.examine import SIZES

NO_PERSONS = ("class", "task")


def measured(study: studies.Study) -> Mapping[Setting, tuple[PartRisk, ...]]:
    """The groups by sensitive attribute of every setting that was examined, of the examination with the most shadow adaptations; one that can't be read counts as none."""
    shipped = studyfile.examinations(study.key) if study.sample else {}
    files = tuple((path, path.stat().st_mtime_ns) for path in shipped.values())
    try:
        finished = finished_examinations(studies.store()) if study.strategy is not None else frozenset[str]()
    except StoreError:  # the list of studies below says what is wrong with the store
        finished = frozenset[str]()
    return _groups(study.key, study.version, files, finished, study)


@st.cache_resource(show_spinner=False, max_entries=16)
def _groups(key: str, version: int, files: tuple[tuple[Path, int], ...], finished: frozenset[str], _study: studies.Study) -> Mapping[Setting, tuple[PartRisk, ...]]:
    best: dict[Setting, Examination] = {}
    for e in (*(_shipped(path) for path, _ in files), *_own(_study, finished)):
        if e is not None and e.study == _study.config.id and (e.setting not in best or e.options.adaptations > best[e.setting].options.adaptations):
            best[e.setting] = e
    found = {setting: tuple(p for p in e.parts if p.by not in NO_PERSONS) for setting, e in best.items()}
    return {setting: parts for setting, parts in found.items() if parts}


def _shipped(path: Path) -> Examination | None:
    try:
        return Examination.from_json(path.read_text(encoding="utf-8"))
    except DataError:
        return None


def _own(study: studies.Study, finished: frozenset[str]) -> list[Examination | None]:
    if not finished or study.strategy is None:
        return []
    weights = hashlib.sha256(study.strategy.read_bytes()).hexdigest()
    ids = [examination_id(study.config, s, ExaminationOptions(adaptations=n), weights, __version__) for s in study.settings for n in SIZES]
    return [_read(id) for id in ids if id in finished]


def _read(id: str) -> Examination | None:
    try:
        return read_examination(studies.store(), id)
    except (DataError, StoreError):
        return None
