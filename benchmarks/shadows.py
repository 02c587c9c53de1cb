"""What stacking shadow models buys, and what the few-shadow attack gains by its variance.

Run ``python -m benchmarks.shadows``; it writes ``results/shadows.json``. The speed part trains MLPs 64-64-10 on random halves of the digits in three ways that
compute the same kind of model, interleaved: all as one batch, the same code one model at a time, and a plain loop of ``torch.nn`` with autograd. The attack
part is the noisy digits of :func:`noisy_digits`; shadow counts are those that remain when the target and its complement are left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks.machine import machine, write
from benchmarks.speed import Job, compare
from mrp_core.audit import attack_result, lira_online
from mrp_core.channel import label_margin
from mrp_core.intervals import interval
from mrp_core.shadows import Shadows, ShadowTraining, halves, shadow_models, train_shadows
from mrp_core.threads import prepare

RECORDS, WRONG, MODELS = 1500, 0.2, 66
CASE = ShadowTraining(steps=2000, rate=0.01)
"""Long enough that most random labels are learned by heart: what an attack finds is then mostly them."""
OTHER_STEPS = (1000, 3000)
"""The comparison of variances must not hang on one training length."""


def noisy_digits(seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """1,500 digits as [0, 1] pixels; a fifth of them get a label drawn at random from all ten."""
    rng = np.random.default_rng(seed)
    x, y = load_digits(return_X_y=True)
    rows = rng.permutation(len(x))[:RECORDS]
    x, y = x[rows] / 16.0, y[rows].astype(np.int64)
    wrong = rng.random(RECORDS) < WRONG
    return x, np.where(wrong, rng.integers(0, 10, RECORDS), y)


def few_shadows(shadows: Shadows, y: NDArray[np.int64], count: int) -> dict[str, Any]:
    """LiRA of ``count`` shadows by variance: AUC and TPR at 1 % FPR.

    The models are split into groups of count + 2, whole pairs; in a group each model is the target once, its shadows the others except its complement. An
    interval is over the groups' targets taken as tasks, so it isn't there for one group.
    """
    phi = label_margin(shadows.logits, y)
    pairs, half = len(phi) // 2, count // 2 + 1
    groups = [np.r_[i:i + half, pairs + i:pairs + i + half] for i in range(0, pairs - half + 1, half)]
    twin = (np.arange(2 * half) + half) % (2 * half)
    found: dict[str, Any] = {"groups": len(groups)}
    for variance in ("per_record", "pooled", "student_t"):
        stacked, keep = np.stack([phi[g] for g in groups]), np.stack([shadows.keep[g] for g in groups])
        result = attack_result(lira_online(stacked, keep, twin, variance), keep)
        auc, tpr = interval(result.auc[None]), interval(result.at(0.01)[None])
        found[variance] = {"auc": [auc.value, auc.low, auc.high], "tpr at 1 %": [tpr.value, tpr.low, tpr.high]}
    return found


def plain_loop(x: torch.Tensor, y: torch.Tensor, keep: NDArray[np.bool_], training: ShadowTraining) -> None:
    """The same models as one would write them first: a module, autograd and an optimiser each."""
    for r, row in enumerate(keep):
        torch.manual_seed(r)
        net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
        optimiser, loss = torch.optim.Adam(net.parameters(), lr=training.rate), torch.nn.CrossEntropyLoss()
        mine = torch.from_numpy(np.flatnonzero(row))
        done = 0
        while done < training.steps:
            for index in mine[torch.randperm(len(mine))].split(training.batch)[:training.steps - done]:
                optimiser.zero_grad()
                loss(net(x[index]), y[index]).backward()
                optimiser.step()
                done += 1
        with torch.no_grad():
            net(x)


def speed(repetitions: int, steps: int) -> dict[str, Any]:
    """64 shadows as one batch against one after the other."""
    x, y = noisy_digits()
    keep, _ = halves(len(x), 64)
    training = ShadowTraining(steps=steps)
    tensors = torch.from_numpy(x).float(), torch.from_numpy(y)

    def one_by_one() -> None:
        for r in range(len(keep)):
            train_shadows(x, y, keep[r:r + 1], training, seeds=[r])

    ways: dict[str, Job] = {"stacked": lambda: _drop(train_shadows(x, y, keep, training)), "same code, one by one": one_by_one,
                            "torch.nn loop": lambda: plain_loop(*tensors, keep, training)}
    return {"models": len(keep), "steps": steps, "batch": training.batch, **compare(ways, repetitions)}


def thousand_steps(repetitions: int) -> dict[str, Any]:
    """Seconds of 64 shadows x 1,000 steps, with the outputs on all records."""
    x, y = noisy_digits()
    keep, _ = halves(len(x), 64)
    seconds = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        train_shadows(x, y, keep, ShadowTraining(steps=1000))
        seconds.append(time.perf_counter() - begin)
    return {"median": statistics.median(seconds), "low": min(seconds), "high": max(seconds), "repetitions": repetitions}


def attack(training: ShadowTraining) -> dict[str, Any]:
    """Accuracy inside and outside, and LiRA by number of shadows and variance."""
    x, y = noisy_digits()
    shadows = shadow_models(x, y, models=MODELS, training=training)
    right = shadows.logits.argmax(-1) == y
    return {"records": RECORDS, "models": MODELS, "steps": training.steps, "rate": training.rate, "accuracy of members": right[shadows.keep].mean(),
            "accuracy of others": right[~shadows.keep].mean(), "shadows": {str(n): few_shadows(shadows, y, n) for n in (4, 8, 16, 64)}}


def _drop(_: object) -> None:
    """A result that only its time is wanted of."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--steps", type=int, default=100, help="steps of the interleaved comparison; the ratio hardly depends on it")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    os.environ["MRP_THREADS"] = str(asked.threads)
    about = {"machine": machine(), "threads": asked.threads, "network": "64-64-10"}
    prepare()
    found = {"seconds of 64 x 1000 steps": thousand_steps(3), "speed": speed(asked.repetitions, asked.steps), "attack": attack(CASE),
             "attack, other lengths": [attack(dataclasses.replace(CASE, steps=n)) for n in OTHER_STEPS]}
    path = write("shadows", {**about, **found})
    for pair, r in found["speed"]["ratio"].items():
        print(f"{pair:40s} {r['median']:7.2f}  ({r['low']:.2f} to {r['high']:.2f})")
    print(found["seconds of 64 x 1000 steps"])
    for case in (found["attack"], *found["attack, other lengths"]):
        for count, by in case["shadows"].items():
            print(f"{case['steps']} steps, {count:2s} shadows", {k: [round(v[m][0], 3) for m in v] for k, v in by.items() if k != "groups"})
    print(path)


if __name__ == "__main__":
    main()
