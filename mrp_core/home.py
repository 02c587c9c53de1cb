"""The folder in which everything of a person lies, and files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs


def home_folder(url: str | None = None) -> Path:
    """MRP_HOME, or else the folder of the SQLite file that ``url`` names, or else the user's data folder; it needn't exist.

    Args:
        url: SQLAlchemy URL of the store; without it MRP_STORE.
    """
    folder, url = os.environ.get("MRP_HOME"), url or os.environ.get("MRP_STORE")
    if folder:
        return Path(folder).expanduser().absolute()
    file = _sqlite_file(url) if url and url.startswith("sqlite") else None
    return Path(file).absolute().parent if file else Path(platformdirs.user_data_dir("mrp"))


def write_whole(path: Path, data: bytes) -> str:
    """Write a file so that it is there whole or not at all, even after a power cut; returns its SHA-256.

    Raises:
        OSError: If the disk is full or the folder can't be written; no part of the file is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return hashlib.sha256(data).hexdigest()


def _sqlite_file(url: str) -> str | None:
    from sqlalchemy import make_url  # here: task families need the folder, but no database
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).database
    except ArgumentError:
        return None  # the database says what is wrong with it
