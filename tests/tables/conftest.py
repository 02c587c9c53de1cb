"""Files are read in the test's own process, to be quick; tests of the reading process itself call it directly, and one of the command line goes through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mrp_core.tables import shelf
from tests.tables.made import read_here


@pytest.fixture(scope="module", autouse=True)
def in_this_process() -> Iterator[None]:
    """What the reading process does, without its limits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "read_apart", read_here)
        yield
