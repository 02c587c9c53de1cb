"""How often lower bounds on epsilon lie above the truth, and how far below it they stay: mechanisms whose epsilon is known exactly, seeded repetitions.

Run ``python -m benchmarks.epsilon_coverage``; it writes ``results/epsilon_coverage.json``. Every recipe sees 1,000 trials: 500 members and 500 non-members for
two proportions, 1,000 fair coins for the one-run audit. "Undeclared" recipes take the best threshold (or number of guesses) afterwards, without correction.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit

from benchmarks.machine import machine, write
from mrp_core.accounting import gaussian_epsilon
from mrp_core.audit.epsilon import Thresholds, certifiable_epsilon, two_proportion_bound
from mrp_core.audit.one_run import Guesses, one_run_bound, one_run_epsilon
from mrp_core.audit.trials import record_pairs

Scores = NDArray[np.float64]
Member = NDArray[np.bool_]
Mechanism = Callable[[np.random.Generator, Member], Scores]
Recipe = Callable[[Scores, Member, float], float]
SIDE, ALPHA = 500, 0.05
MANY = tuple(k / 20 for k in range(1, 11))


def randomised_response(epsilon: float, answers: float = 1.0) -> Mechanism:
    """Each bit is told right with probability e^eps / (1 + e^eps), for a share of the trials; the rest tells nothing. The ratio reaches e^eps exactly."""
    def scores(rng: np.random.Generator, member: Member) -> Scores:
        told = np.where(rng.random(len(member)) < expit(epsilon), member, ~member) * 2.0 - 1.0
        return np.where(rng.random(len(member)) < answers, told, rng.uniform(-0.5, 0.5, len(member)))

    return scores


def laplace(epsilon: float) -> Mechanism:
    """The bit plus Laplace noise: the ratio is e^eps beyond both ends."""
    return lambda rng, member: epsilon * member + rng.laplace(size=len(member))


def gaussian(mu: float) -> Mechanism:
    """The bit plus Gaussian noise: the ratio grows without end, where hardly anything falls."""
    return lambda rng, member: mu * member + rng.normal(size=len(member))


def mechanisms() -> dict[str, tuple[Mechanism, float, float]]:
    """Mechanism, true epsilon and delta."""
    exact = {f"{name}, epsilon {e:g}": (make(e), e, 0.0) for name, make in (
        ("randomised response", randomised_response), ("response of every fifth", lambda e: randomised_response(e, 0.2)), ("laplace", laplace)) for e in (0.0, 1.0)}
    return exact | {f"gaussian, mu {mu:g}, delta {d:g}": (gaussian(mu), gaussian_epsilon(mu, d), d) for mu, d in ((0.27, 1e-5), (1.0, 1e-5), (1.0, 1e-3), (2.0, 1e-5))}


def best_threshold(tail: float) -> Recipe:
    """What not to do: every observed score is tried as a threshold, and limits of each rate at ``tail`` are taken as if it were the only one."""
    def bound(scores: Scores, member: Member, delta: float) -> float:
        inside, outside = np.sort(scores[member]), np.sort(scores[~member])
        tried = np.unique(scores)
        (tp, n), (fp, m) = ((len(s) - np.searchsorted(s, tried), len(s)) for s in (inside, outside))
        low = np.where(tp > 0, betaincinv(np.maximum(tp, 1), n - tp + 1, tail), 0.0)
        high = np.where(fp < m, 1 - betaincinv(np.maximum(m - fp, 1), fp + 1, tail), 1.0)
        return max(0.0, *(float(np.log(np.maximum(a - delta, 1e-300) / b).max()) for a, b in ((low, high), (1 - high, 1 - low))))

    return bound


def best_guesses(scores: Scores, member: Member, delta: float) -> float:
    """What not to do: ten numbers of guesses are tried, each at the full alpha."""
    return max(one_run_bound(scores, member, delta=delta, guesses=Guesses(fractions=(f,))).epsilon for f in MANY)


def best_plug_in(scores: Scores, member: Member, delta: float) -> float:
    """What is often done: the observed ratio at the best threshold with at least five non-members above it, without any limits."""
    inside, outside = np.sort(scores[member]), np.sort(scores[~member])
    tpr, fpr = (1 - np.searchsorted(s, outside) / len(s) for s in (inside, outside))
    enough = fpr * len(outside) >= 5
    return float(np.log(np.maximum(tpr - delta, 1e-300) / fpr)[enough].max().clip(0))


RECIPES: dict[str, tuple[bool, Recipe]] = {  # whether trials are fair coins
    "two proportions, one threshold fixed at the middle": (False, lambda s, m, d: two_proportion_bound(s, m, delta=d, thresholds=Thresholds(rates=(), values=(0.0,))).epsilon),
    "two proportions, two declared rates": (False, lambda s, m, d: two_proportion_bound(s, m, delta=d).epsilon),
    "two proportions, undeclared, limits at alpha / 2": (False, best_threshold(ALPHA / 2)),
    "two proportions, undeclared, limits at alpha": (False, best_threshold(ALPHA)),
    "observed ratio, undeclared, no limits": (False, best_plug_in),
    "one run, 10 % each way": (True, lambda s, m, d: one_run_bound(s, m, delta=d).epsilon),
    "one run, three declared fractions": (True, lambda s, m, d: one_run_bound(s, m, delta=d, guesses=Guesses(fractions=(0.1, 0.25, 0.5))).epsilon),
    "one run, guesses on all": (True, lambda s, m, d: one_run_bound(s, m, delta=d, guesses=Guesses(fractions=(0.5,))).epsilon),
    "one run, ten fractions, undeclared": (True, best_guesses),
}


def bounds(mechanism: Mechanism, recipe: str, delta: float, repetitions: int) -> Scores:
    """One bound a repetition."""
    coins, compute = RECIPES[recipe]
    found = []
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        member = rng.random(2 * SIDE) < 0.5 if coins else np.repeat([True, False], SIDE)
        found.append(compute(mechanism(rng, member), member, delta))
    return np.array(found)


def halves(repetitions: int, epsilon: float = 0.5, runs: int = 500) -> dict[str, Any]:
    """Adaptations on one of two records, whose released sum is epsilon-private against adding or removing one: what is a coin, and of which guarantee."""
    found: dict[str, list[float]] = {"record pairs, two steps of the guarantee": [], "record pairs, as if one step": [], "records as if coins, two steps": []}
    declared, signs = Guesses(fractions=(0.25,)), np.array([1.0, -1.0])  # exchanging the two moves the sum by twice the bound of one record
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        keep = rng.random((runs, 2)).argsort(-1) < 1
        scores = ((keep * signs).sum(-1, keepdims=True) + rng.laplace(0, 1 / epsilon, (runs, 1))) * signs
        trials = record_pairs(scores, keep, seed=seed)
        for name, (s, member), swapped in zip(found, (trials, trials, (scores.ravel(), keep.ravel())), (True, False, True), strict=True):
            found[name].append(one_run_bound(s, member, delta=0, guesses=declared, swapped=swapped).epsilon)
    return {name: summary(np.array(v), epsilon) for name, v in found.items()}


def summary(found: Scores, truth: float) -> dict[str, float]:
    """Share above the truth, and quantiles."""
    low, median, high = (float(q) for q in np.quantile(found, [0.05, 0.5, 0.95]))
    return {"truth": truth, "violations": float((found > truth + 1e-9).mean()), "median": median, "5 %": low, "95 %": high}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    asked = parser.parse_args()
    begin, about = time.perf_counter(), machine()
    table = {name: {recipe: summary(bounds(mechanism, recipe, delta, asked.repetitions), truth) for recipe in RECIPES} for name, (mechanism, truth, delta) in mechanisms().items()}
    ceilings = {"two proportions": certifiable_epsilon(SIDE, SIDE, delta=0), "one run, 10 % each way": one_run_epsilon(2 * SIDE, 2 * SIDE // 5, 2 * SIDE // 5, delta=0)}
    path = write("epsilon_coverage", {"machine": about, "repetitions": asked.repetitions, "alpha": ALPHA, "trials": 2 * SIDE, "seconds": time.perf_counter() - begin,
                                      "ceilings at delta 0": ceilings, "bounds": table, "halves, epsilon 0.5": halves(asked.repetitions)})
    for name, row in table.items():
        for recipe, r in row.items():
            print(f"{name:35s} {recipe:52s} truth {r['truth']:5.2f}  median {r['median']:5.2f}  above the truth {100 * r['violations']:5.1f} %")
    print(path)


if __name__ == "__main__":
    main()
