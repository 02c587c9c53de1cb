"""What is right among the released labels: expected confusion counts, accuracy and macro-F1, batched. Needs numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError


def confusion(p: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Expected confusion counts [..., C true, C released] when labels are drawn from p; exact counts when p is :func:`one_hot`.

    Args:
        p: float64 [..., N, C].
        labels: int [..., N], must broadcast to p's leading axes.
    """
    p = np.asarray(p, dtype=np.float64)
    if np.max(labels, initial=0) >= p.shape[-1]:
        raise DataError(f"A label is {np.max(labels)}, but p has only {p.shape[-1]} classes; labels run from 0.")
    return np.swapaxes(one_hot(whole_labels(labels, p.shape), p.shape[-1]), -1, -2) @ p


def one_hot(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """float64 [..., classes], 1 at the label."""
    return (np.asarray(labels)[..., None] == np.arange(classes)).astype(np.float64)


def accuracy_f1(counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Accuracy [...] and macro-F1 [...] of confusion counts [..., C, C]; classes that are neither true nor released anywhere don't count."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    size = counts.sum(-1) + counts.sum(-2)
    f1 = 2 * right / np.where(size > 0, size, 1.0)
    return right.sum(-1) / counts.sum((-2, -1)), f1.sum(-1) / (size > 0).sum(-1)


def whole_labels(labels: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Labels as an array, checked to be whole numbers from 0, one per record of ``shape`` [..., N, C].

    Raises:
        DataError: If they aren't.
    """
    y = np.asarray(labels)
    fits = y.ndim < len(shape) and y.shape[-1:] == (shape[-2],) and all(a in (1, b) for a, b in zip(y.shape[::-1], shape[-2::-1], strict=False))
    if not fits or not np.issubdtype(y.dtype, np.integer) or y.min(initial=0) < 0:
        raise DataError(f"labels are {y.dtype} {y.shape}, but must be whole numbers from 0, one per record of {shape[:-1]}.")
    return y
