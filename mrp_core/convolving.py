"""Convolution blocks in batched networks: every row has filters of its own, which one grouped convolution applies to all rows.

A block is a convolution, normalisation of each record over all its channels and places (Ba et al. 2016), the conditioning's feature-wise scale and shift, ReLU
and max pool; the pool comes before the ReLU, with which it commutes. Without normalisation four blocks hardly begin to learn in a short meta-training. There is
no batch normalisation: it would make a record's output depend on the records beside it, and neither the sensitivity of an inner step to one record nor a
membership audit could be had then.

Between blocks, what goes through is laid out as [N, B x channels, height, width]; inputs and outputs of a network are flat records [B, N, features].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from mrp_core.networks import Rows

EPSILON = 1e-5
"""Beside the variance that a record is normalised by."""


def forward(rows: Rows, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Raw logits [B, N, out] and the inputs of each layer, those of blocks as [N, B x channels, height, width], for x [B, N, features]."""
    logits, inputs, _ = _passed(rows, x)
    return logits, inputs


def features(rows: Rows, x: Tensor, layer: int) -> Tensor:
    """Inputs of a layer, flat [B, N, units], for x [B, N, features]; x itself for the first layer."""
    if not layer:
        return x
    through = _grouped(rows, x)
    for i in range(layer):
        through = _activated(rows, i, _filtered(rows, i, through))
    return _flat(rows, through)


def backward(rows: Rows, x: Tensor, head: Callable[[Tensor], Tensor], *, through: bool) -> tuple[list[Tensor], list[Tensor]]:
    """Gradients with respect to each layer's linear output, laid out like :func:`forward`'s inputs, and those inputs.

    Args:
        rows: The network; weights without a graph where ``through`` is false.
        x: [B, N, features].
        head: Raw logits -> gradient with respect to them, both [B, N, out].
        through: Whether the gradients are differentiable themselves.
    """
    with torch.enable_grad():
        logits, inputs, outs = _passed(rows, x, record=True)
        delta = head(logits)
        found = torch.autograd.grad(logits, outs, delta, create_graph=through)
    return [*found, delta], inputs


def gradient(rows: Rows, layer: int, delta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of a block's weights [B, filters, inputs] and biases [B, filters], from its delta and inputs of :func:`backward`."""
    block, b = rows.blocks[layer], len(rows.biases[layer])
    weight = conv2d_weight(x, (b * block.filters, block.channels, *block.kernel), delta, padding=block.padding, groups=b)  # pyright: ignore[reportArgumentType]  # a pair is documented
    return weight.view(b, block.filters, block.inputs), delta.sum((0, 2, 3)).view(b, block.filters)


def record_squares(rows: Rows, layer: int, delta: Tensor, x: Tensor) -> Tensor:
    """Squared norm of each record's own gradient of a block's weights and biases, [B, N].

    A record's gradient is a sum of outer products over positions, so Goodfellow's (2015) product of norms doesn't give its norm. The sums are built for each
    record (Rochette et al. 2019): where positions outnumber a filter's weights, as in pictures, that is less work than Gram matrices over pairs of positions
    (Bu et al. 2022, section 3).
    """
    block, b, n = rows.blocks[layer], len(rows.biases[layer]), len(x)
    patches = F.unfold(x.reshape(n * b, block.channels, block.height, block.width), block.kernel, padding=block.padding)
    own = delta.reshape(n * b, block.filters, block.positions)
    square = torch.bmm(own, patches.mT).square().sum(-1) + own.sum(-1).square()
    return square.sum(-1).view(n, b).mT


def scaled(delta: Tensor, factor: Tensor) -> Tensor:
    """A block's gradients [N, B x filters, height, width] times a factor for each record [B, N]."""
    n, b = len(delta), len(factor)
    return (delta.view(n, b, -1, *delta.shape[2:]) * factor.mT.reshape(n, b, 1, 1, 1)).view_as(delta)


def _passed(rows: Rows, x: Tensor, record: bool = False) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Raw logits, the inputs of each layer, and the convolutions' outputs."""
    inputs, outs = [_grouped(rows, x)], list[Tensor]()
    for i in range(len(rows.blocks)):
        outs.append(_filtered(rows, i, inputs[-1]))
        if record and not outs[0].requires_grad:
            outs[0].requires_grad_()
        inputs.append(_activated(rows, i, outs[-1]))
    inputs[-1] = _flat(rows, inputs[-1])
    return torch.baddbmm(rows.biases[-1].unsqueeze(1), inputs[-1], rows.weights[-1].mT), inputs, outs


def _filtered(rows: Rows, layer: int, x: Tensor) -> Tensor:
    """Convolution of a block."""
    block = rows.blocks[layer]
    filters = rows.weights[layer].reshape(-1, block.channels, *block.kernel)
    return F.conv2d(x, filters, rows.biases[layer].reshape(-1), padding=block.padding, groups=len(rows.weights[layer]))


def _activated(rows: Rows, layer: int, z: Tensor) -> Tensor:
    """The rest of a block: normalisation of each record, scale and shift, pool, ReLU."""
    scale, shift = rows.scales[layer], rows.shifts[layer]
    y = F.group_norm(z, len(scale), scale.reshape(-1), shift.reshape(-1), EPSILON)
    return torch.relu(F.max_pool2d(y, rows.blocks[layer].pool))


def _grouped(rows: Rows, x: Tensor) -> Tensor:
    block, (b, n) = rows.blocks[0], x.shape[:2]
    return x.reshape(b, n, block.channels, block.positions).transpose(0, 1).reshape(n, b * block.channels, block.height, block.width)


def _flat(rows: Rows, x: Tensor) -> Tensor:
    """[B, N, units] of [N, B x channels, height, width]."""
    return x.reshape(len(x), len(rows.biases[0]), -1).transpose(0, 1)
