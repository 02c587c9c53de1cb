"""What task families share: reading sample files, leaving out twins, drawing members, scaling."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.errors import DataError

SAMPLE_DATA = Path(__file__).resolve().parent.parent / "sample_data"
# A changed value would change every figure without a trace: a file listed here is read only if it is, byte for byte, the one that was committed.
CHECKSUMS = {
    "federated_heart.csv.gz": "83d907aed61e66e0da41a15400d3d58fdf226a136225136755d7a0efe49f3c6c",
    "finance_adult.csv.gz": "4fd6210001197d993c3b7d8fac81dec5e12d0325207d73281ec8722ac833e168",
    "finance_lendingclub.csv.gz": "1f70a6d42e07ac4cb7279a4cd1e62f9bbe162f7cca2c3d1b59a46575ed12bdd9",
    "images_fashion4k.npz": "3d61f4d52d116c9fbf6d30ed8c40cb5c6766fa8106a490ed0e1c4f813f7bd2fd",
    "letters26.npz": "d2401b5957e1fafcad0cd964904cef66b130fefcbf303fce2fa388eedc3a4f5d",
    "medical_support2.csv.gz": "f0997537fe2481527d3c96e7625664c32b40b0119a65fb7e17d1694b6a5a7c1b",
    "recsys_insteval.csv.gz": "bda2bd96f5d4521d8cbf9edc2323da7acedb02fe83f25f812e2952bebce07859",
    "wearable_shoulder.npz": "add7c222c58b54b8949011def82f3283e6250094f62867b5bbb6c87d068de981",
    "wearable_shoulder_raw.npz": "327d717117b0f988910a5354faa7df43a37e1371e64a7a369182d3721be7fde7",
}
MEMBERS = 0.55
MOST_TASKS = 4000
CLIP = 5.0


def _content(path: Path) -> io.BytesIO:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != CHECKSUMS.get(path.name, hashlib.sha256(content).hexdigest()):
        raise ValueError("not the committed file")
    return io.BytesIO(content)


@functools.cache
def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(_content(path), allow_pickle=False) as file:
            return {k: file[k] for k in file.files}
    except (OSError, ValueError, TypeError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise _damaged(path, error) from error


@functools.cache
def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(_content(path), compression="gzip")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    reason = "missing" if isinstance(error, FileNotFoundError) else f"damaged or unreadable ({type(error).__name__})"
    return DataError(f"The sample file {path.name!r} is {reason}; restore sample_data/{path.name} from the repository.")


def read_arrays(name: str, keys: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    """Arrays of a sample .npz file, as copies.

    Raises:
        DataError: If the file is missing or damaged, or lacks a key.
    """
    found = _arrays(SAMPLE_DATA / name)
    missing = [k for k in keys if k not in found]
    if missing:
        raise DataError(f"The sample file {name!r} has no array {missing[0]!r}; restore sample_data/{name} from the repository.")
    return {k: found[k].copy() for k in keys}


def read_table(name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Table of a sample .csv.gz file, as a copy.

    Raises:
        DataError: If the file is missing or damaged, or lacks a column.
    """
    found = _table(SAMPLE_DATA / name)
    missing = [c for c in columns if c not in found.columns]
    if missing:
        raise DataError(f"The sample file {name!r} has no column {missing[0]!r}; restore sample_data/{name} from the repository.")
    return found.copy()


def distinct_rows(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of the first of each group of equal rows, ascending; NaN equals NaN. A twin on the other side would be no non-member."""
    plain = np.where(np.isnan(x), np.inf, x)
    return np.sort(np.unique(plain, axis=0, return_index=True)[1])


def draw_members(strata: NDArray[np.int64], seed: int, share: float = MEMBERS) -> NDArray[np.bool_]:
    """Members drawn by seed, the same share of each stratum (rounded), bool [records]."""
    rng = np.random.default_rng([seed, 3])
    out = np.zeros(len(strata), dtype=bool)
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        out[rows[:round(share * len(rows))]] = True
    return out


def standardised(x: NDArray[np.float64], basis: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Columns imputed by the median, then scaled to mean 0 and deviation 1 and clipped to ±5, float32.

    All three statistics come from the ``basis`` rows only. A column without a value there, or without spread, becomes zero.
    """
    if not basis.any():
        return np.zeros(x.shape, dtype=np.float32)
    known = x[basis]
    empty = np.isnan(known).all(0)
    median = np.zeros(x.shape[1])
    median[~empty] = np.nanmedian(known[:, ~empty], axis=0)
    filled = np.where(np.isnan(x), median, x)
    mean, deviation = filled[basis].mean(0), filled[basis].std(0)
    # Rounding gives a constant column a small deviation, which grows with its size.
    flat = empty | (deviation < 1e-12 * np.maximum(1.0, np.abs(mean)))
    scaled = (filled - mean) / np.where(flat, 1.0, deviation)
    return np.where(flat, 0.0, scaled).clip(-CLIP, CLIP).astype(np.float32)


def sensitive_name(family: str, offered: tuple[str, ...], asked: str) -> str:
    """The sensitive attribute asked for, or the family's first; empty where a family has none.

    Raises:
        DataError: If the family doesn't offer it.
    """
    if asked and asked not in offered:
        choice = f"choose one of: {', '.join(offered)}" if offered else "it has none, so leave it empty"
        raise DataError(f"sensitive is {asked!r}, which the family {family!r} doesn't offer; {choice}.")
    return asked or next(iter(offered), "")


def class_tasks(classes: int, ways: int, part: str, seed: int = 0) -> NDArray[np.int64]:
    """All sets of ``ways`` classes, or 4,000 random ones where there are more, int64 [tasks, ways].

    Raises:
        DataError: If there are fewer classes than ways.
    """
    if classes < ways:
        raise DataError(f"ways is {ways}, but the {part} split of this family has only {classes} classes; ask for at most {classes}.")
    if math.comb(classes, ways) <= MOST_TASKS:
        return np.array(list(itertools.combinations(range(classes), ways)), dtype=np.int64)
    rng = np.random.default_rng([seed, classes, ways])
    found = {tuple(sorted(rng.choice(classes, ways, replace=False).tolist())) for _ in range(MOST_TASKS)}
    return np.array(sorted(found), dtype=np.int64)
