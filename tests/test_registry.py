"""Plug-ins are found by lying in their package, and only there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mrp_core import registry
from mrp_core.errors import ConfigError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package of plug-ins, ``mrp_core.meta`` for the time of a test."""
    import mrp_core.meta

    kept = {name: module for name, module in sys.modules.items() if name.startswith("mrp_core.meta.")}
    for name in kept:
        del sys.modules[name]
    monkeypatch.setattr(mrp_core.meta, "__path__", [str(tmp_path)])
    registry.plugins.cache_clear()
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("mrp_core.meta.")]:
        del sys.modules[name]
    sys.modules.update(kept)
    registry.plugins.cache_clear()


def write(folder: Path, file: str, name: str, order: int | None = None) -> None:
    lines = ["class P:", f"    name = {name!r}"] + ([f"    order = {order}"] if order is not None else []) + ["PLUGIN = P()"]
    (folder / f"{file}.py").write_text("\n".join(lines))


def test_one_new_file_is_one_new_plugin(package: Path) -> None:
    write(package, "one", "mine")
    assert list(registry.plugins("meta")) == ["mine"]
    assert registry.plugin("meta", "mine") is registry.plugins("meta")["mine"]


def test_order_then_name(package: Path) -> None:
    for file, name, order in (("a", "late", 9), ("b", "zeta", None), ("c", "alpha", None), ("d", "first", 1)):
        write(package, file, name, order)
    assert list(registry.plugins("meta")) == ["first", "late", "alpha", "zeta"]


def test_a_helper_file_is_no_plugin(package: Path) -> None:
    write(package, "one", "mine")
    (package / "helper.py").write_text("VALUE = 1")
    assert list(registry.plugins("meta")) == ["mine"]


def test_two_of_a_name_are_refused(package: Path) -> None:
    write(package, "one", "same")
    write(package, "two", "same")
    with pytest.raises(ConfigError, match=r"Two plug-ins of meta are called 'same'; rename one of them\."):
        registry.plugins("meta")


def test_unknown_names_are_answered_with_the_known() -> None:
    with pytest.raises(ConfigError, match=r"'mamll' is not known among meta; choose one of: maml, .*anil.*\."):
        registry.plugin("meta", "mamll")
    with pytest.raises(ConfigError, match="There are no plug-ins called 'os'"):
        registry.plugins("os")


@pytest.mark.parametrize("name", registry.PACKAGES)
def test_each_registry_has_plugins_with_words(name: str) -> None:
    found = registry.plugins(name)
    assert found
    for key, plugin in found.items():
        assert plugin.name == key
        assert plugin.title
        assert plugin.summary.endswith(".")
