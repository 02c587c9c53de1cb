"""What an attacker holds, built from plain arrays and checked once, at the border. Needs numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrp_core.attacking import Evidence
from mrp_core.errors import DataError

_Array = NDArray[np.float64]
_SUM_TO_ONE = 1e-4


def evidence(logits: ArrayLike, labels: ArrayLike, keep: ArrayLike, *, twin: ArrayLike | None = None, targets: ArrayLike | None = None,
             population: ArrayLike | None = None, population_labels: ArrayLike | None = None, features: ArrayLike | None = None,
             population_features: ArrayLike | None = None, noisy_labels: ArrayLike | None = None) -> Evidence:
    """Build an evidence from the outputs of R models on N records, each of which some models were trained on.

    Args:
        logits: [..., R, N, C], released outputs as logits or log-probabilities; may be infinite. Leading axes are tasks, seeds, or nothing.
        labels: Whole numbers [..., N], true labels in 0 .. C - 1; must broadcast to the leading axes, as everything below.
        keep: Booleans (or 0 and 1) [..., R, N], which records each model was trained on.
        twin: Whole numbers [R], each model's complement. None: models whose rows of ``keep`` are each other's opposite in every task are twins.
        targets: Whole numbers [T], the models that are scored. None: every model is the target once, the others its shadows.
        population: [..., R, E, C], the models' outputs on records that no model was trained on.
        population_labels: Whole numbers [..., E].
        features: [..., N, F], the records themselves.
        population_features: [..., E, F].
        noisy_labels: Whole numbers [..., R, N, K], top labels of K noisy copies of each record.

    Raises:
        DataError: If an array has the wrong shape, holds NaN, labels out of range or probabilities instead of logits, or if the targets have no members,
            no non-members, or one and the same output for every record.
    """
    z = _logits("logits", logits, "[..., models, records, classes]", 3)
    lead, (r, n, c) = z.shape[:-3], z.shape[-3:]
    made_keep = _keep("keep", keep, (*lead, r, n))
    made_targets = np.arange(r) if targets is None else _indices("targets", targets, r)
    _check_outcome(z, made_keep, made_targets)
    return Evidence(
        logits=z, labels=_labels("labels", labels, (*lead, n), c), keep=made_keep, twin=_complements(made_keep) if twin is None else _twin(twin, r),
        targets=made_targets, **_optional(lead, (r, n, c), population, population_labels, features, population_features, noisy_labels))


def evidence_of_target(target_logits: ArrayLike, shadow_logits: ArrayLike | None, keep: ArrayLike | None, labels: ArrayLike, *, member: ArrayLike | None = None,
                       population: ArrayLike | None = None, population_labels: ArrayLike | None = None, features: ArrayLike | None = None,
                       population_features: ArrayLike | None = None, noisy_labels: ArrayLike | None = None) -> Evidence:
    """Build an evidence about one trained model, or about T of them that share their shadows and are judged one by one.

    In the result the target is model 0, and the T targets are a leading axis, so that none is a shadow of another.

    Args:
        target_logits: [N, C] or [T, N, C], released outputs of the target as logits or log-probabilities.
        shadow_logits: [R, N, C], the same of R shadow models; None without.
        keep: Booleans [R, N], which records each shadow was trained on; all False where none was trained on any (offline attacks only). None without shadows.
        labels: Whole numbers [N], true labels in 0 .. C - 1.
        member: Booleans [N] or [T, N], which records the target was trained on: read only to judge the scores. None: scores can be had, no results.
        population: [E, C] or [T, E, C], the target's outputs on records that no model was trained on.
        population_labels: Whole numbers [E].
        features: [N, F], the records themselves.
        population_features: [E, F].
        noisy_labels: Whole numbers [N, K] or [T, N, K], top labels that the target gives to K noisy copies of each record.

    Raises:
        DataError: As :func:`evidence`.
    """
    target = _logits("target_logits", target_logits, "[records, classes] or [targets, records, classes]", 2, 3)
    lead, (n, c) = target.shape[:-2], target.shape[-2:]
    shadow = np.empty((0, n, c)) if shadow_logits is None else _logits("shadow_logits", shadow_logits, "[shadows, records, classes]", 3, 3)
    if shadow.shape[1:] != (n, c):
        raise DataError(f"shadow_logits have the shape {shadow.shape}, but must be [shadows, {n}, {c}] as target_logits {target.shape}.")
    if (keep is None) != (shadow_logits is None):
        raise DataError("shadow_logits and keep belong together; give both, or None for both.")
    r = len(shadow)
    rows = np.empty((0, n), dtype=np.bool_) if keep is None else _keep("keep", keep, (r, n))
    if rows.size and rows.all():
        raise DataError(f"keep {rows.shape} has no non-members: every shadow was trained on every record, so nothing tells what a record looks like outside.")
    own = np.zeros((*lead, n), dtype=np.bool_) if member is None else _keep("member", member, (*lead, n))
    z = _stacked(target, shadow)
    made_keep = _stacked(own, rows)
    _check_outcome(z, made_keep if member is not None else None, np.array([0]))
    outside = None if population is None else _first_of(_logits("population", population, "[records, classes]", 2, 3), r)
    noisy = None if noisy_labels is None else _first_of(np.asarray(noisy_labels), r)
    return Evidence(
        logits=z, labels=_labels("labels", labels, (*lead, n), c), keep=made_keep, twin=np.arange(r + 1), targets=np.array([0]),
        **_optional(lead, (r + 1, n, c), outside, population_labels, features, population_features, noisy))


def _optional(lead: tuple[int, ...], sizes: tuple[int, int, int], population: ArrayLike | None, population_labels: ArrayLike | None, features: ArrayLike | None,
              population_features: ArrayLike | None, noisy_labels: ArrayLike | None) -> dict[str, Any]:
    """The optional parts, checked against one another."""
    r, n, c = sizes
    made: dict[str, Any] = {}
    if (population is None) != (population_labels is None):
        raise DataError("population and population_labels belong together; give both, or None for both.")
    if population_features is not None and (population is None or features is None):
        raise DataError("population_features go with population and features; give those too.")
    if population is not None and population_labels is not None:
        z = _logits("population", population, "[..., models, records, classes]", 3)
        made["population"] = _broadcast("population", z, (*lead, r, z.shape[-2], c))
        made["population_labels"] = _labels("population_labels", population_labels, (*lead, z.shape[-2]), c)
    if features is not None:
        f = _numbers("features", features)
        width = f.shape[-1] if f.ndim else 0
        made["features"] = _finite("features", _broadcast("features", f, (*lead, n, width)))
        if population_features is not None:
            shape = (*lead, made["population"].shape[-2], width)
            fresh = _broadcast("population_features", _numbers("population_features", population_features), shape)
            made["population_features"] = _finite("population_features", fresh)
    if noisy_labels is not None:
        y = np.asarray(noisy_labels)
        made["noisy_labels"] = _labels("noisy_labels", y, (*lead, r, n, y.shape[-1] if y.ndim else 0), c)
    return made


def _stacked(first: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """The target [..., N, ...] in front of what every target shares, [R, N, ...]."""
    lead = first.shape[:first.ndim - others.ndim + 1]
    return np.concatenate([np.expand_dims(first, len(lead)), np.broadcast_to(others, (*lead, *others.shape))], axis=len(lead))


def _first_of(values: NDArray[Any], shadows: int) -> NDArray[Any]:
    """The target's values [..., N, C] with a models' axis; the shadows' are 0, and no attack reads them."""
    if values.ndim < 2:
        raise DataError(f"An array of the target has the shape {values.shape}, but must have one row per record.")
    own = np.expand_dims(values, -3)
    return np.concatenate([own, np.zeros((*own.shape[:-3], shadows, *own.shape[-2:]), dtype=own.dtype)], axis=-3)


def _numbers(name: str, values: ArrayLike) -> _Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} can't be read as an array of numbers: {error}") from error


def _finite(name: str, values: _Array) -> _Array:
    if values.size == 0 or not np.isfinite(values).all():
        raise DataError(f"{name} {values.shape} must hold finite numbers only, and at least one column; fill in or leave out what is missing.")
    return values


def _logits(name: str, values: ArrayLike, rule: str, least: int, most: int = 99) -> _Array:
    z = _numbers(name, values)
    if not least <= z.ndim <= most or z.size == 0 or z.shape[-1] < 2:
        raise DataError(f"{name} has the shape {z.shape}, but must be {rule}, none of them empty, with at least two classes.")
    if np.isnan(z).any():
        where = tuple(int(i) for i in np.argwhere(np.isnan(z))[0])
        raise DataError(f"{name} {z.shape} holds {int(np.isnan(z).sum())} NaN, the first at {where}; logits may be infinite, but must be numbers.")
    if z.min() >= 0 and z.max() <= 1 and np.abs(z.sum(-1) - 1).max() <= _SUM_TO_ONE:
        raise DataError(f"{name} {z.shape} are probabilities (each row lies in [0, 1] and sums to 1), but must be logits; pass np.log(p).")
    return z


def _broadcast(name: str, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    own = len(shape) - values.ndim
    if own >= 0 and all(a in (1, b) for a, b in zip(values.shape, shape[own:], strict=True)) and values.ndim:
        return np.broadcast_to(values, shape)
    raise DataError(f"{name} has the shape {values.shape}, but must fit {list(shape)}.")


def _keep(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    k = np.asarray(values)
    if k.dtype != np.bool_ and not (np.issubdtype(k.dtype, np.number) and np.isin(k, (0, 1)).all()):
        raise DataError(f"{name} is {k.dtype} {k.shape}, but must hold True and False only (or 1 and 0): which records a model was trained on.")
    if k.shape[-2:] != shape[-2:]:
        raise DataError(f"{name} has the shape {k.shape}, but must fit {list(shape)}: one entry for each model and record.")
    return _broadcast(name, k.astype(np.bool_), shape)


def _labels(name: str, values: ArrayLike, shape: tuple[int, ...], classes: int) -> NDArray[np.int64]:
    y = np.asarray(values)
    if not np.issubdtype(y.dtype, np.integer) or y.ndim == 0 or y.size == 0 or y.shape[-1] != shape[-1]:
        raise DataError(f"{name} is {y.dtype} {y.shape}, but must hold whole numbers of the shape {list(shape)}.")
    if y.min() < 0 or y.max() >= classes:
        raise DataError(f"{name} {y.shape} runs from {y.min()} to {y.max()}, but must lie in 0 .. {classes - 1}: there are {classes} classes, counted from 0.")
    return _broadcast(name, y.astype(np.int64), shape)


def _indices(name: str, values: ArrayLike, models: int) -> NDArray[np.int64]:
    t = np.asarray(values)
    if not np.issubdtype(t.dtype, np.integer) or t.ndim != 1 or t.size == 0 or t.min() < 0 or t.max() >= models or len(np.unique(t)) < len(t):
        raise DataError(f"{name} is {t.dtype} {t.shape}, but must list models by number, 0 .. {models - 1}, each at most once.")
    return t.astype(np.int64)


def _twin(values: ArrayLike, models: int) -> NDArray[np.int64]:
    twin = _indices("twin", values, models)
    if len(twin) != models or (twin[twin] != np.arange(models)).any():
        raise DataError(f"twin must pair the {models} models: twin[twin[r]] == r, a model's own number where it has no complement.")
    return twin


def _complements(keep: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Each model's complement, found by its rows of keep; its own number where there is none."""
    rows = np.moveaxis(keep, -2, 0).reshape(keep.shape[-2], -1)
    twin = np.arange(len(rows))
    waiting: dict[bytes, list[int]] = {}
    for i, row in enumerate(rows):
        if others := waiting.get(np.packbits(~row).tobytes()):
            twin[i], twin[others[-1]] = others[-1], i
            others.pop()
        else:
            waiting.setdefault(np.packbits(row).tobytes(), []).append(i)
    return twin


def _check_outcome(logits: _Array, keep: NDArray[np.bool_] | None, targets: NDArray[np.int64]) -> None:
    """What can't be judged: targets without members or non-members, and targets that answer the same to everyone."""
    if keep is not None:
        judged = keep[..., targets, :]
        for found, what in ((judged.any((-2, -1)), "members"), (~judged.all((-2, -1)), "non-members")):
            if not found.all():
                raise DataError(f"The targets' rows of keep {judged.shape} have no {what}, so no attack can be judged; records of both kinds are needed.")
    own = logits[..., targets, :, :]
    if own.shape[-2] * own.shape[-3] > 1 and (own == own[..., :1, :1, :]).all((-3, -2, -1)).any():
        raise DataError(f"The targets' logits {own.shape} are the same for every record (constant scores), so nothing can be ranked; "
                        "check which array was passed.")
