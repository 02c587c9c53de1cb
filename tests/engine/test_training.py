"""Meta-training: batching, chunks, interruptions and a diverging neighbour change nothing for the arms that go on."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mrp_core.checkpoint import TrainingState
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.episodes import EpisodeSampler
from mrp_core.errors import CheckpointError, DataError, JobInterrupted, TrainingError
from mrp_core.jobs.context import SilentContext
from mrp_core.objective import paired_halves
from mrp_core.registry import plugin, plugins
from mrp_core.seeding import generator_seed
from mrp_core.selection import choose
from mrp_core.strategy import Strategy
from mrp_core.training import BLOCK, Trainer, levels_at
from tests.engine.toy import Toy, toy_study

EXACT = ComputeOptions(precision="float64")


def trainer(config: StudyConfig, compute: ComputeOptions = EXACT, arms: slice = slice(None)) -> Trainer:
    made = Trainer(config, compute, {s: Toy().build(config.task, s) for s in config.seeds})
    made.arms = made.arms[arms]
    return made


def trained(made: Trainer, context: SilentContext | None = None, state: TrainingState | None = None) -> TrainingState:
    return made.run(state or made.fresh(), context or SilentContext(keep=False))


def same(a: dict[str, Tensor], b: dict[str, Tensor], row: int | slice = slice(None), other: int | slice = slice(None)) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k][row], b[k][other]) for k in a)


ALIGNED = {"task__ways": 4, "task__shots": 4, "task__queries": 4, "outer__hidden": (16, 16)}
"""Sizes whose matrices fill whole cache lines: a processor's product may round by where a matrix begins, so only for these is equality to the bit promised."""


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("changes", [{}, {"outer__search": "lambda_sweep"}, {"privacy__loss": "membership_mi"}], ids=["conditioned", "sweep", "pairs"])
@pytest.mark.parametrize("sizes", [{}, ALIGNED], ids=["odd", "aligned"])
def test_an_arm_alone_equals_the_same_arm_in_a_batch(changes: dict[str, Any], precision: str, sizes: dict[str, Any]) -> None:
    """To rounding always, and to the bit where matrices are aligned: same seed, same curve."""
    config = toy_study(outer__seeds=2, outer__iterations=15 if changes.get("outer__search") else 6, **sizes, **changes)
    compute = ComputeOptions(precision=precision)
    batch = trained(trainer(config, compute))
    for a in range(len(batch.alive)):
        alone = trained(trainer(config, compute, slice(a, a + 1)))
        for key, value in alone.parameters.items():
            tolerance = {"rtol": 1e-3, "atol": 1e-4} if precision == "float32" else {"rtol": 1e-12, "atol": 1e-12}
            torch.testing.assert_close(value[0], batch.parameters[key][a], **tolerance)
        assert not sizes or same(alone.parameters, batch.parameters, 0, a), f"arm {a}"


def test_arms_of_different_seeds_differ() -> None:
    """The control of the test above."""
    state = trained(trainer(toy_study(outer__seeds=2, outer__iterations=3)))
    assert not torch.equal(state.parameters["w0"][0], state.parameters["w0"][1])


@pytest.mark.parametrize("loss", ["output_mi", "membership_mi"])
def test_chunks_do_not_change_the_training(loss: str) -> None:
    config = toy_study(outer__seeds=2, outer__iterations=4, privacy__loss=loss)
    states = [trained(trainer(config, dataclasses.replace(EXACT, chunk_rows=rows))) for rows in (1, 7, 1000)]
    for state in states[1:]:
        for key, value in state.parameters.items():
            torch.testing.assert_close(value, states[0].parameters[key], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("rows", [1, 5, 12, 1000])
def test_chunks_cover_every_row_once_and_mix_no_kinds(rows: int) -> None:
    made = trainer(toy_study(outer__seeds=3, outer__meta_batch=5), ComputeOptions(chunk_rows=rows))
    cells = [(a, t) for c in made.chunks(made.config.outer.meta_batch) for a in range(c.low, c.high) for t in range(c.first, c.last)]
    assert sorted(cells) == [(a, t) for a in range(len(made.arms)) for t in range(5)]
    assert all(len({made.arms[a].kind for a in range(c.low, c.high)}) == 1 for c in made.chunks(made.config.outer.meta_batch))


@pytest.mark.parametrize("stop", [1, BLOCK - 1, BLOCK + 3])
def test_a_resumed_training_equals_an_undisturbed_one_bit_for_bit(stop: int) -> None:
    """Stopped within a block of draws and at its edge; weights, moments, snapshots and all, through the checkpoint's bytes."""
    config = toy_study(outer__iterations=BLOCK + 5)
    whole = trained(trainer(config))
    context = SilentContext(stop_after=stop)
    with pytest.raises(JobInterrupted):
        trained(trainer(config), context)
    step, data = context.checkpoints[-1]
    assert step == stop + 1
    state = TrainingState.from_bytes(data, config.id, torch.device("cpu"))
    assert state.step == step
    end = trained(trainer(config), state=state)
    assert end.step == whole.step
    for name in ("parameters", "first", "second"):
        assert same(getattr(end, name), getattr(whole, name)), name
    assert [s for s, _ in end.snapshots] == [s for s, _ in whole.snapshots]
    assert all(same(a, b) for (_, a), (_, b) in zip(end.snapshots, whole.snapshots, strict=True))


def test_checkpoints_are_taken_when_due_and_a_foreign_one_is_refused() -> None:
    config = toy_study(outer__iterations=5)
    context = SilentContext(checkpoint_seconds=0)
    trained(trainer(config), context)
    assert [step for step, _ in context.checkpoints] == [3, 4]
    data = context.checkpoints[-1][1]
    with pytest.raises(CheckpointError, match="belongs to the study"):
        TrainingState.from_bytes(data, toy_study(outer__iterations=6).id, torch.device("cpu"))
    strategy = choose(trainer(config), trained(trainer(config)), {s: Toy().build(config.task, s) for s in config.seeds})[0]
    for broken in (data[:50], data[:-8], b"", bytes(64), strategy.to_bytes()):
        with pytest.raises(CheckpointError, match="damaged"):
            TrainingState.from_bytes(broken, config.id, torch.device("cpu"))


def test_a_diverged_arm_is_frozen_and_the_others_go_on_as_if_alone() -> None:
    config = toy_study(outer__seeds=2, outer__iterations=8)
    made = trainer(config)
    state = made.fresh()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            made.iterate(state, pool)
        state.parameters["w1"][1, 0, 0] = torch.nan
        frozen = {k: v[1].clone() for k, v in state.parameters.items()}
        values = [made.iterate(state, pool) for _ in range(5)]
    assert state.alive.tolist() == [True, False, True, True]
    assert all(v["diverged"] == 1.0 and np.isfinite(v["task_loss"]) for v in values)
    assert all(torch.equal(state.parameters[k][1], v) or k == "w1" for k, v in frozen.items())
    whole = trained(trainer(config))
    for a in (0, 2, 3):
        assert same(state.parameters, whole.parameters, a, a)


def test_a_diverged_arm_is_served_by_its_last_finite_snapshot() -> None:
    config = toy_study(outer__seeds=2, outer__iterations=10, privacy__mechanism="none")
    made, tasksets = trainer(config), {s: Toy().build(config.task, s) for s in config.seeds}
    state = trained(made)
    for step, parameters in state.snapshots:
        if step > 3:
            parameters["w0"][1] = torch.nan
    strategy, curves = choose(made, state, tasksets)
    assert isinstance(strategy, Strategy)
    assert all(torch.isfinite(v).all() for v in strategy.parameters.values())
    assert {c.name for c in curves} == {"validation:lambda:none", "validation:lambda:most"}


def test_when_all_arms_diverge_it_is_one_sentence() -> None:
    made = trainer(toy_study(outer__rate=0.5, inner__rate=2.0))
    state = made.fresh()
    state.parameters["w0"].fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"^Training has diverged in all 2 configurations by iteration 1; lower the outer rate \(now 0\.5\) or the inner rate \(now 2\)\.$"):
        trained(made, state=state)


@pytest.mark.parametrize("name", sorted(n for n, learner in plugins("meta").items() if learner.trains))
def test_every_meta_learner_lowers_its_loss(name: str) -> None:
    """Task loss on the same episodes before and after, at small λ."""
    made = trainer(toy_study(outer__learner=name, outer__iterations=40, outer__meta_batch=6, outer__rate=0.005, outer__hidden=(12,), inner__rate=0.3,
                             privacy__mechanism="none", privacy__lambda_max=0.1), ComputeOptions())
    before, after = made.fresh(), trained(made)
    (chunk,), block = made.chunks(made.config.outer.meta_batch), made._draws(0)
    losses = [np.mean([float(made._gradient(chunk, dataclasses.replace(state, step=k), block)[1][0, 0]) for k in range(BLOCK)]) for state in (before, after)]
    assert losses[1] < 0.9 * losses[0]


def test_the_baseline_without_training_does_none() -> None:
    made = trainer(toy_study(outer__learner="from_scratch"))
    state = trained(made)
    assert made.total == 0 and same(state.parameters, made.fresh().parameters)
    assert [s for s, _ in state.snapshots] == [0]


def test_progress_is_reported_at_every_iteration_with_finite_values() -> None:
    context = SilentContext()
    trained(trainer(toy_study(outer__iterations=4)), context)
    assert [(phase, step, total) for phase, step, total, _ in context.reports] == [("train", i, 4) for i in range(1, 5)]
    assert all(np.isfinite(list(values.values())).all() for *_, values in context.reports)


def test_levels_reach_both_ends_and_stay_between() -> None:
    levels = (0.0, 0.5, 2.0)
    values = levels_at(levels, torch.linspace(0, 1, 2001, dtype=torch.float64))
    assert values.min() == 0.0 and values.max() == 2.0 and (values.diff() >= 0).all()
    assert (values == 0.0).double().mean() == pytest.approx(0.05 / 1.1, abs=2e-3)
    assert levels_at((0.3,), torch.rand(4)).tolist() == pytest.approx([0.3] * 4)


def test_streams_of_different_seeds_iterations_and_purposes_differ() -> None:
    seeds = [generator_seed(s, n, p) for s in (0, 1, 2**30) for n in (0, 1, 5000) for p in (1, 2, 3, 100, 103)]
    assert max(seeds) < 2**32
    assert len({torch.rand(1, generator=torch.Generator().manual_seed(s)).item() for s in seeds}) == len(seeds)


def test_seeds_of_a_study_draw_tasks_records_positions_and_noise_of_their_own() -> None:
    made = trainer(toy_study(outer__seeds=2))
    block = made._draws(0)
    assert not torch.equal(block.positions[0], block.positions[1])
    assert not torch.equal(block.episodes[0].classes, block.episodes[1].classes)
    noisy = [i for i, a in enumerate(made.arms) if a.kind == "epsilon"]
    draws = [d for d in made._noise_draws(tuple(made.arms[i] for i in noisy), made.chunks(3)[-1], 0, 3, 2, 2) if d is not None]
    assert not torch.equal(draws[0][:3], draws[0][3:])


def test_halves_are_complementary_and_take_half_of_each_class() -> None:
    halves = paired_halves(torch.rand(5, 4, 12, generator=torch.Generator().manual_seed(0)), 3, 8)
    assert halves.shape == (5, 8, 6)
    for rows in halves:
        for r in range(4):
            assert sorted([*rows[r].tolist(), *rows[r + 4].tolist()]) == list(range(12))
        assert all(np.bincount(row // 4, minlength=3).tolist() == [2, 2, 2] for row in rows.numpy())


def sampler(permute: bool, shots: int = 3, queries: int = 4) -> tuple[EpisodeSampler, Any]:
    split = Toy().build(toy_study().task, 0).train
    return EpisodeSampler(split, shots=shots, queries=queries, permute=permute, device=torch.device("cpu"), dtype=torch.float64), split


def test_episodes_hold_members_of_the_right_class_each_once() -> None:
    made, split = sampler(permute=True)
    drawn = made.draw(40, 3)
    where = {tuple(row): i for i, row in enumerate(torch.from_numpy(split.x).double().tolist())}
    for t in range(40):
        support = [where[tuple(r)] for r in drawn.support_x[t].tolist()]
        query = [where[tuple(r)] for r in drawn.query_x[t].tolist()]
        assert len(set(support + query)) == len(support) + len(query)
        assert split.member[support + query].all()
        for records, labels in ((support, drawn.support_y[t]), (query, drawn.query_y[t])):
            for record, label in zip(records, labels.tolist(), strict=True):
                bucket = next(b for b, rows in enumerate(split.buckets) if record in rows)
                assert split.bucket_class[bucket] == drawn.classes[t, label]
    again, other = made.draw(40, 3), made.draw(40, 4)
    assert torch.equal(again.support_x, drawn.support_x) and not torch.equal(other.support_x, drawn.support_x)


def test_label_numbers_are_drawn_anew_only_where_they_are_arbitrary() -> None:
    sorted_rows = lambda e: (e.classes.diff(dim=1) > 0).all(1)  # noqa: E731
    assert sorted_rows(sampler(permute=False)[0].draw(50, 0)).all()
    assert not sorted_rows(sampler(permute=True)[0].draw(50, 0)).all()


def test_too_few_records_are_one_sentence() -> None:
    with pytest.raises(DataError, match=r"^Each class gives 20 support and 20 query records to an episode, .* has only 24 members; ask for fewer shots"):
        sampler(permute=True, shots=20, queries=20)


def test_the_registry_knows_what_the_trainer_uses() -> None:
    made = trainer(toy_study())
    assert made.learner is plugin("meta", "maml") and made.privacy is plugin("privacy", "output_mi")


def test_a_loss_under_noise_shapes_the_noisy_arms_alone() -> None:
    """λ under noise moves what the noisy adaptation starts from; at 0 nothing changes, and the arms over λ never do."""
    plain, zero, shaped = (trained(trainer(toy_study(**changes))) for changes in ({}, {"privacy__noise_weight": 0.0}, {"privacy__noise_weight": 0.5}))
    noisy = torch.tensor([a.kind == "epsilon" for a in trainer(toy_study()).arms])
    assert same(plain.parameters, zero.parameters)
    assert same(plain.parameters, shaped.parameters, int((~noisy).nonzero()[0]), int((~noisy).nonzero()[0]))
    assert not torch.equal(plain.parameters["w0"][noisy], shaped.parameters["w0"][noisy])


def test_pairs_under_noise_have_noise_of_their_own_where_a_loss_compares_them() -> None:
    config = toy_study(privacy__loss="membership_mi", privacy__noise_weight=0.5)
    made = trainer(config)
    (chunk,) = [c for c in made.chunks(3) if made.arms[c.low].kind == "epsilon"]
    leaves = {k: v[chunk.low:chunk.high].repeat_interleave(3, 0) for k, v in made.fresh().parameters.items() if k != "tuned_rate"}
    problem = made._problem(chunk, leaves, 0, made._draws(0))
    assert problem.noise is not None and problem.halves is not None
    pairs = problem.halves.shape[1]
    repeated = problem.noise.repeat(pairs)
    (draws,) = [d for d in repeated.draws if d is not None]
    assert len(draws) == len(repeated.multiplier) == 3 * pairs and not torch.equal(draws[0], draws[1])
