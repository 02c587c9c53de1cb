"""Attack R: the rank of the loss among models that weren't trained on the record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.membership import lira
from mrp_core.audit.shadows import require_shadows, shadow_weights
from mrp_core.audit.signals import label_margin, tie_free


class AttackR(Attack):
    """Share of a record's out-shadows with a higher loss than the target.

    With few shadows the published rank takes few values; equal ranks are put in the order of the one-sided deviation from the shadows' mean.

    Source: Ye et al. 2022, "Enhanced membership inference attacks", the sample-dependent attack.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        require_shadows(evidence, self.title, self.shadows, inside=False)
        phi = label_margin(evidence.logits, evidence.labels[..., None, :])
        below, size = (np.empty((*phi.shape[:-2], len(evidence.targets), phi.shape[-1])) for _ in range(2))
        for i, (target, weights) in enumerate(zip(evidence.targets, shadow_weights(evidence) > 0, strict=True)):
            others, own = phi[..., weights, :], phi[..., target, None, :]
            outside = ~evidence.keep[..., weights, :]
            below[..., i, :] = ((others < own) & outside).sum(-2) + 0.5 * ((others == own) & outside).sum(-2)
            size[..., i, :] = outside.sum(-2)
        return tie_free(below, size, lira(evidence, "pooled", offline=True))


PLUGIN = AttackR(
    name="attack_r", title="Attack R (reference)", summary="Ranks a record's loss among shadow models that weren't trained on it.", order=6,
    source="Ye et al. 2022", needs=frozenset({"shadows"}), shadows=2,
)
