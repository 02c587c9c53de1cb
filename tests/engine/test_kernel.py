"""The batched kernel against a naive loop, finite differences, and explicit per-record gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mrp_core.kernel import Noise, adapt, clip_factors, deltas, outputs
from mrp_core.losses import Released, cross_entropy
from mrp_core.networks import Parameters, Rows, Shape, condition_features, forward, initial, rows_of
from mrp_core.registry import plugin

SHAPE = Shape(features=4, hidden=(6, 5), outputs=3, ways=3, steps=2)
ROWS, SUPPORT, QUERY = 3, 6, 9


def problem(seed: int = 0) -> tuple[Parameters, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Random parameters [ROWS] with live conditioning, privacy weights, and data."""
    g = torch.Generator().manual_seed(seed)
    parameters = {k: v + 0.1 * torch.randn(v.shape, generator=g, dtype=torch.float64) for k, v in initial(SHAPE, range(ROWS), torch.float64).items()}
    x, xq = (torch.randn(ROWS, n, 4, generator=g, dtype=torch.float64) for n in (SUPPORT, QUERY))
    y, yq = (torch.randint(0, 3, (ROWS, n), generator=g) for n in (SUPPORT, QUERY))
    return parameters, torch.tensor([0.0, 0.3, 0.8], dtype=torch.float64), x, y, xq, yq


def rows_from(parameters: Parameters, weight: Tensor) -> Rows:
    return rows_of(parameters, SHAPE, condition_features(weight, torch.zeros_like(weight), 1.0), 0.3, learn_rates=True)


def joint(weight: Tensor, rows: Rows):  # noqa: ANN201
    loss = plugin("privacy", "output_mi")
    return lambda z, y: cross_entropy(z, y) + weight * loss.value(Released(logits=z, marginal=rows.marginal))


def naive_loss(parameters: Parameters, weight: Tensor, x: Tensor, y: Tensor, xq: Tensor, yq: Tensor, row: int, lowest: int, second: bool) -> Tensor:
    """One row by itself: plain matrix products, plain autograd, one step after the other."""
    rows = rows_from({k: v[row:row + 1] for k, v in parameters.items()}, weight[row:row + 1])
    loss = joint(weight[row:row + 1], rows)
    weights, biases = [w[0] for w in rows.weights], [b[0] for b in rows.biases]

    def logits(data: Tensor) -> Tensor:
        h = data
        for i in range(3):
            h = h @ weights[i].T + biases[i]
            if i < 2:
                h = torch.relu(h * rows.scales[i][0] + rows.shifts[i][0])
        return rows.release[0, 0] * h + rows.release[0, 1] * torch.softmax(h, -1)

    for k in range(2):
        moving = [*weights[lowest:], *biases[lowest:]]
        grads = torch.autograd.grad(loss(logits(x[row])[None], y[row][None]).sum(), moving, create_graph=second)
        n = len(weights) - lowest
        for i in range(n):
            rate = rows.rates[0, k, lowest + i]
            weights[lowest + i] = weights[lowest + i] - rate * grads[i]
            biases[lowest + i] = biases[lowest + i] - rate * grads[n + i]
    return loss(logits(xq[row])[None], yq[row][None]).sum()


@pytest.mark.parametrize(("lowest", "second"), [(0, True), (0, False), (2, True)])
def test_batched_meta_gradient_equals_a_naive_loop(lowest: int, second: bool) -> None:
    parameters, weight, x, y, xq, yq = problem()
    leaves = {k: v.clone().requires_grad_() for k, v in parameters.items() if k != "tuned_rate"}
    rows = rows_from(leaves, weight)
    loss = joint(weight, rows)
    fast = loss(outputs(adapt(rows, x, y, loss, steps=2, lowest=lowest, second_order=second), xq), yq)
    slow = torch.stack([naive_loss(leaves, weight, x, y, xq, yq, r, lowest, second) for r in range(ROWS)])
    assert torch.allclose(fast, slow, atol=1e-11, rtol=0)
    names = [k for k in leaves if k != "marginal"]
    for name, a, b in zip(names, torch.autograd.grad(fast.sum(), [leaves[k] for k in names]), torch.autograd.grad(slow.sum(), [leaves[k] for k in names]), strict=True):
        assert torch.allclose(a, b, atol=1e-10, rtol=0), name


def test_meta_gradient_equals_finite_differences() -> None:
    parameters, weight, x, y, xq, yq = problem(1)

    def value(ps: Parameters) -> Tensor:
        rows = rows_from(ps, weight)
        loss = joint(weight, rows)
        return loss(outputs(adapt(rows, x, y, loss, steps=2, second_order=True), xq), yq).sum()

    leaves = {k: v.clone().requires_grad_() for k, v in parameters.items() if k != "tuned_rate"}
    names = [k for k in leaves if k != "marginal"]
    gradients = torch.autograd.grad(value(leaves), [leaves[k] for k in names])
    for name, gradient in zip(names, gradients, strict=True):
        direction = torch.randn(parameters[name].shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        with torch.no_grad():
            ends = [value({**parameters, name: parameters[name] + sign * 1e-5 * direction}) for sign in (1, -1)]
        assert float((ends[0] - ends[1]) / 2e-5) == pytest.approx(float((gradient * direction).sum()), rel=2e-5, abs=1e-8), name


def test_clip_factors_equal_those_of_explicit_record_gradients() -> None:
    parameters, weight, x, y, _, _ = problem(3)
    rows = rows_from(parameters, torch.zeros_like(weight))
    logits, inputs = forward(rows, x)
    head = torch.autograd.functional.vjp(lambda z: cross_entropy(rows.release[:, 0, None, None] * z + rows.release[:, 1, None, None] * z.softmax(-1), y), logits,
                                         torch.ones(ROWS, dtype=torch.float64))[1]
    factor = clip_factors(inputs, deltas(rows, inputs, head), 0.7, [0, 1, 2])
    for r in range(ROWS):
        for n in range(SUPPORT):
            own = Rows(weights=tuple(w[r:r + 1].clone().requires_grad_() for w in rows.weights), biases=tuple(b[r:r + 1].clone().requires_grad_() for b in rows.biases),
                       scales=tuple(s[r:r + 1] for s in rows.scales), shifts=tuple(s[r:r + 1] for s in rows.shifts), release=rows.release[r:r + 1], rates=rows.rates[r:r + 1],
                       marginal=rows.marginal[r:r + 1])
            grads = torch.autograd.grad(cross_entropy(outputs(own, x[r:r + 1, n:n + 1]), y[r:r + 1, n:n + 1]).sum(), [*own.weights, *own.biases])
            norm = torch.sqrt(sum((g.square().sum() for g in grads), torch.zeros(())))
            assert float(factor[r, n]) == pytest.approx(min(1.0, 0.7 / float(norm)), rel=1e-8)


def test_one_record_moves_the_clipped_update_by_at_most_the_clipping_norm() -> None:
    parameters, weight, x, y, _, _ = problem(4)
    rows = rows_from(parameters, torch.zeros_like(weight))
    noise = Noise(clip=0.5, multiplier=torch.zeros(ROWS, dtype=torch.float64), draws=(None, None, None))

    def total(n: int) -> Tensor:
        """Clipped sum of n records' gradients, from the update of one step."""
        after = adapt(rows, x[:, :n], y[:, :n], cross_entropy, steps=1, noise=noise)
        moved = [(a - b) / rows.rates[:, 0, i].view(-1, *[1] * (a.dim() - 1)) for i, (a, b) in enumerate(zip(rows.weights, after.weights, strict=True))]
        moved += [(a - b) / rows.rates[:, 0, i, None] for i, (a, b) in enumerate(zip(rows.biases, after.biases, strict=True))]
        return n * torch.cat([m.flatten(1) for m in moved], 1)

    assert float((total(SUPPORT) - total(SUPPORT - 1)).norm(dim=1).max()) <= 0.5 + 1e-9


def test_noise_has_the_stated_size() -> None:
    parameters, weight, x, y, _, _ = problem(5)
    rows = rows_from(parameters, torch.zeros_like(weight))
    draws = torch.randn(ROWS, 2, 3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sigma = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    make = lambda s: adapt(rows, x, y, cross_entropy, steps=1, lowest=2, noise=Noise(clip=0.7, multiplier=s, draws=(None, None, draws)))  # noqa: E731
    difference = make(torch.zeros_like(sigma)).weights[2] - make(sigma).weights[2]
    assert torch.allclose(difference, rows.rates[:, 0, 2, None, None] * sigma[:, None, None] * (0.7 / SUPPORT) * draws[:, 0, :, :-1], atol=1e-12)
