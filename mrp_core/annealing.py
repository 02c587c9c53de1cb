"""The outer learning rate: cosine annealing with warm restarts (Loshchilov & Hutter 2017)."""

from __future__ import annotations

import math

CYCLES = (1 / 15, 3 / 15, 7 / 15, 1.0)
"""Where the cycles end, as fractions of the training: each is twice as long as the one before.

At each end the rate has fallen to zero, and the weights are kept: validation tasks choose among trainings of four lengths, each annealed to its end, for the price of
the longest. A family of few classes overfits soon, and weights from the middle of one long cycle are worse than those of a short one.
"""


def cycle_ends(total: int) -> list[int]:
    """Meta-iterations after which a cycle ends, ascending, the last one ``total``; fewer than four for very short trainings."""
    return sorted({max(1, round(total * f)) for f in CYCLES})


def annealed(step: int, total: int) -> float:
    """Factor on the outer rate at an iteration: from 1 at the start of a cycle along a cosine to 0 at its end (equation 5 with T_mult = 2)."""
    ends = cycle_ends(total)
    begin = max((e for e in ends if e <= step), default=0)
    end = min((e for e in ends if e > step), default=total)
    return 0.5 * (1.0 + math.cos(math.pi * (step - begin) / max(1, end - begin)))
