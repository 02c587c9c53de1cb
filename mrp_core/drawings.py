"""The Omniglot drawings from a folder of their own: alphabets, characters, and who drew them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.tabular import distinct_rows

FOLDERS = ("images_background", "images_evaluation")
SIDE, DRAWN = 28, 105
MOST_FILES, MOST_BYTES = 40_000, 65_536
ADVICE = "set MRP_OMNIGLOT to the folder that holds images_background (and images_evaluation) of the original Omniglot pictures"
_CHARACTER, _DRAWING = re.compile(r"character\d{2}"), re.compile(r"\d{4}_(\d{2})\.png")


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawings:
    """Distinct drawings, 28 x 28, more ink is a larger number.

    Attributes:
        pixels: uint8 [drawings, 784].
        character: Which of ``characters``, int64 [drawings].
        drawer: Number of who drew it within its alphabet, int64 [drawings].
        characters: (folder, alphabet, character) of each class.
        twins: How many drawings were left out for being equal to another.
    """

    pixels: NDArray[np.uint8]
    character: NDArray[np.int64]
    drawer: NDArray[np.int64]
    characters: tuple[tuple[str, str, str], ...]
    twins: int


def read_drawings(folder: str) -> Drawings:
    """All drawings in a folder laid out as the original: images_background/Alphabet/character01/0001_01.png, 105 x 105.

    Nothing outside the folder is read, whatever links lie in it, and no more than 40,000 files.

    Args:
        folder: Path, or empty where none was given.

    Raises:
        DataError: If there is no such folder, nothing in it fits, there is too much, or a picture can't be read.
    """
    if not folder.strip():
        raise DataError(f"Omniglot isn't shipped with this program, and the environment variable MRP_OMNIGLOT isn't set; {ADVICE}.")
    return _read(Path(folder))


@functools.lru_cache(maxsize=1)
def _read(folder: Path) -> Drawings:
    try:
        root = folder.resolve(strict=True)
        found = list(_files(root))
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(f"MRP_OMNIGLOT is {str(folder)!r}, which can't be read ({type(error).__name__}); {ADVICE}.") from error
    if not found:
        raise DataError(f"MRP_OMNIGLOT is {str(folder)!r}, which holds no file like images_background/Alphabet/character01/0001_01.png; {ADVICE}.")
    names = tuple(sorted({name for name, _, _ in found}))
    number = {name: i for i, name in enumerate(names)}
    pixels = np.stack([_pixels(path) for _, _, path in found])
    keep = distinct_rows(pixels.astype(np.float64))
    return Drawings(pixels=pixels[keep], character=np.array([number[name] for name, _, _ in found])[keep], drawer=np.array([drawer for _, drawer, _ in found])[keep],
                    characters=names, twins=len(found) - len(keep))


def _files(root: Path) -> Iterator[tuple[tuple[str, str, str], int, Path]]:
    """Class, drawer and path of each file that fits, in the order of their names."""
    count = 0
    for part in FOLDERS:
        for alphabet in _inside(root / part, root):
            for character in (c for c in _inside(alphabet, root) if _CHARACTER.fullmatch(c.name)):
                for path in _inside(character, root):
                    fits = _DRAWING.fullmatch(path.name)
                    if fits is None or not path.is_file():
                        continue
                    count += 1
                    if count > MOST_FILES:
                        raise DataError(f"MRP_OMNIGLOT holds more than {MOST_FILES:,} drawings, but Omniglot has 32,460; {ADVICE}, and nothing else.")
                    yield (part, alphabet.name, character.name), int(fits[1]), path


def _inside(folder: Path, root: Path) -> list[Path]:
    """Sorted entries of a folder whose real place is in ``root``; none if it isn't a folder."""
    if not folder.is_dir() or not folder.resolve().is_relative_to(root):
        return []
    return [p for p in sorted(folder.iterdir()) if not p.is_symlink() or p.resolve().is_relative_to(root)]


def _pixels(path: Path) -> NDArray[np.uint8]:
    """One drawing, uint8 [784]; each number is the ink in a cell."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES:,} bytes")
        with path.open("rb") as file:
            return _shrunk(file)
    except (OSError, ValueError, SyntaxError) as error:  # Pillow tells of a damaged PNG by the last
        raise DataError(f"The drawing {'/'.join(path.parts[-3:])} can't be read as a PNG of {DRAWN} x {DRAWN} pixels ({error or type(error).__name__}); "
                        "restore it from the original archive.") from error


def _shrunk(file: BinaryIO) -> NDArray[np.uint8]:
    from PIL import Image  # here: a page lists families before pictures are needed; it comes with Streamlit

    with Image.open(file, formats=("PNG",)) as picture:
        if picture.size != (DRAWN, DRAWN):
            raise ValueError(f"it has {picture.size[0]} x {picture.size[1]}")
        small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
        return 255 - np.asarray(small, dtype=np.uint8).ravel()
