"""Learned critics for estimators of mutual information: trained on one half of the pairs, used on the other. Imports torch inside its functions only."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, Parameter

LEAST = 40
"""Pairs that training and evaluation need."""
_WIDTH, _EMBEDDING = 64, 32
_STEPS, _BATCH, _RATE, _DECAY, _EVERY, _PATIENCE = 800, 128, 2e-3, 0.1, 20, 8
_SIZES = tuple(float(size) for size in np.linspace(0, 1.5, 31))
_LOG_VARIANCE = 8.0

Loss = Callable[["Tensor"], "Tensor"]


def critic_scores(x: NDArray[np.float64], z: NDArray[np.float64], loss: Loss, seed: int) -> NDArray[np.float64]:
    """Scores f(x_i, z_j) of all combinations of the held-out pairs, float64 [K, K], K about N / 2; true pairs on the diagonal.

    The critic is separable, f(x, z) = g(x) . h(z) with two small networks (van den Oord et al. 2018; Poole et al. 2019, section 3), which makes all
    combinations cheap. A fifth of the training half says when to stop and by what factor to shrink the scores, which are too bold where pairs are few.
    Equal seeds give equal scores.

    Args:
        x: float64 [N, D].
        z: float64 [N, E].
        loss: Of the scores of a batch, [B, B] -> scalar, to be minimised.
        seed: Of halves, weights and batches.
    """
    import torch

    fit, check, held = _parts(len(x), seed)
    with _own_settings(seed):
        a, b = _tensor(x), _tensor(z)
        left, right = _network(a.shape[1], _EMBEDDING), _network(b.shape[1], _EMBEDDING)
        offset = torch.nn.Parameter(torch.zeros(()))
        for p in _last(left):
            torch.nn.init.zeros_(p)  # all scores are 0 at first, and stay so if nothing better is found
        score = lambda rows: left(a[rows]) @ right(b[rows]).T + offset  # noqa: E731
        _minimise([*left.parameters(), *right.parameters(), offset], lambda rows: loss(score(rows)), fit, check)
        with torch.no_grad():
            tried = score(check)
            size = min(_SIZES, key=lambda size: float(loss(size * tried)))
            return (size * score(held)).double().numpy()


def gaussian_scores(x: NDArray[np.float64], z: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """log q(z_j | x_i) up to a constant, of all combinations of the held-out pairs, float64 [K, K], q a Gaussian with learned means and variances.

    Source:
        Cheng et al. 2020, "CLUB", section 3.2: the variational conditional is fitted by maximum likelihood.
    """
    import torch

    fit, check, held = _parts(len(x), seed)
    with _own_settings(seed):
        a = _tensor(x)
        b = torch.from_numpy(((z - z.mean(0)) / np.where(z.std(0) > 0, z.std(0), 1.0)).astype(np.float32))
        network = _network(a.shape[1], 2 * b.shape[1])

        def conditional(rows: Tensor) -> tuple[Tensor, Tensor]:
            mean, log_variance = network(a[rows]).chunk(2, -1)
            return mean, _LOG_VARIANCE * torch.tanh(log_variance / _LOG_VARIANCE)

        def surprise(rows: Tensor) -> Tensor:
            mean, log_variance = conditional(rows)
            return ((b[rows] - mean) ** 2 * (-log_variance).exp() + log_variance).sum(-1).mean() / 2

        _minimise(list(network.parameters()), surprise, fit, check)
        with torch.no_grad():
            mean, log_variance = (part.double().numpy() for part in conditional(held))
    inverse, other = np.exp(-log_variance), b[held].double().numpy()
    apart = inverse @ (other**2).T - 2 * (mean * inverse) @ other.T + (mean**2 * inverse).sum(-1)[:, None]
    return -(apart + log_variance.sum(-1)[:, None]) / 2


def _parts(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows to fit on, rows that say when to stop, and held-out rows."""
    import torch

    order = torch.from_numpy(np.random.default_rng([seed, 2]).permutation(n))
    half = n // 2
    return order[: half - half // 5], order[half - half // 5 : half], order[half:]


def _tensor(a: NDArray[np.float64]) -> Tensor:
    """Columns about 0 with a usual spread of 1 and tails drawn in, float32: a monotone change of each column leaves mutual information as it is."""
    import torch

    low, middle, high = np.quantile(a, [0.25, 0.5, 0.75], axis=0)
    spread = np.where(high > low, (high - low) / 1.35, np.where(a.std(0) > 0, a.std(0), 1.0))
    return torch.from_numpy(np.arcsinh((a - middle) / spread).astype(np.float32))


def _network(inputs: int, outputs: int) -> Module:
    """A linear map plus a network with two hidden layers."""
    from torch import nn

    class Skipping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.straight = nn.Linear(inputs, outputs)
            self.bent = nn.Sequential(nn.Linear(inputs, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, outputs))

        def forward(self, a: Tensor) -> Tensor:
            return self.straight(a) + self.bent(a)

    return Skipping()


def _last(network: Module) -> Iterator[Parameter]:
    """Parameters without which the output is 0."""
    return (p for name, p in network.named_parameters() if name.startswith(("straight.", "bent.4.")))


def _minimise(parameters: list[Tensor], loss: Loss, fit: Tensor, check: Tensor) -> None:
    """Adam on batches of ``fit``; the weights with the smallest loss on ``check`` are kept."""
    import torch

    adam = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    best, kept, waited = math.inf, [p.detach().clone() for p in parameters], 0
    for step, rows in enumerate(_batches(fit)):
        if step % _EVERY == 0:
            with torch.no_grad():
                now = float(loss(check))
            if now < best:
                best, kept, waited = now, [p.detach().clone() for p in parameters], 0
            else:
                waited += 1
            if waited > _PATIENCE:
                break
        adam.zero_grad()
        loss(rows).backward()
        adam.step()
    with torch.no_grad():
        for p, q in zip(parameters, kept, strict=True):
            p.copy_(q)


def _batches(rows: Tensor) -> Iterator[Tensor]:
    """``_STEPS`` batches and one more, epoch by epoch in new order, without a short rest."""
    import torch

    size, left = min(_BATCH, len(rows)), _STEPS + 1
    while left:
        order = rows[torch.randperm(len(rows))]
        for start in range(0, len(rows) - size + 1, size):
            if left:
                left -= 1
                yield order[start : start + size]


@contextmanager
def _own_settings(seed: int) -> Generator[None]:
    """One thread and random numbers from the seed; what the caller had is put back."""
    import torch

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
