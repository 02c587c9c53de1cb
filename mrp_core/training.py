"""Meta-training: all arms of a study as one batch, in chunks of rows, with validation, checkpoints and exact resume."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from mrp_core.annealing import annealed, cycle_ends
from mrp_core.blocks import rows_together
from mrp_core.checkpoint import TrainingState
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.episodes import Episodes, EpisodeSampler
from mrp_core.errors import JobCancelled, JobInterrupted, TrainingError
from mrp_core.jobs.context import JobContext
from mrp_core.learning import MetaLearner
from mrp_core.losses import PrivacyLoss
from mrp_core.networks import Parameters, Shape, condition_features, initial, initial_critic, rows_of
from mrp_core.noising import noise_of, noise_parameters
from mrp_core.objective import Problem, paired_halves
from mrp_core.registry import plugin
from mrp_core.searching import Arm, Search
from mrp_core.seeding import generator_seed
from mrp_core.shielding import Shield, padded
from mrp_core.stepping import outer_step
from mrp_core.strategy import noise_levels, plan_of
from mrp_core.taskdata import TaskSet
from mrp_core.threads import workers

BLOCK = 25
"""Episodes are drawn for so many iterations at once; a block's draws depend on its number only, so a resume repeats them."""


@dataclass(frozen=True)
class Chunk:
    """Arms low..high of one kind and tasks first..last, computed together."""

    low: int
    high: int
    first: int
    last: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Draws of a block of iterations: episodes by seed, positions between levels by arm.

    Iteration i of the block has the episodes ``begins[i]`` to ``begins[i + 1]``; of these only those with ``real`` count, where tasks are sampled one by one.
    """

    number: int
    begins: list[int]
    episodes: dict[int, Episodes]
    positions: dict[int, Tensor]
    keys: dict[int, Tensor]
    real: dict[int, Tensor]


class Trainer:
    """Trains the arms of one study. All randomness is a function of (seed, iteration): a resumed run equals an undisturbed one."""

    def __init__(self, config: StudyConfig, compute: ComputeOptions, tasksets: dict[int, TaskSet]) -> None:
        """Lay out arms, shapes and samplers.

        Raises:
            DataError: If a class holds too few records for the shots and queries asked.
        """
        self.config, self.compute = config, compute
        self.device, self.dtype = torch.device(compute.device), getattr(torch, compute.precision)
        self.search: Search = plugin("search", config.outer.search)
        self.learner: MetaLearner = plugin("meta", config.outer.learner)
        self.privacy: PrivacyLoss = plugin("privacy", config.privacy.loss)
        self.arms = self.search.arms(config, noise_levels(config))
        self.total = self.search.iterations(config) if self.learner.trains else 0
        one = next(iter(tasksets.values()))
        ways = one.train.tasks.shape[1]
        self.shape = Shape(features=one.train.x.shape[1], hidden=config.hidden, grid=config.grid, outputs=one.classes if self.learner.joint else ways, ways=ways,
                           steps=max(1, config.inner.steps, config.privacy.dp_steps))
        self.samplers = {seed: EpisodeSampler(t.train, shots=config.task.shots * (2 if self.privacy.pairs else 1), queries=config.task.queries,
                                              permute=t.permute_labels, device=self.device, dtype=self.dtype) for seed, t in tasksets.items()}
        self.shield = Shield.of(config, tasksets)
        self._block: Block | None = None

    def fresh(self) -> TrainingState:
        """The state before the first iteration."""
        seeds = [a.seed for a in self.arms]
        own = initial(self.shape, seeds, self.dtype, element_rates=self.learner.element_rates)
        parameters = {k: v.to(self.device) for k, v in (own | initial_critic(self.privacy.critic(self.shape.ways), seeds, self.dtype)).items()}
        parameters |= noise_parameters(self.config.privacy, parameters["cb0"])
        zeros = lambda: {k: torch.zeros_like(v) for k, v in parameters.items()}  # noqa: E731
        return TrainingState(step=0, parameters=parameters, first=zeros(), second=zeros(), alive=torch.ones(len(self.arms), dtype=torch.bool, device=self.device))

    def run(self, state: TrainingState, context: JobContext) -> TrainingState:
        """Iterate to the end, with snapshots, progress and checkpoints.

        Raises:
            TrainingError: If every arm has diverged.
            JobCancelled, JobInterrupted: As the context says, after a checkpoint.
        """
        marks = set(cycle_ends(self.total))
        with ThreadPoolExecutor(workers()) as pool:
            while state.step < self.total:
                if context.checkpoint_due():
                    context.save_checkpoint(state.step, state.to_bytes(self.config.id))
                values = self.iterate(state, pool)
                if state.step in marks:
                    state.snapshots.append((state.step, {k: v.clone() for k, v in state.parameters.items()}))
                try:
                    context.report("train", state.step, self.total, values)
                except (JobCancelled, JobInterrupted):
                    context.save_checkpoint(state.step, state.to_bytes(self.config.id))
                    raise
        if not state.snapshots:
            state.snapshots.append((state.step, {k: v.clone() for k, v in state.parameters.items()}))
        return state

    def iterate(self, state: TrainingState, pool: ThreadPoolExecutor) -> dict[str, float]:
        """One outer step of every arm, in place; returns the mean losses of the arms that are alive."""
        block = self._draws(state.step // BLOCK)
        tasks = block.begins[state.step % BLOCK + 1] - block.begins[state.step % BLOCK]
        chunks = self.chunks(tasks)
        done = list(pool.map(lambda chunk: self._gradient(chunk, state, block), chunks))
        sums = [{k: torch.zeros_like(v) for k, v in state.parameters.items()} for _ in range(2 if self.search.separate else 1)]
        losses = torch.zeros(len(self.arms), 2, dtype=self.dtype, device=self.device)
        for chunk, (parts, loss) in zip(chunks, done, strict=True):
            share = (chunk.last - chunk.first) / tasks if self.shield is None else 1.0
            for gradients, part in zip(sums, parts, strict=True):
                for key, value in part.items():
                    gradients[key][chunk.low:chunk.high] += share * value
            losses[chunk.low:chunk.high] += share * loss
        if self.shield is not None:
            sums = [self.shield.noised_means(sums[0], self.arms, state.step)]
        outer_step(state, sums[0] if len(sums) == 1 else self._aggregated(*sums), optimiser=self.config.outer.optimiser, rate=self.config.outer.rate * annealed(state.step, self.total))
        state.step += 1
        if not state.alive.any():
            raise TrainingError(f"Training has diverged in all {len(self.arms)} configurations by iteration {state.step}; "
                                f"lower the outer rate (now {self.config.outer.rate:g}) or the inner rate (now {self.config.inner.rate:g}).")
        if self.shield is not None:  # losses of the training tasks have no noise
            return {"diverged": float((~state.alive).sum())}
        mean = losses[state.alive].mean(0).tolist()
        return {"task_loss": mean[0], "privacy_loss": mean[1], "diverged": float((~state.alive).sum())}

    def chunks(self, tasks: int) -> list[Chunk]:
        """Ranges of arms of one kind, and of an iteration's tasks, of at most ``chunk_rows`` rows."""
        repeats, records = max(1, self.privacy.pairs), self.shape.ways * max(self.config.task.shots, self.config.task.queries)
        most = rows_together(self.shape.blocks, records, self.compute.chunk_rows)
        arms_each, tasks_each = max(1, most // (tasks * repeats)), max(1, most // repeats)
        out, low = [], 0
        while low < len(self.arms):
            high = low + 1
            while high < len(self.arms) and high - low < arms_each and self.arms[high].kind == self.arms[low].kind:
                high += 1
            out += [Chunk(low, high, t, min(tasks, t + tasks_each)) for t in range(0, tasks, tasks_each)]
            low = high
        return out

    def _draws(self, number: int) -> Block:
        if self._block is not None and self._block.number == number:
            return self._block
        if self.shield is not None:
            self._block = self._sampled(number, self.shield)
            return self._block
        count = BLOCK * self.config.outer.meta_batch
        uniform = lambda seed, *size: torch.rand(*size, generator=torch.Generator().manual_seed(seed)).to(self.device, self.dtype)  # noqa: E731
        episodes = {s: sampler.draw(count, generator_seed(s, number, 1)) for s, sampler in self.samplers.items()}
        keys: dict[int, Tensor] = {}
        if self.privacy.pairs:
            keys = {s: uniform(generator_seed(s, number, 2), count, self.privacy.pairs // 2, e.support_y.shape[1]) for s, e in episodes.items()}
        positions = {s: uniform(generator_seed(s, number, 3), count) for s in self.samplers}
        self._block = Block(number=number, begins=list(range(0, count + 1, self.config.outer.meta_batch)), episodes=episodes, positions=positions, keys=keys, real={})
        return self._block

    def _sampled(self, number: int, shield: Shield) -> Block:
        """A block in which each task takes part in an iteration or not, by itself; windows are as wide as the seed with the most needs."""
        included = {s: shield.included(s, BLOCK, number) for s in self.samplers}
        sizes = [max(1, *(int(i[step].sum()) for i in included.values())) for step in range(BLOCK)]
        block = Block(number=number, begins=[sum(sizes[:i]) for i in range(BLOCK + 1)], episodes={}, positions={}, keys={}, real={})
        for s, sampler in self.samplers.items():
            tasks, index, real = padded(included[s], sizes)
            uniform = lambda purpose, *size: torch.rand(*size, generator=torch.Generator().manual_seed(generator_seed(s, number, purpose))).to(self.device, self.dtype)  # noqa: B023, E731
            index, drawn = index.to(self.device), sampler.draw(len(tasks), generator_seed(s, number, 1), tasks)
            block.episodes[s] = Episodes(**{f.name: getattr(drawn, f.name)[index] for f in fields(drawn)})
            block.positions[s], block.real[s] = uniform(3, len(tasks))[index], real.to(self.device)
            if self.privacy.pairs:
                block.keys[s] = uniform(2, len(tasks), self.privacy.pairs // 2, drawn.support_y.shape[1])[index]
        return block

    def _gradient(self, chunk: Chunk, state: TrainingState, block: Block) -> tuple[list[Parameters], Tensor]:
        """Meta-gradients of a chunk's arms (mean over its tasks; with a shield, the sum of the clipped ones), and their [arms, 2] task and privacy losses.

        There is one gradient, of the total; where the search keeps the objectives separate, another one of the leakage follows, at the
        price of a second backward pass.
        """
        leaves = {k: v[chunk.low:chunk.high].detach().requires_grad_() for k, v in state.parameters.items() if k != "tuned_rate"}
        arms, tasks = chunk.high - chunk.low, chunk.last - chunk.first
        with torch.enable_grad():
            rows = {k: v.repeat_interleave(tasks, 0) for k, v in leaves.items()}
            if self.shield is not None:  # a gradient for each task: each row has weights of its own
                leaves = rows = {k: v.detach().requires_grad_() for k, v in rows.items()}
            loss = self.learner.outer(self._problem(chunk, rows, state.step, block))
            wanted = (loss.total, loss.privacy) if self.search.separate else (loss.total,)
            sums = [part.view(arms, tasks).mean(1).sum() if self.shield is None else part.sum() for part in wanted]
            found = [torch.autograd.grad(part, list(leaves.values()), allow_unused=True, materialize_grads=True, retain_graph=part is not sums[-1])
                     if part.requires_grad else [torch.zeros_like(v) for v in leaves.values()] for part in sums]
        losses = torch.stack([loss.task, loss.privacy], -1).detach().view(arms, tasks, 2).mean(1)
        gradients = [dict(zip(leaves, part, strict=True)) for part in found]
        if self.shield is not None:
            window = slice(block.begins[state.step % BLOCK] + chunk.first, block.begins[state.step % BLOCK] + chunk.last)
            real = torch.stack([block.real[a.seed][window] for a in self.arms[chunk.low:chunk.high]])
            gradients = [self.shield.clipped_sums(part, real) for part in gradients]
        return gradients, losses

    def _aggregated(self, task: Parameters, privacy: Parameters) -> Parameters:
        from mrp_core.aggregating import aggregated  # its library takes a second to import, and most searches don't need it

        weights = [arm.levels[0] if arm.kind == "lambda" else 0.0 for arm in self.arms]
        return aggregated(task, privacy, weights, self.config.outer.aggregator)

    def _problem(self, chunk: Chunk, parameters: Parameters, step: int, block: Block) -> Problem:
        """The problem of a chunk's rows, whose parameters are [arms x tasks, ...]."""
        arms = self.arms[chunk.low:chunk.high]
        begin = block.begins[step % BLOCK]
        window = slice(begin + chunk.first, begin + chunk.last)
        take = lambda name: torch.cat([getattr(block.episodes[a.seed], name)[window] for a in arms])  # noqa: E731
        value = torch.cat([levels_at(a.levels, block.positions[a.seed][window]) for a in arms])
        weight, sigma = (value, torch.zeros_like(value)) if arms[0].kind == "lambda" else (torch.full_like(value, self.config.privacy.noise_weight), value)
        features = condition_features(weight, sigma, self.config.privacy.lambda_max)
        rows = rows_of(parameters, self.shape, features, self.config.inner.rate, learn_rates=self.config.inner.learn_rates, classes=take("classes") if self.learner.joint else None)
        plan = plan_of(self.config, arms[0].kind, 0.0, 0)
        noise = None
        if arms[0].kind == "epsilon":
            draws = self._noise_draws(arms, chunk, step, block.begins[step % BLOCK + 1] - begin, plan.steps, plan.lowest)
            noise = noise_of(self.config.privacy, parameters, features, sigma, draws)
        support_y, halves, known = take("support_y"), None, "attribute" in self.privacy.needs
        if self.privacy.pairs:
            halves = paired_halves(torch.cat([block.keys[a.seed][window] for a in arms]), self.shape.ways, self.privacy.pairs)
        return Problem(rows=rows, support_x=take("support_x"), support_y=support_y, query_x=take("query_x"), query_y=take("query_y"), weight=weight,
                       privacy=self.privacy, cross_entropy_share=self.config.outer.cross_entropy_share, steps=plan.steps, lowest=plan.lowest, noise=noise, halves=halves,
                       support_sensitive=take("support_sensitive") if known else None, query_sensitive=take("query_sensitive") if known else None, join=self.search.total)

    def _noise_draws(self, arms: tuple[Arm, ...], chunk: Chunk, step: int, tasks: int, steps: int, lowest: int) -> tuple[Tensor | None, ...]:
        """Draws of each layer for a chunk's rows. Where a loss compares paired adaptations under noise, each of a pair has noise of its own, or the loss couldn't see what the noise hides."""
        pairs = max(1, self.privacy.pairs) if self.config.privacy.noise_weight > 0 else 1
        draws: list[Tensor | None] = []
        for i, (out, inputs) in enumerate(self.shape.adapted):
            if i < lowest:
                draws.append(None)
                continue
            made = [torch.randn(tasks * pairs, steps, out, inputs + 1, generator=torch.Generator().manual_seed(generator_seed(a.seed, step, 100 + i))) for a in arms]
            draws.append(torch.cat([m[chunk.first * pairs:chunk.last * pairs] for m in made]).to(self.device, self.dtype))
        return tuple(draws)


def levels_at(levels: tuple[float, ...], position: Tensor) -> Tensor:
    """Values at positions in [0, 1] between ascending levels; both ends get 5 % of the draws to themselves."""
    if len(levels) == 1:
        return torch.full_like(position, levels[0])
    known = torch.tensor(levels, dtype=position.dtype, device=position.device)
    at = (1.1 * position - 0.05).clamp(0.0, 1.0) * (len(levels) - 1)
    low = at.long().clamp_max(len(levels) - 2)
    return known[low] + (at - low) * (known[low + 1] - known[low])
