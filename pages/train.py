"""What happens with my settings? Presets, knobs, an estimate of the cost, and the job as it runs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mrp_core.config import AuditConfig, ComputeOptions, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.errors import ConfigError, MRPError
from mrp_core.registry import plugin
from mrp_core.settings import settings_of
from mrp_core.wording import Texts, say
from pages.ui import controls, federated, frame, launch, progress, promises, session, show, studies, tabled

frame.guard()

TEXT = Texts({
    "title": "What happens with my settings?",
    "lead": "One training gives the whole frontier: every λ and ε on the sliders. It runs in its own process, and goes on when this page is closed.",
    "protection": "Protection", "effort": "Effort", "name": "Title",
    "protections": {"none": "No protection", "balanced": "Balanced", "strongest": "Strongest"},
    "efforts": {"quick": "Quick look", "standard": "Standard", "careful": "Careful"},
    "protection_help": "No protection: λ stays near 0 and no noise. Balanced: both sliders. Strongest: a loss on membership, larger λ, smaller ε.",
    "effort_help": "Quick look: seconds, wide intervals. Careful: five seeds and twice the tasks, so that small differences are resolved.",
    "launch": "Launch", "settings": "Settings of the next study",
    "cost": "About {time} on this machine: {iterations:,} meta-iterations × {seeds} seeds, then {settings} settings audited on {tasks} held-out tasks with {adaptations} shadow adaptations each.",
    "states": {"queued": "queued", "running": "running", "done": "done", "failed": "failed", "cancelled": "cancelled"},
    "same": "This study exists already, {state}; launching opens it and resumes it where needed.",
    "toml": "Study file", "upload": "Load a study file (TOML)", "simulated": "Simulated data",
    "no_text": "The study file {name!r} is not a text file; give a TOML file that was exported here.",
})
_PROTECTION: dict[str, dict[str, Any]] = {
    "none": {"loss": "output_mi", "lambda_max": 0.05, "lambda_points": 2, "mechanism": "none"},
    "balanced": {name: getattr(PrivacyConfig(), name) for name in ("loss", "lambda_max", "lambda_points", "mechanism", "epsilons")},
    "strongest": {"loss": "membership_mi", "lambda_max": 3.0, "lambda_points": 21, "mechanism": "dp_adaptation", "epsilons": (0.5, 1.0, 2.0, 3.0, 5.0)},
}
_EFFORT: dict[str, dict[tuple[str, str], Any]] = {
    "quick": {("outer", "iterations"): 150, ("outer", "seeds"): 2, ("audit", "tasks"): 6, ("audit", "adaptations"): 16, ("privacy", "lambda_points"): 9},
    "standard": {("outer", "iterations"): 600, ("outer", "seeds"): 3, ("audit", "tasks"): AuditConfig().tasks, ("audit", "adaptations"): AuditConfig().adaptations, ("privacy", "lambda_points"): 41},
    "careful": {("outer", "iterations"): 1500, ("outer", "seeds"): 5, ("audit", "tasks"): 24, ("audit", "adaptations"): 64, ("privacy", "lambda_points"): 41},
}


def main() -> None:
    """Draw the page."""
    st.session_state.pop("go_train", None)
    own = _own_study()
    frame.title(TEXT["title"], TEXT["lead"], study=own is not None)
    if not controls.filled():
        controls.fill(_start())
    if own:
        st.subheader(frame.escaped(own.title), anchor=False)
        progress.follow(own.key)
        if text := promises.tasks(own.config):
            st.caption(text)
        with st.expander(TEXT["settings"], key="settings_expander"):
            _form()
    else:
        _form()


def _own_study() -> studies.Study | None:
    asked = session.value(session.STUDY)
    mine = {c.key for c in studies.choices() if not c.sample}
    return studies.load(asked) if asked in mine else None


def _start() -> StudyConfig:
    """The configuration that a first visit starts from: the family of the study at hand, with what makes sense for it."""
    study = studies.current()
    found = plugin("tasks", study.config.task.family if study else TaskConfig().family)
    return StudyConfig(title=controls.TEXT["mine"], task=TaskConfig(family=found.name, **{"mode": found.modes[0], **found.defaults}))


def _form() -> None:
    with st.container(horizontal=True, gap="large", vertical_alignment="bottom", key="presets"):
        st.segmented_control(TEXT["protection"], list(TEXT["protections"]), format_func=TEXT["protections"].get, key="protection", help=TEXT["protection_help"],
                             on_change=_protect, persist_state="session", default="balanced", required=True)
        st.segmented_control(TEXT["effort"], list(TEXT["efforts"]), format_func=TEXT["efforts"].get, key="effort", help=TEXT["effort_help"],
                             on_change=_effort, persist_state="session", default="standard", required=True)
        st.text_input(TEXT["name"], key="knob:title", max_chars=200, persist_state="session")
    federated.draw()
    with st.container(border=True):
        for tab, part in zip(st.tabs([controls.TEXT["parts"][part] for part in controls.PARTS]), controls.PARTS, strict=True):
            with tab:
                controls.draw(part)
                if part == "task":
                    _family()
    _launcher()
    _files()


def _family() -> None:
    found = plugin("tasks", st.session_state[controls.widget_key("task", "family")])
    badge = f" :orange-badge[{TEXT['simulated']}]" if found.simulated else ""
    st.caption(f"{say(found.summary)}{badge}")


def _launcher() -> None:
    """The estimate and the button; a wrong configuration is a sentence instead."""
    try:
        config, compute = controls.read()
        tabled.required(config)
    except MRPError as error:
        st.error(frame.escaped(str(error)), icon=":material/error:")
        st.button(TEXT["launch"], key="launch", type="primary", icon=":material/play_arrow:", disabled=True)
        return
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="medium"):
        st.button(TEXT["launch"], key="launch", type="primary", icon=":material/play_arrow:", on_click=launch.launch, args=(config, compute))
        st.markdown(_cost(config))
    _promises(config)
    known = next((row for row in studies.store().studies() if row.id == config.id), None)
    if known is not None:
        st.caption(TEXT["same"].format(state=TEXT["states"][known.state.value]))


def _promises(config: StudyConfig) -> None:
    """The noise behind the ε values as they are turned, and what protects the training tasks."""
    if warning := promises.delta_warning(config):
        st.warning(warning, icon=":material/warning:")
    try:
        for text in (promises.live(config), promises.tasks(config)):
            if text:
                st.caption(text)
    except MRPError as error:  # say, a family whose file is missing; launching says the same
        st.caption(str(error))


def _cost(config: StudyConfig) -> str:
    from mrp_core import cost

    return TEXT["cost"].format(time=progress.duration(cost.seconds(config, studies.store().rate())), iterations=config.outer.iterations, seeds=config.outer.seeds, settings=len(settings_of(config)),
                               tasks=config.audit.tasks, adaptations=config.audit.adaptations)


def _files() -> None:
    with st.expander(TEXT["toml"]):
        try:
            text = controls.read()[0].to_toml()
            show.download("TOML", lambda: text, "study.toml", key="toml", mime="application/toml")
        except ConfigError as error:
            st.caption(str(error))
        st.file_uploader(TEXT["upload"], type="toml", key="toml_upload", on_change=_uploaded)
        if message := st.session_state.get("upload_error"):
            st.error(frame.escaped(message), icon=":material/error:")


def _uploaded() -> None:
    held = st.session_state.get("toml_upload")
    st.session_state["upload_error"] = ""
    if held is None:
        return
    try:
        controls.fill(StudyConfig.from_toml(held.getvalue().decode("utf-8")), ComputeOptions())
    except UnicodeDecodeError:
        st.session_state["upload_error"] = TEXT["no_text"].format(name=held.name)
    except MRPError as error:
        st.session_state["upload_error"] = str(error)


def _protect() -> None:
    for name, value in _PROTECTION[st.session_state["protection"]].items():
        controls.set_value("privacy", name, value)
    if st.session_state["protection"] != "none" and st.session_state["effort"] == "quick":
        controls.set_value("privacy", "lambda_points", _EFFORT["quick"]["privacy", "lambda_points"])


def _effort() -> None:
    for (part, name), value in _EFFORT[st.session_state["effort"]].items():
        if not (name == "lambda_points" and st.session_state["protection"] == "none"):
            controls.set_value(part, name, value)


with frame.sentences():
    main()
