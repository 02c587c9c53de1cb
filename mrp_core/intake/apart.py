"""Files of unknown origin are read in a process of their own, which can do no more harm than end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mrp_core.errors import DataError
from mrp_core.intake.bounds import WALL_SECONDS, checked_bytes
from mrp_core.intake.child import NOT_A_TABLE

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")
"""Of the environment, the reading process gets no more: no address of a store, no keys."""


def read_apart(data: bytes, place: Path, seconds: float = WALL_SECONDS) -> None:
    """Write the table that the bytes hold to ``place`` as Parquet with columns of texts; nothing is left there if they hold none.

    Raises:
        DataError: If they hold no table, or reading takes more than it may.
        OSError: If ``place`` can't be written.
    """
    checked_bytes(len(data))
    environment = {k: os.environ[k] for k in KEPT if k in os.environ} | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    with place.open("wb") as out:
        try:
            done = subprocess.run([sys.executable, "-P", "-W", "ignore", "-m", "mrp_core.intake.child"], input=data, stdout=out, stderr=subprocess.PIPE, env=environment, cwd=place.parent,
                                  timeout=seconds, check=False)
            problem = _problem(done)
        except subprocess.TimeoutExpired:
            problem = f"Reading the file took more than {seconds:g} seconds; leave out rows or columns."
    if problem:
        place.unlink(missing_ok=True)
        raise DataError(problem)


def _problem(done: subprocess.CompletedProcess[bytes]) -> str:
    if not done.returncode:
        return ""
    told = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == NOT_A_TABLE and told and "\n" not in told:
        return told
    return "The file can't be read within the memory and time that a table may take, or it is damaged; leave out rows or columns, or save it anew as CSV in UTF-8."
