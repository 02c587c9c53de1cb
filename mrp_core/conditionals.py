"""Conditionals of z that are known, so that no critic has to be learned. Needs numpy and scipy only."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.estimating import Sample, checked, finite

_SUMS = 1e-6
_MISFIT = 8.0


def gaussian_conditional(sample: Sample) -> tuple[NDArray[np.float64], float]:
    """Means [N, E] and noise of the known conditional z ~ N(means, noise² I).

    Raises:
        DataError: If ``means`` has another shape than z or isn't finite, the noise isn't positive, or z is spread about the means quite differently.
    """
    means, z = finite("means", sample.means), finite("z", sample.z)
    if means.shape != z.shape:
        raise DataError(f"means has the shape {means.shape}, but must have that of z, {z.shape}.")
    if not 0 < sample.noise < math.inf:
        raise DataError(f"noise is {sample.noise!r}, but must be a positive number.")
    spread = float(np.sqrt(np.mean(((z - means) / sample.noise) ** 2)))
    if not abs(spread**2 - 1) <= _MISFIT * math.sqrt(2 / z.size):
        raise DataError(f"z {z.shape} lies about means with a standard deviation of {spread * sample.noise:.3g}, but noise is {sample.noise:.3g}; z must be means + noise * N(0, I).")
    return means, float(sample.noise)


def log_densities(means: NDArray[np.float64], z: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """log N(z_j; means_i, noise² I) up to a constant, float64 [N, N], i first."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(means, z, "sqeuclidean"), dtype=np.float64) / (-2 * noise**2)


def channel_ratios(means: NDArray[np.float64], noise: float, *, draws: int, seed: int, leave_out: bool) -> NDArray[np.float64]:
    """What each record contributes to I(X; Z), log p(z|x_i) / p(z) averaged over draws of z from p(z|x_i), [N], up to a constant.

    p(z) is the mixture of all records, or of all others with ``leave_out``.
    """
    rng = np.random.default_rng([seed, 4])
    out = np.zeros(len(means))
    for _ in range(draws):
        log = log_densities(means, means + noise * rng.standard_normal(means.shape), noise)
        true = np.diagonal(log).copy()
        if leave_out:
            np.fill_diagonal(log, -np.inf)
        out += (true - np.logaddexp.reduce(log, axis=0)) / draws
    return out


def label_conditional(sample: Sample) -> NDArray[np.float64]:
    """Probabilities p(.|x) [N, C] of the label that z is.

    Raises:
        DataError: If there isn't one row per pair, or a row isn't a distribution.
    """
    p = finite("probabilities", sample.probabilities)
    if len(p) != len(sample.x):
        raise DataError(f"probabilities has the shape {p.shape}, but must have one row per pair, {len(sample.x)}.")
    if p.min() < 0:
        raise DataError(f"probabilities {p.shape} has an entry of {p.min():.3g}, but all must be at least 0; logits are no probabilities.")
    far = float(np.abs(p.sum(-1) - 1).max())
    if far > _SUMS:
        raise DataError(f"probabilities {p.shape} has a row with the sum 1 ± {far:.3g}, but each row must sum to 1.")
    return p


def vectors(sample: Sample, *, least: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x [N, D] and z [N, E] for a critic; a label in one column becomes one column per class, [N, C].

    Raises:
        DataError: As :func:`mrp_core.estimating.checked`; and if a label isn't a whole number from 0 to C - 1.
    """
    x, z = checked(sample, least=least)
    if sample.probabilities is None or z.shape[1] != 1:
        return x, z
    numbers = np.arange(np.shape(sample.probabilities)[1])
    if not np.isin(z, numbers).all():
        raise DataError(f"z {z.shape} has the label {z[~np.isin(z, numbers)][0]:g}, but labels must be whole numbers from 0 to {len(numbers) - 1}.")
    return x, (z == numbers).astype(np.float64)
