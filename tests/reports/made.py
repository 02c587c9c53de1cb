"""A study small enough to be trained in a test, and what a report is made from."""

from __future__ import annotations

from functools import cache

from mrp_core.config import AuditConfig, ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import run_study
from mrp_core.jobs.context import SilentContext
from mrp_core.reports import Source
from mrp_core.studyfile import StudyFile

NASTY = "<script>alert(1)</script></script>\"'\n\"\"\"\nimport os; os.abort()\\ <b>&amp;"
TINY = StudyConfig(title="A tiny study", task=TaskConfig(family="gaussian", mode="site", ways=2, shots=5, queries=10),
                   privacy=PrivacyConfig(lambda_points=2, epsilons=(3.0,)), inner=InnerConfig(steps=2),
                   outer=OuterConfig(iterations=4, meta_batch=2, seeds=2, hidden=(4,)), audit=AuditConfig(tasks=2, adaptations=8, records=10, baselines=False))


@cache
def trained(config: StudyConfig = TINY) -> Source:
    """The study as a job leaves it, with its points rounded as files keep them."""
    context = SilentContext()
    run_study(config, ComputeOptions(), context)
    file = StudyFile(config=config, points=tuple(context.points.values()), curves=tuple(context.curves.values()),
                     origin={"seconds": 1.0, "cores": 2.0, "processor": "a processor", "machine": "Linux", "torch": "2", "python": "3", "date": "2026-01-01"})
    return Source(key=config.id, file=StudyFile.from_json(file.to_json()))
