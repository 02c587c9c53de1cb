"""Models made by hand, whose outputs depend on membership as much as a test wants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence
from mrp_core.audit.evidence import evidence


def halves(rng: np.random.Generator, lead: tuple[int, ...], r: int, n: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Complementary halves: keep [..., R, N] and twin [R]."""
    half = rng.random((*lead, r // 2, n)).argsort(-1) < n // 2
    return np.concatenate([half, ~half], axis=-2), (np.arange(r) + r // 2) % r


def made(seed: int = 0, lead: tuple[int, ...] = (), models: int = 16, records: int = 60, classes: int = 4, effect: float = 2.0,
         targets: NDArray[np.int64] | None = None) -> Evidence:
    """Logits with noise, harder and easier records (the features tell which), and ``effect`` added to the label's logit of members; everything optional is there.

    A record's label is its own with the noise of each model, so that members are also more often right, surer, and sturdier against noise.
    """
    rng = np.random.default_rng(seed)
    keep, twin = halves(rng, lead, models, records)
    sides = []
    for n, member in ((records, keep), (2 * records, np.zeros((*lead, models, 2 * records), bool))):
        y = rng.integers(0, classes, (*lead, n))
        features = rng.normal(size=(*lead, n, 3))
        difficulty = 1.5 * features[..., 0] + 0.4 * rng.normal(size=(*lead, n))
        z = rng.normal(0, 0.8, (*lead, models, n, classes))
        own = y[..., None, :, None] == np.arange(classes)
        z += own * (1.0 + difficulty[..., None, :, None] + effect * member[..., None])
        noisy = (z[..., None, :] + rng.normal(0, 1.5, (*lead, models, n, 12, classes))).argmax(-1)
        sides.append((z, y, features, noisy))
    (z, y, x, noisy), (pz, py, px, _) = sides
    return evidence(z, y, keep, twin=twin, targets=targets, population=pz, population_labels=py, features=x, population_features=px, noisy_labels=noisy)
