"""The inner loop on a batch of rows: explicit batched products, differentiable through every step.

The signature of :func:`adapt` is what any other kernel (say, an analytic one) has to share. The gradient with respect to the
logits comes from autograd, so any loss on released logits works; the rest of the backward pass is written out (for convolution, down to the
blocks' outputs), which yields the per-record deltas that clipping needs, and lets one outer ``backward`` give second-order gradients (MAML, Finn et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mrp_core import convolving
from mrp_core.networks import Rows
from mrp_core.passing import features, forward, released, softmax

Loss = Callable[[Tensor, Tensor], Tensor]
"""(released logits [B, N, ways], labels [B, N]) -> loss per row [B]."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Per-record clipping and Gaussian noise of the inner gradient (Abadi et al. 2016), full batch.

    Attributes:
        clip: Largest norm of one record's gradient over the adapted layers; one for all, or one for each row [B].
        multiplier: Noise standard deviation in units of ``clip``, [B].
        draws: Per layer standard normal draws [B, steps, out, in + 1] (the last column is the bias's), None for a frozen layer.
        stretch: Factor on the multiplier at each step, [B, steps]; None where all steps have the same noise.
    """

    clip: float | Tensor
    multiplier: Tensor
    draws: tuple[Tensor | None, ...]
    stretch: Tensor | None = None

    def above(self, lowest: int) -> Noise:
        """The noise of the layers from ``lowest`` on."""
        return replace(self, draws=self.draws[lowest:])

    def repeat(self, times: int) -> Noise:
        """Noise for each row ``times`` times in a row, [B] becomes [B x times]: the same draws, unless there are as many already."""
        many = lambda t: t.repeat_interleave(times, 0) if isinstance(t, Tensor) else t  # noqa: E731
        own = times * len(self.multiplier)
        draws = tuple(d if d is not None and len(d) == own else many(d) for d in self.draws)
        return Noise(clip=many(self.clip), multiplier=many(self.multiplier), draws=draws, stretch=many(self.stretch))

    def cut(self, low: int, high: int) -> Noise:
        """Noise for the rows from ``low`` to before ``high``."""
        some = lambda t: t[low:high] if isinstance(t, Tensor) else t  # noqa: E731
        return Noise(clip=some(self.clip), multiplier=some(self.multiplier), draws=tuple(map(some, self.draws)), stretch=some(self.stretch))


def deltas(rows: Rows, inputs: list[Tensor], head_delta: Tensor) -> list[Tensor]:
    """Gradients with respect to each layer's linear output, [B, N, out] each, from that of the head."""
    out = [head_delta] * len(rows.weights)
    for i in range(len(rows.weights) - 1, 0, -1):
        back = torch.bmm(out[i], rows.weights[i])
        out[i - 1] = torch.ops.aten.threshold_backward(back, inputs[i], 0.0) * rows.scales[i - 1]
    return out


def backward(rows: Rows, x: Tensor, head: Callable[[Tensor], Tensor], *, through: bool) -> tuple[list[Tensor], list[Tensor]]:
    """Deltas and inputs of each layer, for x [B, N, features] and a function from raw logits to the head's delta; see :func:`mrp_core.convolving.backward`."""
    if rows.blocks:
        return convolving.backward(rows, x, head, through=through)
    logits, inputs = forward(rows, x)
    return deltas(rows, inputs, head(logits)), inputs


def clip_factors(rows: Rows, inputs: list[Tensor], layer_deltas: list[Tensor], clip: float | Tensor) -> Tensor:
    """min(1, clip / norm) of each record's own gradient, [B, N], where ``layer_deltas`` are those of a mean over N records."""
    most = clip.unsqueeze(1) if isinstance(clip, Tensor) else clip
    return (most / (inputs[-1].shape[1] * _norms(rows, inputs, layer_deltas))).clamp_max(1.0)


def _norms(rows: Rows, inputs: list[Tensor], layer_deltas: list[Tensor]) -> Tensor:
    """A dense layer's per-record gradient is an outer product, so its squared norm is ``|delta|^2 (|input|^2 + 1)`` (Goodfellow 2015), and nothing is built for it."""
    square = torch.zeros(())
    for i, (d, a) in enumerate(zip(layer_deltas, inputs, strict=True)):
        square = square + (convolving.record_squares(rows, i, d, a) if i < len(rows.blocks) else d.square().sum(-1) * (a.square().sum(-1) + 1.0))
    return torch.sqrt(square + 1e-24)


def record_norms(rows: Rows, x: Tensor, y: Tensor, lowest: int = 0) -> Tensor:
    """Norm of the cross-entropy's gradient of each record by itself over the adapted layers, [B, N]; differentiable in everything in ``rows``.

    That is the sensitivity of an inner step to one record, in units of rate over records: what :func:`clip_factors` bounds by force.
    The delta of the head is written out, so that the norm has its gradient whatever the adaptation keeps of its own graph.

    Args:
        rows: Where the gradient is taken.
        x, y: Records, [B, N, features] and int64 [B, N].
        lowest: First layer that adapts.
    """
    top = rows.above(lowest)

    def head(logits: Tensor) -> Tensor:
        p, wrong = softmax(logits), softmax(released(top, logits)) - torch.nn.functional.one_hot(y, logits.shape[-1])
        a, b = top.release[:, 0, None, None], top.release[:, 1, None, None]
        return a * wrong + b * p * (wrong - (p * wrong).sum(-1, keepdim=True))

    ds, inputs = backward(top, features(rows, x, lowest), head, through=torch.is_grad_enabled())
    return _norms(top, inputs, ds)


def adapt(rows: Rows, x: Tensor, y: Tensor, loss: Loss, *, steps: int, lowest: int = 0, second_order: bool = False, noise: Noise | None = None) -> Rows:
    """Adapt each row to its support set by ``steps`` gradient steps.

    Args:
        rows: Start; ``rows.rates`` [B, S, layers] are the step sizes, so a rate of zero freezes a layer in a step; steps beyond S keep the last rate. Rates of
            single weights, where there are any, multiply the step, its noise included: under noise that is post-processing of what is private already, with
            factors that no support record has a say in, and leaves the guarantee as it is.
        x, y: Support sets, [B, N, features] and int64 [B, N].
        loss: Per-row loss, a mean over records.
        steps: Number of steps.
        lowest: First layer that adapts; those below are frozen (the head only: the last index).
        second_order: Keep the graph through the inner gradient; otherwise it is a constant (first-order MAML).
        noise: Clipping and noise; the loss must then be separable over records for the sensitivity bound to hold.

    Returns:
        Rows with adapted weights, differentiable with respect to everything in ``rows`` when grad mode is on.
    """
    if lowest:  # frozen layers are passed once, not at each step
        adapted = adapt(rows.above(lowest), features(rows, x, lowest), y, loss, steps=steps, second_order=second_order, noise=noise.above(lowest) if noise is not None else None)
        return rows.with_weights((*rows.weights[:lowest], *adapted.weights), (*rows.biases[:lowest], *adapted.biases))
    weights, biases = list(rows.weights), list(rows.biases)
    through = second_order and torch.is_grad_enabled()
    x = x if through else x.detach()
    for k in range(steps):
        now = rows.with_weights(weights, biases)
        now = now if through else now.detached()
        ds, inputs = backward(now, x, lambda logits, now=now: _head_delta(now, logits, y, loss, through), through=through)
        if noise is not None:
            factor = clip_factors(now, inputs, ds, noise.clip)
            ds = [convolving.scaled(d, factor) if i < len(rows.blocks) else d * factor.unsqueeze(-1) for i, d in enumerate(ds)]
        for i, d in enumerate(ds):
            rate = rows.rates[:, min(k, rows.rates.shape[1] - 1), i, None, None]
            weight, bias = (torch.zeros_like(weights[i]), torch.zeros_like(biases[i])) if rows.weight_rates else (weights[i], biases[i])
            if i < len(rows.blocks):
                steepest, lift = convolving.gradient(now, i, d, inputs[i])
                weight, bias = weight - rate * steepest, bias - rate[:, :, 0] * lift
            else:
                weight, bias = torch.baddbmm(weight, (d * rate).mT, inputs[i], alpha=-1.0), bias - rate[:, :, 0] * d.sum(1)
            if noise is not None:
                weight, bias = _add_noise(weight, bias, noise, i, k, rate, x.shape[1])
            if rows.weight_rates:
                weight, bias = torch.addcmul(weights[i], rows.weight_rates[i], weight), torch.addcmul(biases[i], rows.bias_rates[i], bias)
            weights[i], biases[i] = weight, bias
    return rows.with_weights(weights, biases)


def _head_delta(rows: Rows, logits: Tensor, y: Tensor, loss: Loss, create_graph: bool) -> Tensor:
    """Gradient of the loss with respect to the raw logits, [B, N, ways]."""
    if create_graph:
        return torch.autograd.grad(loss(released(rows, logits), y).sum(), logits, create_graph=True)[0]
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_()
        return torch.autograd.grad(loss(released(rows, leaf), y).sum(), leaf)[0].detach()


def _add_noise(weight: Tensor, bias: Tensor, noise: Noise, layer: int, step: int, rate: Tensor, records: int) -> tuple[Tensor, Tensor]:
    draws = noise.draws[layer]
    if draws is None:
        return weight, bias
    clip = noise.clip[:, None, None] if isinstance(noise.clip, Tensor) else noise.clip
    multiplier = noise.multiplier if noise.stretch is None else noise.multiplier * noise.stretch[:, step]
    size = rate * (multiplier[:, None, None] * (clip / records))
    return weight - size * draws[:, step, :, :-1], bias - size[:, :, 0] * draws[:, step, :, -1]


def outputs(rows: Rows, x: Tensor) -> Tensor:
    """Released logits [B, N, ways] for x [B, N, features]."""
    return released(rows, forward(rows, x)[0])
