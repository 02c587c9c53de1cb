"""Quantile regression: what the target's loss on a record should be, judged from the record itself, without shadow models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.shadows import part
from mrp_core.audit.signals import finite, label_margin
from mrp_core.errors import DataError

_Array = NDArray[np.float64]
_LINEAR, _WAVES = 64, 64  # most linear features, and random cosine features
_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
_LEAST = 20
_LOG_CHI_SQUARE = -1.2703628454614782  # mean of the log of a squared standard normal


class QuantileRegression(Attack):
    """(phi - mean(x)) / deviation(x): mean and scale of phi for non-members, regressed on features and label over the target's population.

    A Gaussian whose mean and scale depend on the record gives all quantiles at once, so one score orders records for every false-positive rate. The
    regression is ridge on linear and random cosine features, its penalty chosen by leave-one-out on the population, which has no members.

    Source: Bertran et al. 2023, "Scalable membership inference attacks via quantile regression": the Gaussian variant.
    """

    def score(self, evidence: Evidence) -> _Array:
        """Scores [..., T, N].

        Raises:
            DataError: If the population has fewer than 20 records.
        """
        population, population_labels, features, theirs = (
            part(evidence, self.title, name) for name in ("population", "population_labels", "features", "population_features"))
        e, classes = population.shape[-2:]
        if e < _LEAST:
            raise DataError(f"{self.title} needs a population of at least {_LEAST} records, but population {population.shape} has {e}.")
        phi = [label_margin(z[..., evidence.targets, :, :], y[..., None, :])
               for z, y in ((evidence.logits, evidence.labels), (population, population_labels))]
        both = finite(np.concatenate(phi, -1))
        shape = phi[0].shape
        flat = [a.reshape(-1, *a.shape[-i:]) for a, i in ((both, 2), (features, 2), (theirs, 2), (evidence.labels, 1), (population_labels, 1))]
        scores = [_deviation(values, *_design(x, px, y, py, classes)) for values, x, px, y, py in zip(*flat, strict=True)]
        return np.stack(scores).reshape(shape)


def _design(features: _Array, population: _Array, labels: NDArray[np.int64], population_labels: NDArray[np.int64], classes: int) -> tuple[_Array, _Array]:
    """Regressors [N, D] of the records and [E, D] of the population, both centred by the population."""
    spread = population.std(0)
    x = np.concatenate([features, population]) - population.mean(0)
    x = np.clip(x / np.where(spread > 1e-12, spread, np.inf), -5.0, 5.0)
    width, rng = x.shape[1], np.random.default_rng(0)
    if width > _LINEAR:
        x = x @ rng.normal(0, width**-0.5, (width, _LINEAR))
        width = _LINEAR
    waves = np.cos(x @ rng.normal(0, width**-0.5, (width, _WAVES)) + rng.uniform(0, 2 * np.pi, _WAVES))
    y = np.concatenate([labels, population_labels])
    design = np.concatenate([x, waves, (y[:, None] == np.arange(classes)).astype(np.float64)], -1)
    design -= design[len(features):].mean(0)
    return design[:len(features)], design[len(features):]


def _deviation(phi: _Array, own: _Array, population: _Array) -> _Array:
    """Deviations [T, N] of phi [T, N + E] from what the regressions on the population say."""
    n = len(own)
    known = phi[:, n:].T
    parts = np.linalg.svd(population, full_matrices=False)
    mean, residuals = _ridge(*parts, known, own)
    floor = 1e-6 * np.maximum(known.var(0), 1e-12)
    log_variance, remaining = _ridge(*parts, np.log(np.square(residuals) + floor), own)
    fitted = np.log(np.square(residuals) + floor) - remaining
    log_variance = np.clip(log_variance, fitted.min(0), fitted.max(0)) - _LOG_CHI_SQUARE
    return ((phi[:, :n].T - mean) * np.exp(-0.5 * log_variance)).T


def _ridge(u: _Array, s: _Array, vt: _Array, y: _Array, own: _Array) -> tuple[_Array, _Array]:
    """Predictions [N, T] at ``own`` and leave-one-out residuals [E, T], with the penalty of the least squared residuals for each target.

    u, s and vt are the decomposition of the centred design [E, D]; y is [E, T].
    """
    centre = y.mean(0)
    inner = u.T @ (y - centre)
    new = own @ vt.T
    best, predictions, residuals = np.full(y.shape[1], np.inf), np.zeros((len(own), y.shape[1])), np.zeros(y.shape)
    for penalty in _PENALTIES:
        shrink = np.square(s) / (np.square(s) + penalty)
        leverage = np.square(u) @ shrink + 1.0 / len(u)
        left = (y - centre - u @ (shrink[:, None] * inner)) / np.maximum(1.0 - leverage, 1e-6)[:, None]
        error = np.square(left).mean(0)
        better = error < best
        best[better], residuals[:, better] = error[better], left[:, better]
        weights = np.divide(shrink, s, out=np.zeros_like(s), where=s > 0)
        predictions[:, better] = (centre + new @ (weights[:, None] * inner))[:, better]
    return predictions, residuals


PLUGIN = QuantileRegression(
    name="quantile_regression", title="Quantile regression",
    summary="Compares a record's loss with what such a record should have, learned from fresh records; no shadow models.", order=8,
    source="Bertran et al. 2023", needs=frozenset({"population", "features"}),
)
