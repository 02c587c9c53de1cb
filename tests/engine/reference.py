"""The engine's mathematics once more, for one configuration and one task at a time, without any batching: what the fast code must equal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from mrp_core.kernel import Noise
from mrp_core.losses import PrivacyLoss
from mrp_core.networks import Parameters, Shape, condition_features, initial, initial_critic, rows_of
from mrp_core.objective import Problem, paired_halves
from mrp_core.registry import plugin

BASE_RATE, LAMBDA_MAX, SHARE = 0.3, 0.8, 0.1


@dataclass
class Net:
    """One network: its own weights, and the conditioning of one (λ, noise multiplier)."""

    weights: list[Tensor]
    biases: list[Tensor]
    scales: list[Tensor]
    shifts: list[Tensor]
    release: Tensor
    rates: Tensor
    marginal: Tensor
    factors: list[Tensor] | None = None
    grid: tuple[int, ...] = ()

    def __call__(self, x: Tensor) -> Tensor:
        x = x.reshape(len(x), *self.grid) if self.grid else x
        for i, (scale, shift) in enumerate(zip(self.scales, self.shifts, strict=True)):
            x = self._block(x, i, scale, shift) if self.grid else F.relu(F.linear(x, self.weights[i], self.biases[i]) * scale + shift)
        z = F.linear(x.flatten(1), self.weights[-1], self.biases[-1])
        return self.release[0] * z + self.release[1] * F.softmax(z, dim=-1)

    def _block(self, x: Tensor, i: int, scale: Tensor, shift: Tensor) -> Tensor:
        """Convolution, normalisation of the record, scale and shift, ReLU, pool by the layers that torch has for pictures and for signals."""
        signal = len(self.grid) == 2
        filters = self.weights[i].reshape(-1, x.shape[1], *(3 for _ in self.grid[1:]))
        z = (F.conv1d if signal else F.conv2d)(x, filters, self.biases[i], padding=1)
        z = F.layer_norm(z, z.shape[1:])
        y = F.relu(z * scale.reshape(-1, *(1 for _ in self.grid[1:])) + shift.reshape(-1, *(1 for _ in self.grid[1:])))
        return (F.max_pool1d if signal else F.max_pool2d)(y, tuple(2 if size > 1 else 1 for size in y.shape[2:]))


def net_of(p: Parameters, shape: Shape, weight: float, sigma: float, *, base_rate: float = BASE_RATE, lambda_max: float = LAMBDA_MAX) -> Net:
    """The network of unbatched parameters."""
    features = torch.tensor([weight / lambda_max, sigma / (1 + sigma)], dtype=p["cb0"].dtype)
    raw = F.linear(torch.tanh(F.linear(features, p["cw0"], p["cb0"])), p["cw1"], p["cb1"])
    units, layers = sum(shape.hidden), len(shape.layers)
    starts = [sum(shape.hidden[:i]) for i in range(len(shape.hidden) + 1)]
    scales = [1 + raw[a:b] for a, b in itertools.pairwise(starts)]
    shifts = [raw[units + a:units + b] for a, b in itertools.pairwise(starts)]
    a, b = raw[2 * units], raw[2 * units + 1]
    rates = base_rate * torch.exp(3 * torch.tanh(raw[2 * units + 2:] / 3)).reshape(shape.steps, layers)
    factors = [torch.exp(1.5 * torch.tanh(p[f"r{kind}{i}"] / 1.5)) for kind in "wb" for i in range(layers)] if "rw0" in p else None
    return Net([p[f"w{i}"] for i in range(layers)], [p[f"b{i}"] for i in range(layers)], scales, shifts, torch.stack([torch.exp(a), 10 * b]), rates, p["marginal"], factors, shape.grid)


def entropy(p: Tensor) -> Tensor:
    return -(p * torch.log(p)).sum(-1)


def leak(name: str, logits: Tensor, marginal: Tensor) -> Tensor:
    """A privacy loss of [N, C] logits."""
    p = F.softmax(logits, dim=-1)
    if name == "output_mi":
        return entropy(p.mean(0)) - entropy(p).mean()
    if name == "kl_marginal":
        return F.kl_div(F.log_softmax(marginal, -1).expand_as(p), p, reduction="batchmean")
    if name == "kl_uniform":
        return F.kl_div(p.log(), torch.full_like(p, 1 / p.shape[-1]), reduction="batchmean")
    if name == "club":  # every record's answer against every record's distribution
        return torch.stack([(q * (q.log() - r.log())).sum() for q in p for r in p]).mean()
    if name == "information_bottleneck":  # at the best shift, found by its own equation
        a = logits - marginal
        shift = a.neg().exp().mean(-1, keepdim=True).log()
        return (a + shift + (-a - shift).exp() - 1).sum(-1).mean()
    return torch.zeros((), dtype=logits.dtype)


def inner_loss(net: Net, x: Tensor, y: Tensor, weight: float, privacy: str) -> Tensor:
    logits = net(x)
    return F.cross_entropy(logits, y) + weight * leak(privacy, logits, net.marginal)


def outer_task(logits: Tensor, y: Tensor, share: float = SHARE) -> Tensor:
    wrong = 1 - torch.stack([F.softmax(z, -1)[c] for z, c in zip(logits, y, strict=True)]).mean()
    return share * F.cross_entropy(logits, y) + (1 - share) * wrong


def adapted(net: Net, x: Tensor, y: Tensor, loss: Callable[[Net, Tensor, Tensor], Tensor], *, steps: int, lowest: int, second_order: bool,
            clip: float = 0.0, sigma: float = 0.0, draws: Sequence[Tensor | None] = ()) -> Net:
    """Gradient steps one after the other; with ``clip`` the gradient of each record by itself is clipped, and noise is added to the sum."""
    for k in range(steps):
        moving = [*net.weights[lowest:], *net.biases[lowest:]]
        half = len(net.weights) - lowest
        if clip:
            total = [torch.zeros_like(t) for t in moving]
            for i in range(len(x)):
                found = torch.autograd.grad(loss(net, x[i:i + 1], y[i:i + 1]), moving, create_graph=second_order, retain_graph=True)
                norm = torch.sqrt(torch.stack([g.square().sum() for g in found]).sum())
                factor = torch.clamp(clip / norm, max=1.0)
                total = [t + factor * g for t, g in zip(total, found, strict=True)]
            for i in range(half):
                draw = draws[lowest + i]
                if draw is not None:
                    total[i] = total[i] + sigma * clip * draw[k, :, :-1]
                    total[half + i] = total[half + i] + sigma * clip * draw[k, :, -1]
            gradients = [t / len(x) for t in total]
        else:
            gradients = list(torch.autograd.grad(loss(net, x, y), moving, create_graph=second_order, retain_graph=True))
        if not second_order:
            gradients = [g.detach() for g in gradients]
        weights, biases = list(net.weights), list(net.biases)
        for i in range(half):
            rate = net.rates[min(k, len(net.rates) - 1), lowest + i]
            own, bias_own = (1.0, 1.0) if net.factors is None else (net.factors[lowest + i], net.factors[len(weights) + lowest + i])
            weights[lowest + i] = weights[lowest + i] - rate * own * gradients[i]
            biases[lowest + i] = biases[lowest + i] - rate * bias_own * gradients[half + i]
        net = replace(net, weights=weights, biases=biases)
    return net


def margin(logits: Tensor, y: Tensor) -> Tensor:
    return torch.stack([z[c] - torch.logsumexp(torch.cat([z[:c], z[c + 1:]]), 0) for z, c in zip(logits, y.tolist(), strict=True)])


def membership_information(phi: Tensor, keep: Tensor) -> Tensor:
    """Paired estimate from phi [R, M] and keep [R, M], record by record."""
    squares, gaps, counts = [], [], []
    for m in range(phi.shape[1]):
        inside, outside = phi[:, m][keep[:, m]], phi[:, m][~keep[:, m]]
        squares += [((inside - inside.mean()) ** 2).sum(), ((outside - outside.mean()) ** 2).sum()]
        gaps.append((inside.mean() - outside.mean()) ** 2)
        counts.append(1 / len(inside) + 1 / len(outside))
    variance = torch.stack(squares).sum() / (phi.shape[1] * (phi.shape[0] - 2)) + 1e-4
    d2 = torch.stack([(g - variance * c) / variance for g, c in zip(gaps, counts, strict=True)]).mean()
    d = torch.sqrt(torch.clamp(d2, min=1e-6))
    return math.log(2) * (1 - 2 ** (-0.3073 * d ** (2 * 0.8935))) ** 1.1064


@dataclass
class Case:
    """Random parameters of C configurations, T tasks each, and the batched problem on them."""

    shape: Shape
    parameters: Parameters
    weight: Tensor
    sigma: Tensor
    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    privacy: str
    steps: int
    lowest: int
    noise: Noise | None
    halves: Tensor | None
    support_sensitive: Tensor | None = None
    query_sensitive: Tensor | None = None

    def problem(self, leaves: Parameters) -> Problem:
        """All C x T rows at once."""
        tasks = len(self.weight) // len(leaves["cb0"])
        rows = rows_of({k: v.repeat_interleave(tasks, 0) for k, v in leaves.items()}, self.shape, condition_features(self.weight, self.sigma, LAMBDA_MAX), BASE_RATE, learn_rates=True)
        loss: PrivacyLoss = plugin("privacy", self.privacy)
        return Problem(rows=rows, support_x=self.support_x, support_y=self.support_y, query_x=self.query_x, query_y=self.query_y, weight=self.weight, privacy=loss,
                       cross_entropy_share=SHARE, steps=self.steps, lowest=self.lowest, noise=self.noise, halves=self.halves,
                       support_sensitive=self.support_sensitive, query_sensitive=self.query_sensitive)

    def leaves(self) -> Parameters:
        return {k: v.clone().requires_grad_() for k, v in self.parameters.items() if k != "tuned_rate"}

    def net(self, single: Parameters, b: int) -> Net:
        return net_of(single, self.shape, float(self.weight[b]), float(self.sigma[b]))

    def adapt(self, net: Net, b: int, second_order: bool, records: Tensor | None = None) -> Net:
        """Row b by the reference, on all support records or on some."""
        x, y = self.support_x[b], self.support_y[b]
        if records is not None:
            x, y = x[records], y[records]
        weight = 0.0 if self.noise is not None else float(self.weight[b])
        loss = lambda n, a, c: inner_loss(n, a, c, weight, self.privacy)  # noqa: E731
        if self.noise is None:
            return adapted(net, x, y, loss, steps=self.steps, lowest=self.lowest, second_order=second_order)
        draws = [None if d is None else d[b] for d in self.noise.draws]
        return adapted(net, x, y, loss, steps=self.steps, lowest=self.lowest, second_order=second_order, clip=self.noise.clip,
                       sigma=float(self.noise.multiplier[b]), draws=draws)


def case(*, privacy: str = "output_mi", configs: int = 3, tasks: int = 4, ways: int = 3, shots: int = 4, steps: int = 3, hidden: tuple[int, ...] = (7, 6), lowest: int = 0,
         noisy: bool = False, seed: int = 0, element_rates: bool = False, grid: tuple[int, ...] = ()) -> Case:
    """A random case in float64; nothing in it is zero, so that every path counts."""
    g = torch.Generator().manual_seed(seed)
    normal = lambda *size: torch.randn(*size, generator=g, dtype=torch.float64)  # noqa: E731
    features = math.prod(grid) if grid else 5
    shape = Shape(features=features, hidden=hidden, outputs=ways, ways=ways, steps=steps, grid=grid)
    parameters = {k: v + (0.0 if k == "tuned_rate" else 0.15) * normal(*v.shape) for k, v in initial(shape, range(configs), torch.float64, element_rates=element_rates).items()}
    b, n = configs * tasks, ways * shots
    labels = torch.arange(ways).repeat_interleave(shots).expand(b, -1)
    weight = torch.zeros(b, dtype=torch.float64) if noisy else torch.linspace(0, LAMBDA_MAX, b, dtype=torch.float64)
    sigma = torch.linspace(0.2, 1.5, b, dtype=torch.float64) if noisy else torch.zeros(b, dtype=torch.float64)
    noise = None
    if noisy:
        draws = tuple(None if i < lowest else normal(b, steps, out, inputs + 1) for i, (out, inputs) in enumerate(shape.layers))
        noise = Noise(clip=0.4, multiplier=sigma, draws=draws)
    pairs, needs = plugin("privacy", privacy).pairs, plugin("privacy", privacy).needs
    parameters |= initial_critic(plugin("privacy", privacy).critic(ways), range(configs), torch.float64)
    halves = paired_halves(torch.rand(b, pairs // 2, n, generator=g, dtype=torch.float64), ways, pairs) if pairs else None
    made = Case(shape=shape, parameters=parameters, weight=weight, sigma=sigma, support_x=normal(b, n, features), support_y=labels, query_x=normal(b, n, features), query_y=labels,
                privacy=privacy, steps=steps, lowest=lowest, noise=noise, halves=halves)
    if "attribute" in needs:
        made.support_sensitive, made.query_sensitive = (torch.randint(-1, 3, (b, n), generator=g) for _ in range(2))
    return made
