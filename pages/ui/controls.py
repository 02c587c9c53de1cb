"""Knobs -> widgets -> configuration. The only place that turns a declared knob into something to drag."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import streamlit as st

from mrp_core.config import AuditConfig, ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.errors import ConfigError, MRPError
from mrp_core.knobs import Knob, knobs_of
from mrp_core.registry import plugin, plugins
from mrp_core.wording import Texts, say
from pages.ui import tabled, tips

PARTS: dict[str, type[Any]] = {"task": TaskConfig, "privacy": PrivacyConfig, "inner": InnerConfig, "outer": OuterConfig, "audit": AuditConfig, "compute": ComputeOptions}
TEXT = Texts({
    "parts": {"task": "Task", "privacy": "Privacy", "inner": "Inner loop", "outer": "Outer loop", "audit": "Audit", "compute": "Compute"}, "untitled": "Untitled study", "mine": "My study",
    "advanced": "More", "table_none": "none kept yet: add one on the Data page", "table_missing": "{id}, which isn't on this machine",
    "list": "{name} is {text!r}, but must be numbers separated by commas, for example 1, 3, 7.",
    "titles": {"few_shot": "few-shot classes", "pairs": "pairs of classes", "site": "same label, other site", "site_target": "other site and other target",
               "sampled_label": "one sampled label", "top_label": "the top label", "noisy_scores": "noisy scores", "scores": "rounded scores", "none": "none",
               "dp_adaptation": "clip and add noise (ε)", "head": "the head", "all": "all layers",
               "adam": "Adam", "sgd": "plain SGD"},
})
_WIDE = 100


def widget_key(part: str, name: str) -> str:
    """Session key of a knob's widget."""
    return f"knob:{part}.{name}"


def fill(config: StudyConfig, compute: ComputeOptions | None = None) -> None:
    """Put a configuration into the widgets."""
    for part in PARTS:
        owner = (compute or ComputeOptions()) if part == "compute" else getattr(config, part)
        for name in knobs_of(owner):
            set_value(part, name, getattr(owner, name))
    st.session_state["knob:title"] = config.title


def set_value(part: str, name: str, value: Any) -> None:
    """Put one value into its widget."""
    st.session_state[widget_key(part, name)] = ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else value


def filled() -> bool:
    """Whether the widgets hold a configuration already."""
    return widget_key("task", "family") in st.session_state


def read() -> tuple[StudyConfig, ComputeOptions]:
    """The configuration that the widgets show.

    Raises:
        ConfigError: If it isn't acceptable.
    """
    built = {part: cls(**{name: _typed(part, name, field) for name, (field, _) in knobs_of(cls).items()}) for part, cls in PARTS.items()}
    compute = built.pop("compute")
    title = str(st.session_state.get("knob:title", "")).strip() or TEXT["untitled"]
    return StudyConfig(title=title[:200], **built), compute


def draw(part: str) -> None:
    """All knobs of a part: the common ones, then the advanced ones in an expander."""
    knobs = dict(sorted(knobs_of(PARTS[part]).items(), key=lambda item: {"family": 0, "table": 1}.get(item[0], 2)))
    _rows(part, [(n, f, k) for n, (f, k) in knobs.items() if not k.advanced and _applies(part, n)])
    rare = [(n, f, k) for n, (f, k) in knobs.items() if k.advanced and _applies(part, n)]
    if rare:
        with st.expander(TEXT["advanced"]):
            _rows(part, rare)


def _rows(part: str, items: Iterable[tuple[str, dataclasses.Field[Any], Knob]]) -> None:
    shown = list(items)
    for start in range(0, len(shown), 2):
        for column, (name, field, knob) in zip(st.columns(2, gap="medium"), shown[start:start + 2], strict=False):
            with column:
                _widget(part, name, field, knob)


def _widget(part: str, name: str, field: dataclasses.Field[Any], knob: Knob) -> None:
    """The one widget of a knob, by its declaration."""
    key, default = widget_key(part, name), field.default
    label = f"{say(knob.label)}, {say(knob.unit)}" if knob.unit else say(knob.label)
    common: dict[str, Any] = {"key": key, "help": tips.knob(part, name, knob, default), "persist_state": "session"}
    if (part, name) == ("task", "table"):
        _table(label, common)
    elif knob.registry or knob.choices:
        options = list(plugins(knob.registry)) if knob.registry else _choices(part, name, knob)
        _repair(key, options)
        st.selectbox(label, options, format_func=lambda v: _title(knob, v), on_change={"family": _family_changed, "mode": _mode_changed, "loss": _loss_changed}.get(name), **common)
    elif isinstance(default, bool):
        st.toggle(label, **common)
    elif isinstance(default, tuple | str):
        st.text_input(label, **common)
    elif isinstance(default, int) and knob.low is not None and knob.high is not None and knob.high - knob.low <= _WIDE:
        st.slider(label, int(knob.low), int(knob.high), **common)
    elif isinstance(default, int):
        st.number_input(label, min_value=_whole(knob.low), max_value=_whole(knob.high), step=1, **common)
    else:
        low, high = (None if end is None else float(end) for end in (knob.low, knob.high))
        st.number_input(label, min_value=low, max_value=high, step=_step(default), format="%g", **common)


def _choices(part: str, name: str, knob: Knob) -> list[str]:
    if (part, name) == ("task", "mode"):
        family = plugin("tasks", st.session_state[widget_key("task", "family")])
        return _table_modes() or list(family.modes) if family.name == "table" else list(family.modes)
    return list(knob.choices)


def _repair(key: str, options: list[str]) -> None:
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]


def _applies(part: str, name: str) -> bool:
    """Hide what has no effect with the present choices."""
    chosen = lambda p, n: str(st.session_state.get(widget_key(p, n)))  # noqa: E731
    family, weighted = plugin("tasks", chosen("task", "family")), bool(plugin("privacy", chosen("privacy", "loss")).weighted)
    rules = {"hardness": family.name == "gaussian", "table": family.name == "table", "sensitive": bool(family.sensitive) or family.name == "table",
             "channel_noise": chosen("privacy", "channel") == "noisy_scores",
             "lambda_max": weighted, "lambda_points": weighted, "channel_digits": chosen("privacy", "channel") == "scores"}
    rules |= dict.fromkeys(("task_clip", "task_delta"), float(st.session_state.get(widget_key("privacy", "task_noise"), 0.0)) > 0)
    noise = ("delta", "clip", "dp_adapts", "dp_steps", "learn_clip", "learn_noise_split", "noise_weight")
    return rules.get(name, name not in noise or chosen("privacy", "mechanism") != "none")


def _title(knob: Knob, value: str) -> str:
    return say(plugin(knob.registry, value).title) if knob.registry else TEXT["titles"].get(value, value)


def _table(label: str, common: dict[str, Any]) -> None:
    """One of the kept tables; one that isn't here stays chosen and is said to be missing, since another one would be another study."""
    titles, chosen = tabled.titles(), st.session_state.get(common["key"], "")
    options = [*titles, *([chosen] if chosen not in titles else [])]
    st.selectbox(label, options, format_func=lambda id: str(titles.get(id, TEXT["table_missing"].format(id=id) if id else TEXT["table_none"])), on_change=_table_changed, **common)


def _table_modes() -> list[str]:
    """What makes a task of the chosen table, which its columns decide; nothing where that can't be told."""
    with suppress(MRPError):
        return [str(mode) for name, mode in tabled.suggested(st.session_state.get(widget_key("task", "table"), "")).items() if name == "mode"]
    return []


def choose_family(name: str, **values: str | int) -> None:
    """Put a family, its defaults and other values of its task into the widgets of the train page."""
    if not filled():
        fill(StudyConfig(title=TEXT["mine"]))
    st.session_state[widget_key("task", "family")] = name
    _family_changed()
    for knob, value in values.items():
        set_value("task", knob, value)


def _family_changed() -> None:
    chosen = plugin("tasks", st.session_state[widget_key("task", "family")])
    base = TaskConfig()
    values: dict[str, Any] = {"mode": chosen.modes[0], "sensitive": "", "table": "", "ways": base.ways, "shots": base.shots, "queries": base.queries, **chosen.defaults}
    for name, value in values.items():
        set_value("task", name, value)
    if chosen.name == "table" and (kept := tabled.titles()):
        set_value("task", "table", next(iter(kept)))
        _table_changed()


def _mode_changed() -> None:
    """Ways that the mode has classes for: those of the family in its usual mode, else what is usual for the mode."""
    chosen = plugin("tasks", st.session_state[widget_key("task", "family")])
    mode, base = st.session_state[widget_key("task", "mode")], TaskConfig()
    usual = int(chosen.defaults.get("ways", base.ways))
    set_value("task", "ways", usual if mode == chosen.defaults.get("mode", chosen.modes[0]) else {"pairs": 2, "few_shot": base.ways}.get(mode, usual))


def _table_changed() -> None:
    """Ways and shots that the table has rows for; a table that can't be read says so below the knobs."""
    with suppress(MRPError):
        for name, value in tabled.suggested(st.session_state[widget_key("task", "table")]).items():
            set_value("task", name, value)


def _loss_changed() -> None:
    set_value("privacy", "lambda_max", plugin("privacy", st.session_state[widget_key("privacy", "loss")]).reach)


def _typed(part: str, name: str, field: dataclasses.Field[Any]) -> Any:
    value = st.session_state.get(widget_key(part, name), field.default)
    if isinstance(field.default, tuple) and isinstance(value, str):
        kind = type(field.default[0])
        try:
            return tuple(kind(item) for item in value.replace(";", ",").split(",") if item.strip())
        except ValueError as error:
            raise ConfigError(TEXT["list"].format(name=name, text=value)) from error
    if isinstance(field.default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _step(default: Any) -> float:
    """A tenth of the default's power of ten."""
    return float(10.0 ** (math.floor(math.log10(abs(default))) - 1)) if default else 0.1
