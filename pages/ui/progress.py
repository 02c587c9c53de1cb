"""The fragment that follows a job: it polls the store, redraws its own charts, and ends when the job does."""

from __future__ import annotations

import streamlit as st

from mrp_core.charts.frontier import frontier_frame
from mrp_core.charts.frontier_figure import frontier_figure
from mrp_core.charts.training import training_figure, training_frame
from mrp_core.results import StudyState
from mrp_core.settings import settings_of
from mrp_core.store.rows import Progress
from mrp_core.wording import Texts
from pages.ui import differences, frame, launch, show, studies
from pages.ui.working import keep_going

TEXT = Texts({
    "queued": "Waiting for a worker.",
    "train": "Meta-training: step {step:,} of {total:,}",
    "search": "Exploring: {step:,} of {total:,} candidates measured",
    "audit": "Auditing: setting {step} of {total}",
    "shielded": "The training tasks are protected, so their losses are not shown; the validation curve comes when training is done.",
    "start": "Starting.",
    "left": "{time} left in this phase",
    "resumed": "Went on from step {step:,} after an interruption (attempt {attempt}).",
    "cancelling": "Stopping: it takes a checkpoint first.",
    "done": "Done: {points} settings measured. The whole frontier is on the explore page.",
    "failed": "It failed: {error}",
    "cancelled": "Cancelled. What was finished is kept; resume goes on from the last checkpoint.",
    "cancel": "Cancel", "resume": "Resume", "open": "Open the frontier", "adapt": "Adapt it live",
    "growing": "The frontier so far", "whole": "The frontier", "growing_caption": "{n} of {total} settings are measured; more appear as they are finished.",
    "complete": "All {n} settings are measured.", "empty": " {count} places for settings of the search stayed empty.",
    "curve": "Training", "curve_caption": "Faint: means over seeds and tasks of each batch; strong: their running mean. Dots: validation tasks, on which the weights are chosen.",
    "diverged": "{count:.0f} configurations have diverged and are left out.",
    "unknown": "no reason was recorded.", "seconds": "{n} s", "minutes": "{n:.0f} min", "hours": "{n:.1f} h",
    "alt": "{title}: {n} of {total} settings.", "alt_curve": "Training curves: {names}.",
    "stopped": "Nothing yet: it stopped before.",
    "nothing": "Points appear here as soon as the first setting is audited.",
})
POLL_SECONDS, STOPPED_SECONDS = 2.0, 6.0
"""How often a job is looked at while it runs, and while it has stopped: somebody else may resume it."""


def follow(key: str) -> None:
    """Show how far a study is, anew every few seconds until it is done: it may be resumed or cancelled from another browser."""
    found = studies.store().progress(key)
    active = found is not None and found.state in studies.ACTIVE
    done = found is not None and found.state is StudyState.DONE
    st.fragment(_body, run_every=POLL_SECONDS if active else None if done else STOPPED_SECONDS, key="follow")(key, active)


def _body(key: str, active: bool) -> None:
    with frame.sentences():
        found = studies.store().progress(key)
        if found is None:
            return
        if active != (found.state in studies.ACTIVE):
            st.rerun()
        if found.state in studies.ACTIVE:
            keep_going(studies.store())
        study = studies.load(key)
        _state(found, study)
        _buttons(key, found)
        with st.container(key="follow_body"):
            left, right = st.columns(2, gap="large")
            with left:
                _growing(study, found)
            with right:
                _curve(study, found)


def _state(found: Progress, study: studies.Study) -> None:
    if found.state is StudyState.FAILED:
        st.error(TEXT["failed"].format(error=found.error or TEXT["unknown"]), icon=":material/error:")
    elif found.state is StudyState.CANCELLED:
        st.warning(TEXT["cancelled"], icon=":material/pause_circle:")
    elif found.state is StudyState.DONE:
        st.success(TEXT["done"].format(points=len(study.settings)), icon=":material/check_circle:")
    else:
        words = TEXT["cancelling"] if found.cancel_requested else TEXT.get(found.phase, TEXT["queued" if found.state is StudyState.QUEUED else "start"])
        text = words.format(step=found.step, total=found.total)
        if found.seconds_left is not None and not found.cancel_requested:
            text += " · " + TEXT["left"].format(time=duration(found.seconds_left))
        st.progress(min(1.0, found.step / found.total) if found.total else 0.0, text=text)
    if found.resumed_from is not None:
        st.caption(TEXT["resumed"].format(step=found.resumed_from, attempt=found.attempt))


def _buttons(key: str, found: Progress) -> None:
    with st.container(horizontal=True):
        if found.state in studies.ACTIVE:
            st.button(TEXT["cancel"], key="cancel", icon=":material/stop_circle:", on_click=launch.cancel, args=(key,), disabled=found.cancel_requested)
        elif found.state is not StudyState.DONE:
            st.button(TEXT["resume"], key="resume", icon=":material/play_arrow:", type="primary", on_click=launch.resume, args=(key,))
        else:
            frame.link("explore", TEXT["open"], icon=":material/show_chart:")
            frame.link("adapt", TEXT["adapt"], icon=":material/tune:")


def _growing(study: studies.Study, found: Progress) -> None:
    whole = found.state is StudyState.DONE
    title = TEXT["whole" if whole else "growing"]
    st.subheader(title, anchor=False)
    if not study.points:
        _nothing(TEXT["nothing"], found)
        return
    axis = "mi" if any("mi" in p.values for p in study.points[:1]) else "lira_auc"
    data = frontier_frame(differences.summaries(study, ("accuracy", "accuracy_0", axis)), study.config, x=axis)
    total = len(settings_of(study.config))
    n = len(study.settings)
    text = TEXT["complete" if whole or n == total else "growing_caption"].format(n=n, total=total) + (TEXT["empty"].format(count=total - n) if whole and n < total else "")
    show.chart(frontier_figure(data, show.colours(), height=330, width=430), data.rows(), key="growing", alt=TEXT["alt"].format(title=title, n=n, total=total), caption=text)


def _curve(study: studies.Study, found: Progress) -> None:
    data = training_frame(study.curves, study.config.outer.iterations)
    st.subheader(TEXT["curve"], anchor=False)
    if not data.lines:
        _nothing(TEXT["shielded"] if study.config.privacy.task_noise > 0 else TEXT["queued"] if found.state is StudyState.QUEUED else TEXT["start"], found)
        return
    show.chart(training_figure(data, show.colours(), height=330), data.rows(), key="training", alt=TEXT["alt_curve"].format(names=", ".join(line.name for line in data.lines)),
               caption=TEXT["curve_caption"])
    for text in dict.fromkeys(c.note for c in study.curves if c.name.startswith("validation:search") and c.note):
        st.caption(text)
    if data.diverged > 0:
        st.caption(TEXT["diverged"].format(count=data.diverged))


def _nothing(text: str, found: Progress) -> None:
    """A place whose chart comes yet; it doesn't look like loading where nothing runs."""
    active = found.state in studies.ACTIVE
    st.caption(text if active else TEXT["stopped"])
    if active:
        st.skeleton(height=300)


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return str(TEXT["seconds"].format(n=max(1, round(seconds))))
    return str(TEXT["minutes"].format(n=seconds / 60) if seconds < 5400 else TEXT["hours"].format(n=seconds / 3600))
