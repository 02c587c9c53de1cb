"""Batched networks: every weight has leading axes for configurations, and after expansion for rows (adaptations).

A strategy's parameters are one dict of tensors with leading axis [C] (configurations). :func:`rows_of` turns them, with one
(privacy weight, noise multiplier) a row, into :class:`Rows`: plain weights with leading axis [B] plus the conditioning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mrp_core.blocks import Block, blocks_of, layer_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Parameters = dict[str, Tensor]
CONDITION_UNITS = 32
CRITIC = "critic."
"""What the names of a privacy loss's own parameters begin with."""
RATE_RANGE = 3.0
ELEMENT_RANGE = 1.5


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes that fix a parameter dict.

    Attributes:
        features, hidden, outputs: Units of the input, of each hidden layer (filters of each block of a convolution network), and of the head (classes of the joint
            head, or ways).
        ways: Classes of a task.
        steps: Inner steps for which rates are held.
        grid: Channels and sizes of a record, for a convolution network; empty for a dense one.
    """

    features: int
    hidden: tuple[int, ...]
    outputs: int
    ways: int
    steps: int
    grid: tuple[int, ...] = ()

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(outputs, inputs) of each layer's weights, the head last."""
        return layer_sizes(self.features, self.grid, self.hidden, self.outputs)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Of a convolution network; empty for a dense one."""
        return blocks_of(self.grid, self.hidden)

    @property
    def adapted(self) -> tuple[tuple[int, int], ...]:
        """(outputs, inputs) of each layer of a task's own network, whose head has one output a class of the task."""
        return (*self.layers[:-1], (self.ways, self.layers[-1][1]))

    @property
    def condition_outputs(self) -> int:
        """Scale and shift of each hidden unit or filter, two release coefficients, and a rate per step and layer."""
        return 2 * sum(self.hidden) + 2 + self.steps * len(self.layers)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Weights and conditioning of a batch of rows.

    Attributes:
        weights: Per layer [B, out, in]; a filter's weights lie in one row of length channels x height x width.
        biases: Per layer [B, out].
        scales, shifts: Per hidden layer [B, 1, units] (feature-wise modulation, Perez et al. 2018).
        release: [B, 2]: released logits are ``release[0] * z + release[1] * softmax(z)``.
        rates: [B, steps, layers].
        marginal: [B, ways], logits of the learned output marginal (for variational bounds).
        critic: Parameters of the privacy loss's own attacker by name, leading axis [B]; empty for losses without one.
        weight_rates, bias_rates: Per layer a factor on the rate of each weight and bias, [B, out, in] and [B, out]; empty where all are one.
        blocks: Of a convolution network: the sizes of its hidden layers; empty where no layer is one.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    scales: tuple[Tensor, ...]
    shifts: tuple[Tensor, ...]
    release: Tensor
    rates: Tensor
    marginal: Tensor
    critic: Parameters = field(default_factory=dict)
    weight_rates: tuple[Tensor, ...] = ()
    bias_rates: tuple[Tensor, ...] = ()
    blocks: tuple[Block, ...] = ()

    def with_weights(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Rows:
        """The same conditioning around other weights."""
        return replace(self, weights=tuple(weights), biases=tuple(biases))

    def detached(self) -> Rows:
        """The same weights and modulation without a graph."""
        still = lambda ts: tuple(t.detach() for t in ts)  # noqa: E731
        return replace(self, weights=still(self.weights), biases=still(self.biases), scales=still(self.scales), shifts=still(self.shifts))

    def above(self, lowest: int) -> Rows:
        """The layers from ``lowest`` on, as a network of their own: its input is :func:`features`."""
        return replace(self, weights=self.weights[lowest:], biases=self.biases[lowest:], scales=self.scales[lowest:], shifts=self.shifts[lowest:], rates=self.rates[:, :, lowest:],
                       weight_rates=self.weight_rates[lowest:], bias_rates=self.bias_rates[lowest:], blocks=self.blocks[lowest:])

    def repeat(self, times: int) -> Rows:
        """Each row ``times`` times in a row: [B] becomes [B x times]."""
        return self._each(lambda t: t.repeat_interleave(times, 0))

    def cut(self, low: int, high: int) -> Rows:
        """The rows from ``low`` to before ``high``."""
        return self._each(lambda t: t[low:high])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Rows:
        many = lambda ts: tuple(change(t) for t in ts)  # noqa: E731
        return Rows(weights=many(self.weights), biases=many(self.biases), scales=many(self.scales), shifts=many(self.shifts), release=change(self.release), rates=change(self.rates),
                    marginal=change(self.marginal), critic={k: change(t) for k, t in self.critic.items()}, weight_rates=many(self.weight_rates), bias_rates=many(self.bias_rates),
                    blocks=self.blocks)


def initial(shape: Shape, seeds: Sequence[int], dtype: torch.dtype = torch.float32, *, element_rates: bool = False) -> Parameters:
    """Fresh parameters with leading axis [len(seeds)]; equal seeds give equal weights, whatever else is in the batch.

    Hidden layers follow He et al. (2015); the head and the conditioning start at zero effect. ``element_rates`` adds a rate for each weight and bias (``rw0``,
    ``rb0`` ...), see :func:`rows_of`, and draws nothing for it.
    """
    made = [_initial_one(shape, seed) for seed in seeds]
    if element_rates:
        made = [m | {f"r{k}": torch.zeros_like(v) for k, v in m.items() if k[0] in "wb"} for m in made]
    return {k: torch.stack([m[k] for m in made]).to(dtype) for k in made[0]}


def _initial_one(shape: Shape, seed: int) -> Parameters:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + 17)
    normal = lambda *size: torch.randn(*size, generator=generator, dtype=torch.float64)  # noqa: E731
    out: Parameters = {}
    for i, (units, inputs) in enumerate(shape.layers):
        head = i == len(shape.layers) - 1
        out[f"w{i}"] = normal(units, inputs) * (0.1 / math.sqrt(inputs) if head else math.sqrt(2.0 / inputs))
        out[f"b{i}"] = torch.zeros(units, dtype=torch.float64)
    out["cw0"] = normal(CONDITION_UNITS, 2) * 2.0
    out["cb0"] = normal(CONDITION_UNITS)
    out["cw1"] = torch.zeros(shape.condition_outputs, CONDITION_UNITS, dtype=torch.float64)
    out["cb1"] = torch.zeros(shape.condition_outputs, dtype=torch.float64)
    out["marginal"] = torch.zeros(shape.ways, dtype=torch.float64)
    out["tuned_rate"] = torch.ones((), dtype=torch.float64)
    return out


def initial_critic(sizes: dict[str, tuple[int, ...]], seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> Parameters:
    """Fresh parameters of a privacy loss's attacker, to stand beside those of :func:`initial`: matrices by He et al. (2015), vectors zero; none without sizes."""
    generators = [torch.Generator().manual_seed(seed * 1_000_003 + 29) for seed in seeds]
    made = lambda size, g: torch.randn(*size, generator=g, dtype=torch.float64) * math.sqrt(2.0 / size[-1]) if len(size) > 1 else torch.zeros(*size, dtype=torch.float64)  # noqa: E731
    return {CRITIC + name: torch.stack([made(size, g) for g in generators]).to(dtype) for name, size in sizes.items()}


def condition_features(weight: Tensor, noise: Tensor, weight_max: float) -> Tensor:
    """Inputs of the conditioning network, [B, 2], from privacy weights and noise multipliers [B]; both lie in [0, 1]."""
    return torch.stack([weight / weight_max, noise / (1.0 + noise)], -1)


def condition_units(parameters: Parameters, features: Tensor) -> Tensor:
    """Hidden units of the conditioning network, [B, CONDITION_UNITS], from parameters [B, ...] and condition features [B, 2]."""
    return torch.tanh(torch.einsum("bhf,bf->bh", parameters["cw0"], features) + parameters["cb0"])


def rows_of(parameters: Parameters, shape: Shape, features: Tensor, base_rate: float, *, learn_rates: bool, classes: Tensor | None = None) -> Rows:
    """Expand parameters [B, ...] (already one a row) with condition features [B, 2].

    Args:
        parameters: Leading axis [B].
        shape: Their sizes.
        features: See :func:`condition_features`.
        base_rate: Inner rate at the start of meta-training.
        learn_rates: Whether there is a learned rate per layer and step (MAML++, Antoniou et al. 2019), which here follows the conditioning within a
            factor e^3 of ``base_rate``, or one fixed rate.
        classes: int64 [B, ways]: rows of a joint head to take as each row's head; a negative class takes a zero row.

    Where there are element rates u, each weight's rate is multiplied by exp(R tanh(u / R)): positive, and within a factor e^R of its layer's, so that steps
    beyond the trained ones don't run away. R is :data:`ELEMENT_RANGE`.
    """
    hidden = condition_units(parameters, features)
    raw = torch.einsum("boh,bh->bo", parameters["cw1"], hidden) + parameters["cb1"]
    parts = raw.split([sum(shape.hidden), sum(shape.hidden), 2, shape.steps * len(shape.layers)], -1)
    scales = tuple((1.0 + s).unsqueeze(1) for s in parts[0].split(list(shape.hidden), -1))
    shifts = tuple(s.unsqueeze(1) for s in parts[1].split(list(shape.hidden), -1))
    release = torch.stack([torch.exp(parts[2][:, 0]), 10.0 * parts[2][:, 1]], -1)
    exponent = RATE_RANGE * torch.tanh(parts[3] / RATE_RANGE) if learn_rates else torch.zeros_like(parts[3])
    rates = (base_rate * torch.exp(exponent)).view(-1, shape.steps, len(shape.layers))
    n = len(shape.layers)
    weights, biases = [parameters[f"w{i}"] for i in range(n)], [parameters[f"b{i}"] for i in range(n)]
    if classes is not None:
        weights[-1], biases[-1] = _head_rows(weights[-1], biases[-1], classes)
    return Rows(weights=tuple(weights), biases=tuple(biases), scales=scales, shifts=shifts, release=release, rates=rates, marginal=parameters["marginal"],
                critic={k.removeprefix(CRITIC): v for k, v in parameters.items() if k.startswith(CRITIC)},
                weight_rates=_element_rates(parameters, "rw", n), bias_rates=_element_rates(parameters, "rb", n), blocks=shape.blocks)


def _element_rates(parameters: Parameters, name: str, layers: int) -> tuple[Tensor, ...]:
    found = [parameters[f"{name}{i}"] for i in range(layers) if f"{name}{i}" in parameters]
    return tuple(torch.exp(ELEMENT_RANGE * torch.tanh(u / ELEMENT_RANGE)) for u in found)


def _head_rows(weight: Tensor, bias: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Rows ``classes`` [B, ways] of a joint head [B, G, in]; zeros for negative classes."""
    seen = (classes >= 0).to(weight.dtype)
    index = classes.clamp_min(0)
    picked = weight.gather(1, index.unsqueeze(-1).expand(-1, -1, weight.shape[-1]))
    return picked * seen.unsqueeze(-1), bias.gather(1, index) * seen
