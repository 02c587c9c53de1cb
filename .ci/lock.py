"""Writes requirements.lock from two resolutions: what the app needs, then, under a marker line, what only the tests need on top.

Usage: lock.py APP TESTS > requirements.lock
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MARKER = "# tests only: from here on"
# torch's builds (CPU, CUDA, macOS) differ in hashes and in what they need: the Makefile installs it apart, with the version of pyproject.toml.
APART = re.compile(r"(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)\b")


def blocks(path: str) -> dict[str, str]:
    """Each pinned package with its hashes, by its line up to the version."""
    text = "\n".join(line for line in Path(path).read_text(encoding="utf-8").splitlines() if not line.startswith("    #   -c "))
    found = (block.strip() for block in re.split(r"\n(?=[A-Za-z0-9])", text) if block.strip())
    return {block.split()[0]: block for block in found if not APART.match(block)}


def main(app: str, tests: str) -> None:
    """Print the lock."""
    first, second = blocks(app), blocks(tests)
    more = [block for name, block in second.items() if name not in first]
    sys.stdout.write("\n".join([*first.values(), MARKER, *more]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
