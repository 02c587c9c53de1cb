"""Results as files: a study with its configuration and strategy beside it, or any text, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mrp_core.errors import ConfigError, StoreError
from mrp_core.home import write_whole
from mrp_core.studyfile import StudyFile


def write_study(file: StudyFile, path: Path) -> None:
    """Write a study file, its configuration as TOML (unless such a file is there) and its strategy beside it, under the same name.

    Raises:
        ConfigError: If the path is a folder or ends as its companions do.
        StoreError: If the disk is full or the folder can't be written.
    """
    check_place(path)
    write_text(path, file.to_json())
    try:
        if not path.with_suffix(".toml").exists():  # it may be the very file that was run
            write_whole(path.with_suffix(".toml"), file.config.to_toml().encode())
        if file.strategy is not None and file.strategy != path.with_suffix(".safetensors"):
            write_whole(path.with_suffix(".safetensors"), file.strategy.read_bytes())
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be written ({error.strerror or error}); choose another place or free some space.") from error


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StoreError: If the disk is full or the folder can't be written.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be written ({error.strerror or error}); choose another place or free some space.") from error


def check_place(path: Path) -> None:
    """Whether a study can be written to this path.

    Raises:
        ConfigError: If it can't, with the reason.
    """
    if path.suffix in (".toml", ".safetensors") or path.is_dir():
        raise ConfigError(f"out is {str(path)!r}, but must be a file whose name ends in .json; the configuration and the strategy are written beside it.")
