"""Noisy scores with a known conditional: the lower bound."""

from mrp_core.audit.noisy_scores import NoisyScores

PLUGIN = NoisyScores(
    name="noisy_scores_lower", title="Noisy scores, lower bound",
    summary="Scores with known Gaussian noise: at least so much, with the true conditional as critic.", order=2,
    kind="lower bound", fails="Can't exceed the log of the number of records.",
)
