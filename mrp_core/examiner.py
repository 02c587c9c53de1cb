"""Examine one setting of a strategy: every attack on fresh shadow adaptations, record by record and part by part. The body of a job."""

from __future__ import annotations

import io
import json
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mrp_core.audit.evidence import evidence
from mrp_core.audit.exposure import settling
from mrp_core.audit.roc import AttackResult
from mrp_core.audit.signals import label_margin
from mrp_core.audit.suite import run_attacks
from mrp_core.channel import seen
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.engine import RELEASES
from mrp_core.errors import ConfigError
from mrp_core.evaluation import AuditTasks, Outputs, audit_tasks, evaluate, study_tasks
from mrp_core.examination import Examination, ExaminationOptions
from mrp_core.jobs.context import JobContext, SilentContext
from mrp_core.measuring import Logits, released_from
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.strategy import Strategy
from mrp_core.summing import assemble
from mrp_core.taskdata import HeldOutTasks
from mrp_core.threads import prepare

NOISE = 0.25
"""Standard deviation of the noise on a copy of a record, in units of its features' standard deviations."""
Part = dict[str, NDArray[np.generic]]


def run(config: StudyConfig, compute: ComputeOptions, context: JobContext) -> Examination:
    """The body of a job: examine what ``request.json`` asks for, and keep the result as ``examination.json``.

    Raises:
        ConfigError: If nothing was asked for.
        CheckpointError: If the strategy is damaged.
        JobCancelled, JobInterrupted: As the context says.
    """
    request, data = context.get_artifact("request.json"), context.get_artifact("strategy.safetensors")
    if request is None or data is None:
        raise ConfigError("The examination has lost its request or its strategy; ask for it again from the audit page.")
    asked = json.loads(request)
    result = examine(Strategy.from_bytes(data), Setting.from_key(asked["setting"]), ExaminationOptions(**asked["options"]), compute, context)
    context.put_artifact("examination.json", result.to_json().encode())
    return result


def examine(strategy: Strategy, setting: Setting, options: ExaminationOptions | None = None, compute: ComputeOptions | None = None,
            context: JobContext | None = None) -> Examination:
    """Examine a setting on the held-out tasks of all seeds; a seed that an earlier attempt has finished is not computed again.

    Raises:
        ConfigError: If the strategy wasn't trained for the setting.
        DataError: If the family can't be built.
        JobCancelled, JobInterrupted: As the context says.
    """
    options, compute, context = options or ExaminationOptions(), compute or ComputeOptions(), context or SilentContext(keep=False)
    prepare()
    begin, seeds, parts = time.perf_counter(), strategy.config.seeds, {}
    for i, seed in enumerate(seeds):
        kept = context.get_artifact(f"seed-{seed}.npz")
        parts[seed] = _unpacked(kept) if kept is not None else _look(strategy, setting, seed, options, compute)
        if kept is None:
            context.put_artifact(f"seed-{seed}.npz", _packed(parts[seed]))
        context.report("examine", i + 1, len(seeds) + 1, {})
    made = assemble(strategy, setting, options, parts, compute, seconds=lambda: time.perf_counter() - begin)
    context.report("examine", len(seeds) + 1, len(seeds) + 1, {})
    return made


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bench:
    """Held-out tasks with noisy copies of their pools behind the fresh records."""

    held: HeldOutTasks
    tasks: AuditTasks
    copies: int


def _bench(strategy: Strategy, seed: int, options: ExaminationOptions) -> _Bench:
    held = study_tasks(strategy.config, seed)
    tasks = audit_tasks(held, adaptations=options.adaptations, seed=seed, seen=strategy.seen[seed], like=strategy.parameters["cb0"])
    generator = torch.Generator().manual_seed(seed * 5_368_709 + 29)
    noise = NOISE * torch.randn(*tasks.pool_x.shape[:2], options.noisy_copies, tasks.pool_x.shape[2], generator=generator).to(tasks.pool_x)
    copies = (tasks.pool_x.unsqueeze(2) + noise * (tasks.pool_x != 0).any(1)[:, None, None]).flatten(1, 2)  # columns that a task may not see stay 0
    wide = AuditTasks(pool_x=tasks.pool_x, pool_y=tasks.pool_y, fresh_x=torch.cat([tasks.fresh_x, copies], 1), halves=tasks.halves, classes=tasks.classes, seed=tasks.seed)
    return _Bench(held=held, tasks=wide, copies=options.noisy_copies)


def _look(strategy: Strategy, setting: Setting, seed: int, options: ExaminationOptions, compute: ComputeOptions) -> Part:
    """What the attacks find in one seed, as arrays: per attack its results, and the headline's scores with LiRA's statistic."""
    bench = _bench(strategy, seed, options)
    plan = strategy.adaptation(UNPROTECTED if setting.kind in RELEASES else setting, seed)
    found = _released(setting, evaluate(strategy, [plan], bench.tasks, compute.chunk_rows))
    held, config = bench.held, strategy.config.privacy
    fresh = held.eval_y.shape[1]
    pool, population = (seen(config, z, seed) for z in (found.pool, found.fresh[..., :fresh, :]))
    copies = found.fresh[..., fresh:, :].argmax(-1).reshape(*found.pool.shape[:3], bench.copies) if bench.copies else None
    keep, twin = bench.tasks.keep, bench.tasks.twin
    table = run_attacks(evidence(pool, held.pool_y, keep, twin=twin, population=population, population_labels=held.eval_y, features=held.pool_x,
                                 population_features=held.eval_x, noisy_labels=copies))
    part: Part = {"keep": keep, "twin": twin, "scores": table.scores[table.headline], "phi": label_margin(pool, held.pool_y[:, None, :]),
                  "fresh": found.fresh[:, 0, :fresh], "rule": np.array([table.headline, table.rule]), "left_out": np.array(list(table.left_out.items()), dtype=np.str_).reshape(-1, 2)}
    for name, result in table.results.items():
        part |= {f"{name}/{metric}": values for metric, values in _values(result).items()}
    part |= {f"settling/{n}": auc for n, auc in settling(part["phi"], keep, twin, seed)}  # type: ignore[arg-type]
    return part


def _values(result: AttackResult) -> dict[str, NDArray[np.float64]]:
    """The numbers of an attack by task."""
    return {"auc": result.auc, "advantage": result.advantage, "tpr_1pct": result.at(0.01), "tpr_01pct": result.at(0.001), "bits": result.information, "roc": result.tpr}


def _released(setting: Setting, out: Outputs) -> Logits:
    made = Logits(pool=out.pool[0], fresh=out.fresh[0], start=out.start[0])
    return released_from(setting, made) if setting.kind in RELEASES else made


def _packed(part: Part) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **part)  # type: ignore[arg-type]
    return file.getvalue()


def _unpacked(data: bytes) -> Part:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return dict(file.items())
