"""Was a task among the training tasks? A strategy that learned few tasks by heart shows it; one that was never trained doesn't."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from mrp_core import registry
from mrp_core.config import ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import train
from mrp_core.errors import ConfigError, DataError
from mrp_core.jobs.context import SilentContext
from mrp_core.selection import choose
from mrp_core.settings import Setting
from mrp_core.strategy import Strategy
from mrp_core.task_membership import STATISTICS, TaskMembership, _episodes, _planned, _statistics, task_membership
from mrp_core.taskdata import Split, TaskSet, held_out
from mrp_core.training import Trainer
from tests.engine.toy import Toy

TASKS, EACH, WAYS = (8, 4, 16), (20, 14), 2
FEATURES, SPREAD = 30, 0.4  # one support record says little about its class: who knows the class beforehand does better


@dataclass(frozen=True)
class Wards(Toy):
    """Tasks with classes of their own; ``shared``: the same tasks for every seed; ``harder``: test tasks lie closer together; ``same``: test = training tasks."""

    name: str = "wards"
    modes: tuple[str, ...] = ("site",)
    shared: bool = False
    harder: float = 1.0
    same: bool = False

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        rng = np.random.default_rng([0 if self.shared else seed, 5])
        tag = "" if self.shared else f" of seed {seed}"
        splits, first = [], 0
        for part, count, spread in zip(("train", "validation", "test"), TASKS, (1.0, 1.0, self.harder), strict=True):
            means = SPREAD * spread * rng.standard_normal((count * WAYS, FEATURES))
            names = tuple(f"train {i % TASKS[0]}" if self.same else f"{part} {i}{tag}" for i in range(count))
            splits.append(_split(rng, means, first, names))
            first += len(splits[-1].x)
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=WAYS, permute_labels=False, features=("x",) * FEATURES)


def _split(rng: np.random.Generator, means: np.ndarray, first: int, names: tuple[str, ...]) -> Split:
    each, buckets = sum(EACH), len(means)
    label = np.repeat(np.arange(buckets), each)
    x = (means[label] + rng.standard_normal((len(label), FEATURES))).astype(np.float32)
    tasks = np.arange(buckets).reshape(-1, WAYS)
    return Split(x=x, person=first + np.arange(len(x)), member=np.tile(np.arange(each) < EACH[0], buckets), sensitive=np.full(len(x), -1),
                 buckets=tuple(np.flatnonzero(label == c) for c in range(buckets)), tasks=tasks, names=names,
                 visible=np.ones((len(tasks), FEATURES), dtype=bool), bucket_class=np.tile(np.arange(WAYS), buckets // WAYS))


FAMILIES = {"wards": Wards(), "shared": Wards(name="shared", shared=True), "harder": Wards(name="harder", shared=True, harder=0.5),
            "same": Wards(name="same", shared=True, same=True)}


@pytest.fixture(scope="module", autouse=True)
def wards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, family in FAMILIES.items():
            patch.setitem(registry.plugins("tasks"), name, family)
        yield


def study(family: str = "wards", iterations: int = 1, seeds: int = 6) -> StudyConfig:
    return StudyConfig(task=TaskConfig(family=family, mode="site", ways=WAYS, shots=1, queries=8), privacy=PrivacyConfig(lambda_points=2, mechanism="none"),
                       inner=InnerConfig(steps=2), outer=OuterConfig(iterations=iterations, seeds=seeds, hidden=(48,), meta_batch=8, rate=0.01))


def trained(family: str = "wards", iterations: int = 1, seeds: int = 6) -> Strategy:
    return train(study(family, iterations, seeds), ComputeOptions())


def last_weights(iterations: int) -> Strategy:
    config = study(iterations=iterations)
    tasksets = {s: FAMILIES["wards"].build(config.task, s) for s in config.seeds}
    trainer = Trainer(config, ComputeOptions(), tasksets)
    state = trainer.run(trainer.fresh(), SilentContext(keep=False))
    state.snapshots = state.snapshots[-1:]
    return choose(trainer, state, tasksets)[0]


@pytest.fixture(scope="module")
def memorised(wards: None) -> TaskMembership:
    """The last weights of a training, not those that validation tasks would choose."""
    return task_membership(last_weights(250))


def test_a_strategy_that_knows_its_tasks_by_heart_is_found_out(memorised: TaskMembership) -> None:
    assert memorised.calibrated and memorised.notes == () and memorised.tasks == 8
    for attack in (memorised.task, memorised.records):
        assert attack.auc.low > 0.5
        assert attack.untrained.low <= 0.5 <= attack.untrained.high
        assert attack.tpr[0.1].n == 6 and attack.tpr[0.1].low > 0.1
        assert "needs at least 100" in attack.tpr[0.01].note and np.isnan(attack.tpr[0.01].value)
        assert set(attack.others) == set(STATISTICS[1:]) and attack.queries >= 2
    assert memorised.records.auc.low > 0.85 and memorised.records.tpr[0.1].value > 0.6
    assert memorised.records.auc.value > memorised.task.auc.value  # used records tell more than the task alone


def test_an_untrained_strategy_tells_nothing() -> None:
    config = study(iterations=1)
    found = task_membership(train(replace(config, outer=replace(config.outer, rate=1e-6)), ComputeOptions()))  # a step that goes nowhere
    for attack in (found.task, found.records):
        assert attack.auc.low <= 0.5 <= attack.auc.high and attack.auc.high - attack.auc.low < 0.5


def test_a_fixed_split_cannot_be_calibrated_and_says_so() -> None:
    found = task_membership(trained("shared", seeds=2), episodes=2)
    assert not found.calibrated
    assert "not calibrated" in found.notes[0] and found.tasks == 8


def test_harder_test_tasks_look_like_membership_and_the_untrained_start_shows_it() -> None:
    found = task_membership(trained("harder", seeds=3))
    assert found.task.untrained.value > 0.6 and found.task.auc.value > 0.6


def test_tasks_may_share_records() -> None:
    """Two tasks on one set of records, the second with the classes swapped: every class still gets its support and its queries."""
    taskset = FAMILIES["wards"].build(study().task, 0)
    first = taskset.test.buckets[:2]
    both = dataclasses.replace(taskset.test, buckets=(*first, *first[::-1]), tasks=np.array([[0, 1], [2, 3]]), names=("a", "b"), bucket_class=np.array([0, 1, 0, 1]),
                               visible=taskset.test.visible[:2])
    held = _episodes(trained(seeds=1), both, np.array([1, 0]), False, 6, 0)
    assert held.pool_x.shape == (2, 4, FEATURES) and held.eval_x.shape == (2, 12, FEATURES)
    allowed = {r.tobytes() for r in both.x[~both.member]}
    for t in range(2):
        pool, fresh = ({r.tobytes() for r in part[t]} for part in (held.pool_x, held.eval_x))
        assert len(pool) == 4 and len(fresh) == 12 and not pool & fresh and pool | fresh <= allowed


def test_one_seed_has_no_interval() -> None:
    found = task_membership(trained(seeds=1), episodes=2)
    assert not found.calibrated and found.notes[-1] == "One seed has no interval."
    assert np.isnan(found.task.auc.low) and 0 <= found.task.auc.value <= 1 and "not resolved" in found.task.tpr[0.1].note


def test_scores_are_those_of_one_adaptation_after_another() -> None:
    from mrp_core.evaluation import audit_tasks, evaluate

    strategy = trained(seeds=1)
    taskset = FAMILIES["wards"].build(strategy.config.task, 0)
    plan = _planned({0: taskset}, Setting("lambda", 0.0), 6, 4, 64)
    held = held_out(dataclasses.replace(taskset.test, names=tuple(map(str, range(16)))), tasks=16, shots=1, records=5, seed=0)
    found = _statistics(strategy, plan, 0, held, 0)
    tasks = audit_tasks(held, adaptations=4, seed=0, seen=strategy.seen[0], like=strategy.parameters["cb0"])
    out = evaluate(strategy, [strategy.adaptation(plan.setting, 0)], tasks)
    for t, name in enumerate(held.names):
        losses = []
        for z in out.fresh[0, t].reshape(-1, 2):
            losses.append(np.log(np.exp(z - z.max()).sum()) + z.max() - z)
        after = np.mean([row[y] for row, y in zip(losses, np.tile(held.eval_y[t], 4), strict=True)])
        p = np.exp(out.start[0, t]) / np.exp(out.start[0, t]).sum(-1, keepdims=True)
        before = -np.log(p[np.arange(len(p)), held.eval_y[t]]).mean()
        np.testing.assert_allclose(found[:, int(name)], [-after, -before, before - after, p.max(-1).mean()], rtol=1e-6)


def test_chunks_do_not_matter_and_equal_calls_agree() -> None:
    strategy = trained(seeds=2)
    first, second = (task_membership(strategy, episodes=4, compute=ComputeOptions(chunk_rows=n)) for n in (64, 7))
    assert first.task.auc.value == pytest.approx(second.task.auc.value, abs=0.05)
    assert task_membership(strategy, episodes=4).records.auc == first.records.auc


@pytest.mark.parametrize("change", [{"episodes": 3}, {"episodes": 0}, {"tasks": 4}])
def test_bad_requests_are_named(change: dict[str, int]) -> None:
    with pytest.raises(DataError, match="episodes"):
        task_membership(trained(seeds=1), **change)


def test_what_cannot_be_judged_is_said() -> None:
    with pytest.raises(DataError, match="0 test tasks"):
        task_membership(trained("same", seeds=1))
    strategy = trained(seeds=1)
    many = dataclasses.replace(strategy, config=dataclasses.replace(strategy.config, task=dataclasses.replace(strategy.config.task, shots=7)))
    with pytest.raises(DataError, match="only 14 records that meta-training never uses; 16"):
        task_membership(many)
    with pytest.raises(ConfigError):
        task_membership(strategy, setting=Setting("epsilon", 3.0))
