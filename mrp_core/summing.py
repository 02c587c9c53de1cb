"""From what each seed's attacks found to one examination: means with intervals, who is exposed, and bounds on ε."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrp_core import __version__
from mrp_core.audit.attribute import attribute_inference
from mrp_core.audit.epsilon import two_proportion_bound
from mrp_core.audit.exposure import auc_interval, exposed_records, part_risk, record_auc, two_halves
from mrp_core.audit.membership import lira_online
from mrp_core.audit.roc import FPR_GRID, averaged_roc
from mrp_core.audit.trials import independent_trials
from mrp_core.channel import softmax
from mrp_core.config import ComputeOptions
from mrp_core.errors import DataError
from mrp_core.evaluation import study_tasks
from mrp_core.examination import Examination, ExaminationOptions
from mrp_core.findings import AttackRow, AttributeRisk, EpsilonRange, Histogram, PartRisk, RecordRisk, TaskRisk
from mrp_core.intervals import interval
from mrp_core.measurement import Measurement
from mrp_core.registry import plugin, plugins
from mrp_core.results import Curve
from mrp_core.settings import Setting
from mrp_core.strategy import Strategy
from mrp_core.task_membership import task_membership
from mrp_core.taskdata import HeldOutTasks, TaskSet, offered_attributes

SHOWN, BINS = 12, 40
Part = Mapping[str, NDArray[Any]]
Parts = Mapping[int, Part]
Views = dict[int, tuple[TaskSet, HeldOutTasks]]


def assemble(strategy: Strategy, setting: Setting, options: ExaminationOptions, parts: Parts, compute: ComputeOptions, *, seconds: Callable[[], float]) -> Examination:
    """Join the seeds' parts, as :func:`mrp_core.examiner.examine` made them."""
    config, first = strategy.config, next(iter(parts.values()))
    headline, rule = (str(v) for v in first["rule"])
    views = {attribute: _views(strategy, attribute, parts) for attribute in offered_attributes(plugin("tasks", config.task.family), config.task)}
    own = views.get(config.task.sensitive) or next(iter(views.values()), None) or _views(strategy, config.task.sensitive, parts)
    return Examination(
        study=config.id, setting=setting, options=options, seeds=tuple(parts), tasks=config.audit.tasks, records=first["keep"].shape[-1], rule=rule,
        attacks=_attacks(parts, headline), rocs=_rocs(setting, parts), histogram=_histogram(parts), exposure=_exposure(parts),
        exposed=_exposed(strategy, parts, own), parts=(*_classes(parts, own, config.task.ways), *_tasks(parts, own), *_groups(parts, views)),
        settling=_settling(parts), epsilon=epsilon_range(strategy, setting, parts), attributes=_attributes(parts, views), task_membership=_task_membership(strategy, setting, compute),
        origin={"seconds": round(seconds(), 1), "version": __version__, "device": compute.device, "date": datetime.now(UTC).strftime("%Y-%m-%d")})


def _views(strategy: Strategy, attribute: str, parts: Parts) -> Views:
    """Each seed's tasks with one attribute as the sensitive one; records are the same for all attributes."""
    task = dataclasses.replace(strategy.config.task, sensitive=attribute)
    sets = {seed: plugin("tasks", task.family).build(task, seed) for seed in parts}
    return {seed: (taskset, study_tasks(strategy.config, seed, taskset)) for seed, taskset in sets.items()}


def _attacks(parts: Parts, headline: str) -> tuple[AttackRow, ...]:
    left_out = {str(n): str(why) for n, why in next(iter(parts.values()))["left_out"]}
    bounds = {"bits": math.log(2)}
    rows = []
    for name, attack in plugins("attacks").items():
        means = {m: interval(np.stack([p[f"{name}/{m}"] for p in parts.values()]), low=0.0, high=bounds.get(m, 1.0), note=_unresolved(parts, name, m))
                 for m in ("auc", "advantage", "tpr_1pct", "tpr_01pct", "bits") if all(f"{name}/{m}" in p for p in parts.values())}
        rows.append(AttackRow(name=name, title=attack.title, source=attack.source, headline=name == headline, means=means, left_out="" if means else left_out.get(name, "not made")))
    return tuple(sorted(rows, key=lambda r: (not r.headline, bool(r.left_out))))


def _unresolved(parts: Parts, name: str, metric: str) -> str:
    """Why a mean is NaN, if it is."""
    if not any(np.isnan(p[f"{name}/{metric}"]).any() for p in parts.values()):
        return ""
    return f"not resolved, needs at least {1000 if metric == 'tpr_01pct' else 100} non-members a task"


def _rocs(setting: Setting, parts: Parts) -> tuple[Curve, ...]:
    out = []
    for key in next(iter(parts.values())):
        name, _, kind = key.partition("/")
        if kind == "roc":
            y, low, high = averaged_roc(np.stack([p[key] for p in parts.values()]))
            known = np.isfinite(y)
            cut = lambda a, known=known: tuple(a[known].tolist())  # noqa: E731
            out.append(Curve(setting=setting, name=f"roc:{name}", x=cut(FPR_GRID), y=cut(y), low=cut(low), high=cut(high), note="mean over seeds and tasks"))
    return tuple(out)


def _histogram(parts: Parts) -> Histogram:
    """Scores within their central 98 %; what lies beyond is counted in the outermost bins."""
    scores, keep = (np.concatenate([p[k].ravel() for p in parts.values()]) for k in ("scores", "keep"))
    known = np.isfinite(scores)
    low, high = np.quantile(scores[known], [0.01, 0.99]) if known.any() else (0.0, 1.0)
    edges = np.linspace(low, max(high, low + 1e-9), BINS + 1)
    count = lambda side: tuple(np.histogram(np.clip(scores[side], edges[0], edges[-1]), edges)[0].tolist())  # noqa: E731
    return Histogram(edges=tuple(edges.tolist()), members=count(keep.astype(bool)), others=count(~keep.astype(bool)))


def _exposure(parts: Parts) -> Histogram:
    """The records' own AUC, and what chance alone would spread it to: the same with who was in shuffled among the models."""
    auc, null = [], []
    for seed, p in parts.items():
        order = np.random.default_rng(seed).permutation(p["keep"].shape[1])
        auc.append(record_auc(p["scores"], p["keep"]).ravel())
        null.append(record_auc(p["scores"], p["keep"][:, order]).ravel())
    edges = np.linspace(0.0, 1.0, BINS + 1)
    count = lambda values: tuple(np.histogram(np.concatenate(values), edges)[0].tolist())  # noqa: E731
    return Histogram(edges=tuple(edges.tolist()), members=count(auc), others=count(null))


def _exposed(strategy: Strategy, parts: Parts, views: Views) -> tuple[RecordRisk, ...]:
    """The most exposed records, one a person, ranked by one half of the models and judged by the other."""
    found = []
    for seed, p in parts.items():
        rank, judge, trials = exposed_records(p["scores"], p["keep"], p["twin"])
        low, high = auc_interval(judge, *trials)
        for flat in np.argsort(-rank, axis=None)[:SHOWN]:
            t, n = np.unravel_index(flat, rank.shape)
            found.append((float(rank[t, n]), seed, int(t), int(n), Measurement(value=float(judge[t, n]), low=float(low[t, n]), high=float(high[t, n]), n=sum(trials))))
    out: dict[int, RecordRisk] = {}
    for value, seed, t, n, auc in sorted(found, key=lambda f: -f[0]):
        taskset, h = views[seed]
        person = int(h.pool_person[t, n])
        group = _named(taskset.sensitive_values, int(h.pool_sensitive[t, n]))
        out.setdefault(person, RecordRisk(seed=seed, task=h.names[t], index=n, label=label_name(taskset, h.names[t], int(h.pool_y[t, n]), strategy.config.task.ways),
                                          group=group, auc=auc, rank_auc=value, values=tuple(h.pool_x[t, n].tolist())))
    return tuple(list(out.values())[:SHOWN])


def label_name(taskset: TaskSet, task: str, label: int, ways: int) -> str:
    """What a label of a task is called: by the family, else by the letter that the task's name gives it, else by its number."""
    if taskset.labels:
        return taskset.labels[label]
    return task[label] if len(task) == ways else str(label + 1)


def _named(names: tuple[str, ...], value: int) -> str:
    return names[value] if 0 <= value < len(names) else ""


def _classes(parts: Parts, views: Views, ways: int) -> list[PartRisk]:
    names = {s: np.array([[label_name(taskset, h.names[t], int(y), ways) for y in row] for t, row in enumerate(h.pool_y)]) for s, (taskset, h) in views.items()}
    return _by("class", parts, names)


def _tasks(parts: Parts, views: Views) -> list[PartRisk]:
    return _by("task", parts, {s: np.repeat(np.array(h.names)[:, None], h.pool_y.shape[1], 1) for s, (_, h) in views.items()})


def _groups(parts: Parts, views: Mapping[str, Views]) -> list[PartRisk]:
    """By each sensitive attribute that the family offers; -1, unknown, takes the last name, which is none."""
    return [risk for attribute, seeds in views.items()
            for risk in _by(attribute, parts, {s: np.array([*taskset.sensitive_values, ""])[h.pool_sensitive] for s, (taskset, h) in seeds.items()})]


def _by(what: str, parts: Parts, names: Mapping[int, NDArray[np.str_]]) -> list[PartRisk]:
    """The attack on each named part; names [T, N] of each seed, "" for records that belong to none."""
    out = []
    for name in sorted({str(v) for n in names.values() for v in np.unique(n)} - {""}):
        auc, tpr, records = [], [], 0
        for seed, p in parts.items():
            mine = names[seed] == name
            a, t = part_risk(p["scores"], p["keep"], mine)
            auc.append(a[mine.any(1)])
            tpr.append(t[mine.any(1)])
            records += int(mine.sum())
        out.append(PartRisk(by=what, name=name, records=records, auc=_ragged(auc), tpr=_ragged(tpr)))
    return out


def _ragged(values: list[NDArray[np.float64]]) -> Measurement:
    """Interval of values that may differ in number between seeds: then over all tasks alike."""
    kept = [v for v in values if len(v)]
    same = len({len(v) for v in kept}) == 1
    grid = np.stack(kept) if same else np.concatenate([*kept, np.empty(0)])[None]
    return interval(grid, low=0.0, high=1.0)


def _settling(parts: Parts) -> tuple[tuple[int, Measurement], ...]:
    counts = sorted(int(k.partition("/")[2]) for k in next(iter(parts.values())) if k.startswith("settling/"))
    return tuple((n, interval(np.stack([p[f"settling/{n}"] for p in parts.values()]), low=0.0, high=1.0)) for n in counts)


def epsilon_range(strategy: Strategy, setting: Setting, parts: Parts) -> EpsilonRange:
    """Half of the models are shadows, the other half gives one trial a complementary pair: trials must not rest on one another."""
    privacy, promised = strategy.config.privacy, setting.value if setting.kind == "epsilon" else strategy.recipe(setting).epsilon if setting.kind == "found" else math.inf
    upper = promised if math.isfinite(promised) else math.nan
    scores, members = [], []
    for seed, p in parts.items():
        shadows, targets = two_halves(p["twin"])
        score = np.stack([_against(p["phi"], p["keep"], shadows, r) for r in targets], 1)
        back = {int(r): i for i, r in enumerate(targets)}
        try:
            s, m = independent_trials(score, p["keep"][:, targets], np.array([back[int(p["twin"][r])] for r in targets]), seed=seed)
        except DataError:
            continue
        scores.append(s)
        members.append(m)
    if not scores:
        return EpsilonRange(upper=upper, lower=0.0, ceiling=0.0, delta=privacy.delta, trials=0, level=0.95, how="There are too few adaptations for a bound from below.")
    bound = two_proportion_bound(np.concatenate(scores), np.concatenate(members), delta=privacy.delta, swapped=True)
    return EpsilonRange(upper=upper, lower=bound.epsilon, ceiling=bound.ceiling, delta=privacy.delta, trials=bound.n_in + bound.n_out, level=1 - bound.alpha, how=bound.sentence)


def _against(phi: NDArray[np.float64], keep: NDArray[np.bool_], shadows: NDArray[np.int64], target: int) -> NDArray[np.float64]:
    """LiRA's score [T, N] of one target with these shadows alone."""
    use = np.append(shadows, target)
    return lira_online(phi[:, use], keep[:, use], np.arange(len(use)))[:, -1]


def _attributes(parts: Parts, views: Mapping[str, Views]) -> tuple[AttributeRisk, ...]:
    """From the first adaptation of each task, on fresh records."""
    out = []
    for attribute, seeds in views.items():
        held = [seeds[seed][1] for seed in parts]
        p = np.concatenate([softmax(part["fresh"]).reshape(-1, part["fresh"].shape[-1]) for part in parts.values()])
        a, person = (np.concatenate([getattr(h, name).ravel() for h in held]) for name in ("eval_sensitive", "eval_person"))
        task = np.concatenate([np.repeat(np.arange(len(h.names)) + i * len(h.names), h.eval_y.shape[1]) for i, h in enumerate(held)])
        r = attribute_inference(p, a, person=person, task=task, permutations=5)
        out.append(AttributeRisk(name=attribute, auc=r.auc, information=r.information, null_auc=r.null_auc, null_information=r.null_information, notes=r.notes))
    return tuple(out)


def _task_membership(strategy: Strategy, setting: Setting, compute: ComputeOptions) -> tuple[TaskRisk, ...]:
    """Empty where the family holds too few tasks to tell training from held-out ones."""
    try:
        found = task_membership(strategy, setting=setting, compute=compute)
    except DataError:
        return ()
    return tuple(TaskRisk(by=by, tasks=found.tasks, auc=a.auc, untrained=a.untrained, tpr=a.tpr[0.1], calibrated=found.calibrated, notes=found.notes)
                 for by, a in (("task", found.task), ("records", found.records)))
