"""Guarantees beyond one adaptation: subsampled steps, the tasks of meta-training, and the cost of choosing among settings. All by dp-accounting."""

from __future__ import annotations

import functools
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from mrp_core.accounting import Guarantee, epsilon, epsilon_rdp, or_nan
from mrp_core.errors import ConfigError
from mrp_core.registry import plugin

if TYPE_CHECKING:
    from dp_accounting import DpEvent

    from mrp_core.config import StudyConfig

_LARGE = 0.1
_LOSSES = 10_000
"""Grid points per epsilon of the privacy loss distribution; one step's whole range gets at most ten times as many."""


@functools.lru_cache(maxsize=256)
def subsampled_epsilon(noise_multiplier: float, sampling: float, steps: int, delta: float) -> Guarantee:
    """What is published for ``steps`` Gaussian steps, each on a Poisson sample: from the privacy loss distribution, or from RDP, and so said, where that fails.

    Neighbours differ by one record whose contribution is there or is nothing ("replace special": the number of records is public, and so is
    the rate), so one record moves a step's sum by at most the clipping norm.

    Args:
        noise_multiplier: Noise standard deviation of a step / clipping norm.
        sampling: Probability with which each record takes part in a step, independently of all others.
        steps: Steps composed.
        delta: Probability with which the bound may fail.

    Raises:
        ConfigError: If the sampling rate isn't in (0, 1], or as :func:`mrp_core.accounting.epsilon`.
    """
    quick = subsampled_epsilon_rdp(noise_multiplier, sampling, steps, delta)
    if sampling == 1.0:
        return epsilon(noise_multiplier, steps, delta)
    if quick.accountant == "none":
        return quick
    value = or_nan(lambda: _subsampled_pld(noise_multiplier, sampling, steps, delta, quick.epsilon))
    if not 0.0 <= value <= quick.epsilon * (1 + 1e-6) + 1e-6 or math.isinf(value):
        return quick
    return _guarantee(value, "PLD", noise_multiplier, steps, delta, sampling)


@functools.lru_cache(maxsize=1024)
def subsampled_epsilon_rdp(noise_multiplier: float, sampling: float, steps: int, delta: float) -> Guarantee:
    """A quick and valid guarantee by Renyi differential privacy (Mironov, Talwar & Zhang 2019), mostly 10-20 % higher than the published one.

    Raises:
        ConfigError: As :func:`subsampled_epsilon`.
    """
    if not 0 < sampling <= 1:
        raise ConfigError(f"sampling is {sampling!r}, but must be a probability above 0 and at most 1.")
    whole = epsilon_rdp(noise_multiplier, steps, delta)
    if sampling == 1.0 or whole.accountant == "none":
        return whole
    from dp_accounting import dp_event

    event = dp_event.PoissonSampledDpEvent(sampling, dp_event.GaussianDpEvent(noise_multiplier))
    return _guarantee(_rdp(event, steps, delta, whole_orders=sampling > _LARGE), "RDP", noise_multiplier, steps, delta, sampling)


def selection_guarantee(noise_multiplier: float, steps: int, delta: float, candidates: int) -> Guarantee:
    """The guarantee of releasing only the best of several adaptations to the same private records, ``candidates`` of them in expectation.

    The number of adaptations is drawn from a geometric distribution of that mean (Papernot & Steinke 2022, theorem 2 with eta = 1), each for a setting drawn
    from a list that was fixed beforehand and whose settings all have at least this noise; the best is judged on records of others. With one candidate it
    is the Renyi guarantee of the setting itself. A fixed number of tries has no such discount: its cost is that of releasing all of them.

    Raises:
        ConfigError: If there is no candidate, or as :func:`mrp_core.accounting.epsilon`.
    """
    if isinstance(candidates, bool) or int(candidates) != candidates or candidates < 1:
        raise ConfigError(f"candidates is {candidates!r}, but must be a whole number from 1.")
    alone = epsilon_rdp(noise_multiplier, steps, delta)
    return alone if alone.accountant == "none" or candidates == 1 else _selected(noise_multiplier, steps, delta, candidates)


@functools.lru_cache(maxsize=1024)
def _selected(noise_multiplier: float, steps: int, delta: float, candidates: int) -> Guarantee:
    from dp_accounting import dp_event

    one = dp_event.SelfComposedDpEvent(dp_event.GaussianDpEvent(noise_multiplier), steps)
    return _guarantee(_rdp(dp_event.RepeatAndSelectDpEvent(one, candidates, 1), 1, delta), "RDP", noise_multiplier, steps, delta)


@functools.lru_cache(maxsize=64)
def task_guarantee(config: StudyConfig) -> Guarantee:
    """What the whole study's meta-training guarantees to one training task: that of all arms and seeds together, since a strategy holds them all.

    A step's Poisson sample is shared by the arms of a seed, so their noised sums are one Gaussian mechanism of noise multiplier sigma / sqrt(arms); the seeds
    sample by themselves and compose as further steps. Clipping of the noised gradient, Adam and the choice of a snapshot on validation tasks, which are
    others, are post-processing.

    Raises:
        ConfigError: If the tasks of the study can't be protected one by one.
        DataError: If the family can't be built.
    """
    p = config.privacy
    search, learner = plugin("search", config.outer.search), plugin("meta", config.outer.learner)
    levels = len({e for e in p.epsilons if not math.isinf(e)}) + 1 if p.mechanism != "none" else 0
    arms = Counter(arm.seed for arm in search.arms(config, tuple(map(float, range(levels)))))
    steps = search.iterations(config) * len(arms) if learner.trains else 0
    if steps == 0 or p.task_noise == 0:
        return epsilon(0.0, steps, p.task_delta)
    build = plugin("tasks", config.task.family).build
    rate = max(sampling_rate(len(build(config.task, seed).train.tasks), config.outer.meta_batch) for seed in arms)
    return subsampled_epsilon(p.task_noise / math.sqrt(max(arms.values())), rate, steps, p.task_delta)


def sampling_rate(tasks: int, meta_batch: int) -> float:
    """Probability with which a training task takes part in an outer step, so that ``meta_batch`` of them do on average."""
    return min(1.0, meta_batch / tasks)


def _subsampled_pld(sigma: float, sampling: float, steps: int, delta: float, about: float) -> float:
    """On a grid that is fine against the epsilon to come (``about``); the discretisation rounds up."""
    from dp_accounting import NeighboringRelation
    from dp_accounting.pld import privacy_loss_distribution

    width = math.log1p(sampling * math.expm1(min(700.0, 0.5 / sigma**2 + 10 / sigma)))
    interval = max(about / _LOSSES, width / (10 * _LOSSES))
    one = privacy_loss_distribution.from_gaussian_mechanism(sigma, sampling_prob=sampling, value_discretization_interval=interval,
                                                            neighboring_relation=NeighboringRelation.REPLACE_SPECIAL)
    return float(one.self_compose(steps).get_epsilon_for_delta(delta))


def _rdp(event: DpEvent, count: int, delta: float, *, whole_orders: bool = False) -> float:
    """Epsilon by RDP; with ``whole_orders`` without the orders between whole numbers, whose series doesn't converge at large sampling rates."""
    from dp_accounting import NeighboringRelation
    from dp_accounting.rdp import rdp_privacy_accountant

    orders = [o for o in rdp_privacy_accountant.DEFAULT_RDP_ORDERS if o == int(o) or not whole_orders]
    accountant = rdp_privacy_accountant.RdpAccountant(orders, neighboring_relation=NeighboringRelation.REPLACE_SPECIAL)

    def spent() -> float:
        accountant.compose(event, count)
        return float(accountant.get_epsilon(delta))

    with np.errstate(all="ignore"):
        value = or_nan(spent)
    return math.inf if math.isnan(value) else value


def _guarantee(value: float, accountant: str, sigma: float, steps: int, delta: float, sampling: float = 1.0) -> Guarantee:
    return Guarantee(epsilon=value, delta=delta, accountant=accountant, steps=steps, noise_multiplier=sigma, sampling=sampling)
