"""Files beside the database: where they lie, and read back only if their hash is the recorded one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from mrp_core.errors import StoreError


def read_whole(path: Path, sha256: str) -> bytes | None:
    """The file's bytes, or None if it is missing, truncated or altered."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


def remove(paths: Iterable[Path]) -> None:
    """Remove files that may be gone already; one that can't be removed is left."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue


def artifact_file(home: Path, study: str, name: str, data: bytes) -> Path:
    """Where a file of a study lies: under the hash of its content, with the ending of its name.

    Raises:
        StoreError: If the name isn't a plain file name.
    """
    if not name or Path(name).name != name:
        raise StoreError(f"The artifact name is {name!r}, but must be a plain file name such as strategy.safetensors.")
    return home / "artifacts" / study / f"{hashlib.sha256(data).hexdigest()}{Path(name).suffix}"


def checkpoint_folder(home: Path, study: str) -> Path:
    """Where the checkpoints of a study lie."""
    return home / "checkpoints" / study
