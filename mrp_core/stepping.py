"""The outer optimiser: what one meta-gradient does to the strategies' parameters."""

from __future__ import annotations

import torch

from mrp_core.checkpoint import TrainingState
from mrp_core.networks import Parameters

GRADIENT_NORM = 5.0


def outer_step(state: TrainingState, gradients: Parameters, *, optimiser: str, rate: float) -> None:
    """Move the parameters of every arm by its meta-gradient, in place; arms with a NaN are frozen.

    With clients as tasks this is the server's optimiser (Reddi et al. 2021, algorithm 1): the learner's meta-gradients are the clients' updates, and nothing else of
    a client is used here. Reptile's meta-gradient is (theta - mean of theta_k) / inner rate, so plain steps at the inner rate are federated averaging
    (McMahan et al. 2017) at server rate 1: theta becomes the mean of the clients' weights.

    Args:
        state: Parameters [arms, ...] and moments before the step.
        gradients: Meta-gradients by name, [arms, ...].
        optimiser: "adam" (Kingma & Ba 2015, on gradients of norm at most :data:`GRADIENT_NORM`) or "sgd" (plain steps, unclipped).
        rate: Size of this step.
    """
    # in order of names: a state read from a checkpoint has them in another order, and rounding would follow it
    square = sum((g.reshape(len(g), -1).square().sum(1) for _, g in sorted(gradients.items())), torch.zeros_like(state.alive, dtype=next(iter(gradients.values())).dtype))
    state.alive &= torch.isfinite(square)
    scale = (GRADIENT_NORM / (square.sqrt() + 1e-12)).clamp_max(1.0)
    t = state.step + 1
    for key, gradient in gradients.items():
        mask = state.alive.view(-1, *[1] * (gradient.dim() - 1))
        if optimiser == "sgd":
            state.parameters[key] -= torch.where(mask, rate * gradient, 0.0)
            continue
        g = torch.where(mask, gradient * scale.view_as(mask), 0.0)
        state.first[key].lerp_(g, 0.1)
        state.second[key].lerp_(g.square(), 0.001)
        move = rate * (state.first[key] / (1 - 0.9**t)) / ((state.second[key] / (1 - 0.999**t)).sqrt() + 1e-8)
        state.parameters[key] -= torch.where(mask, move, 0.0)
