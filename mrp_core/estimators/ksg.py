"""Nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from mrp_core.estimating import Estimate, Estimator, Sample, checked
from mrp_core.reading import reading

_JITTER = 1e-10
_GROUPS = 10  # left out in turn


@dataclass(frozen=True, kw_only=True)
class KSG(Estimator):
    """Estimator 1 of Kraskov et al. 2004 (equation 8), maximum norm, each coordinate in units of its standard deviation.

    psi(k) + psi(N) - <psi(n_x + 1) + psi(n_z + 1)>, n the numbers of points strictly nearer in x and in z than the k-th neighbour is in both. Since
    n_x + n_z >= 2 k - 1 and psi is concave, no sample of N reads more than psi(N) - psi(k + 1). It may read less than 0, which keeps it nearly unbiased
    where nothing is shared. Equal points are told apart by a tiny noise, as the paper does. What neighbouring points contribute isn't independent, so that
    the interval is a jackknife's over ten groups of pairs, on average rather too wide than too narrow (Efron & Stein 1981).

    Attributes:
        neighbours: k.
    """

    neighbours: int = 3

    def applies(self, sample: Sample) -> bool:
        """Whether z isn't a label, whose many equal values leave no distances."""
        return sample.probabilities is None

    def check(self, sample: Sample) -> None:
        """Pairs, enough of them."""
        checked(sample, least=_GROUPS + 2 * self.neighbours)

    def once(self, sample: Sample) -> Estimate:
        """See :class:`mrp_core.estimating.Estimator`."""
        rng = np.random.default_rng([sample.seed, 3])
        x, z = (_units(np.asarray(a, dtype=np.float64), rng) for a in (sample.x, sample.z))
        n, k = len(x), self.neighbours
        whole = nearest(x, z, k)
        groups = np.array_split(rng.permutation(n), _GROUPS)
        pseudo = np.array([_GROUPS * whole - (_GROUPS - 1) * nearest(np.delete(x, g, 0), np.delete(z, g, 0), k) for g in groups])
        dimensions = x.shape[1] + z.shape[1]
        notes = (f"x and z have {dimensions} dimensions together; expect a value that is too low.",) if dimensions > 5 else ()
        return reading(whole, pseudo, kind=self.kind, cap=float(digamma(n) - digamma(k + 1)), notes=notes)


def nearest(x: NDArray[np.float64], z: NDArray[np.float64], k: int) -> float:
    """Estimator 1 of x [N, D] and z [N, E] without equal points, nats."""
    from scipy.spatial import KDTree

    reach = np.nextafter(KDTree(np.hstack([x, z])).query(np.hstack([x, z]), k=k + 1, p=np.inf)[0][:, k], 0)
    near = [KDTree(a).query_ball_point(a, reach, p=np.inf, return_length=True) for a in (x, z)]  # the point itself is the + 1
    return float(digamma(k) + digamma(len(x)) - np.mean(digamma(near[0]) + digamma(near[1])))


def _units(a: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    spread = a.std(0)
    return (a - a.mean(0)) / np.where(spread > 0, spread, 1.0) + _JITTER * rng.standard_normal(a.shape)


PLUGIN = KSG(
    name="ksg", title="Nearest neighbours (KSG)", summary="Counts of near neighbours; no model and no training. Good in one or two dimensions.", order=4,
    source="Kraskov et al. 2004", kind="estimate",
    fails="Too low at heavy tails and in more than about five dimensions, by far more than its interval says.",
    missing="z is a label, but near neighbours need numbers that hardly ever are equal.",
)
