"""Noisy scores with a known conditional: the upper bound."""

from mrp_core.audit.noisy_scores import NoisyScores

PLUGIN = NoisyScores(
    name="noisy_scores_upper", title="Noisy scores, upper bound",
    summary="Scores with known Gaussian noise: at most so much, each record against all others.", order=3, kind="upper bound",
    fails="Far too high where records are further apart than the noise, as in many dimensions.", least=3, upper=True,
)
