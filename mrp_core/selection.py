"""Which weights serve which level: the meta-iteration (and a rate that isn't learned) is chosen on validation tasks, per λ, never on test tasks."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from mrp_core.audit.information import sampled_label_information
from mrp_core.channel import softmax
from mrp_core.checkpoint import TrainingState
from mrp_core.config import StudyConfig
from mrp_core.evaluation import audit_tasks, evaluate
from mrp_core.networks import Parameters
from mrp_core.registry import plugin
from mrp_core.results import Curve
from mrp_core.searching import Arm
from mrp_core.strategy import Strategy, plan_of
from mrp_core.taskdata import TaskSet, held_out
from mrp_core.training import Trainer

RATES = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Factors on the inner rate among which a learner without learned rates picks."""
TASKS, ADAPTATIONS, LEVELS = 8, 4, 5


def choose(trainer: Trainer, state: TrainingState, tasksets: dict[int, TaskSet]) -> tuple[Strategy, list[Curve]]:
    """Turn the snapshots of a training into a strategy.

    The criterion is 1 - accuracy + λ I(X;Ŷ) on validation tasks (accuracy alone for arms under noise, and for privacy losses that
    are after something else), averaged over neighbouring levels. Diverged arms keep their last finite snapshot.

    Returns:
        The strategy, and a curve of the criterion over meta-iterations for the first and the last level of each kind of arm.
    """
    factors = RATES if trainer.learner.tunes_rate else (1.0,)
    levels = tuple(_coarse(arm) for arm in trainer.arms)
    candidates = [(step, {**ps, "tuned_rate": torch.full_like(ps["tuned_rate"], f)}) for step, ps in state.snapshots for f in factors]
    scores = np.stack([_scores(trainer, ps, levels, tasksets) for _, ps in candidates])
    smooth = _smoothed(scores, levels)
    used: dict[tuple[int, int], int] = {}
    choice = []
    for a in range(len(trainer.arms)):
        best = smooth[:, a, :len(levels[a])].argmin(0)
        choice.append(tuple(used.setdefault((int(c), a), len(used)) for c in best))
    parameters = {k: torch.stack([candidates[c][1][k][a] for c, a in used]) for k in state.parameters}
    strategy = Strategy(config=trainer.config, shape=trainer.shape, parameters=parameters, arms=trainer.arms, levels=levels, choice=tuple(choice), seen=seen_classes(trainer, tasksets))
    return strategy, _curves(trainer, candidates, scores, levels)


def seen_classes(trainer: Trainer, tasksets: dict[int, TaskSet]) -> dict[int, tuple[int, ...]]:
    """Per seed the classes of the joint head that meta-training tasks show; none where nothing is trained."""
    if not trainer.learner.trains:
        return dict.fromkeys(tasksets, ())
    return {s: tuple(sorted(set(t.train.bucket_class[t.train.tasks].ravel().tolist()))) for s, t in tasksets.items()}


def _coarse(arm: Arm) -> tuple[float, ...]:
    """At most LEVELS values of an arm's range."""
    if len(arm.levels) == 1:
        return arm.levels
    at = np.linspace(0, len(arm.levels) - 1, LEVELS)
    return tuple(np.interp(at, np.arange(len(arm.levels)), arm.levels).tolist())


def _scores(trainer: Trainer, parameters: Parameters, levels: tuple[tuple[float, ...], ...], tasksets: dict[int, TaskSet]) -> NDArray[np.float64]:
    """Criterion of one candidate, [arms, LEVELS]; NaN beyond an arm's own levels, inf where it isn't finite."""
    config = trainer.config
    draft = Strategy(config=config, shape=trainer.shape, parameters=parameters, arms=trainer.arms, levels=levels,
                     choice=tuple((a,) * len(x) for a, x in enumerate(levels)), seen=seen_classes(trainer, tasksets))
    out = np.full((len(trainer.arms), LEVELS), np.nan)
    for seed, taskset in tasksets.items():
        held = held_out(taskset.validation, tasks=TASKS, shots=config.task.shots, records=config.audit.records, seed=seed)
        tasks = audit_tasks(held, adaptations=ADAPTATIONS, seed=seed, seen=draft.seen[seed], like=parameters["cb0"])
        mine = [(a, i, arm.kind, v) for a, arm in enumerate(trainer.arms) if arm.seed == seed for i, v in enumerate(levels[a])]
        mine.sort(key=lambda m: m[2])
        fresh = evaluate(draft, [plan_of(config, kind, v, a) for a, _, kind, v in mine], tasks, trainer.compute.chunk_rows).fresh
        for (a, i, *_), score in zip(mine, _criterion(fresh, held.eval_y, config, mine), strict=True):
            out[a, i] = score
    return out


def _criterion(fresh: NDArray[np.float64], y: NDArray[np.int64], config: StudyConfig, mine: list[tuple[int, int, str, float]]) -> NDArray[np.float64]:
    p = softmax(fresh)
    right = np.take_along_axis(p, np.broadcast_to(y[None, :, None, :, None], (*p.shape[:-1], 1)), -1)[..., 0]
    score = 1.0 - right.mean((1, 2, 3))
    if plugin("privacy", config.privacy.loss).lowers == "mi":
        weight = np.array([v if kind == "lambda" else 0.0 for _, _, kind, v in mine])
        score = score + weight * sampled_label_information(p, np.broadcast_to(y[None, :, None, :], p.shape[:-1])).mean((1, 2))
    return np.where(np.isfinite(score), score, np.inf)


def _smoothed(scores: NDArray[np.float64], levels: tuple[tuple[float, ...], ...]) -> NDArray[np.float64]:
    """Mean with the neighbouring levels, so that validation noise doesn't make the choice jump along λ."""
    out = scores.copy()
    for a, own in enumerate(levels):
        for i in range(len(own)):
            out[:, a, i] = scores[:, a, max(0, i - 1):min(len(own), i + 2)].mean(-1)
    return out


def _curves(trainer: Trainer, candidates: list[tuple[int, Parameters]], scores: NDArray[np.float64], levels: tuple[tuple[float, ...], ...]) -> list[Curve]:
    steps = sorted({s for s, _ in candidates})
    if len(steps) < 2:
        return []
    best = np.stack([np.min([scores[i] for i, (s, _) in enumerate(candidates) if s == step], axis=0) for step in steps])
    out = []
    for kind in ("lambda", "epsilon"):
        arms = [a for a, arm in enumerate(trainer.arms) if arm.kind == kind]
        for end, name in ((0, "none"), (-1, "most")):
            if arms and not (kind == "lambda" and name == "most" and len(trainer.config.lambdas) == 1):
                y = np.mean([best[:, a, range(len(levels[a]))[end]] for a in arms], axis=0)
                out.append(Curve(setting=None, name=f"validation:{kind}:{name}", x=tuple(map(float, steps)), y=tuple(y.tolist())))
    return out


