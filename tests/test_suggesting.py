"""Suggestions: what they claim holds, whatever was measured, in whatever order, and however much of it is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrp_core.errors import ConfigError
from mrp_core.findings import PartRisk
from mrp_core.judging import METRIC, Judged, Limits, State, judge
from mrp_core.measurement import Measurement
from mrp_core.results import Summary
from mrp_core.settings import Setting
from mrp_core.suggesting import KINDS, LEAKAGE, advise, distance, knee

NAN = math.nan
SHARES = st.integers(0, 20).map(lambda i: i / 20)
METRICS = ("accuracy", LEAKAGE, "epsilon")


def measured(value: float, half: float = 0.01) -> Measurement:
    return Measurement(value=value, low=value - half, high=value + half, n=6)


def setting(key: str, accuracy: float, leak: float, *, half: float = 0.01, base: tuple[float, float] | None = None, epsilon: float = NAN, noise: float = 0.001) -> Summary:
    """A setting with its means; with ``base``, the accuracy and leakage of λ = 0, also the paired differences from it."""
    means = {"accuracy": measured(accuracy, half), LEAKAGE: measured(leak, half)}
    if not math.isnan(epsilon):
        means["epsilon"] = measured(epsilon, 0.0)
    differences = {"accuracy": measured(accuracy - base[0], noise), LEAKAGE: measured(leak - base[1], noise)} if base else {}
    return Summary(setting=Setting.from_key(key), means=means, differences=differences, seeds={})


BASE = (0.9, 0.3)
STUDY = [setting("lambda=0", *BASE), setting("lambda=0.2", 0.89, 0.2, base=BASE), setting("lambda=0.5", 0.85, 0.1, base=BASE), setting("lambda=0.8", 0.6, 0.08, base=BASE),
         setting("epsilon=3", 0.7, 0.02, base=BASE, epsilon=3.0), setting("epsilon=1", 0.5, 0.01, base=BASE, epsilon=1.0)]


@st.composite
def studies(draw: st.DrawFn) -> list[Summary]:
    """Settings with coarse values, so that ties happen; some metrics are unresolved, without an interval or absent."""
    def one(low: float = 0.0) -> Measurement:
        kind, value, half = draw(st.integers(0, 9)), draw(SHARES), draw(st.integers(0, 3)) / 20
        if kind == 0:
            return Measurement(value=NAN, low=NAN, high=NAN, note="too few records")
        return Measurement(value=value + low, low=NAN if kind == 1 else value + low - half, high=NAN if kind == 1 else value + low + half, n=4)

    keys = draw(st.lists(st.sampled_from(["lambda=0", "lambda=0.3", "lambda=1", "epsilon=1", "epsilon=8", "epsilon=inf", "steps=1", "head=1"]), unique=True))
    out = []
    for key in keys:
        means = {"accuracy": one(), LEAKAGE: one()}
        if key in ("epsilon=1", "epsilon=8"):
            means["epsilon"] = measured(Setting.from_key(key).value, 0.0)
        if draw(st.integers(0, 9)) == 0:
            del means[LEAKAGE]
        out.append(Summary(setting=Setting.from_key(key), means=means, differences={} if key == "lambda=0" else {"accuracy": one(-0.5), LEAKAGE: one(-0.7)}, seeds={}))
    return out


LIMIT = st.none() | SHARES
LIMITS = st.builds(Limits, accuracy=LIMIT, tpr=LIMIT, epsilon=st.none() | st.sampled_from([0.5, 1.0, 3.0, 8.0]), group=LIMIT)


@st.composite
def grouped(draw: st.DrawFn) -> dict[Setting, tuple[PartRisk, ...]]:
    out: dict[Setting, tuple[PartRisk, ...]] = {}
    for key in draw(st.lists(st.sampled_from(["lambda=0", "lambda=1", "epsilon=1"]), unique=True)):
        values = draw(st.lists(SHARES | st.just(NAN), max_size=3))
        out[Setting.from_key(key)] = tuple(PartRisk(by="sex", name=str(i), records=9, auc=measured(0.6), tpr=measured(v, 0.05)) for i, v in enumerate(values))
    return out


@given(studies(), LIMITS, grouped())
@settings(max_examples=60, deadline=None)
def test_a_suggestion_keeps_every_limit_that_it_claims_to_meet(study: list[Summary], limits: Limits, groups: dict[Setting, tuple[PartRisk, ...]]) -> None:
    for s in advise(study, limits, groups).suggestions:
        assert [v.limit for v in s.judged.verdicts] == list(limits.active)
        for v in s.judged.verdicts:
            if v.limit == "group" and v.state is State.UNKNOWN:
                continue
            sign = -1 if v.limit == "accuracy" else 1
            values = [g.tpr for g in groups[s.judged.setting]] if v.limit == "group" else [s.judged.summary.means[METRIC[v.limit]]]
            assert all(sign * (m.value - v.bound) <= 0 for m in values)
            if v.state is State.MET:
                assert all(sign * (end - v.bound) <= 0 for m in values for end in (m.low, m.high))
            assert v.state is not State.MISSED


@given(studies(), LIMITS, st.sampled_from(list(METRIC)))
@settings(max_examples=60, deadline=None)
def test_loosening_a_limit_never_lowers_the_best_accuracy(study: list[Summary], limits: Limits, name: str) -> None:
    def best(under: Limits) -> float:
        found = [s.judged.summary.means["accuracy"].value for s in advise(study, under).suggestions if "accuracy" in s.kinds]
        return found[0] if found else -math.inf

    value = getattr(limits, name)
    looser = replace(limits, **{name: None if value is None else max(0.0, value - 0.2) if name == "accuracy" else min(1.0, value + 0.2) if name != "epsilon" else value * 3})
    assert best(limits) <= best(looser) <= best(replace(limits, **{name: None}))


@given(studies(), LIMITS, st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_settings_changes_nothing(study: list[Summary], limits: Limits, random: object) -> None:
    shuffled = list(study)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert repr(advise(study, limits)) == repr(advise(shuffled, limits))


@given(studies(), LIMITS, grouped())
@settings(max_examples=60, deadline=None)
def test_no_setting_comes_twice_and_each_kind_is_there_or_explained(study: list[Summary], limits: Limits, groups: dict[Setting, tuple[PartRisk, ...]]) -> None:
    advice = advise(study, limits, groups)
    chosen = [s.judged.setting for s in advice.suggestions]
    assert len(chosen) == len(set(chosen)) <= 3
    assert sorted([k for s in advice.suggestions for k in s.kinds] + list(advice.missing)) == sorted(KINDS)
    known = [s for s in study if s.means["accuracy"].resolved]
    assert (advice.nearest is None) == bool(chosen or not known)
    for o in advice.loosenings:
        again = advise(study, replace(limits, **{o.limit: None if math.isinf(o.to) else o.to}), groups)
        assert again.suggestions, "the limit that is named would do, alone"
        assert o.setting in [j.setting for j in again.judged if j.allowed]


@given(st.lists(st.tuples(SHARES, SHARES), max_size=9))
@settings(max_examples=120, deadline=None)
def test_the_knee_is_the_front_point_farthest_from_the_chord(points: list[tuple[float, float]]) -> None:
    front = [p for p in points if not any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in points)]
    (x0, y0), (x1, y1) = (min(front), max(front)) if front else ((0.0, 0.0), (0.0, 0.0))
    heights = {}
    for x, y in front:
        if x1 > x0 and y1 > y0:
            u, v = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
            foot = (u + v) / 2  # where the chord from (0, 0) to (1, 1) is nearest
            heights[x, y] = math.copysign(math.hypot(u - foot, v - foot), v - u)
    found = knee([p[0] for p in points], [p[1] for p in points])
    if len(heights) < 3 or max(heights.values()) < 1e-6:
        assert found is None
    else:
        assert found is not None and heights[points[found]] == pytest.approx(max(heights.values()))


def test_a_plain_study_gives_the_three_by_hand() -> None:
    advice = advise(STUDY, Limits())
    assert [(s.judged.setting.key, s.kinds) for s in advice.suggestions] == [("lambda=0.5", ("knee",)), ("lambda=0", ("accuracy",)), ("lambda=0.2", ("cheapest",))]
    assert advice.suggestions[2].price == pytest.approx(0.01 / 0.1)


def test_one_setting_with_several_reasons_is_one_suggestion() -> None:
    (only,) = advise(STUDY, Limits(accuracy=0.8, tpr=0.15)).suggestions
    assert (only.judged.setting.key, only.kinds) == ("lambda=0.5", ("accuracy", "cheapest"))


@pytest.mark.parametrize(("bound", "state", "miss"), [(0.8, State.MET, 0.0), (0.845, State.CROSSED, 0.0), (0.855, State.CROSSED, 0.005), (0.9, State.MISSED, 0.05)])
def test_a_limit_is_met_crossed_or_missed_by_the_interval(bound: float, state: State, miss: float) -> None:
    (v,) = judge(setting("lambda=1", 0.85, 0.1), Limits(accuracy=bound)).verdicts
    assert (v.state, v.miss) == (state, pytest.approx(miss))


def test_a_value_without_an_interval_is_never_surely_met() -> None:
    bare = Measurement(value=0.9, low=NAN, high=NAN, n=1)
    (v,) = judge(Summary(setting=Setting("lambda", 1.0), means={"accuracy": bare}, differences={}, seeds={}), Limits(accuracy=0.5)).verdicts
    assert (v.state, v.miss) == (State.CROSSED, 0.0)


def test_without_a_guarantee_no_limit_on_epsilon_is_met() -> None:
    assert [s.judged.setting.key for s in advise(STUDY, Limits(epsilon=1e6)).suggestions] == ["epsilon=3"], "two settings have no knee; the better is also the cheaper"
    advice = advise(STUDY[:4], Limits(epsilon=1e6))
    assert not advice.suggestions
    assert advice.nearest is not None and advice.nearest.verdicts[0].state is State.UNKNOWN
    assert [(o.limit, o.to) for o in advice.loosenings] == [("epsilon", math.inf)]


def test_what_cannot_be_had_names_the_nearest_and_the_smallest_single_step() -> None:
    advice = advise(STUDY, Limits(accuracy=0.84, tpr=0.05))
    assert not advice.suggestions and set(advice.missing.values()) == {"none"}
    assert advice.nearest is not None and advice.nearest.setting.key == "lambda=0.5"
    assert [(o.limit, o.to, o.setting.key) for o in advice.loosenings] == [("tpr", 0.1, "lambda=0.5"), ("accuracy", 0.7, "epsilon=3")]
    spreads = {"accuracy": 0.4, "tpr": 0.29}
    assert distance(advice.nearest, spreads) == (0, pytest.approx(0.05 / 0.29))
    assert advice.loosenings[1].share == pytest.approx(0.14 / 0.4)


def test_epsilon_misses_by_factors() -> None:
    far = judge(STUDY[4], Limits(epsilon=1.5))
    assert distance(far, {"epsilon": math.log(3.0)}) == (0, pytest.approx(math.log(2) / math.log(3)))


def test_groups_count_where_an_examination_measured_them() -> None:
    def parts(*tpr: float) -> tuple[PartRisk, ...]:
        return tuple(PartRisk(by="sex", name=name, records=9, auc=measured(0.6), tpr=measured(v)) for name, v in zip("fm", tpr, strict=False))

    groups = {Setting("lambda", 0.0): parts(0.2, 0.5), Setting("lambda", 0.2): parts(0.2, 0.3), Setting("lambda", 0.5): parts(0.1, NAN)}
    advice = advise(STUDY, Limits(group=0.305), groups)
    states = {j.setting.key: (j.verdicts[0].state, j.verdicts[0].group, j.allowed) for j in advice.judged}
    assert states["lambda=0"] == (State.MISSED, "sex: m", False)
    assert states["lambda=0.2"] == (State.CROSSED, "sex: m", True)
    assert states["lambda=0.5"] == (State.UNKNOWN, "sex: m", True), "a group that isn't resolved can't be said to meet a limit"
    assert states["epsilon=3"] == (State.UNKNOWN, "", True)
    assert next(s for s in advice.suggestions if "accuracy" in s.kinds).judged.setting.key == "lambda=0.2"


@pytest.mark.parametrize("study", [[], STUDY[:1], [replace(STUDY[0], means={})], [replace(STUDY[0], means={"accuracy": Measurement(value=NAN, low=NAN, high=NAN)})]])
def test_next_to_nothing_measured_is_no_crash(study: list[Summary]) -> None:
    advice = advise(study, Limits(accuracy=0.5))
    assert all(isinstance(j, Judged) for j in advice.judged)
    assert [s.kinds for s in advice.suggestions] == ([("accuracy",)] if advice.judged else [])
    assert advice.missing.get("knee") == ("few" if advice.judged else "none")


def test_a_frontier_whose_ends_the_seeds_do_not_tell_apart_has_no_knee_and_names_who_leaks_less() -> None:
    def seeded(s: Summary, *by_seed: float) -> Summary:
        return replace(s, seeds={"accuracy": by_seed})

    noisy = [seeded(STUDY[0], 0.9, 0.8, 0.97), seeded(STUDY[2], 0.85, 0.9, 0.82), seeded(STUDY[5], 0.5, 0.9, 0.2)]
    advice = advise(noisy, Limits())
    assert advice.missing["knee"] == "flat"
    best = next(s for s in advice.suggestions if "accuracy" in s.kinds)
    assert best.alike is not None and best.alike.setting.key == "epsilon=1"
    clear = [seeded(STUDY[0], 0.9, 0.91, 0.89), seeded(STUDY[2], 0.85, 0.86, 0.84), seeded(STUDY[5], 0.5, 0.52, 0.48)]
    advice = advise(clear, Limits())
    assert "knee" not in advice.missing
    assert [s.alike for s in advice.suggestions if "accuracy" in s.kinds] == [None]


def test_what_another_setting_beats_is_no_cheap_privacy() -> None:
    beaten = [STUDY[0], setting("steps=2", 0.85, 0.2, base=BASE), setting("epsilon=3", 0.88, 0.02, base=BASE, noise=0.5)]
    assert advise(beaten[:2], Limits()).suggestions[-1].kinds == ("cheapest",)
    assert advise(beaten, Limits()).missing["cheapest"] == "unlowered", "the only one that surely lowers anything leaks more and is less accurate than another"


def test_nothing_lowered_for_sure_is_no_cheap_privacy() -> None:
    unsure = [STUDY[0], setting("lambda=1", 0.9, 0.25, base=BASE, noise=0.2)]
    assert advise(unsure, Limits()).missing["cheapest"] == "unlowered"


@pytest.mark.parametrize(("limits", "word"), [({"accuracy": 1.2}, "accuracy"), ({"tpr": NAN}, "tpr"), ({"epsilon": 0.0}, "ε"), ({"epsilon": math.inf}, "ε"), ({"group": -0.1}, "group")])
def test_nonsense_is_no_limit(limits: dict[str, float], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        Limits(**limits)
