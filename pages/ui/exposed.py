"""The most exposed records: how sure of that one can be, and what they look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from mrp_core.config import StudyConfig
from mrp_core.examination import Examination
from mrp_core.findings import RecordRisk
from mrp_core.registry import plugin
from mrp_core.wording import Texts
from pages.ui import records, show, studies, words

TEXT = Texts({
    "most": "The most exposed",
    "how": "Ranked by one half of the models and judged by the other half, {n} models for each record, so that the ranking does not flatter itself: "
           "the AUC that counts is the judged one, with its 95 % interval. "
           "{above} of these {all} lie above guessing.",
    "columns": {"rank": "Rank", "auc": "AUC, judged", "looks": "Farthest from the mean", "class": "Class", "group": "Group", "task": "Task", "rank_auc": "AUC, ranking"},
    "looks_note": "What they look like: the inputs farthest from 0, in standard deviations of the training members.",
    "pictures": "What they look like, in the order of the table.",
    "none": "No record is singled out here.",
})
PICTURES = {"digits": (8, 8)}
FEATURES = 3


def draw(study: studies.Study, e: Examination, distribution: Callable[[Examination], None]) -> None:
    """The records' own risk as a distribution, then the most exposed in a table."""
    distribution(e)
    st.markdown(f"**{TEXT['most']}**")
    if not e.exposed:
        st.caption(TEXT["none"])
        return
    st.markdown(TEXT["how"].format(n=e.exposed[0].auc.n, above=sum(r.auc.low > 0.5 for r in e.exposed), all=len(e.exposed)))
    shape = PICTURES.get(study.config.task.family)
    pictured = shape is not None and all(len(r.values) == shape[0] * shape[1] for r in e.exposed)
    names = () if pictured else _features(study.key, study.version, study.config)
    rows = [_row(i + 1, r, names) for i, r in enumerate(e.exposed)]
    shown = [{k: v for k, v in row.items() if any(r[k] != "" for r in rows)} for row in rows]
    st.dataframe(shown, hide_index=True, width="stretch", height="content", key="exposed_table")
    if pictured and shape is not None:
        picture = records.sheet(np.array([r.values for r in e.exposed], dtype=np.float32), np.zeros(len(e.exposed), dtype=np.int64), shape, per_class=len(e.exposed))
        st.image(picture, caption=TEXT["pictures"], alt=TEXT["pictures"])
    elif names:
        st.caption(TEXT["looks_note"])
    show.download_rows(shown, "exposed.csv", key="exposed_csv")


def _row(rank: int, r: RecordRisk, names: Sequence[str]) -> dict[str, str]:
    c = TEXT["columns"]
    return {c["rank"]: str(rank), c["auc"]: words.amount("lira_auc", r.auc), c["looks"]: looks(r.values, names), c["class"]: r.label, c["group"]: r.group, c["task"]: r.task,
            c["rank_auc"]: f"{r.rank_auc:.3f}"}


def looks(values: Sequence[float], names: Sequence[str]) -> str:
    """The few features farthest from 0 in words, the farthest first; "" where the names don't fit."""
    if not values or len(values) != len(names):
        return ""
    far = sorted(range(len(values)), key=lambda i: -abs(values[i]))[:FEATURES]
    return ", ".join(f"{names[i]} {values[i]:+.1f}".replace("-", "\u2212") for i in far)


@st.cache_data(show_spinner=False, max_entries=16)
def _features(key: str, version: int, _config: StudyConfig) -> tuple[str, ...]:
    """Names of a family's inputs; its records are read once for that."""
    return tuple(plugin("tasks", _config.task.family).build(_config.task, _config.seeds[0]).features)
