"""Records through batched networks: hidden layers, raw logits, and what is released of them."""

from __future__ import annotations

import torch
from torch import Tensor

from mrp_core import convolving
from mrp_core.networks import Rows


def forward(rows: Rows, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Raw logits [B, N, out] and the inputs of each layer, for x [B, N, features]; see :func:`mrp_core.convolving.forward` for those of a convolution network."""
    if rows.blocks:
        return convolving.forward(rows, x)
    inputs = [x]
    last = len(rows.weights) - 1
    for i in range(last):
        inputs.append(_hidden(rows, i, inputs[-1]))
    return torch.baddbmm(rows.biases[last].unsqueeze(1), inputs[-1], rows.weights[last].mT), inputs


def features(rows: Rows, x: Tensor, layer: int) -> Tensor:
    """Inputs of a layer, [B, N, units], for x [B, N, features]; x itself for the first layer."""
    if rows.blocks:
        return convolving.features(rows, x, layer)
    for i in range(layer):
        x = _hidden(rows, i, x)
    return x


def _hidden(rows: Rows, layer: int, x: Tensor) -> Tensor:
    z = torch.baddbmm(rows.biases[layer].unsqueeze(1), x, rows.weights[layer].mT)
    if torch.is_grad_enabled():
        return torch.relu(torch.addcmul(rows.shifts[layer], z, rows.scales[layer]))
    return torch.addcmul(rows.shifts[layer], z, rows.scales[layer], out=z).relu_()


def softmax(logits: Tensor) -> Tensor:
    """Probabilities [..., N, ways]. A few classes in the last place are the slowest layout for torch, so they are moved (3 to 8 times as fast)."""
    return torch.softmax(logits.mT.contiguous(), -2).mT


def released(rows: Rows, logits: Tensor) -> Tensor:
    """Released logits [B, N, ways] from raw ones: a scaled logit plus a scaled probability.

    The second term makes exp(beta * p), the optimal release of a posterior for expected accuracy (rate-distortion theory,
    Blahut 1972), a member of the family; the first is a temperature.
    """
    a, b = rows.release[:, 0, None, None], rows.release[:, 1, None, None]
    return torch.addcmul(a * logits, b, softmax(logits))
