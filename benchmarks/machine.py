"""The machine that a result was taken on, and the files that results go to."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mrp_core.threads import prepare

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, load, and versions."""
    cpu = "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"processor": cpu, "cores": cores, "load_before": load, "system": f"{platform.system()} {platform.machine()}", "python": platform.python_version(),
            "torch": torch.__version__, "vector_instructions": torch.backends.cpu.get_cpu_capability(), "taken": time.strftime("%Y-%m-%d")}


def write(name: str, content: dict[str, Any]) -> Path:
    """Write ``results/<name>.json``; numbers with five significant digits."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(rounded(content), indent=1) + "\n", encoding="utf-8")
    return path


def by_family(name: str, about: str, families: tuple[str, ...], measure: Callable[[str, int, int | None], dict[str, Any]],
              show: Callable[[str, dict[str, Any]], None] = lambda family, result: None) -> tuple[Path, dict[str, Any]]:
    """The command line of a benchmark that goes family by family; the results of families that weren't asked for are kept.

    Args:
        name: Of the file in ``results/``.
        about: For ``--help``.
        families: Measured if none is asked for.
        measure: (family, seeds, meta-iterations or None for the default budget) -> its part of the file.
        show: Prints a family's part.

    Returns:
        The file that was written, and all of its content.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--families", nargs="+", default=list(families))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=None, help="meta-iterations instead of the default budget, for a quick look")
    parser.add_argument("--name", default=name, help="of the file in results/")
    asked = parser.parse_args()
    prepare()
    path = RESULTS / f"{asked.name}.json"
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for family in asked.families:
        results[family] = measure(family, asked.seeds, asked.iterations)
        write(asked.name, results)
        show(family, results[family])
    print(path)
    return path, results


def print_ratios(family: str, result: dict[str, Any]) -> None:
    """A line a ratio of hypervolumes."""
    for axis, part in result["axes"].items():
        for pair, r in part["ratio"].items():
            print(f"{family:10s} {axis:10s} {pair:45s} {r['mean']:.3f}  ({r['low']:.3f} to {r['high']:.3f})")


def rounded(value: Any) -> Any:
    """The same structure with short numbers; NaN and infinity become null."""
    if isinstance(value, dict):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    return value
