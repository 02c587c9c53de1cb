"""Protection of the meta-training tasks: bounded influence, noise of the declared size, Poisson samples, exact resume, and nothing else let out."""

from __future__ import annotations

import dataclasses
import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from mrp_core import registry
from mrp_core.checkpoint import TrainingState
from mrp_core.config import ComputeOptions, StudyConfig, TaskConfig
from mrp_core.engine import train
from mrp_core.errors import DataError, JobInterrupted
from mrp_core.jobs.context import SilentContext
from mrp_core.searching import Arm
from mrp_core.shielding import Shield, padded
from mrp_core.taskdata import Split, TaskSet
from mrp_core.training import BLOCK, Chunk, Trainer
from tests.engine.toy import Toy, toy_study

EXACT = ComputeOptions(precision="float64")


@dataclass(frozen=True)
class Sites(Toy):
    """The toy in which each training task has classes of its own: ten clients of three classes."""

    name: str = "sites"
    modes: tuple[str, ...] = ("site",)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        whole = super().build(config, seed)
        rng = np.random.default_rng([seed, 5])
        label = np.repeat(np.arange(30), 34)
        x = (1.2 * rng.standard_normal((30, 6))[label] + rng.standard_normal((len(label), 6))).astype(np.float32)
        tasks = np.arange(30).reshape(10, 3)
        train = Split(x=x, person=np.arange(len(x)), member=np.tile(np.arange(34) < 24, 30), sensitive=np.full(len(x), -1), buckets=tuple(np.flatnonzero(label == c) for c in range(30)),
                      tasks=tasks, names=tuple(map(str, range(10))), visible=np.ones((10, 6), dtype=bool), bucket_class=np.arange(30) % 3)
        return dataclasses.replace(whole, train=train)


@pytest.fixture(scope="module", autouse=True)
def sites(toy: None) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.plugins("tasks"), "sites", Sites())
        yield


def study(**changes: Any) -> StudyConfig:
    return toy_study(task__family="sites", task__mode="site", **{"privacy__task_noise": 1.5, "privacy__task_clip": 0.3, **changes})


def trainer(config: StudyConfig, compute: ComputeOptions = EXACT, sets: dict[int, TaskSet] | None = None) -> Trainer:
    return Trainer(config, compute, sets or {s: Sites().build(config.task, s) for s in config.seeds})


def sums(made: Trainer, state: TrainingState) -> list[dict[str, torch.Tensor]]:
    """The un-noised sums of one step, chunk by chunk."""
    block = made._draws(state.step // BLOCK)
    i = state.step % BLOCK
    return [made._gradient(chunk, state, block)[0][0] for chunk in made.chunks(block.begins[i + 1] - block.begins[i])]


def flat(parts: list[dict[str, torch.Tensor]]) -> torch.Tensor:
    """[arms, coordinates]."""
    return torch.cat([torch.cat([v.reshape(len(v), -1) for _, v in sorted(part.items())], 1) for part in parts])


def test_a_step_s_sum_is_that_of_each_task_s_own_clipped_gradient() -> None:
    """Against one task at a time, by the loop that batching avoids."""
    made = trainer(study(privacy__task_clip=0.05))
    state, block, shield = made.fresh(), made._draws(0), made.shield
    assert shield is not None
    got = flat(sums(made, state))
    wanted, norms = torch.zeros_like(got), []
    for a in range(len(made.arms)):
        for t in range(block.begins[1]):
            if not block.real[0][t]:
                continue
            leaves = {k: v[a:a + 1].clone().requires_grad_() for k, v in state.parameters.items() if k != "tuned_rate"}
            total = made.learner.outer(made._problem(Chunk(a, a + 1, t, t + 1), leaves, 0, block)).total.sum()
            found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True)
            one = torch.cat([g.reshape(1, -1) for _, g in sorted(zip(leaves, found, strict=True))], 1)[0]
            norms.append(float(one.norm()))
            wanted[a] += one * min(1.0, 0.05 / float(one.norm()))
    torch.testing.assert_close(got, wanted, rtol=1e-9, atol=1e-12)
    assert max(norms) > 0.05, "a norm that clips nothing would test nothing"


@pytest.mark.parametrize("changes", [{}, {"privacy__loss": "membership_mi"}, {"outer__learner": "reptile"}, {"outer__learner": "joint_then_finetune"}, {"privacy__learn_clip": True}],
                         ids=["maml", "pairs", "reptile", "joint", "learned clip"])
@pytest.mark.parametrize("scale", [1.0, 1e6, math.nan])
def test_one_task_s_records_move_the_sum_by_at_most_twice_the_norm(changes: dict[str, Any], scale: float) -> None:
    """All records of one task are exchanged for others, however extreme, and every other task stays: the sum moves by at most 2c, and by c if it is taken away."""
    config = study(**changes)
    built = Sites().build(config.task, 0)
    x = built.train.x.copy()
    moved = np.concatenate([built.train.buckets[b] for b in built.train.tasks[4]])
    x[moved] = scale * np.random.default_rng(1).standard_normal((len(moved), 6))
    other = dataclasses.replace(built, train=dataclasses.replace(built.train, x=x))
    here, there = trainer(config, sets={0: built}), trainer(config, sets={0: other})
    state, moves = here.fresh(), []
    shield = here.shield
    assert shield is not None
    taken = shield.included(0, BLOCK, 0)[:, 4]
    for step in range(8):
        state.step = step
        a, b = flat(sums(here, state)), flat(sums(there, state))
        assert torch.isfinite(b).all()
        gap = float((a - b).norm(dim=1).max())
        assert gap <= 2 * 0.3 + 1e-9 and (taken[step] or gap == 0.0)
        moves.append(gap)
    assert max(moves) > 0.01, "a task that changes nothing would test nothing"


def test_whoever_takes_no_part_counts_for_nothing_and_what_is_not_finite_for_zero() -> None:
    shield = Shield(clip=0.5, multiplier=1.0, meta_batch=2, tasks={0: 4})
    g = torch.Generator().manual_seed(0)
    rows = {"a": torch.randn(6, 3, 2, generator=g), "b": 0.01 * torch.randn(6, generator=g)}
    rows["a"][1, 0, 0], rows["b"][5] = torch.nan, torch.inf
    part = torch.tensor([[True, True, False], [True, True, True]])
    got = shield.clipped_sums(rows, part)
    for arm, members in ((0, [0]), (1, [3, 4])):
        wanted = {k: torch.zeros_like(v[0]) for k, v in rows.items()}
        for i in members:
            norm = math.sqrt(float(rows["a"][i].square().sum() + rows["b"][i].square()))
            for k in wanted:
                wanted[k] += rows[k][i] * min(1.0, 0.5 / norm)
        for k, value in wanted.items():
            torch.testing.assert_close(got[k][arm], value)


def test_the_noise_has_the_declared_size_and_each_arm_its_own() -> None:
    shield = Shield(clip=0.3, multiplier=2.0, meta_batch=4, tasks={0: 10, 1: 3})
    arms = (Arm(kind="lambda", seed=0, levels=(0.0, 1.0)), Arm(kind="epsilon", seed=0, levels=(0.0, 1.0)), Arm(kind="lambda", seed=1, levels=(0.0, 1.0)))
    zeros = {"a": torch.zeros(3, 100, 100, dtype=torch.float64), "b": torch.zeros(3, 50, dtype=torch.float64)}
    made = shield.noised_means(zeros, arms, 7)
    noise = torch.cat([made["a"].flatten(1), made["b"]], 1)
    expected = torch.tensor([4.0, 4.0, 3.0], dtype=torch.float64)  # of three tasks all three take part
    standard = noise * expected[:, None] / (2.0 * 0.3)
    for row in standard.numpy():
        assert stats.kstest(row, "norm").pvalue > 1e-4
    assert torch.corrcoef(standard).fill_diagonal_(0).abs().max() < 0.05
    again, later = shield.noised_means(zeros, arms, 7), shield.noised_means(zeros, arms, 8)
    assert torch.equal(again["a"], made["a"]) and not torch.equal(later["a"], made["a"])
    alone = shield.noised_means({k: v[1:2] for k, v in zeros.items()}, arms[1:2], 7)
    assert torch.equal(alone["a"][0], made["a"][1]), "an arm's noise is its own, whatever else is trained"
    ones = shield.noised_means({k: torch.ones_like(v) for k, v in zeros.items()}, arms, 7)
    torch.testing.assert_close(ones["a"] - made["a"], (1 / expected)[:, None, None].expand_as(made["a"]))


def test_samples_are_poisson() -> None:
    shield = Shield(clip=1.0, multiplier=1.0, meta_batch=3, tasks={0: 10, 1: 10, 2: 2})
    drawn = torch.cat([shield.included(0, BLOCK, block) for block in range(400)]).double()
    assert drawn.mean(0) == pytest.approx(np.full(10, 0.3), abs=5 * math.sqrt(0.21 / len(drawn)))
    sizes, chance = np.bincount(drawn.sum(1).long().clamp_max(7), minlength=8), stats.binom.pmf(range(8), 10, 0.3)
    chance[7] = 1 - chance[:7].sum()
    assert stats.chisquare(sizes, chance * sizes.sum()).pvalue > 1e-4
    assert torch.corrcoef(drawn.T).fill_diagonal_(0).abs().max() < 0.05
    assert not torch.equal(shield.included(0, BLOCK, 0), shield.included(1, BLOCK, 0)), "seeds sample by themselves"
    assert shield.included(2, BLOCK, 0).all()


def test_windows_hold_each_step_s_tasks_and_fillers() -> None:
    included = torch.tensor([[True, False, True], [False, False, False], [False, True, False]])
    drawn, index, real = padded(included, [2, 1, 3])
    assert drawn.tolist() == [0, 2, 1, 0] and index.tolist() == [0, 1, 3, 2, 3, 3]
    assert real.tolist() == [True, True, False, True, False, False]


def test_episodes_are_of_the_sampled_tasks() -> None:
    config = study(outer__seeds=2)
    made = trainer(config)
    block, shield = made._draws(1), made.shield
    assert shield is not None
    for seed, sampler in made.samplers.items():
        owner = {tuple(row.tolist()): t for t in range(10) for b in sampler.tasks[t] for row in sampler.x[sampler.index[b][~sampler.absent[b]]]}
        included = shield.included(seed, BLOCK, 1)
        for step, (low, high) in enumerate(itertools.pairwise(block.begins)):
            real = block.real[seed][low:high]
            found = [{owner[tuple(r.tolist())] for r in block.episodes[seed].support_x[i]} for i in range(low, high)]
            assert [f for f, r in zip(found, real.tolist(), strict=True) if r] == [{t} for t in included[step].nonzero()[:, 0].tolist()]


@pytest.mark.parametrize("rows", [1, 5])
def test_chunks_do_not_change_a_protected_training(rows: int) -> None:
    config = study(outer__seeds=2, outer__iterations=4)
    one, other = (made.run(made.fresh(), SilentContext(keep=False)) for made in (trainer(config), trainer(config, dataclasses.replace(EXACT, chunk_rows=rows))))
    for key, value in one.parameters.items():
        torch.testing.assert_close(other.parameters[key], value, rtol=1e-9, atol=1e-10)


def test_a_protected_training_resumes_bit_for_bit() -> None:
    config = study(outer__iterations=BLOCK + 4)
    whole = trainer(config).run(trainer(config).fresh(), SilentContext(keep=False))
    context = SilentContext(stop_after=BLOCK + 1)
    made = trainer(config)
    with pytest.raises(JobInterrupted):
        made.run(made.fresh(), context)
    state = TrainingState.from_bytes(context.checkpoints[-1][1], config.id, torch.device("cpu"))
    end = trainer(config).run(state, SilentContext(keep=False))
    assert all(torch.equal(v, end.parameters[k]) for k, v in whole.parameters.items())


def test_losses_of_the_training_tasks_are_not_let_out() -> None:
    made, plain = trainer(study()), trainer(study(privacy__task_noise=0.0))
    with ThreadPoolExecutor(1) as pool:
        assert set(made.iterate(made.fresh(), pool)) == {"diverged"}
        assert set(plain.iterate(plain.fresh(), pool)) == {"task_loss", "privacy_loss", "diverged"}


def test_without_the_knob_there_is_no_shield_and_with_it_training_differs() -> None:
    config = study(privacy__task_noise=0.0, outer__iterations=3)
    assert trainer(config).shield is None
    plain, other = (made.run(made.fresh(), SilentContext(keep=False)) for made in (trainer(config), trainer(study(privacy__task_noise=0.0, privacy__task_clip=9.0, outer__iterations=3))))
    assert all(torch.equal(v, other.parameters[k]) for k, v in plain.parameters.items()), "a norm without noise does nothing"
    assert not torch.equal(trainer(study(outer__iterations=3)).run(trainer(config).fresh(), SilentContext(keep=False)).parameters["w0"], plain.parameters["w0"])


def test_a_protected_study_trains_and_learns_under_little_noise() -> None:
    """The control: with next to no noise it learns what an unprotected one learns."""
    changes: dict[str, Any] = {"outer__iterations": 60, "outer__meta_batch": 6, "outer__hidden": (12,), "inner__rate": 0.3, "privacy__mechanism": "none", "privacy__lambda_max": 0.1,
                               "privacy__task_noise": 1e-3, "privacy__task_clip": 1.0}
    made = trainer(study(**changes), ComputeOptions())
    before, after = made.fresh(), made.run(made.fresh(), SilentContext(keep=False))
    plain = trainer(study(**{**changes, "privacy__task_noise": 0.0}), ComputeOptions())
    block = plain._draws(0)
    (chunk,) = plain.chunks(6)
    losses = [np.mean([float(plain._gradient(chunk, dataclasses.replace(state, step=k), block)[1][0, 0]) for k in range(BLOCK)]) for state in (before, after)]
    assert losses[1] < 0.9 * losses[0]
    assert train(study(outer__iterations=4)).parameters["w0"].isfinite().all()


def test_tasks_that_share_a_person_are_refused() -> None:
    config = study()
    built = Sites().build(config.task, 0)
    person = built.train.person.copy()
    person[built.train.buckets[3][0]] = person[built.train.buckets[0][0]]
    shared = dataclasses.replace(built, train=dataclasses.replace(built.train, person=person))
    with pytest.raises(DataError, match=r"^task_noise is above 0, but the training tasks '0' and '1' share a person, .*; set task_noise to 0\.$"):
        trainer(config, sets={0: shared})
    assert trainer(study(privacy__task_noise=0.0), sets={0: shared}).shield is None
