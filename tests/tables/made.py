"""Tables made for the tests: what a person might bring, and the sample of loans as such a file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from mrp_core import tables
from mrp_core.intake.bounds import checked_bytes
from mrp_core.intake.columnar import read_any

ROOT = Path(__file__).resolve().parents[2]


def visits(rows: int = 1200, wards: int = 8, seed: int = 0, people: int = 0) -> pd.DataFrame:
    """Visits to wards: age and pulse tell a little of the outcome; ``recorded`` gives it away."""
    rng = np.random.default_rng(seed)
    ill = rng.random(rows) < 0.5
    frame = pd.DataFrame({
        "ward": rng.choice([f"ward {i}" for i in range(wards)], rows), "age": rng.integers(20, 90, rows) + 5 * ill, "pulse": np.round(rng.normal(70 + 10 * ill, 10), 1),
        "sex": rng.choice(["female", "male"], rows), "blood": rng.choice(["A", "B", "0", "AB"], rows), "smokes": rng.choice(["yes", "no", None], rows),
        "seen": pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D")).dt.strftime("%d.%m.%Y"),
        "visit id": np.arange(rows), "constant": "x", "recorded": np.where(ill, "treated", "sent home"), "outcome": np.where(ill, "ill", "well")})
    if people:
        frame["person"] = [f"p{i}" for i in rng.integers(0, people, rows)]
    return frame


def species(rows: int = 900, classes: int = 10, seed: int = 0) -> pd.DataFrame:
    """Measurements of things of several classes."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, classes, rows)
    return pd.DataFrame({f"m{i}": rng.normal(rng.normal(0, 2, classes)[which], 1).round(3) for i in range(6)} | {"species": [f"s{c}" for c in which]})


def csv_of(frame: pd.DataFrame) -> bytes:
    """As a spreadsheet would save it."""
    return frame.to_csv(index=False).encode()


def read_here(data: bytes, place: Path) -> None:
    """What the reading process does, in this one and without its limits."""
    checked_bytes(len(data))
    table, how = read_any(data)
    pq.write_table(table.replace_schema_metadata({"how": how}), place, compression="zstd", write_page_checksum=True)


def lending() -> bytes:
    """The committed sample of loans, as a file that a person would bring."""
    return gzip.decompress((ROOT / "sample_data" / "finance_lendingclub.csv.gz").read_bytes())


def stored(frame: pd.DataFrame, label: str, *, task: str = "", person: str = "", sensitive: tuple[str, ...] = ()) -> str:
    """Id of a table that lies in the home folder."""
    upload = tables.store_upload("made.csv", csv_of(frame))
    return tables.save(tables.proposed(upload, label, task=task, person=person, sensitive=sensitive))
