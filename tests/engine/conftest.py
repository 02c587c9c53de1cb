"""The toy family, registered for the tests of one module at a time, and a strategy trained on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from mrp_core import registry
from mrp_core.config import ComputeOptions
from mrp_core.engine import train
from mrp_core.strategy import Strategy
from tests.engine.toy import Toy, toy_study


@pytest.fixture(scope="module", autouse=True)
def toy() -> Iterator[None]:
    """The toy is a family like any other, until the module's last test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.plugins("tasks"), "toy", Toy())
        yield


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Batches here are far too small for threads, inside an operation or beside one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MRP_THREADS", "1")
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def strategy(toy: None) -> Strategy:
    """Trained in float64 with λ and ε arms of two seeds."""
    return train(toy_study(outer__seeds=2, outer__iterations=15), ComputeOptions(precision="float64"))
