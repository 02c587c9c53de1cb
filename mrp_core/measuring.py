"""From released logits to a point: utility, information and attacks of one setting and seed, each per held-out task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.disclosure import attribute_information
from mrp_core.audit.membership import lira_online, loss_threshold
from mrp_core.audit.roc import FPR_GRID, attack_result, averaged_roc
from mrp_core.channel import answers, softmax, statistic, utility
from mrp_core.config import StudyConfig
from mrp_core.limits import rate_distortion_marginal, rate_distortion_release, temperature_release
from mrp_core.results import Curve, Point
from mrp_core.settings import Setting
from mrp_core.taskdata import HeldOutTasks

ATTACKS = {"lira": "LiRA, pooled variance", "lira_t": "LiRA, Student-t", "threshold": "Loss threshold"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Logits:
    """Released logits of one setting and seed: pool [T, R, M, C], fresh [T, R, E, C], start [T, E, C]."""

    pool: NDArray[np.float64]
    fresh: NDArray[np.float64]
    start: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """A point, and the ROC of each attack: TPR [T, 49] at :data:`mrp_core.audit.roc.FPR_GRID`."""

    point: Point
    rocs: dict[str, NDArray[np.float64]]
    floor: float


def measure(config: StudyConfig, setting: Setting, seed: int, logits: Logits, held: HeldOutTasks, keep: NDArray[np.bool_], twin: NDArray[np.int64]) -> Measured:
    """Measure one setting of one seed; every value is a mean over the adaptations of a task.

    Args:
        config: The study.
        setting, seed: What the logits belong to.
        logits: What is released.
        held: The held-out tasks.
        keep, twin: In/out matrix [T, R, M] and complements [R].
    """
    y = held.eval_y[:, None, :]
    made = utility(config.privacy, logits.fresh, y, seed)
    start = utility(config.privacy, logits.start, held.eval_y, seed)
    phi = statistic(config.privacy, logits.pool, held.pool_y[:, None, :], seed)
    scores = {"lira": lira_online(phi, keep, twin, "pooled"), "lira_t": lira_online(phi, keep, twin, "student_t"), "threshold": loss_threshold(phi)}
    attacks = {name: attack_result(s, keep) for name, s in scores.items()}
    lira = attacks["lira"]
    values = {
        "accuracy": made.accuracy.mean(1), "accuracy_0": start.accuracy, "accuracy_argmax": (logits.fresh.argmax(-1) == y).mean((1, 2)), "f1": made.f1.mean(1),
        "mi": made.information.total.mean(1), "mi_task": made.information.task.mean(1), "mi_excess": made.information.excess.mean(1),
        "lira_auc": lira.auc, "lira_t_auc": attacks["lira_t"].auc, "lira_advantage": lira.advantage, "lira_tpr_1pct": lira.at(0.01), "lira_tpr_01pct": lira.at(0.001),
        "membership_bits": lira.information, "threshold_auc": attacks["threshold"].auc,
    }
    if (held.eval_sensitive >= 0).any():
        values["attribute_mi"] = attribute_information(answers(config.privacy, logits.fresh, seed), held.eval_sensitive[:, None, :], y).mean(1)
    if setting.kind == "epsilon" and np.isfinite(setting.value):
        values["epsilon"] = np.full(len(held.names), setting.value)
    notes = {k: v for k, v in {"mi": made.note, "lira_tpr_1pct": lira.note(0.01), "lira_tpr_01pct": lira.note(0.001)}.items() if v}
    point = Point(setting=setting, seed=seed, values={k: tuple(v.tolist()) for k, v in values.items()}, notes=notes, tasks=held.names)
    return Measured(point=point, rocs={name: a.tpr for name, a in attacks.items()}, floor=1.0 / int(lira.n_out.min()))


def released_from(setting: Setting, unprotected: Logits) -> Logits:
    """Logits of a release made from the unprotected model without training: a temperature, or the rate-distortion channel.

    The release's marginal comes from the pool, which the releaser holds, not from the fresh records.
    """
    if setting.kind == "temperature":
        make = lambda z: np.log(np.maximum(temperature_release(z, setting.value), 1e-300))  # noqa: E731
        return Logits(pool=make(unprotected.pool), fresh=make(unprotected.fresh), start=make(unprotected.start))
    pool = softmax(unprotected.pool)
    marginal = rate_distortion_marginal(pool, setting.value, iterations=15)
    release = lambda p, r: np.log(np.maximum(rate_distortion_release(p, setting.value, r), 1e-300))  # noqa: E731
    return Logits(pool=release(pool, marginal), fresh=release(softmax(unprotected.fresh), marginal), start=release(softmax(unprotected.start), marginal.mean(1)))


def roc_curves(setting: Setting, measured: list[Measured]) -> list[Curve]:
    """ROC of each attack averaged over seeds and tasks at each FPR, with a band: at 1 % it equals the mean TPR at 1 %."""
    floor = max(m.floor for m in measured)
    out = []
    for attack in ATTACKS:
        y, low, high = averaged_roc(np.stack([m.rocs[attack] for m in measured]))
        known = np.isfinite(y)
        out.append(Curve(setting=setting, name=f"roc:{attack}", x=tuple(FPR_GRID[known].tolist()), y=tuple(y[known].tolist()), low=tuple(low[known].tolist()),
                         high=tuple(high[known].tolist()), note=f"largest TPR with FPR at most x (step convention), mean over seeds and tasks; not resolved below {floor:.2%} FPR"))
    return out
