"""Adversarial regularisation: a small membership attacker is trained against the strategy, and the strategy against it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.errors import ConfigError
from mrp_core.losses import PrivacyLoss, Released, log_softmax

if TYPE_CHECKING:
    from torch import Tensor

UNITS = 32
LARGEST_LOSS = 10.0


@dataclass(frozen=True)
class Adversarial(PrivacyLoss):
    """log 2 + (mean log h(member) + mean log(1 - h(other))) / 2, the gain of an attacker h over a fair coin (Nasr et al. 2018).

    h is a network of one hidden layer on what is released for a record: its probabilities in descending order, the probability of its label, and its loss. Members are the
    support records, others the query records. Each arm has one attacker for all its tasks and λ. At its optimum the gain is the Jensen-Shannon divergence of the
    two sides, so it lies between 0 and log 2; a worse attacker gains less, and less than 0 at times: a low gain is no proof of privacy.
    """

    name: str = "adversarial"
    title: str = "Adversarial regularisation"
    summary: str = "Trains a membership attacker along with the strategy, which learns to give it nothing to see."
    order: int = 9
    formula: str = r"\max_h\; \log 2 + \tfrac12\overline{\log h(\mathrm{member})} + \tfrac12\overline{\log(1 - h(\mathrm{other}))}"
    lowers: str = "membership_bits"
    inner: bool = False
    pairs: int = 0
    needs: frozenset[str] = frozenset({"members"})
    reach: float = 5.0

    def critic(self, ways: int) -> dict[str, tuple[int, ...]]:
        """Weights and biases of the attacker's two layers."""
        return {"w0": (UNITS, ways + 2), "b0": (UNITS,), "w1": (1, UNITS), "b1": (1,)}

    def value(self, released: Released) -> Tensor:
        """Nats per row, [B], at most log 2.

        Raises:
            ConfigError: If the members or the attacker are missing.
        """
        if released.member_logits is None or released.member_labels is None or released.labels is None or not released.critic:
            raise ConfigError("adversarial needs members, others and an attacker; use it in the outer loop of a meta-learner that adapts.")
        members, others = _scores(released.member_logits, released.member_labels, released.critic), _scores(released.logits, released.labels, released.critic)
        return math.log(2.0) + 0.5 * (_log_sigmoid(members).mean(-1) + _log_sigmoid(-others).mean(-1))


def _scores(logits: Tensor, labels: Tensor, critic: dict[str, Tensor]) -> Tensor:
    """The attacker's logit of membership for each record, [B, N]."""
    logp = log_softmax(logits)
    own = logp.gather(-1, labels.unsqueeze(-1))
    ranked = logp.exp().sort(-1, descending=True).values
    first = critic["w0"].mT
    ways = ranked.shape[-1]
    hidden = ranked @ first[:, :ways] + own.exp() @ first[:, ways:ways + 1] + (-own).clamp_max(LARGEST_LOSS) @ first[:, ways + 1:] + critic["b0"].unsqueeze(1)
    return (hidden.tanh() @ critic["w1"].mT + critic["b1"].unsqueeze(1)).squeeze(-1)


def _log_sigmoid(x: Tensor) -> Tensor:
    return -(-x).logaddexp(x.new_zeros(()))


PLUGIN = Adversarial()
