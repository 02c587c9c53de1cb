"""Seeds for random generators. Needs numpy only."""

from __future__ import annotations

import numpy as np


def generator_seed(*numbers: int) -> int:
    """A seed of 32 bits, all that torch's generator for the processor takes of one: bits above them are dropped without a word.

    Args:
        numbers: What the stream belongs to, e.g. (seed, iteration, purpose), each from 0; other numbers give another seed but for one chance in 2^32.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
