"""The house rules, checked: who imports whom, how large things are, what a page may load before it is drawn."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from mrp_core.registry import PACKAGES

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    ".ci", ".gitignore", ".streamlit", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "app.py", "benchmarks", "mrp_core", "pages",
    "pyproject.toml", "requirements.lock", "sample_data", "tests",
}
TEXTS = {".py", ".md", ".toml", ".css", ".html", ".js", ".yml", ".mako", ".sh", ""}
# Modules that a page imports before it can draw anything; the plug-ins of every registry are added to them.
BEFORE_PAINT = (
    "config", "results", "registry", "measurement", "charts", "store", "studyfile", "limits", "frontier", "accounting", "jobs", "cost",
)


@cache
def tracked() -> tuple[Path, ...]:
    """Files that belong to the project: what git tracks or would; without git, everything but hidden and built things."""
    listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode == 0:
        found = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        found = [p for name in TOP_LEVEL for p in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*")) if "__pycache__" not in p.parts]
    return tuple(p for p in found if p.is_file())


def sources(*folders: str) -> list[Path]:
    """Python files under these folders (or files) of the project."""
    return [p for p in tracked() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in folders]


def product() -> list[Path]:
    return [p for p in sources("mrp_core", "pages", "app.py") if "migrations" not in p.parts]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Full names that a file imports anywhere, type-checking blocks included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function with the number of lines of its body, its docstring left out."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield f"{named(path)}:{node.lineno} {node.name}", (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def public_names(path: Path) -> list[str]:
    """Functions and classes that a module offers; constants and type aliases are its data, not its interface."""
    return [n.name for n in tree(path).body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]


def test_import_contract_holds() -> None:
    result = subprocess.run([sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
                            cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("module", [f"mrp_core.{name}" for name in BEFORE_PAINT])
def test_a_page_opens_without_the_engine(module: str) -> None:
    assert loaded_by(f"import {module}") == []


def test_pages_load_no_engine_before_they_draw() -> None:
    wanted = {name for page in sources("pages") for name in drawn_with(page)}
    assert {"pages.ui.frame", "mrp_core.results"} <= wanted
    assert set(loaded_by("import " + ", ".join(sorted(wanted)))) <= {"streamlit"}


def drawn_with(page: Path) -> Iterator[str]:
    """The project's own modules that a page imports at its top."""
    for node in tree(page).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("mrp_core", "pages"):
            parts = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if (ROOT / (name.replace(".", "/") + ".py")).exists() else str(node.module) for name in parts)


@pytest.mark.parametrize("package", PACKAGES)
def test_plugins_are_listed_without_the_engine(package: str) -> None:
    assert loaded_by(f"from mrp_core.registry import plugins; assert plugins({package!r})") == []


def loaded_by(code: str) -> list[str]:
    """Heavy packages that are loaded once the code has run in a fresh interpreter."""
    check = f"{code}\nimport sys; print(*[m for m in ('torch', 'sklearn', 'optuna', 'streamlit') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_plugins_do_not_know_one_another() -> None:
    for package in PACKAGES:
        for path in (ROOT / "mrp_core" / package).glob("*.py"):
            others = [name for name in imports(path) if re.match(rf"mrp_core\.({'|'.join(PACKAGES)})\.", name)]
            assert not others, f"{named(path)} imports {others}"


def test_pages_do_not_know_one_another() -> None:
    for path in sources("pages"):
        strangers = [name for name in imports(path) if name.startswith("pages.") and not name.startswith("pages.ui.")]
        assert set(strangers) <= {"pages.ui"}, f"{named(path)} imports {strangers}"


def test_modules_are_small() -> None:
    lengths = {named(p): len(p.read_text(encoding="utf-8").splitlines()) for p in product()}
    assert {name: n for name, n in lengths.items() if n > 300} == {}
    assert statistics.median(lengths.values()) <= 120


def test_functions_are_small() -> None:
    lengths = dict(entry for p in product() for entry in functions(p))
    assert {name: n for name, n in lengths.items() if n > 50} == {}
    assert sorted(lengths.values())[int(0.9 * len(lengths))] <= 25


def test_modules_offer_few_names() -> None:
    # The two modules that only declare are lists by nature: one class for each kind of error, one for each part of a study.
    lists = {"mrp_core/errors.py", "mrp_core/config.py"}
    offered = {named(p): public_names(p) for p in product()}
    assert {name: names for name, names in offered.items() if len(names) > 7 and name not in lists} == {}


def test_modules_say_what_they_are_for() -> None:
    assert [named(p) for p in sources("mrp_core", "pages", "app.py", "tests", "benchmarks") if p.stat().st_size and not ast.get_docstring(tree(p))] == []


def test_the_core_asserts_nothing_and_prints_nothing() -> None:
    for path in product():
        for node in ast.walk(tree(path)):
            assert not isinstance(node, ast.Assert), f"{named(path)}:{node.lineno} asserts"
            if named(path) not in ("mrp_core/cli.py",) and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "eval", "exec"), f"{named(path)}:{node.lineno} calls {node.func.id}"


def test_texts_name_no_machine_and_put_nothing_off() -> None:
    forbidden = re.compile(r"/(?:home|root|Users|work)/\w|\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b|pypi\.org|files\.pythonhosted|/opt/" r"pypi")
    for path in tracked():
        if path.suffix in TEXTS and path.name not in ("requirements.lock", "LICENSE"):
            found = forbidden.search(path.read_text(encoding="utf-8"))
            assert not found, f"{named(path)}: {found.group() if found else ''}"


def test_the_lock_is_complete_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert text.count("\n# tests only") == 1, "the Makefile installs for the app what stands before this line"
    parts = [re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[\w+\])?==", part, flags=re.MULTILINE) for part in text.split("\n# tests only")]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for names, listed in zip(parts, (wanted["dependencies"], wanted["optional-dependencies"]["test"]), strict=True):
        assert {re.split(r"[^\w.-]", entry)[0].lower() for entry in listed} - {"torch"} <= set(names), "run make lock"
    entries = [name for part in parts for name in part]
    assert text.count("--hash=sha256:") >= len(entries)
    assert not [e for e in entries if re.match(r"(torch$|triton|nvidia-|cuda-)", e)], "torch is installed apart"


def test_nothing_strays_at_the_top() -> None:
    assert {p.relative_to(ROOT).parts[0] for p in tracked()} - TOP_LEVEL == set()
