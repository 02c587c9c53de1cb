"""Which studies may stand on one chart: those of the same tasks and the same released output."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mrp_core import studyfile
from mrp_core.config import StudyConfig
from mrp_core.errors import MRPError
from pages.ui import studies


def comparable(study: studies.Study) -> list[studies.Choice]:
    """Other studies whose points may be compared with this one's; one that can't be read is none."""
    return [c for c in studies.choices() if c.key != study.key and (config := _config(c)) is not None and _alike(config, study.config)]


def _alike(a: StudyConfig, b: StudyConfig) -> bool:
    return a.task == b.task and (a.privacy.channel, a.privacy.channel_noise, a.privacy.channel_digits) == (b.privacy.channel, b.privacy.channel_noise, b.privacy.channel_digits)


def _config(choice: studies.Choice) -> StudyConfig | None:
    """Without the points, where that is quicker."""
    toml = studyfile.samples()[choice.key].with_suffix(".toml") if choice.sample else None
    try:
        return _of_file(toml, toml.stat().st_mtime_ns) if toml is not None and toml.exists() else studies.load(choice.key).config
    except MRPError:
        return None


@st.cache_resource(show_spinner=False, max_entries=64)
def _of_file(path: Path, changed: int) -> StudyConfig:
    return StudyConfig.from_file(path)
