"""The released output: one setting that governs utility, mutual information and what an attacker sees. Needs numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.information import ChannelInformation, channel_information, deterministic_information, noisy_scores_information
from mrp_core.audit.signals import label_margin
from mrp_core.audit.utility import accuracy_f1, confusion, one_hot
from mrp_core.config import PrivacyConfig


@dataclass(frozen=True, kw_only=True)
class Utility:
    """What fresh records get out of the channel; arrays [...], the leading axes of the logits.

    Attributes:
        accuracy, f1: Expected accuracy and macro-F1 of what is released.
        information: I(X; output) and its parts, nats.
        note: "" or how the information is to be read.
    """

    accuracy: NDArray[np.float64]
    f1: NDArray[np.float64]
    information: ChannelInformation
    note: str = ""


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities [..., C]."""
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def utility(config: PrivacyConfig, logits: NDArray[np.float64], labels: NDArray[np.int64], seed: int = 0) -> Utility:
    """Utility and information on the channel.

    Args:
        config: Which channel.
        logits: Released logits [..., N, C] of records that no adaptation saw.
        labels: int64, broadcasts to [..., N].
        seed: Of the channel's noise.
    """
    note, p = "", answers(config, logits, seed)
    if config.channel == "sampled_label":
        information = channel_information(p, labels)
    elif config.channel == "noisy_scores":
        information = noisy_scores_information(logits, labels, config.channel_noise, seed=seed)
        note = "lower bound (InfoNCE with the known noise)"
    elif config.channel == "top_label":
        information = channel_information(p, labels)
        note = "deterministic output: its entropy"
    else:
        information = deterministic_information(np.round(softmax(logits), config.channel_digits), labels)
        note = "deterministic output: its entropy, at most the log of the number of records"
    accuracy, f1 = accuracy_f1(confusion(p, labels))
    return Utility(accuracy=accuracy, f1=f1, information=information, note=note)


def answers(config: PrivacyConfig, logits: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Distribution [..., N, C] of the label that is released or read off the release; arguments as of :func:`seen`."""
    if config.channel == "sampled_label":
        return softmax(logits)
    if config.channel == "noisy_scores":
        logits = logits + config.channel_noise * np.random.default_rng(seed).standard_normal(logits.shape)
    return one_hot(logits.argmax(-1), logits.shape[-1])


def statistic(config: PrivacyConfig, logits: NDArray[np.float64], labels: NDArray[np.int64], seed: int = 0) -> NDArray[np.float64]:
    """LiRA's statistic from what an attacker gets to see on the channel, [..., N]; arguments as of :func:`seen`, and labels int64 that broadcast to [..., N]."""
    return label_margin(seen(config, logits, seed), labels)


def seen(config: PrivacyConfig, logits: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """What an attacker gets to see of a record on the channel, as logits [..., N, C].

    Args:
        config: Channel and number of queries a record (0: without limit, so a sampled label shows its probability, and noise averages out).
        logits: Released logits [..., N, C].
        seed: Of the channel's randomness.
    """
    rng, queries, classes = np.random.default_rng([seed, 5]), config.attacker_queries, logits.shape[-1]
    if config.channel == "sampled_label":
        return np.log((rng.multinomial(queries, softmax(logits)) + 0.5) / (queries + 0.5 * classes)) if queries else logits
    if config.channel == "noisy_scores":
        return logits + config.channel_noise / np.sqrt(queries) * rng.standard_normal(logits.shape) if queries else logits
    if config.channel == "top_label":
        return np.log(0.98 * one_hot(logits.argmax(-1), classes) + 0.02 / classes)
    return np.log(np.maximum(np.round(softmax(logits), config.channel_digits), 0.1 ** (config.channel_digits + 1)))
