"""Which models are whose shadows: everyone but the target and its twin. What an attack lacks is said here. Needs numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence
from mrp_core.errors import DataError

_Array = NDArray[np.float64]
_UNDERFLOW = 1e-250
_POPULATION = "the target's outputs on records that no model was trained on"
_FEATURES = "the records themselves"
_WHAT = {
    "population": _POPULATION, "population_labels": _POPULATION, "features": _FEATURES, "population_features": _FEATURES,
    "noisy_labels": "the target's top labels of noisy copies of the records",
}


def part(evidence: Evidence, title: str, name: str) -> NDArray[Any]:
    """An optional part of the evidence.

    Raises:
        DataError: If it isn't there; ``title`` is the attack that wants it.
    """
    value = getattr(evidence, name)
    if value is None:
        raise DataError(f"{title} needs {_WHAT[name]} ({name}), which the evidence doesn't have.")
    return value


def require_shadows(evidence: Evidence, title: str, least: int, *, inside: bool = True) -> None:
    """Check that a typical (median) record has enough shadows.

    Args:
        evidence: What the attacker holds.
        title: The attack, for the message.
        least: Least number of shadows on each side that is needed.
        inside: Whether shadows that were trained on the record are needed too.

    Raises:
        DataError: With what there is.
    """
    found_in, found_out = typical_shadows(evidence)
    if (found_in >= least or not inside) and found_out >= least:
        return
    sides = "trained on a record and as many that weren't" if inside else "that weren't trained on a record"
    raise DataError(f"{title} needs at least {least} shadow models {sides}, but a typical record of keep {evidence.keep.shape} has "
                    f"{found_in} in and {found_out} out (the target and its twin don't count); add shadow models.")


def typical_shadows(evidence: Evidence) -> tuple[int, int]:
    """Shadows trained on a typical (median) record and shadows that weren't, for the target that has fewest."""
    ones = np.ones(evidence.keep.shape[-2:])
    counts = (shadow_sums(evidence, ones, inside=side) for side in (True, False))
    inside, outside = (int(np.median(c, axis=-1).min()) for c in counts)
    return inside, outside


def shadow_weights(evidence: Evidence) -> _Array:
    """float64 [T, R]: 1 where a model is a shadow of the target, 0 for the target and its twin."""
    weights = np.ones((len(evidence.targets), len(evidence.twin)))
    rows = np.arange(len(evidence.targets))
    weights[rows, evidence.targets] = weights[rows, evidence.twin[evidence.targets]] = 0.0
    return weights


def shadow_sums(evidence: Evidence, values: _Array, *, inside: bool) -> _Array:
    """Sum over a target's shadows on one side of each record, [..., T, N]; what is left out is never added, so nothing cancels.

    Args:
        evidence: Whose shadows.
        values: float64 [..., R, N], finite.
        inside: Whether the shadows are those trained on the record.
    """
    side = evidence.keep if inside else ~evidence.keep
    return shadow_weights(evidence) @ np.where(side, values, 0.0)


def log_shadow_mean(evidence: Evidence, logs: _Array, *, inside: bool) -> tuple[_Array, _Array]:
    """Log of the mean of exp(logs) over a target's shadows on one side of each record, and their number; each [..., T, N].

    Where the shadows are so far below the target that their sum underflows, it is made anew from them alone. Without shadows the log means nothing.

    Args:
        evidence: Whose shadows.
        logs: float64 [..., R, N], finite.
        inside: Whether the shadows are those trained on the record.
    """
    top = logs.max(-2, keepdims=True)
    sums = shadow_sums(evidence, np.exp(logs - top), inside=inside)
    number = shadow_sums(evidence, np.ones(logs.shape[-2:]), inside=inside)
    out = top + np.log(np.maximum(sums, 1e-300) / np.maximum(number, 1.0))
    lost = np.nonzero((sums < _UNDERFLOW) & (number > 0))
    if lost[0].size:
        *lead, target, record = lost
        side = np.swapaxes(evidence.keep, -1, -2)[(*lead, record)] == inside
        used = np.where(side & (shadow_weights(evidence)[target] > 0), np.swapaxes(logs, -1, -2)[(*lead, record)], -np.inf)
        peak = used.max(-1, keepdims=True)
        out[lost] = peak[:, 0] + np.log(np.exp(used - peak).sum(-1) / number[lost])
    return out, number
