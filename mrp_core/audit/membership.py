"""LiRA on in/out matrices with leave-two-out shadows, online and offline, and the loss threshold. Needs numpy and scipy only."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from mrp_core.attacking import Evidence
from mrp_core.audit.shadows import log_shadow_mean
from mrp_core.audit.signals import finite, label_margin
from mrp_core.errors import DataError

_Array = NDArray[np.float64]
Variance = Literal["pooled", "per_record", "student_t"]
_FLOOR = 1e-6
_MOST_PRIOR = 1e3
_CHUNK = 1 << 15  # trials computed together: what stays in the cache


def lira_online(phi: _Array, keep: NDArray[np.bool_], twin: NDArray[np.int64], variance: Variance = "pooled") -> _Array:
    """Log likelihood ratio "member / not a member" of every record under every adaptation.

    Each adaptation is the target once; its shadows are all the others except its complementary twin. Per record, the shadows that were adapted on it
    and those that weren't give two predictive densities of phi; the score is the log of their ratio at the target's phi, so 0 is LiRA's own decision
    threshold at even odds. Nothing depends on the target's membership.

    The variance is

    - "pooled": within-record residuals pooled over the records of the task, one per side and target (best of the Gaussians below about 64 shadows);
    - "per_record": each record's own;
    - "student_t": a normal-inverse-gamma prior over records, with moments matched over the task's records (empirical Bayes), which makes the
      predictive density a Student-t; it shrinks to the pooled variance with few shadows and to the record's own with many.

    A variance is at least a millionth of the task's overall variance of phi. An infinite phi counts as one range of the task's finite values beyond them. A
    record without a shadow on both sides scores 0 under the Gaussians: no evidence. A task with a NaN scores NaN throughout.

    Args:
        phi: float64 [..., R, N], the statistic of N records under R adaptations, e.g. log p_y - log sum_{c != y} p_c. Leading axes are tasks, seeds, ...
        keep: bool [..., R, N], whether the adaptation used the record; must broadcast to phi.
        twin: int [R], the index of each adaptation's complement; its own index where it has none.
        variance: See above.

    Returns:
        Scores float64 [..., R, N], higher for members.

    Raises:
        DataError: If shapes don't fit, ``twin`` isn't a pairing, or there are too few adaptations.

    Source:
        Carlini et al. 2022, "Membership inference attacks from first principles", Algorithm 1; arXiv:2603.11799 for few shadows.
    """
    _check_variance(variance)
    phi, keep, twin = _checked(phi, keep, twin)
    return _chunked(phi, keep, twin, None, variance, False)


def lira(evidence: Evidence, variance: Variance = "pooled", *, offline: bool = False) -> _Array:
    """LiRA's score of the targets of an evidence, float64 [..., T, N].

    Online it is the log likelihood ratio of :func:`lira_online`. Offline only shadows that weren't trained on the record are read, and the score is
    one-sided, (phi - mean_out) / deviation_out: a target that is *less* sure than the shadows is no sign of membership. With "student_t" the deviation of
    the predictive Student-t is turned into the normal deviate of equal tail (Wallace 1959), so that records with different numbers of shadows compare.

    Args:
        evidence: What the attacker holds.
        variance: As in :func:`lira_online`.
        offline: Whether to do without shadows that were trained on the record.

    Source:
        Carlini et al. 2022, Algorithm 1 and its offline variant (one-sided test).
    """
    _check_variance(variance)
    phi = label_margin(evidence.logits, evidence.labels[..., None, :])
    return _chunked(phi, evidence.keep, evidence.twin, evidence.targets, variance, offline)


def log_mean_probability(evidence: Evidence, sides: tuple[bool, ...], shrink: float = 1.0) -> tuple[_Array, _Array]:
    """log p_y under the targets, and the log of what it is on average under their shadows, each [..., T, N].

    The average is 1 - shrink * (mean over the sides of the mean of 1 - p_y), summed from 1 - p_y too where p_y is near 1, so that nothing rounds to 1. It has
    only shadows in it, and is the target's own where a record has no shadow on a side: no evidence.

    Args:
        evidence: What the attacker holds.
        sides: True for shadows that were trained on the record, False for those that weren't.
        shrink: 1 for the plain mean.

    Source:
        Zarifzadeh et al. 2024, "Low-cost high-power membership inference attacks", section 3: p(x) as a mean over models.
    """
    phi = finite(label_margin(evidence.logits, evidence.labels[..., None, :]))
    logp, logq = -np.logaddexp(0.0, -phi), -np.logaddexp(0.0, phi)
    counts: list[_Array] = []

    def log_mean(logs: _Array) -> _Array:
        means, numbers = zip(*(log_shadow_mean(evidence, logs, inside=side) for side in sides), strict=True)
        counts.extend(numbers)
        return np.logaddexp.reduce(means) - np.log(len(sides))

    rare = np.log(shrink) + log_mean(logq)
    near = np.log1p(-np.minimum(np.exp(rare), 1.0 - 1e-16))
    means = np.where(rare < -1.0, near, log_mean(logp)) if shrink == 1.0 else near
    own = logp[..., evidence.targets, :]
    return own, np.where(np.minimum.reduce(counts) > 0, means, own)


def loss_threshold(phi: _Array) -> _Array:
    """Score of the loss-threshold attack: log p_y, the negative cross-entropy, so that a low loss means member.

    Args:
        phi: float64 [...], logit of the true label, log p_y - log(1 - p_y); may be infinite.

    Returns:
        float64 [...]; it keeps the order and the ties of phi where float64 can tell losses apart.

    Source:
        Yeom et al. 2018, "Privacy risk in machine learning", Adversary 1 with the threshold left free.
    """
    return -np.logaddexp(0.0, -np.asarray(phi, dtype=np.float64))


def _checked(phi: _Array, keep: NDArray[np.bool_], twin: NDArray[np.int64]) -> tuple[_Array, NDArray[np.bool_], NDArray[np.int64]]:
    phi, keep, twin = np.asarray(phi, dtype=np.float64), np.asarray(keep), np.asarray(twin)
    if phi.ndim < 2 or phi.shape[-1] == 0 or phi.shape[-2] < 3:
        raise DataError(f"phi has the shape {phi.shape}, but must be [..., adaptations, records] with at least 3 adaptations and 1 record.")
    if keep.dtype != np.bool_ or keep.shape[-2:] != phi.shape[-2:]:
        raise DataError(f"keep is {keep.dtype} {keep.shape}, but must be a boolean array of phi's shape {phi.shape}.")
    r = phi.shape[-2]
    if twin.shape != (r,) or not np.isin(twin, np.arange(r)).all() or (twin[twin] != np.arange(r)).any():
        raise DataError(f"twin must pair the {r} adaptations: {r} indices such that twin[twin[r]] == r.")
    try:
        return phi, np.broadcast_to(keep, phi.shape), twin
    except ValueError as error:
        raise DataError(f"keep has the shape {keep.shape}, but must broadcast to phi's shape {phi.shape}.") from error


def _check_variance(variance: str) -> None:
    if variance not in get_args(Variance):
        raise DataError(f"variance is {variance!r}, but must be one of: {', '.join(get_args(Variance))}.")


def _chunked(phi: _Array, keep: NDArray[np.bool_], twin: NDArray[np.int64], targets: NDArray[np.int64] | None, variance: Variance, offline: bool) -> _Array:
    """Scores [..., T, N]; ``targets`` None means all."""
    shape = phi.shape
    phi, keep = phi.reshape(-1, *shape[-2:]), keep.reshape(-1, *shape[-2:])
    step = max(1, _CHUNK // (shape[-1] * shape[-2]))
    out = np.empty((len(phi), shape[-2] if targets is None else len(targets), shape[-1]))
    for i in range(0, len(phi), step):
        out[i:i + step] = _scores(phi[i:i + step], keep[i:i + step], twin, targets, variance, offline)
    return out.reshape(*shape[:-2], *out.shape[-2:])


def _scores(phi: _Array, keep: NDArray[np.bool_], twin: NDArray[np.int64], targets: NDArray[np.int64] | None, variance: Variance, offline: bool) -> _Array:
    values, level = _standardised(phi)
    overall = values.var(axis=(-2, -1), keepdims=True)
    overall = np.where(overall > 0, overall, 1.0)
    outside = _leave_two_out(values, ~keep, twin, targets)
    x = values if targets is None else values[..., targets, :]
    if offline:
        score = _one_sided(x, level, *outside, overall, variance) * (outside[0] > 0)
    elif variance == "student_t":
        score = _student(x, level, *_leave_two_out(values, keep, twin, targets), overall) - _student(x, level, *outside, overall)
    else:
        inside = _leave_two_out(values, keep, twin, targets)
        score = _gaussian(x, *inside, overall, variance) - _gaussian(x, *outside, overall, variance)
        score *= (inside[0] > 0) & (outside[0] > 0)
    score[np.isnan(phi).any((-2, -1))] = np.nan
    return score


def _standardised(phi: _Array) -> tuple[_Array, _Array]:
    """Finite phi less each record's level, and that level [tasks, 1, N], both in units of the task's largest; scores don't depend on shift or scale.

    Subtracting the record's first value before its mean keeps a record that never changes at exactly 0: rounding must not separate members. The level
    has the target's phi in it, so a prior over records must be set on x + level, never on x.
    """
    phi = finite(phi)
    first = phi[..., :1, :]
    x = phi - first
    middle = x.mean(-2, keepdims=True)
    x -= middle
    size = np.abs(x).max((-2, -1), keepdims=True)
    size = np.where(size > 0, size, 1.0)
    level = first + middle
    return x / size, (level - level.mean(-1, keepdims=True)) / size


def _leave_two_out(x: _Array, side: NDArray[np.bool_], twin: NDArray[np.int64], targets: NDArray[np.int64] | None) -> tuple[_Array, _Array, _Array]:
    """Per target and record: number, mean and sum of squared residuals of the shadows on one side."""
    used = side.astype(np.float64)
    first = used * x
    alone = (twin == np.arange(len(twin)))[:, None]
    partner = twin
    if targets is not None:
        alone, partner = alone[targets], twin[targets]

    def others(values: _Array) -> _Array:
        own = values if targets is None else values[..., targets, :]
        pair = own + (np.where(alone, 0.0, values[..., partner, :]) if alone.any() else values[..., partner, :])
        return values.sum(-2, keepdims=True) - pair

    n = others(used)
    if (n == n.flat[0]).all():
        n = n[..., :1, :1]
    total = others(first)
    mean = total / np.maximum(n, 1.0)
    squares = others(first * x)
    squares -= total * mean
    return n, mean, np.maximum(squares, 0.0, out=squares)


def _pooled(n: _Array, squares: _Array, overall: _Array) -> _Array:
    """Within-record variance, [..., R, 1]: sum of squared residuals / sum of (n - 1); the overall variance where no record has two shadows."""
    freedom = np.broadcast_to(np.maximum(n - 1.0, 0.0), squares.shape).sum(-1, keepdims=True)
    return np.where(freedom > 0, np.maximum(squares.sum(-1, keepdims=True) / np.maximum(freedom, 1.0), _FLOOR * overall), overall)


def _variance(n: _Array, squares: _Array, overall: _Array, variance: Variance) -> _Array:
    """Pooled or each record's own; a record with one shadow takes the pooled one."""
    v = _pooled(n, squares, overall)
    return np.where(n > 1, np.maximum(squares / np.maximum(n - 1.0, 1.0), _FLOOR * overall), v) if variance == "per_record" else v


def _gaussian(x: _Array, n: _Array, mean: _Array, squares: _Array, overall: _Array, variance: Variance) -> _Array:
    """Log density at x, without the constant."""
    v = _variance(n, squares, overall, variance)
    return -0.5 * (np.square(x - mean) / v + np.log(v))


def _one_sided(x: _Array, level: _Array, n: _Array, mean: _Array, squares: _Array, overall: _Array, variance: Variance) -> _Array:
    """Deviations by which x lies above what the shadows without the record make of it."""
    if variance != "student_t":
        return (x - mean) / np.sqrt(_variance(n, squares, overall, variance))
    away, scale, nu = _predictive(x, level, n, mean, squares, overall)
    return np.sign(away) * np.sqrt(nu * np.log1p(np.square(away) / (nu * scale))) * (8.0 * nu + 1.0) / (8.0 * nu + 3.0)


def _student(x: _Array, level: _Array, n: _Array, mean: _Array, squares: _Array, overall: _Array) -> _Array:
    """Log predictive density at x under the normal-inverse-gamma posterior, without the constant."""
    away, scale, nu = _predictive(x, level, n, mean, squares, overall)
    scale *= nu
    away = np.square(away, out=away)
    away /= scale
    return gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(scale) - (nu + 1) / 2 * np.log1p(away)


def _predictive(x: _Array, level: _Array, n: _Array, mean: _Array, squares: _Array, overall: _Array) -> tuple[_Array, _Array, _Array]:
    """The Student-t of a record's next value: x less its centre, its squared scale, its degrees of freedom."""
    v = _pooled(n, squares, overall)
    centre, kappa, nu = _prior(n, mean + level, squares, v)
    kappa_n, nu_n = kappa + n, nu + n
    away = level - centre
    offset = np.square(away + mean)
    offset *= kappa * n / kappa_n
    scale = (nu * v + squares + offset) * ((kappa_n + 1.0) / (kappa_n * nu_n))
    # posterior centre, (kappa * centre + n * mean) / kappa_n, seen from x
    return x + kappa / kappa_n * away - n / kappa_n * mean, scale, nu_n


def _prior(n: _Array, mean: _Array, squares: _Array, v: _Array) -> tuple[_Array, _Array, _Array]:
    """Hyper-parameters over a task's records by moments, each [..., R, 1]: centre of the means, kappa = within / between variance, degrees of freedom.

    The freedom comes from the squared coefficient of variation of the records' own variances, less what d degrees of freedom alone would cause (2 / d);
    an inverse-gamma variance has 2 / (nu - 4). Few shadows can't tell records apart: nu is then large, and the variance is the pooled one.
    """
    seen = np.broadcast_to(n > 0, mean.shape)
    number = np.maximum(seen.sum(-1, keepdims=True), 1)
    centre = np.where(seen, mean, 0.0).sum(-1, keepdims=True) / number
    spread = (np.where(seen, mean - centre, 0.0) ** 2).sum(-1, keepdims=True) / np.maximum(number - 1, 1)
    between = spread - v * (np.where(seen, 1.0 / np.maximum(n, 1.0), 0.0).sum(-1, keepdims=True) / number)
    kappa = v / np.maximum(between, v / _MOST_PRIOR)
    kappa = np.maximum(kappa, 1.0 / _MOST_PRIOR)
    freedom = np.maximum(n - 1.0, 0.0)
    weight = np.broadcast_to(freedom, mean.shape).sum(-1, keepdims=True)
    own = squares / np.maximum(freedom, 1.0)
    variation = (freedom * (own / v - 1.0) ** 2).sum(-1, keepdims=True) / np.maximum(weight, 1.0)
    mean_freedom = np.maximum((freedom * np.broadcast_to(freedom, mean.shape)).sum(-1, keepdims=True) / np.maximum(weight, 1.0), 1.0)
    excess = (variation + 1.0) / (1.0 + 2.0 / mean_freedom) - 1.0
    nu = np.where(excess > 2.0 / _MOST_PRIOR, 4.0 + 2.0 / np.maximum(excess, 2.0 / _MOST_PRIOR), _MOST_PRIOR)
    return centre, kappa, nu
