"""Two meta-gradients joined to one direction per arm, along which neither objective rises to first order."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchjd.aggregation import UPGradWeighting
from torchjd.linalg import DualConeProjector, PSDMatrix

from mrp_core.networks import Parameters


def aggregated(task: Parameters, privacy: Parameters, weights: Sequence[float], aggregator: str) -> Parameters:
    """Join the gradients of each arm, over all its parameters at once.

    Args:
        task, privacy: Gradients of the task loss and of the leakage, leading axis [C].
        weights: Privacy weight λ of each arm; at 0 the task's gradient is taken as it is.
        aggregator: "upgrad" or "mgda", see :func:`coefficients`.
    """
    names = sorted(task)  # in one order, whatever order a checkpoint has them in
    flat = [torch.cat([part[k].reshape(len(weights), -1) for k in names], 1).double() for part in (task, privacy)]
    products = torch.stack([torch.stack([(a * b).sum(1) for b in flat], -1) for a in flat], -2)
    shares = coefficients(products, weights, aggregator).to(task[names[0]].dtype)
    wide = lambda column, like: shares[:, column].view(-1, *[1] * (like.dim() - 1))  # noqa: E731
    return {k: wide(0, g) * g + wide(1, g) * privacy[k] for k, g in task.items()}


def coefficients(products: Tensor, weights: Sequence[float], aggregator: str) -> Tensor:
    """Factors of the two gradients, [C, 2], from their inner products.

    Args:
        products: Gramians [C, 2, 2]; an arm with a value that isn't finite gets NaN, and is frozen by the training.
        weights: λ of each arm.
        aggregator: "upgrad": the preference (1, λ) / (1 + λ) over the gradients' projections onto the cone where neither objective rises;
            "mgda": the shortest vector between the two gradients, which knows no preference.

    Source:
        Quinton & Rey 2024, "Jacobian descent for multi-objective optimization" (UPGrad; computed by torchjd);
        Désidéri 2012 (MGDA), whose minimum for two gradients is closed: the share of the first is (g2 - g1).g2 / |g1 - g2|^2, within [0, 1].
    """
    joined = _mgda(products) if aggregator == "mgda" else torch.stack([_upgrad(p, w) for p, w in zip(products, weights, strict=True)])
    alone = torch.tensor([1.0, 0.0], dtype=products.dtype, device=products.device)
    unprotected = torch.tensor([w == 0.0 for w in weights], device=products.device)
    known = torch.isfinite(products).flatten(1).all(1)
    return torch.where(known.unsqueeze(-1), torch.where(unprotected.unsqueeze(-1), alone, joined), torch.nan)


def _mgda(products: Tensor) -> Tensor:
    first, mixed, second = products[:, 0, 0], products[:, 0, 1], products[:, 1, 1]
    apart = first + second - 2.0 * mixed
    share = torch.where(apart > 0.0, ((second - mixed) / apart).clamp(0.0, 1.0), 0.5)
    return torch.stack([share, 1.0 - share], -1)


def _upgrad(products: Tensor, weight: float) -> Tensor:
    if weight == 0.0 or not torch.isfinite(products).all():
        return torch.full_like(products[0], torch.nan)  # not used
    preference = torch.tensor([1.0, weight], dtype=products.dtype, device=products.device) / (1.0 + weight)
    return UPGradWeighting(preference, projector=PairProjector())(products)


class PairProjector(DualConeProjector):
    """The projection for two gradients, which is closed.

    Exact for gradients of any size (the library's own projector treats a squared norm below 1e-4 as no conflict at all), and without a
    solver of quadratic programs, whose licence (GPL) this project couldn't pass on.
    """

    def __call__(self, U: Tensor, G: PSDMatrix) -> Tensor:
        """Least v'Gv with v >= u, for each u in ``U`` [..., 2], u >= 0, and the Gramian ``G`` [2, 2]."""
        slope = U @ G  # the gradient of the objective at u: where none is negative, u itself is the least
        first = torch.where(slope[..., 0] < 0.0, -U[..., 1] * G[0, 1] / G[0, 0], U[..., 0])
        second = torch.where(slope[..., 1] < 0.0, -U[..., 0] * G[0, 1] / G[1, 1], U[..., 1])
        return torch.stack([first, second], -1)
