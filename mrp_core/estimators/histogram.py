"""Counts in bins, for checks in low dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.estimating import Estimate, Estimator, Sample, checked
from mrp_core.reading import reading

_MOST = 24


@dataclass(frozen=True, kw_only=True)
class Histogram(Estimator):
    """H(x) + H(z) - H(x, z) of equally filled bins, each entropy with Miller and Madow's (occupied - 1) / 2 N.

    Columns with few distinct values are taken as they are. The number of bins a column leaves about ``filling`` pairs per cell of the joint histogram. The
    cap is the smaller log of occupied cells of x and of z; where those are the values themselves it caps the truth too, and a value near it isn't
    "at least". Below 0 nothing is cut off.

    Attributes:
        filling: Pairs per cell that are aimed at.
    """

    filling: float = 5.0

    def applies(self, sample: Sample) -> bool:
        """Whether x and z have three dimensions or fewer together."""
        return np.shape(sample.x)[-1:] + np.shape(sample.z)[-1:] in {(1, 1), (1, 2), (2, 1)}

    def once(self, sample: Sample) -> Estimate:
        """See :class:`mrp_core.estimating.Estimator`."""
        x, z = checked(sample, least=20)
        n, dimensions = len(x), x.shape[1] + z.shape[1]
        bins = int(min(max((n / self.filling) ** (1 / dimensions), 2), _MOST))
        cells = [_cells(a, bins) for a in (x, z)]
        of_x, of_z, of_both = (np.unique(c, axis=0, return_inverse=True, return_counts=True)[1:] for c in (*cells, np.hstack(cells)))
        share = lambda counted: counted[1][counted[0].ravel()] / n  # noqa: E731
        own = np.log(share(of_both) / (share(of_x) * share(of_z)))
        occupied = [len(counted[1]) for counted in (of_x, of_z, of_both)]
        corrected = float(own.mean()) + (occupied[0] + occupied[1] - occupied[2] - 1) / (2 * n)
        least = min((x, z), key=lambda a: len(np.unique(_cells(a, bins), axis=0)))
        binned = len(np.unique(least, axis=0)) > min(occupied[:2])
        return reading(corrected, own, kind=self.kind, cap=math.log(min(occupied[:2])), at_least=binned, notes=(f"{bins} bins a dimension.",))


def _cells(a: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Bin of each coordinate, [N, D]."""
    out = np.empty(a.shape, dtype=np.int64)
    for d, column in enumerate(a.T):
        distinct, index = np.unique(column, return_inverse=True)
        edges = np.quantile(column, np.arange(1, bins) / bins)
        out[:, d] = index.ravel() if len(distinct) <= bins else np.searchsorted(edges, column, side="right")
    return out


PLUGIN = Histogram(
    least=20, name="histogram", title="Histogram", summary="Counts in equally filled bins, with Miller and Madow's correction: a check in two or three dimensions.",
    order=7, source="Miller 1955", kind="estimate",
    fails="Bins hide what happens inside them: too low where much is shared, and useless above three dimensions.",
    missing="x and z have more than three dimensions together.",
)
