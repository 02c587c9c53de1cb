"""How long a study will take, from a count of its work and the machine's measured rate. Needs no torch."""

from __future__ import annotations

import math

from mrp_core.blocks import blocks_of, layer_sizes
from mrp_core.config import StudyConfig
from mrp_core.registry import plugin
from mrp_core.settings import settings_of

DEFAULT_RATE = 33.0
"""Giga-multiply-adds a second that the default study reached on two cores of a cloud machine; a machine's own finished studies replace it."""
START = 6.0
"""Seconds before and after the counted work: starting a process, choosing weights."""
RECORD_OVERHEAD = 9.0e3
"""Multiply-adds that one record of one row costs beyond the matrix products (conditioning, losses, copies), fitted on the same machine."""
BLOCK_OVERHEAD = 6.0e4
"""The same for each block of a convolution network: normalisation, pool, and products too small to run at full speed."""
SECOND_BACKWARD = 5.0 / 3.0
"""An outer step with a backward pass for each objective: forward one third, backward two thirds of an ordinary step."""
FEATURES = {"letters": 16, "digits": 64, "medical": 33, "gaussian": 10, "lending": 18, "adult": 17, "heart": 15, "insteval": 24, "wearable": 79, "smart_home": 11, "purchase": 300}


def work(config: StudyConfig) -> float:
    """Work of a study in giga-multiply-adds: training and audit, a rough count that is good to about a third."""
    record = products(config) + RECORD_OVERHEAD + BLOCK_OVERHEAD * len(blocks_of(config.grid, config.hidden))
    trained = config.outer.iterations * config.outer.seeds * arms(config) * iteration_passes(config) if plugin("meta", config.outer.learner).trains else 0.0
    measured = len(settings_of(config)) * config.outer.seeds * evaluation_passes(config, config.audit.tasks, config.audit.adaptations, config.inner.steps)
    return (trained + measured) * record / 1e9


def products(config: StudyConfig) -> float:
    """Multiply-adds of one record's way through the network: a filter's weights count once for each position."""
    picture = plugin("tasks", config.task.family).grid
    features = math.prod(picture) if picture else FEATURES.get(config.task.family, 32)
    positions = [b.positions for b in blocks_of(config.grid, config.hidden)]
    sizes = layer_sizes(features, config.grid, config.hidden, config.task.ways)
    return float(sum(places * out * inputs for places, (out, inputs) in zip([*positions, *[1] * (len(sizes) - len(positions))], sizes, strict=True)))


def arms(config: StudyConfig) -> float:
    """Work of a conditioned strategy's arms of one seed in units of its λ arm: the noisy arm takes fewer steps, mostly of the head alone."""
    return 1.0 if config.privacy.mechanism == "none" else 1.6


def iteration_passes(config: StudyConfig) -> float:
    """Records passed forward once, or what costs as much, in one meta-iteration of one λ arm: tasks x pairs x (inner steps x support + query), with their gradients."""
    support, query = config.task.ways * config.task.shots, config.task.ways * config.task.queries
    order = 12.0 if config.outer.learner in ("maml", "anil", "meta_sgd") else 6.0
    order *= SECOND_BACKWARD if plugin("search", config.outer.search).separate else 1.0
    return config.outer.meta_batch * max(1, plugin("privacy", config.privacy.loss).pairs) * order * (config.inner.steps * support + query)


def evaluation_passes(config: StudyConfig, tasks: int, adaptations: int, steps: int) -> float:
    """The same for the measurement of one setting in one seed: tasks x adaptations x (3 a step and support record, the pool of two supports, the fresh records)."""
    support = config.task.ways * config.task.shots
    return tasks * adaptations * (3.0 * steps * support + 2.0 * support + config.audit.records * config.task.ways)


def seconds(config: StudyConfig, rate: float | None = None) -> float:
    """Expected seconds from launch to the complete audited frontier, at ``rate`` giga-multiply-adds a second."""
    return START + work(config) / (rate or DEFAULT_RATE)
