"""What the documents say can be done can be done."""

from __future__ import annotations

import doctest
import json
import re
import shlex
from pathlib import Path

import pytest

from benchmarks import dp_adaptation, estimators
from mrp_core import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_examples_give_what_they_show() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("line", re.findall(r"^(mrp [^#\n]*)", README, flags=re.MULTILINE))
def test_each_command_is_understood(line: str) -> None:
    cli._parser().parse_args(shlex.split(line)[1:])


def test_each_make_target_exists() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for document in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / document).read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert named
        assert set(named) <= set(targets)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    paths = re.findall(r"`((?:mrp_core|pages|sample_data|tests)/[A-Za-z0-9_./]+)`", text)
    assert [name for name in links + paths if not (ROOT / name).exists()] == []


def test_the_table_of_estimators_is_that_of_the_stored_results() -> None:
    results = ROOT / "benchmarks" / "results"
    assert (results / "estimators.md").read_text(encoding="utf-8") == estimators.render(json.loads((results / "estimators.json").read_text(encoding="utf-8")))


def test_the_figures_of_private_adaptation_are_those_of_the_stored_results() -> None:
    results = json.loads((ROOT / "benchmarks" / "results" / "dp_adaptation.json").read_text(encoding="utf-8"))
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    letters, digits = results["letters"], results["digits"]
    accuracy = {name: by["3"]["accuracy"][0] for name, by in letters["methods"].items()}
    scratch = max((name for name in accuracy if name.startswith("from scratch")), key=lambda name: accuracy[name])
    joint = max((name for name in accuracy if name.startswith("joint")), key=lambda name: accuracy[name])
    assert f"reaches {100 * accuracy[dp_adaptation.OURS]:.1f} % on new letters" in text and f"the best is {100 * accuracy[scratch]:.1f} %" in text
    span = lambda found, sign=1: "{:.1f} points [{:.1f}, {:.1f}]".format(*(100 * sign * v for v in (found if sign > 0 else (found[0], found[2], found[1]))))  # noqa: E731
    assert f"a difference of {span(letters['meta_learned_minus'][scratch]['3']['accuracy'])}" in text
    assert f"it is {span(letters['meta_learned_minus'][joint]['3']['accuracy'])}; on digits" in text
    ahead = max((digits["meta_learned_minus"][name]["1"]["accuracy"] for name in digits["meta_learned_minus"] if name.startswith("joint")), key=lambda d: -d[0])
    assert f"joint training is ahead by {span(ahead, -1)} at ε = 1" in text
    apart = [d["accuracy"] for r in results.values() for d in r["meta_learned_minus"][dp_adaptation.SEPARATE].values()]
    assert f"loses at most {-100 * min(d[0] for d in apart):.1f} points on average" in text and f"the interval reaches {-100 * min(d[1] for d in apart):.1f}" in text
    shared = [d["accuracy"][0] for r in results.values() for d in r["meta_learned_minus"][dp_adaptation.EQUAL].values()]
    assert f"share the same total at most {-100 * min(shared):.1f}" in text


def test_one_strategy_for_every_epsilon_is_within_two_points_of_separate_ones() -> None:
    results = json.loads((ROOT / "benchmarks" / "results" / "dp_adaptation.json").read_text(encoding="utf-8"))
    assert {(f, e) for f, r in results.items() for e, d in r["conditioned_against_separate"].items() if not d["mean_within_target"]} == set()


def test_what_the_readme_says_of_the_searches_is_in_the_stored_results() -> None:
    results = json.loads((ROOT / "benchmarks" / "results" / "searches.json").read_text(encoding="utf-8"))
    ahead = {(f, axis, name.split(" / ")[0]) for f, part in results.items() for axis, found in part["axes"].items() for name, r in found["ratio"].items() if r["low"] > 1}
    assert ("digits", "mi", "evolutionary") in ahead and ("digits", "lira_auc", "reinforce") in ahead
    assert not {a for a in ahead if a[0] == "letters"}


def test_no_lower_bound_of_the_stored_results_lies_above_its_epsilon_and_the_attack_finds_what_has_none() -> None:
    results = json.loads((ROOT / "benchmarks" / "results" / "dp_adaptation.json").read_text(encoding="utf-8"))
    for family, part in results.items():
        bounds = [(e, by[e]["epsilon"]) for by in part["methods"].values() for e in by]
        assert all(b["lower"] <= b["upper"] for e, b in bounds if e != "inf"), family
        assert all(b["lower"] > 0.3 for e, b in bounds if e == "inf"), family


def test_only_noise_is_above_what_is_free_and_only_on_membership_as_the_readme_says() -> None:
    results = json.loads((ROOT / "benchmarks" / "results" / "losses.json").read_text(encoding="utf-8"))
    assert set(results) == {"letters", "medical", "digits"} and "Only methods with noise are above what is free" in README
    above = {(family, axis, name) for family, part in results.items() for axis, found in part["axes"].items() for name, gain in found["gain over free"].items() if gain[1] > 0}
    assert above == {(family, "lira_auc", name) for family in results for name in ("noise", "membership_mi + noise", "output_mi + noise")}
