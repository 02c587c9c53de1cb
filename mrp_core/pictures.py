"""What families of pictures and signals share: scaling a channel as a whole, and tasks over classes."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from mrp_core.tabular import CLIP
from mrp_core.taskdata import Split


def scaled_by_channel(x: NDArray[np.generic], basis: NDArray[np.bool_], channels: int) -> NDArray[np.float32]:
    """Each channel scaled to mean 0 and deviation 1 and clipped to ±5; all its samples or pixels share both statistics, so that a picture stays one.

    Args:
        x: Numbers without NaN [records, channels * samples], channel by channel.
        basis: Rows that the statistics come from, bool [records].
        channels: How many there are; one without spread becomes zero.
    """
    out = np.asarray(x, dtype=np.float32).reshape(len(x), channels, -1)
    mean, deviation = (f(out[basis], axis=(0, 2), dtype=np.float64, keepdims=True) for f in (np.mean, np.std))
    flat = deviation < 1e-6 * np.maximum(1.0, np.abs(mean))
    scale = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, deviation))
    return ((out - mean.astype(np.float32)) * scale.astype(np.float32)).clip(-CLIP, CLIP).reshape(len(x), -1)


def record_parts(y: NDArray[np.int64], shares: tuple[float, float], seed: int) -> NDArray[np.int64]:
    """0, 1 or 2 for training, validation or test, [records]: the given shares of each class for the first two, and the rest for the test."""
    rng = np.random.default_rng([seed, 4])
    out = np.zeros(len(y), dtype=np.int64)
    for c in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == c))
        first, second = round(shares[0] * len(rows)), round(sum(shares) * len(rows))
        out[rows[first:second]], out[rows[second:]] = 1, 2
    return out


def pairs_of_ten(rounds: tuple[int, int, int]) -> tuple[NDArray[np.int64], ...]:
    """The 45 pairs of ten classes, divided by the rounds of a round-robin tournament (circle method): each round has every class once, int64 [pairs, 2] each."""
    played = [[sorted((k, 9))] + [sorted(((k + i) % 9, (k - i) % 9)) for i in range(1, 5)] for k in range(9)]
    ends = list(itertools.accumulate(rounds, initial=0))
    return tuple(np.array(sorted(itertools.chain(*played[a:b])), dtype=np.int64) for a, b in itertools.pairwise(ends))


def class_split(x: NDArray[np.float32], y: NDArray[np.int64], member: NDArray[np.bool_], person: NDArray[np.int64], rows: NDArray[np.int64], classes: NDArray[np.int64],
                tasks: NDArray[np.int64], titles: tuple[str, ...]) -> Split:
    """A split whose buckets are classes.

    Args:
        x, y, member, person: Of all records: float32 [records, features], and class, membership and person [records].
        rows: Indices of the split's records.
        classes: Its classes, int64 [buckets].
        tasks: Rows of positions in ``classes``, int64 [tasks, ways], as :func:`mrp_core.tabular.class_tasks` makes them.
        titles: Name of each class, by number.
    """
    order = np.argsort(y[rows], kind="stable")
    own = y[rows][order]
    buckets = tuple(np.sort(order[np.searchsorted(own, c):np.searchsorted(own, c, "right")]) for c in classes)
    return Split(x=x[rows], person=person[rows], member=member[rows], sensitive=np.full(len(rows), -1), buckets=buckets, tasks=tasks,
                 names=tuple(" / ".join(titles[classes[i]] for i in task) for task in tasks),
                 visible=np.ones((len(tasks), x.shape[1]), dtype=bool), bucket_class=classes)
