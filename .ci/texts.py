"""Brings the catalogues of other languages up to date with the texts in the code.

``python .ci/texts.py`` adds what is new, with an empty translation, and drops what is gone; with ``--check`` it only tells, and ends with 1 if anything is missing.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "pages" / "ui" / "languages"
PLUGIN_FIELDS = ("title", "summary", "caveat", "origin", "licence")


def texts() -> dict[str, str]:
    """Every text that the pages may say -> the file in which it first stands, in the order of the files."""
    found: dict[str, str] = {}
    for place, text in (*_written(), *_declared()):
        if any(c.isalpha() for c in text):
            found.setdefault(text, place)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _written() -> Iterator[tuple[str, str]]:
    """What stands in ``Texts(...)`` and ``say(...)``."""
    for path in (*(ROOT / "pages").rglob("*.py"), *(ROOT / "mrp_core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("say", "Texts") and node.args:
                yield from ((path.relative_to(ROOT).as_posix(), text) for text in _strings(node.args[0]))


def _strings(node: ast.AST) -> Iterator[str]:
    """Texts in a literal; keys of a dict are no texts, nor is the condition of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Dict):
        yield from (text for value in node.values for text in _strings(value))
    elif isinstance(node, ast.Tuple | ast.List):
        yield from (text for value in node.elts for text in _strings(value))
    elif isinstance(node, ast.IfExp):
        yield from (text for value in (node.body, node.orelse) for text in _strings(value))


def _declared() -> Iterator[tuple[str, str]]:
    """What knobs, metrics and plug-ins are called."""
    from mrp_core.config import AuditConfig, ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, TaskConfig
    from mrp_core.knobs import knobs_of
    from mrp_core.measurement import METRICS
    from mrp_core.registry import PACKAGES, plugins
    from mrp_core.settings import SETTING_KINDS
    from mrp_core.taskdata import AREAS
    from pages.ui.glossary import TERMS

    for part in (ComputeOptions, TaskConfig, PrivacyConfig, InnerConfig, OuterConfig, AuditConfig):
        for _, knob in knobs_of(part).values():
            yield from (("mrp_core/config.py", str(getattr(knob, name, ""))) for name in ("label", "help", "unit", "accuracy", "leakage"))
    for metric in METRICS.values():
        yield from (("mrp_core/measurement.py", text) for text in (metric.label, metric.help, metric.unit, metric.kind))
    yield from (("mrp_core/settings.py", text) for text in SETTING_KINDS.values())
    yield from (("mrp_core/taskdata.py", text) for text in AREAS)
    yield from (("pages/ui/glossary.py", text) for term in TERMS.values() for text in (term.name, term.text))
    for package in PACKAGES:
        for name, plugin in plugins(package).items():
            yield from ((f"mrp_core/{package}/{name}.py", str(getattr(plugin, field, ""))) for field in PLUGIN_FIELDS)


def updated(old: Catalog, wanted: Iterable[tuple[str, str]], code: str) -> Catalog:
    """A catalogue with just the texts wanted, and the translations that there are."""
    new = Catalog(locale=code, project="MRP", charset="utf-8", fuzzy=False)
    for text, place in wanted:
        known = old.get(text)
        new.add(text, known.string if known is not None else "", locations=[(place, None)])  # type: ignore[list-item]
    return new


def main() -> int:
    """Update or check every catalogue."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="tell what is missing and change nothing")
    check, wanted, missing = parser.parse_args().check, texts(), 0
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            old = read_po(file, locale=path.stem)
        new = updated(old, wanted.items(), path.stem)
        missing += (left := sum(not m.string for m in new if m.id))
        print(f"{path.stem}: {len(wanted)} texts, {left} without a translation")
        if not check:
            with path.open("wb") as file:
                write_po(file, new, width=0, omit_header=True)
    return int(check and missing > 0)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
