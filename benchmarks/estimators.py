"""Every estimator of mutual information on pairs whose truth is known: how far off, how often its interval or bound is right, and where it fails.

Run ``python -m benchmarks.estimators``; it writes ``results/estimators.json`` and prints the tables. ``--show`` prints those of the file without measuring.
"""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from benchmarks.machine import RESULTS, machine, write
from mrp_core.audit import sampled_label_information
from mrp_core.estimating import Estimate, Estimator, Sample
from mrp_core.mi_truth import Case, cases, dirichlet_information, gaussian_information
from mrp_core.registry import plugins
from mrp_core.threads import prepare

RECORDS, REPETITIONS = 2000, 10
WIDE_RECORDS = 1000
"""Pairs in 20 dimensions, where distances of all pairs take memory."""
SMALL = ((10, 0.02), (10, 0.05), (10, 0.1), (5, 0.2), (5, 1.0), (2, 0.5))
"""Classes and concentration of the sampled labels at 30 records."""
SANDWICH_RECORDS = (30, 100, 300)


def is_right(estimate: Estimate, truth: float) -> bool | None:
    """Whether what the estimate claims holds: the interval of an estimate contains the truth, and a bound, with its interval, is on the right side; None for a penalty."""
    below, above = estimate.low <= truth, truth <= estimate.high
    return {"lower bound": below, "upper bound": above, "estimate": below and above, "penalty": None}[estimate.kind]


def row(case: Case, estimator: Estimator, records: int, repetitions: int) -> dict[str, Any]:
    """One line of the table: the first sample's estimate, with its null, and the mean over all samples."""
    made = [estimator.estimate(case.draw(records, seed), null=seed == 0) for seed in range(repetitions)]
    first = made[0]
    right = [is_right(e, case.truth) for e in made]
    mean = float(np.mean([e.value for e in made]))
    return {"case": case.title, "truth": case.truth, "estimator": estimator.name, "title": estimator.title, "kind": estimator.kind, "records": records,
            "value": first.value, "low": first.low, "high": first.high, "null": first.null, "cap": first.cap, "above_cap": sum(e.value > e.cap for e in made),
            "saturated": sum(e.saturated for e in made), "mean": mean, "right": None if None in right else sum(bool(r) for r in right),
            "repetitions": repetitions, "note": note(first, mean, case.truth, sum(bool(r) for r in right) / repetitions)}


def note(first: Estimate, mean: float, truth: float, right: float) -> str:
    """Where it fails, in words; empty where it doesn't."""
    off = mean - truth
    far = abs(off) > max(0.1 * truth, 0.02)
    if first.kind == "penalty":
        return f"no meter: {mean / truth:.3g} times the truth" if truth else ""
    if first.saturated and truth > mean:
        return f"saturated: at least {mean:.2f}"
    if first.kind == "estimate" and right < 0.8:
        return f"too {'low' if off < 0 else 'high'} by {abs(off):.3g}"
    if far:
        return f"{'loose: ' if first.kind != 'estimate' else ''}{abs(off):.3g} {'below' if off < 0 else 'above'}"
    return ""


def small_samples(repetitions: int) -> list[dict[str, Any]]:
    """Bias of the sampled label at 30 records, with the jackknife and without."""
    out = []
    for classes, concentration in SMALL:
        truth = dirichlet_information(concentration, classes)
        p = np.random.default_rng([classes, 30]).dirichlet(np.full(classes, concentration), (repetitions, 30))
        made, plain = sampled_label_information(p), plug_in(p)
        out.append({"classes": classes, "concentration": concentration, "truth": truth, "plug_in_bias": float(plain.mean()) - truth,
                    "bias": float(made.mean()) - truth, "standard_error": float(made.std() / math.sqrt(repetitions)), "repetitions": repetitions})
    return out


def plug_in(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """H(mean p) - mean H(p) of [..., N, C]."""
    mean = p.mean(-2)
    return xlogy(p, p).sum(-1).mean(-1) - xlogy(mean, mean).sum(-1)


def sandwiches(repetitions: int) -> list[dict[str, Any]]:
    """How often the two noisy-score bounds, with their intervals, enclose the truth in small samples, and their means."""
    lower, upper = (plugins("estimators")[f"noisy_scores_{side}"] for side in ("lower", "upper"))
    out = []
    for case in cases():
        if not lower.applies(case.draw(2, 0)):
            continue
        for n in SANDWICH_RECORDS:
            made = [(lower.estimate(sample), upper.estimate(sample)) for sample in (case.draw(n, 1000 * n + seed) for seed in range(repetitions))]
            out.append({"case": case.title, "records": n, "truth": case.truth, "lower": float(np.mean([a.value for a, _ in made])),
                        "upper": float(np.mean([b.value for _, b in made])), "enclosed": sum(a.low <= case.truth <= b.high for a, b in made), "repetitions": repetitions})
    return out


def club_readings(records: int) -> list[dict[str, Any]]:
    """CLUB with the true conditional against the truth; exactly, it is rho² / (1 - rho²) for a Gaussian pair."""
    out = []
    for rho in (0.1, 0.3, 0.6, 0.9, 0.99, 0.999):
        x, e = np.random.default_rng(5).standard_normal((2, records, 1))
        noise = math.sqrt(1 - rho * rho)
        made = plugins("estimators")["club"].estimate(Sample(x=x, z=rho * x + noise * e, means=rho * x, noise=noise))
        out.append({"rho": rho, "truth": gaussian_information(rho), "exact": rho * rho / (1 - rho * rho), "value": made.value, "low": made.low, "high": made.high})
    return out


def render(results: dict[str, Any]) -> str:
    """The tables as Markdown."""
    number = lambda v, digits=3: "-" if v is None else f"{round(v, digits) + 0.0:.{digits}f}" if abs(v) < 100 else f"{v:.4g}"  # noqa: E731
    head = "| pairs | truth | estimator | kind | first reading [95 %] | right | mean error | shuffled | where it fails |"
    lines = [f"{results['repetitions']} samples a line; nats. *Right*: the interval of an estimate contains the truth, a bound with its interval is on the right side.", "",
             head, "|---|---|---|---|---|---|---|---|---|"]
    last = None
    for r in results["table"]:
        name = f"{r['case']}, N = {r['records']:,}" if r["case"] != last else ""
        truth = number(r["truth"]) if name else ""
        last = r["case"]
        right = "-" if r["right"] is None else f"{r['right']} / {r['repetitions']}"
        lines.append(f"| {name} | {truth} | {r['title']} | {r['kind']} | {number(r['value'])} [{number(r['low'])}, {number(r['high'])}] | {right} | "
                     f"{number(r['mean'] - r['truth'])} | {number(r['null'])} | {r['note']} |")
    lines += ["", "Bias of the sampled label at 30 records, nats:", "", "| classes | Dirichlet | truth | plug-in alone | with the jackknife |", "|---|---|---|---|---|"]
    lines += [f"| {r['classes']} | {r['concentration']} | {number(r['truth'])} | {r['plug_in_bias']:+.4f} | {r['bias']:+.4f} ± {2 * r['standard_error']:.4f} |" for r in results["small_samples"]]
    lines += ["", "Noisy scores in small samples: mean bounds, and how often [lower end, upper end] encloses the truth:", "",
              "| pairs | N | truth | lower | upper | enclosed |", "|---|---|---|---|---|---|"]
    lines += [f"| {r['case']} | {r['records']} | {number(r['truth'])} | {number(r['lower'])} | {number(r['upper'])} | {r['enclosed']} / {r['repetitions']} |" for r in results["sandwiches"]]
    lines += ["", "CLUB with the true conditional of a Gaussian pair, a penalty and no meter:", "", "| ρ | truth | CLUB exactly | read | times the truth |", "|---|---|---|---|---|"]
    lines += [f"| {r['rho']} | {number(r['truth'])} | {number(r['exact'])} | {number(r['value'])} [{number(r['low'])}, {number(r['high'])}] | {number(r['exact'] / r['truth'], 2)} |"
              for r in results["club"]]
    return "\n".join(lines) + "\n"


def measure(records: int, repetitions: int) -> dict[str, Any]:
    """Everything that the file holds."""
    about = {"machine": machine(), "repetitions": repetitions}
    table = []
    for case in cases():
        n = min(records, WIDE_RECORDS) if case.draw(2, 0).z.shape[1] > 1 else records
        for estimator in plugins("estimators").values():
            if estimator.applies(case.draw(2, 0)):
                table.append(row(case, estimator, n, repetitions))
    return {**about, "table": table, "small_samples": small_samples(400 * repetitions), "sandwiches": sandwiches(10 * repetitions), "club": club_readings(records)}


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description="Estimators of mutual information against known truths.")
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--show", action="store_true", help="render the stored results anew")
    asked = parser.parse_args()
    prepare()
    path = RESULTS / "estimators.json" if asked.show else write("estimators", measure(asked.records, asked.repetitions))
    text = render(json.loads(path.read_text(encoding="utf-8")))
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
