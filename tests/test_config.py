"""Configurations: round trips, identity, and one sentence for each thing that can be wrong with a file."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.config import ComputeOptions, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.errors import ConfigError
from mrp_core.knobs import Knob, knobs_of
from mrp_core.registry import plugins
from mrp_core.settings import SETTING_KINDS, UNPROTECTED, Setting, settings_of

PARTS = {f.name: f.default_factory for f in dataclasses.fields(StudyConfig) if f.name != "title"}


def values_of(field: dataclasses.Field[Any], spec: Knob) -> st.SearchStrategy[Any]:
    """Any value that a knob takes."""
    default = field.default
    if isinstance(default, tuple):
        item = st.integers(int(spec.low or 0), int(spec.high or 9)) if isinstance(default[0], int) else st.floats(spec.low, spec.high)
        return st.lists(item, min_size=1, max_size=4).map(tuple)
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, str):
        return st.sampled_from(spec.choices or (list(plugins(spec.registry)) if spec.registry else [default, "sex"]))
    if isinstance(default, int):
        return st.integers(int(spec.low or 0), int(spec.high or 9))
    return st.floats(spec.low, spec.high)


@st.composite
def configs(draw: st.DrawFn) -> StudyConfig:
    """Any configuration, over the whole range of every knob."""
    parts = {}
    for name, part in PARTS.items():
        values = {key: draw(values_of(field, spec)) for key, (field, spec) in knobs_of(part).items()}
        if "mode" in values:
            values["mode"] = draw(st.sampled_from(plugins("tasks")[values["family"]].modes))
        if values.get("network") == "convolution" and not plugins("tasks")[parts["task"].family].grid:
            values["network"] = "auto"
        if "adaptations" in values:
            values["adaptations"] -= values["adaptations"] % 2
        if values.get("loss") == "attribute_mi" and not plugins("tasks")[parts["task"].family].sensitive:
            values["loss"] = "output_mi"
        if not plugins("privacy")[values.get("loss", "output_mi")].weighted:
            values |= {"mechanism": "dp_adaptation", "noise_weight": 0.0}
        if "task_noise" in values and parts["task"].mode != "site":
            values["task_noise"] = 0.0
        if getattr(parts.get("privacy"), "task_noise", 0.0) > 0 and "search" in values:
            values["search"] = "conditioned"
        parts[name] = part(**values)  # type: ignore[operator]
    title = draw(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).map(str.strip).filter(bool))
    return StudyConfig(title=title, **parts)


@given(configs())
def test_toml_round_trip(config: StudyConfig) -> None:
    again = StudyConfig.from_toml(config.to_toml())
    assert again == config
    assert again.id == config.id
    assert again.to_toml() == config.to_toml()


@given(configs())
def test_settings_have_keys_of_their_own(config: StudyConfig) -> None:
    settings = settings_of(config)
    assert settings[0] == UNPROTECTED
    assert len({s.key for s in settings}) == len(set(settings)) == len(settings)
    assert [Setting.from_key(s.key) for s in settings] == list(settings)
    assert {s.value for s in settings if s.kind == "lambda"} == set(config.lambdas)
    assert {s.kind for s in settings} <= set(SETTING_KINDS)


def test_the_ends_of_the_lambda_range_come_first() -> None:
    order = [s.value for s in settings_of(StudyConfig()) if s.kind == "lambda"]
    assert order[:3] == [0.0, 0.8, 0.4]


def test_a_loss_without_a_weight_has_no_lambda_to_slide() -> None:
    config = StudyConfig(privacy=PrivacyConfig(loss="privacy_budget", lambda_points=9, epsilons=(1.0, 3.0)))
    assert config.lambdas == (0.0,)
    kept = [s.key for s in settings_of(config) if s.kind in ("lambda", "epsilon")]
    assert kept == ["lambda=0", "epsilon=inf", "epsilon=3", "epsilon=1"]


def test_identity_is_the_content_without_the_title() -> None:
    config = StudyConfig(title="One")
    assert config.id == StudyConfig(title="Two").id
    assert len(config.id) == 16
    assert StudyConfig().id == "c3aa9744214caf6e"  # of the version alone, so that knobs may be added
    assert config.id != StudyConfig(privacy=PrivacyConfig(lambda_max=0.9)).id


def test_equal_configurations_have_one_identity() -> None:
    whole, decimal = StudyConfig(privacy=PrivacyConfig(lambda_max=1, epsilons=(1, 3))), StudyConfig(privacy=PrivacyConfig(lambda_max=1.0, epsilons=(1.0, 3.0)))
    assert whole == decimal
    assert whole.id == decimal.id == StudyConfig.from_toml("[privacy]\nlambda_max = 1\nepsilons = [1, 3.0]").id


def test_an_empty_file_is_the_default_study() -> None:
    assert StudyConfig.from_toml("") == StudyConfig()


def test_every_part_has_words_for_its_knobs() -> None:
    for part in (*PARTS.values(), ComputeOptions):
        for name, (field, spec) in knobs_of(part).items():
            assert spec.label, name
            assert spec.help.endswith("."), name
            assert spec.accuracy and spec.leakage, f"{name} doesn't say what raising it does to accuracy and to leakage"
            assert not (spec.accuracy + spec.leakage).endswith("."), f"{name}: a clause, which stands in a sentence"
            assert field.default is not dataclasses.MISSING, name


BAD = {
    "not TOML": ("[task\nways = 5", "not valid TOML"),
    "a number without end": ("[task]\nways = 1" + "0" * 5000, "not valid TOML"),
    "nesting without end": ("x = " + "[" * 20_000, "not valid TOML"),
    "older version": ("version = 0", "version 0"),
    "newer version": ("version = 99", "reads version 1"),
    "version in words": ("version = 'one'", "version 'one'"),
    "unknown part": ("[tasks]\nways = 5", "unknown part 'tasks'"),
    "unknown knob": ("[task]\nwayz = 5", "task.wayz is not a knob"),
    "part that is no table": ("task = 5", "'task' is 5"),
    "NaN": ("[inner]\nrate = nan", "rate is nan"),
    "infinite": ("[privacy]\nepsilons = [1.0, inf]", "epsilons is inf"),
    "out of range": ("[task]\nways = 1", "ways is 1, but must lie between 2 and 20"),
    "text for a number": ("[outer]\niterations = 'many'", "iterations is 'many'"),
    "decimal for a whole number": ("[outer]\niterations = 10.5", "iterations is 10.5"),
    "odd shadows": ("[audit]\nadaptations = 5", "adaptations is 5, but must be even"),
    "unknown family": ("[task]\nfamily = 'lettres'", "'lettres' is not known among tasks; choose one of:"),
    "unknown loss": ("[privacy]\nloss = 'mi'", "'mi' is not known among privacy"),
    "budget without noise": ("[privacy]\nloss = 'privacy_budget'\nmechanism = 'none'", "loss is 'privacy_budget', which protects by noise alone, but mechanism is 'none'"),
    "attribute that isn't there": ("[task]\nfamily = 'digits'\n[privacy]\nloss = 'attribute_mi'", "the family 'digits' has no sensitive attribute"),
    "unknown learner": ("[outer]\nlearner = 'mamll'", "'mamll' is not known among meta"),
    "unknown search": ("[outer]\nsearch = 'grid'", "'grid' is not known among search"),
    "mode of another family": ("[task]\nfamily = 'letters'\nmode = 'site_target'", "mode is 'site_target'"),
    "empty title": ("title = ' '", "title is ' '"),
    "endless title": (f"title = '{'x' * 201}'", "title is"),
    "no list": ("[outer]\nhidden = 64", "hidden is 64"),
    "empty list": ("[outer]\nhidden = []", "hidden is ()"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_mistake_gets_one_sentence(case: str) -> None:
    text, part = BAD[case]
    with pytest.raises(ConfigError) as caught:
        StudyConfig.from_toml(text)
    sentence = str(caught.value)
    assert part in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


SCALARS = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=4))
TABLES = st.dictionaries(st.sampled_from(["ways", "rate", "hidden", "loss", "x"]), SCALARS, max_size=3)


@given(st.dictionaries(st.sampled_from([*PARTS, "version", "title", "other"]), st.one_of(SCALARS, TABLES, st.lists(st.integers(), max_size=2)), max_size=4))
def test_any_content_is_read_or_refused(content: dict[str, Any]) -> None:
    try:
        StudyConfig.from_dict(content)
    except ConfigError as error:
        assert str(error).endswith(".")


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("none.toml", "binary.toml", "a\0b"):
        with pytest.raises(ConfigError, match="can't be read"):
            StudyConfig.from_file(tmp_path / name)


def test_a_file_is_read(tmp_path: Path) -> None:
    config = StudyConfig(title="Ünicode λ")
    (tmp_path / "study.toml").write_text(config.to_toml(), encoding="utf-8")
    assert StudyConfig.from_file(tmp_path / "study.toml") == config


@given(st.sampled_from(list(SETTING_KINDS)), st.floats(allow_nan=False))
def test_a_setting_is_found_again_by_its_key(kind: str, value: float) -> None:
    assert Setting.from_key(Setting(kind, value).key) == Setting(kind, value)


def test_short_values_have_short_keys() -> None:
    assert [Setting("lambda", 0.6).key, Setting("epsilon", 3.0).key, Setting("epsilon", math.inf).key] == ["lambda=0.6", "epsilon=3", "epsilon=inf"]


@pytest.mark.parametrize("key", ["", "lambda", "lambda=", "lambda=x", "lambda=nan", "gamma=1", "=1"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a setting; write for example lambda=0\.6"):
        Setting.from_key(key)


def test_compute_options_are_checked_too() -> None:
    with pytest.raises(ConfigError, match="device is 'tpu', but must be one of: cpu, cuda"):
        ComputeOptions(device="tpu")


def test_each_familys_own_defaults_are_acceptable() -> None:
    for name, family in plugins("tasks").items():
        assert TaskConfig(**{"family": name, "mode": family.modes[0]} | family.defaults).family == name
