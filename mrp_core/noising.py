"""What the noisy adaptation may learn: its clipping norm, and how the budget is shared among its steps, both as functions of the noise level.

Both are outputs of the conditioning network: they depend on meta-trained parameters and on the noise multiplier that a person asked for, never on the support
records of the task at hand. So at test time they are constants of the mechanism, chosen before it sees the records that it protects, and the guarantee is that of
a Gaussian mechanism of given norm and noise. With a norm c the noise of a step is sigma_k c, so the guarantee depends on sigma_k alone, whatever c is. K steps of
noise multipliers sigma_k compose to mu^2 = sum_k 1 / sigma_k^2 (Dong, Roth & Su 2022, corollary 3.3): shares s_k > 0 with sum 1 give sigma_k = sigma / sqrt(K s_k),
whose mu^2 = K / sigma^2 is the accountant's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mrp_core.config import PrivacyConfig
from mrp_core.kernel import Noise
from mrp_core.networks import CONDITION_UNITS, Parameters, condition_units

RANGE = 3.0
"""The learned norm stays within a factor e^3 of ``clip``, and no step's share is more than e^6 times another's."""


def noise_parameters(privacy: PrivacyConfig, like: Tensor) -> Parameters:
    """The parameters that the study's knobs ask for, leading axis [C] as in ``like``; all zero, which is ``clip`` itself and equal shares. Empty if none is asked for."""
    if privacy.mechanism == "none":
        return {}
    count, made = len(like), {}
    if privacy.learn_clip:
        made |= {"clip_w": like.new_zeros(count, CONDITION_UNITS), "clip_b": like.new_zeros(count)}
    if privacy.learn_noise_split:
        made |= {"split_w": like.new_zeros(count, privacy.dp_steps, CONDITION_UNITS), "split_b": like.new_zeros(count, privacy.dp_steps)}
    return made


def learned_clip(parameters: Parameters, features: Tensor, clip: float) -> Tensor:
    """Clipping norm of each row, [B], from parameters [B, ...] and condition features [B, 2]."""
    raw = torch.einsum("bh,bh->b", parameters["clip_w"], condition_units(parameters, features)) + parameters["clip_b"]
    return clip * torch.exp(RANGE * torch.tanh(raw / RANGE))


def learned_shares(parameters: Parameters, features: Tensor) -> Tensor:
    """Each step's share of the budget, [B, K]: positive, with sum 1."""
    raw = torch.einsum("bkh,bh->bk", parameters["split_w"], condition_units(parameters, features)) + parameters["split_b"]
    return torch.softmax(RANGE * torch.tanh(raw / RANGE), -1)


def noise_of(privacy: PrivacyConfig, parameters: Parameters, features: Tensor, multiplier: Tensor, draws: tuple[Tensor | None, ...]) -> Noise:
    """Clipping and noise of each row, differentiable with respect to its parameters.

    Args:
        privacy: What is learned, and the norm that it starts from.
        parameters: Leading axis [B].
        features: Condition features [B, 2].
        multiplier: Noise multiplier [B] of the guarantee, as if all steps had the same.
        draws: See :class:`mrp_core.kernel.Noise`.
    """
    clip = learned_clip(parameters, features, privacy.clip) if privacy.learn_clip else privacy.clip
    stretch = (privacy.dp_steps * learned_shares(parameters, features)).rsqrt() if privacy.learn_noise_split else None
    return Noise(clip=clip, multiplier=multiplier, draws=draws, stretch=stretch)
