"""The examination of one setting: the best one at hand, and the job that makes a closer one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from mrp_core import studyfile
from mrp_core.errors import DataError, StoreError
from mrp_core.examination import Examination, ExaminationOptions
from mrp_core.results import StudyState
from mrp_core.settings import Setting
from mrp_core.store.examinations import RESULT, read_examination, submit_examination, wanted
from mrp_core.store.rows import Progress
from mrp_core.wording import Texts
from pages.ui import frame, launch, progress, studies

TEXT = Texts({
    "title": "A closer look",
    "lead": "Every attack on fresh shadow adaptations of this setting, record by record and part by part.",
    "ask": "Examine this setting", "asked": "Asked for. It goes on by itself: you may close this page and come back.",
    "takes": "With {n} shadow adaptations of each task it takes about {time} on this machine, in the background.",
    "more": "{n} shadow adaptations", "more_help": "About {time}, in the background. What is shown here stays until it is done.",
    "closer": "Look closer with more shadows:",
    "none": "Examining needs the trained strategy, which isn't at hand: its training hasn't finished, or its file wasn't kept.",
    "basis": "{n} shadow adaptations of each of {tasks} tasks, {seeds}; a pool of {records} records a task, each a member half of the time. {origin}",
    "seeds": {True: "{n} seed", False: "{n} seeds"},
    "shipped": "Shipped with the sample study.", "own": "Examined here on {date} in {seconds:.0f} s.",
    "queued": "Waiting for a worker.", "start": "Starting the engine.", "examine": "Examining: {step} of {total} parts", "join": "Putting it together: records, groups, bounds and training tasks",
    "left": "about {time} left", "cancelling": "Stopping; seeds that are finished are kept.",
    "failed": "The examination with {n} shadow adaptations failed: {error}",
    "cancelled": "The examination with {n} shadow adaptations was cancelled. Finished seeds are kept; resume goes on from there.",
    "lost": "The examination with {n} shadow adaptations is finished, but its file is damaged; ask for one with another number of them.",
    "unknown": "no reason was recorded.",
    "cancel": "Cancel", "resume": "Resume", "unreadable": "An examination of this setting can't be shown: {error}",
})
SIZES = (128, 256, 512)
SECONDS = 6.0
"""About what one seed takes at 128 shadow adaptations."""
_ACTIVE = (StudyState.QUEUED, StudyState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is at hand for a setting.

    Attributes:
        best: The examination with the most shadow adaptations, or None.
        shipped: Whether it came with the sample study.
        problem: Why one couldn't be read, as a sentence, or "".
    """

    best: Examination | None
    shipped: bool = False
    problem: str = ""


def find(study: studies.Study, setting: Setting) -> Found:
    """The best examination of a setting: the shipped one, or a stored one with more shadow adaptations."""
    best, shipped, problems = None, False, []
    try:
        path = studyfile.examinations(study.key).get(setting.key) if study.sample else None
        made = None if path is None else _shipped(path, path.stat().st_mtime_ns)
        if made is not None and (made.study, made.setting) == (study.config.id, setting):
            best, shipped = made, True
    except DataError as error:
        problems.append(TEXT["unreadable"].format(error=error))
    for n in SIZES if study.strategy else ():
        try:
            closer = _kept(_id(study, setting, n)) if best is None or n > best.options.adaptations else None
        except DataError as error:
            problems.append(TEXT["unreadable"].format(error=error))
            continue
        except StoreError:  # the buttons, which need the store too, say what is wrong with it
            break
        best, shipped = (best, shipped) if closer is None else (closer, False)
    return Found(best=best, shipped=shipped, problem=" ".join(problems))


def bar(study: studies.Study, setting: Setting, found: Found) -> None:
    """Heading, what the examination rests on, and the job: its progress, or buttons that start a closer one."""
    st.subheader(TEXT["title"], anchor=False)
    st.markdown(f":gray[{TEXT['lead']}]")
    if found.problem:
        st.warning(found.problem, icon=":material/error:")
    if found.best is not None:
        st.caption(_basis(found.best, found.shipped))
    if study.strategy is None:
        if found.best is None:
            st.info(TEXT["none"])
        return
    with frame.sentences():
        _job(study, setting, found)


def _job(study: studies.Study, setting: Setting, found: Found) -> None:
    """The job under way, or one that has stopped, and what else can be asked for."""
    have = found.best.options.adaptations if found.best else 0
    sizes = [n for n in SIZES if n > have]
    jobs = [(n, id, job) for n in sizes if (job := studies.store().progress(id := _id(study, setting, n))) is not None]
    running = next(((n, id) for n, id, job in jobs if job.state in _ACTIVE), None)
    if running is not None:
        _follow(*running)
        return
    for n, id, job in jobs:
        _stopped(n, id, job)
    _offer(study, setting, [n for n in sizes if n not in [job[0] for job in jobs]], have)


def _basis(e: Examination, shipped: bool) -> str:
    seconds, date = e.origin.get("seconds", 0.0), e.origin.get("date", "")
    seeds = TEXT["seeds"][len(e.seeds) == 1].format(n=len(e.seeds))
    origin = TEXT["shipped"] if shipped else TEXT["own"].format(date=date, seconds=float(seconds or 0))
    return TEXT["basis"].format(n=e.options.adaptations, tasks=e.tasks, seeds=seeds, records=e.records, origin=origin)


def _offer(study: studies.Study, setting: Setting, sizes: list[int], have: int) -> None:
    """A button for the first look, or one for each number of shadow adaptations that is closer than what is there."""
    time = lambda n: progress.duration(SECONDS * len(study.config.seeds) * n / SIZES[0])  # noqa: E731
    if not have and SIZES[0] in sizes:
        with st.container(horizontal=True, vertical_alignment="center", key="examine_offer"):
            st.button(TEXT["ask"], key="examine", icon=":material/biotech:", type="primary", on_click=_ask, args=(study.key, setting.key, SIZES[0]))
            st.caption(TEXT["takes"].format(n=SIZES[0], time=time(SIZES[0])))
    elif sizes:
        with st.container(horizontal=True, vertical_alignment="center", key="examine_offer"):
            st.caption(TEXT["closer"], width="content")
            for n in sizes:
                st.button(TEXT["more"].format(n=n), key=f"examine_{n}", help=TEXT["more_help"].format(time=time(n)), on_click=_ask, args=(study.key, setting.key, n))


def _ask(key: str, setting: str, adaptations: int) -> None:
    """Queue an examination, in a callback; returns at once."""
    from mrp_core.jobs import ensure_supervisor

    def act() -> None:
        study = studies.load(key)
        if study.strategy is not None:
            submit_examination(studies.store(), study.config, study.strategy, Setting.from_key(setting), ExaminationOptions(adaptations=adaptations))
            ensure_supervisor(studies.store())

    launch.attempt(act, TEXT["asked"])


def _follow(n: int, id: str) -> None:
    """How far a job is, every two seconds anew until it ends."""
    st.fragment(_body, run_every=progress.POLL_SECONDS, key="examine_follow")(n, id)


def _body(n: int, id: str) -> None:
    with frame.sentences():
        job = studies.store().progress(id)
        if job is None or job.state not in _ACTIVE:
            st.rerun()
        joining = job.total > 0 and job.step >= job.total - 1  # the seeds' pace says nothing about this last part
        words = TEXT["cancelling"] if job.cancel_requested else TEXT["queued"] if job.state is StudyState.QUEUED else TEXT["join"] if joining else TEXT.get(job.phase, TEXT["start"])
        text = f"{TEXT['more'].format(n=n)} · {words.format(step=job.step, total=job.total)}"
        if job.seconds_left is not None and not job.cancel_requested and not joining:
            text += " · " + TEXT["left"].format(time=progress.duration(job.seconds_left))
        st.progress(min(1.0, job.step / job.total) if job.total else 0.0, text=text)
        st.button(TEXT["cancel"], key="examine_cancel", icon=":material/stop_circle:", on_click=launch.cancel, args=(id,), disabled=job.cancel_requested)


def _stopped(n: int, id: str, job: Progress) -> None:
    """A job that ended without a result, and the way to go on with it."""
    if job.state is StudyState.FAILED:
        st.error(TEXT["failed"].format(n=n, error=job.error or TEXT["unknown"]), icon=":material/error:")
    elif job.state is StudyState.CANCELLED:
        st.warning(TEXT["cancelled"].format(n=n), icon=":material/pause_circle:")
    else:
        st.error(TEXT["lost"].format(n=n), icon=":material/error:")
        return
    st.button(TEXT["resume"], key=f"examine_resume_{n}", icon=":material/play_arrow:", on_click=launch.resume, args=(id,))


def _id(study: studies.Study, setting: Setting, adaptations: int) -> str:
    return _named(study.key, study.version, setting.key, adaptations, study)


@st.cache_data(show_spinner=False, max_entries=512)
def _named(key: str, version: int, setting: str, adaptations: int, _study: studies.Study) -> str:
    if _study.strategy is None:
        return ""
    return wanted(_study.config, _study.strategy.read_bytes(), Setting.from_key(setting), ExaminationOptions(adaptations=adaptations))


@st.cache_resource(show_spinner=False, max_entries=32)
def _shipped(path: Path, changed: int) -> Examination:
    return Examination.from_json(path.read_text(encoding="utf-8"))


def _kept(id: str) -> Examination | None:
    """A stored result; only whether there is one is asked each time."""
    return None if studies.store().artifact_path(id, RESULT) is None else _stored(id)


@st.cache_resource(show_spinner=False, max_entries=32)
def _stored(id: str) -> Examination | None:
    return read_examination(studies.store(), id)
