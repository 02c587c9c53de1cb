"""How long a study will take, from a count of its work and the machine's measured rate. Needs no torch."""

from __future__ import annotations

from mrp_core.config import StudyConfig
from mrp_core.registry import plugin
from mrp_core.settings import settings_of

DEFAULT_RATE = 33.0
"""Giga-multiply-adds a second that the default study reached on two cores of a cloud machine; a machine's own finished studies replace it."""
START = 6.0
"""Seconds before and after the counted work: starting a process, choosing weights."""
RECORD_OVERHEAD = 9.0e3
"""Multiply-adds that one record of one row costs beyond the matrix products (conditioning, losses, copies), fitted on the same machine."""
SECOND_BACKWARD = 5.0 / 3.0
"""An outer step with a backward pass for each objective: forward one third, backward two thirds of an ordinary step."""
FEATURES = {"letters": 16, "digits": 64, "medical": 33, "gaussian": 10}


def work(config: StudyConfig) -> float:
    """Work of a study in giga-multiply-adds: training and audit, a rough count that is good to about a third."""
    units = (FEATURES.get(config.task.family, 32), *config.outer.hidden, config.task.ways)
    record = sum(a * b for a, b in zip(units[1:], units[:-1], strict=True)) + RECORD_OVERHEAD
    support, query = config.task.ways * config.task.shots, config.task.ways * config.task.queries
    learner, pairs = plugin("meta", config.outer.learner), max(1, plugin("privacy", config.privacy.loss).pairs)
    arms = config.outer.seeds * (1 if config.privacy.mechanism == "none" else 1.6)
    order = 12.0 if config.outer.learner in ("maml", "anil", "meta_sgd") else 6.0
    order *= SECOND_BACKWARD if plugin("search", config.outer.search).separate else 1.0
    trained = config.outer.iterations * config.outer.meta_batch * arms * pairs * order * record * (config.inner.steps * support + query) if learner.trains else 0.0
    measured = len(settings_of(config)) * config.outer.seeds * config.audit.tasks * config.audit.adaptations * record
    measured *= 3.0 * config.inner.steps * support + 2.0 * support + config.audit.records * config.task.ways
    return (trained + measured) / 1e9


def seconds(config: StudyConfig, rate: float | None = None) -> float:
    """Expected seconds from launch to the complete audited frontier, at ``rate`` giga-multiply-adds a second."""
    return START + work(config) / (rate or DEFAULT_RATE)
