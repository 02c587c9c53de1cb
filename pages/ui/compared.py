"""Which search and which loss attains how much: every finished study that is judged like the current one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from mrp_core.charts.comparison import LEAKAGES, ComparedStudy, comparable, compared_study, ranked
from mrp_core.charts.volume import reference_of
from mrp_core.config import StudyConfig
from mrp_core.measurement import METRICS, Measurement
from mrp_core.registry import plugin
from mrp_core.results import StudyState, summarise
from mrp_core.wording import Texts, say
from pages.ui import choose_knobs, frame, language, show, studies

TEXT = Texts({
    "span": "from {utility:g} % at {worst} to 100 % at {best}",
    "title": "Searches and losses compared",
    "which": "Finished studies on this machine that are judged like **{title}**: {family}, {ways} ways, {shots} shots, the same released output and the same audit "
             "({tasks} held-out tasks, {adaptations} adaptations). {others} Choose another study in the side menu to compare with it.",
    "others": {0: "No other study is left out.", 1: "One other finished study is judged otherwise and left out."},
    "more": "{n} other finished studies are judged otherwise and left out.",
    "columns": {"title": "Study", "family": "Data", "search": "Search", "loss": "Privacy loss", "learner": "Meta-learner", "iterations": "Meta-iterations", "seconds": "Seconds",
                "settings": "Settings", "volume": "Accuracy × {label}"},
    "none": "No finished study yet.", "blank": "not resolved", "own": "{title} ({key})",
    "note": "Hypervolume: the share of a box that the trained settings dominate, mean over seeds with Student's 95 % interval. {boxes} λ and ε settings count alike, and more of them have "
            "more chances; seconds are training and audit together, on the machine that each study ran on. Two intervals that overlap don't show that two studies are alike.",
    "box": "Accuracy × {label}: {text}.",
})
WIDTHS = {"title": 180, "search": 150, "loss": 160}
"""In pixels, so that both hypervolumes are seen without scrolling."""


def draw() -> None:
    """The table for the current study and the knobs of all in it, or nothing where there is none."""
    current = studies.current()
    if current is None:
        return
    st.subheader(TEXT["title"], anchor=False)
    keys, others = _alike(current.config)
    found = ranked([_measured(key, version, language.current()) for key, version in keys])
    task, audit = current.config.task, current.config.audit
    st.markdown(TEXT["which"].format(title=frame.escaped(current.title), family=say(plugin("tasks", task.family).title), ways=task.ways, shots=task.shots,
                                     tasks=audit.tasks, adaptations=audit.adaptations, others=TEXT["others"].get(others, TEXT["more"].format(n=others))))
    if not found:
        st.info(TEXT["none"])
        return
    narrow = {TEXT["columns"][name]: st.column_config.TextColumn(width=pixels) for name, pixels in WIDTHS.items()}
    st.dataframe(_rows(found), hide_index=True, width="stretch", key="compared", column_config=narrow)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        boxes = " ".join(TEXT["box"].format(label=METRICS[x].label, text=_box(current.config, x)) for x in LEAKAGES)
        st.caption(TEXT["note"].format(boxes=boxes))
        show.download_rows([s.row() for s in found], "searches_and_losses.csv", key="compared_csv")
    choose_knobs.draw(found, [studies.load(s.key).config for s in found], current.key)


def _alike(config: StudyConfig) -> tuple[list[tuple[str, int]], int]:
    """Keys and versions of the finished studies that are comparable, and how many aren't; own ones are read only if they are."""
    done = {row.id: row.config for row in studies.store().studies() if row.state is StudyState.DONE and row.n_points}
    samples = {c.key: studies.load(c.key) for c in studies.choices() if c.sample}
    held = [(key, s.version, s.config) for key, s in samples.items()] + [(key, studies.store().version(key), own) for key, own in done.items()]
    keys = [(key, version) for key, version, other in held if comparable(config, other)]
    return keys, len(held) - len(keys)


@st.cache_resource(show_spinner=False, max_entries=256)
def _measured(key: str, version: int, language: str) -> ComparedStudy:
    """In the words of a language, which is part of its key for that."""
    study = studies.load(key)
    seconds = study.origin.get("seconds", math.nan)
    title = study.title if study.sample else TEXT["own"].format(title=study.title, key=key[:6])
    return compared_study(key, title, study.config, summarise(list(study.points)), float(seconds) if isinstance(seconds, int | float) else math.nan)


def _rows(found: Sequence[ComparedStudy]) -> list[dict[str, str | int]]:
    c = TEXT["columns"]
    return [{c["title"]: s.title, c["search"]: s.search, c["loss"]: s.loss, **{c["volume"].format(label=METRICS[x].label): _volume(m) for x, m in s.volumes.items()}, c["learner"]: s.learner,
             c["iterations"]: s.iterations, c["seconds"]: "—" if math.isnan(s.seconds) else f"{s.seconds:.0f}", c["settings"]: s.settings, c["family"]: s.family} for s in found]


def _volume(m: Measurement) -> str:
    if not m.resolved:
        return str(TEXT["blank"])
    return f"{m.value:.3f}" if math.isnan(m.low) else f"{m.value:.3f} [{m.low:.3f}, {m.high:.3f}]"


def _box(config: StudyConfig, x: str) -> str:
    """The reference box in the units on screen."""
    spec, box = METRICS[x], reference_of(config, x)
    return TEXT["span"].format(utility=box.utility * 100, worst=spec.text(box.leakage), best=spec.text(box.best_leakage))
