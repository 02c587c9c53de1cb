"""Wearables, articles and drawings: whose records are where, that something can be learned from them, and what a folder brought along may hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mrp_core import drawings, pictures, tabular, wearers
from mrp_core.audit.attribute import attribute_inference
from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.registry import plugin
from mrp_core.taskdata import Split, TaskSet, held_out
from mrp_core.tasks import fashion, wearable, wearable_signal

WEARABLES = ("wearable", "wearable_signal")


@cache
def built(name: str, mode: str, ways: int, sensitive: str = "", seed: int = 0) -> TaskSet:
    return plugin("tasks", name).build(TaskConfig(family=name, mode=mode, ways=ways, sensitive=sensitive), seed)


def splits(tasks: TaskSet) -> tuple[Split, Split, Split]:
    return tasks.train, tasks.validation, tasks.test


def classes_of(split: Split) -> NDArray[np.int64]:
    """The class of each record."""
    out = np.full(len(split.x), -1)
    for records, number in zip(split.buckets, split.bucket_class, strict=True):
        out[records] = number
    return out


def joined(tasks: TaskSet, of: Callable[[Split], NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([of(s) for s in splits(tasks)])


@cache
def windows_of(name: str) -> wearers.Windows:
    if name == "wearable":
        return wearers.read_windows(wearable.FILE, "features")[0]
    return wearers.read_windows(wearable_signal.FILE, "channels", signal=True)[0]


def classifier() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=500))


def nearest(x: NDArray[np.float32], among: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distance of each row to the nearest other row of ``among``."""
    x, among = x.astype(np.float64), among.astype(np.float64)
    square = (x**2).sum(1)[:, None] + (among**2).sum(1) - 2 * x @ among.T
    square[square < 1e-6] = np.inf
    return np.sqrt(square.min(1))


@pytest.mark.parametrize("name", WEARABLES)
@pytest.mark.parametrize(("mode", "ways"), [("site", 7), ("few_shot", 3)])
def test_wearers_of_a_split_are_its_own(name: str, mode: str, ways: int) -> None:
    windows = windows_of(name)
    for split, own in zip(splits(built(name, mode, ways)), wearers.PARTS, strict=True):
        assert set(windows.wearer[split.person].tolist()) == set(own)
        np.testing.assert_array_equal(classes_of(split), windows.exercise[split.person])
    assert sorted(sum(wearers.PARTS, ())) == list(range(1, 11))


def test_a_site_is_one_wearer_with_all_exercises() -> None:
    tasks = built("wearable", "site", 7)
    windows = windows_of("wearable")
    assert not tasks.permute_labels
    assert tasks.labels == wearers.EXERCISES
    for split, own in zip(splits(tasks), wearers.PARTS, strict=True):
        assert split.names == tuple(f"wearer {w}" for w in own)
        for row, w in zip(split.tasks, own, strict=True):
            assert {windows.wearer[split.person[i]] for b in row for i in split.buckets[b]} == {w}
            assert split.bucket_class[row].tolist() == list(range(7))


def test_few_exercises_of_all_wearers_of_a_split_are_a_task() -> None:
    tasks = built("wearable", "few_shot", 3, "wearer")
    assert tasks.permute_labels
    assert [len(s.tasks) for s in splits(tasks)] == [35, 35, 35]
    for split, own in zip(splits(tasks), wearers.PARTS, strict=True):
        assert all({tasks.sensitive_values[v] for v in split.sensitive[bucket]} == {f"wearer {w}" for w in own} for bucket in split.buckets)
        assert split.names[0] == "pendulum / abduction / forward elevation"


@pytest.mark.parametrize("seed", [0, 1])
def test_members_and_others_are_of_the_same_time(seed: int) -> None:
    windows = windows_of("wearable")
    member = windows.members(seed)
    for w in range(1, 11):
        for e in range(7):
            mine = (windows.wearer == w) & (windows.exercise == e)
            for part in (mine & (windows.late == 1), mine & (windows.late == 0)):
                assert abs(member[part].sum() - tabular.MEMBERS * part.sum()) <= 0.5
    assert {0, 1} == set(windows.late.tolist())


def test_both_wearables_have_the_same_windows_and_members() -> None:
    for mode, ways in (("site", 7), ("few_shot", 3)):
        for one, two in zip(*(splits(built(name, mode, ways)) for name in WEARABLES), strict=True):
            for field in ("person", "member", "sensitive", "tasks"):
                np.testing.assert_array_equal(getattr(one, field), getattr(two, field))


def test_the_wearer_is_unknown_where_a_task_has_one() -> None:
    site = built("wearable", "site", 7, "wearer")
    assert set(joined(site, lambda s: s.sensitive).tolist()) == {-1}
    assert "can't tell" in dict(site.facts)["Sensitive attribute"]
    assert set(joined(built("wearable", "site", 7), lambda s: s.sensitive).tolist()) == {0, 1}


def test_an_observer_can_tell_wearers_apart_only_by_what_is_released() -> None:
    held = held_out(built("wearable", "few_shot", 3, "wearer").test, tasks=12, shots=5, records=20, seed=0)
    who, person = held.eval_sensitive.ravel(), held.eval_person.ravel()
    task = np.repeat(np.arange(12), held.eval_y.shape[1])
    told = np.full((len(who), 3), 0.1)
    told[np.arange(len(who)), who - who.min()] = 0.8
    blind = np.full((len(who), 3), 1 / 3)
    assert set(who.tolist()) == {7, 8, 9}
    assert attribute_inference(told, who, person=person, task=task, permutations=0).auc.value > 0.99
    assert attribute_inference(blind, who, person=person, task=task, permutations=0).information.value < 0.02


def test_exercises_of_unseen_wearers_can_be_told() -> None:
    tasks = built("wearable", "few_shot", 3, "wearer")
    x, y, who = joined(tasks, lambda s: s.x), joined(tasks, classes_of), joined(tasks, lambda s: s.sensitive)
    assert cross_val_score(classifier(), x, y, groups=who, cv=LeaveOneGroupOut()).mean() == pytest.approx(0.858, abs=0.03)


def test_the_signal_is_what_the_features_were_computed_from() -> None:
    features, signal = (built(name, "site", 7) for name in WEARABLES)
    raw, told, names = windows_of("wearable_signal"), windows_of("wearable"), features.features
    mean = raw.raw.reshape(-1, *wearable_signal.PLUGIN.grid).mean(2)
    for i, channel in enumerate(("ax", "ay", "az", "wx", "wy", "wz")):
        assert np.corrcoef(mean[:, i], told.raw[:, names.index(f"mean_{channel}")])[0, 1] > 0.98
        assert signal.features[50 * i] == f"{channel} 0.00 s"
        assert signal.features[50 * i + 49] == f"{channel} 1.96 s"
    assert len(features.features) == 79
    assert len(signal.features) == 300


def test_a_channel_is_scaled_as_a_whole_by_members_of_training() -> None:
    raw = windows_of("wearable_signal")
    tasks = built("wearable_signal", "site", 7)
    for split in splits(tasks):
        x = split.x.reshape(-1, 6, 50)
        for channel in range(6):
            basis = raw.raw[tasks.train.person[tasks.train.member]].reshape(-1, 6, 50)[:, channel]
            naive = np.clip((raw.raw[split.person].reshape(-1, 6, 50)[:, channel] - basis.mean()) / basis.std(), -5, 5)
            np.testing.assert_allclose(x[:, channel], naive, atol=1e-4)


def test_scaling_by_channel_leaves_flat_channels_at_zero() -> None:
    x = np.array([[3, 3, 0, 2], [3, 3, 4, 2], [9, 9, 100, -100]])
    out = pictures.scaled_by_channel(x, np.array([True, True, False]), 2)
    np.testing.assert_array_equal(out[:, :2], 0)
    np.testing.assert_allclose(out[:2, 2:], np.array([[-2, 0], [2, 0]]) / np.sqrt(2), rtol=1e-6)
    np.testing.assert_array_equal(out[2, 2:], [tabular.CLIP, -tabular.CLIP])


@pytest.mark.parametrize(("name", "mode", "ways"), [("wearable_signal", "few_shot", 3), ("fashion", "pairs", 2)])
def test_no_record_is_nearly_the_same_as_one_on_the_other_side(name: str, mode: str, ways: int) -> None:
    tasks = built(name, mode, ways)
    x, member = joined(tasks, lambda s: s.x), joined(tasks, lambda s: s.member)
    across, within = nearest(x[member], x[~member]), nearest(x[member], x[member])
    assert across.min() > 0.2 * np.median(across)
    assert np.median(across) == pytest.approx(np.median(within), rel=0.05), "members are no closer to members than to others"


@pytest.mark.parametrize(("name", "mode", "ways", "words"), [
    ("wearable", "site", 3, "set ways to 7"), ("wearable_signal", "site", 2, "set ways to 7"), ("wearable", "few_shot", 8, "has only 7 classes"),
    ("fashion", "few_shot", 4, "validation split of this family has only 3 classes"), ("fashion", "pairs", 3, "set ways to 2")])
def test_impossible_ways_are_one_sentence(name: str, mode: str, ways: int, words: str) -> None:
    with pytest.raises(DataError, match=rf"^ways is {ways}, .*{words}.*\.$"):
        built(name, mode, ways)


@pytest.mark.parametrize(("name", "mode", "ways"), [("wearable", "site", 7), ("wearable_signal", "few_shot", 3), ("fashion", "few_shot", 3), ("fashion", "pairs", 2)])
def test_others_do_not_change_what_training_sees(name: str, mode: str, ways: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before, module = built(name, mode, ways), fashion if name == "fashion" else wearers
    outside = np.concatenate([before.train.person[~before.train.member], before.validation.person, before.test.person])
    read = tabular.read_arrays

    def altered(file: str, keys: tuple[str, ...]) -> Any:
        arrays = read(file, keys)
        own = arrays["X"][outside]
        arrays["X"][outside] = 255 - own if own.dtype == np.uint8 else -own
        return arrays

    monkeypatch.setattr(module, "read_arrays", altered)
    after = plugin("tasks", name).build(TaskConfig(family=name, mode=mode, ways=ways), 0)
    member = before.train.member
    np.testing.assert_array_equal(before.train.x[member], after.train.x[member])
    assert not np.array_equal(before.train.x[~member], after.train.x[~member])
    assert not np.array_equal(before.test.x, after.test.x)


def test_articles_of_a_split_are_its_own() -> None:
    tasks = built("fashion", "few_shot", 3)
    own = [set(" / ".join(s.names).split(" / ")) for s in splits(tasks)]
    assert [len(o) for o in own] == [4, 3, 3]
    assert set.union(*own) == set(fashion.ARTICLES)
    assert all(o & {"sandal", "sneaker", "ankle boot"} for o in own)
    assert [len(s.tasks) for s in splits(tasks)] == [4, 1, 1]
    for split in splits(tasks):
        for task, name in zip(split.tasks, split.names, strict=True):
            assert name == " / ".join(fashion.ARTICLES[split.bucket_class[b]] for b in task)


def test_pairs_of_articles_have_new_records_and_are_new() -> None:
    tasks = built("fashion", "pairs", 2)
    named = [set(s.names) for s in splits(tasks)]
    assert [len(n) for n in named] == [25, 5, 15]
    assert len(set.union(*named)) == 45
    assert [len(s.x) for s in splits(tasks)] == [1600, 600, 1800]


def test_articles_can_be_learned() -> None:
    tasks = built("fashion", "few_shot", 3)
    x, y = joined(tasks, lambda s: s.x), joined(tasks, classes_of)
    order = np.random.default_rng(0).permutation(len(x))
    small = x.reshape(-1, 7, 4, 7, 4).mean((2, 4)).reshape(-1, 49)
    assert cross_val_score(classifier(), small[order], y[order], cv=5).mean() == pytest.approx(0.785, abs=0.03)


def test_a_picture_stands_upright() -> None:
    """Trousers have a gap between their legs, and no foot of a boot is in the upper left: rows and columns are where they belong."""
    test = built("fashion", "few_shot", 3).test
    pages = test.x.reshape(-1, 28, 28)
    trouser, boot = (pages[test.buckets[i]].mean(0) for i in (0, 2))
    assert trouser[20:26, 13:15].mean() < trouser[20:26, [10, 11, 16, 17]].mean()
    assert boot[18:24, 4:24].mean() > boot[2:8, 4:24].mean()


ALPHABETS = {"images_background": ("Arcadian", "Braille", "Cyrillic", "Futurama", "Greek"), "images_evaluation": ("Tengwar", "Ge_ez")}


def draw(folder: Path, parts: tuple[str, ...] = tuple(ALPHABETS), characters: int = 5) -> Path:
    """A folder laid out as Omniglot, with strokes where a character has them and each drawer's own wobble."""
    for part in parts:
        for alphabet in ALPHABETS[part]:
            number = sum(map(ord, alphabet))
            for character in range(1, characters + 1):
                own = np.random.default_rng([number, character])
                strokes, place = own.integers(15, 90, (3, 2)), folder / part / alphabet / f"character{character:02d}"
                place.mkdir(parents=True)
                for drawer in range(1, 21):
                    paper = np.ones((105, 105), dtype=bool)
                    for top, left in strokes + np.random.default_rng([number, character, drawer, 1]).integers(-9, 10, (3, 2)):
                        paper[max(top, 0):top + 6, max(left, 0):left + 30] = False
                    Image.fromarray(paper).save(place / f"{character:04d}_{drawer:02d}.png")
    return folder


@pytest.fixture(scope="module")
def omniglot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("omniglot"))


def brought(folder: Path | str, monkeypatch: pytest.MonkeyPatch, seed: int = 0, **changes: Any) -> TaskSet:
    monkeypatch.setenv("MRP_OMNIGLOT", str(folder))
    family = plugin("tasks", "omniglot")
    return family.build(TaskConfig(family="omniglot", **{**family.defaults, **changes}), seed)


def test_alphabets_are_split_as_wholes(omniglot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = brought(omniglot, monkeypatch)
    alphabets = [{c.rsplit(" ", 1)[0] for name in s.names for c in name.split(" / ")} for s in splits(tasks)]
    assert alphabets == [{"Arcadian", "Braille", "Cyrillic", "Futurama"}, {"Greek"}, {"Tengwar", "Ge_ez"}]
    for one, two in combinations(splits(tasks), 2):
        assert not np.intersect1d(one.person, two.person).size
        assert not np.intersect1d(one.bucket_class, two.bucket_class).size
    assert len(set(joined(tasks, lambda s: s.bucket_class).tolist())) == 35
    assert 3000 < len(set(tasks.train.names)) == len(tasks.train.names) <= tabular.MOST_TASKS, "too many to list all"
    assert [len(s.names) for s in splits(tasks)[1:]] == [1, 252]
    assert tasks.image == plugin("tasks", "omniglot").grid[1:] == (28, 28)


def test_a_background_alone_is_split_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = brought(draw(tmp_path, ("images_background",), 2), monkeypatch, ways=2)
    assert [{c.rsplit(" ", 1)[0] for name in s.names for c in name.split(" / ")} for s in splits(tasks)] == [{"Arcadian", "Braille", "Cyrillic"}, {"Greek"}, {"Futurama"}]


def test_a_drawer_is_a_person(omniglot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = brought(omniglot, monkeypatch)
    for split, alphabets in zip(splits(tasks), (4, 1, 2), strict=True):
        assert len(np.unique(split.person)) == 20 * alphabets
        assert not np.intersect1d(split.person[split.member], split.person[~split.member]).size
        for b in range(len(split.buckets)):
            assert (len(split.bucket_members(b, True)), len(split.bucket_members(b, False))) == (11, 9)
        assert len(np.unique(split.x, axis=0)) == len(split.x)
    assert brought(omniglot, monkeypatch, seed=1).test.member.tolist() != tasks.test.member.tolist()
    np.testing.assert_array_equal(brought(omniglot, monkeypatch).test.x, tasks.test.x)
    for shots in (1, 5):
        assert held_out(tasks.test, tasks=12, shots=shots, records=20, seed=0).pool_x.shape == (12, 10 * shots, 784)


def test_brought_characters_can_be_learned(omniglot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = held_out(brought(omniglot, monkeypatch).test, tasks=4, shots=5, records=9, seed=0)
    right = [LogisticRegression(C=0.3, max_iter=500).fit(held.pool_x[t], held.pool_y[t]).score(held.eval_x[t], held.eval_y[t]) for t in range(4)]
    assert np.mean(right) > 0.6


def test_a_drawing_is_shrunk_to_its_ink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = np.ones((105, 105), dtype=bool)
    paper[:52, :] = False
    place = tmp_path / "images_background" / "Arcadian" / "character01"
    place.mkdir(parents=True)
    Image.fromarray(paper).save(place / "0001_07.png")
    found = drawings.read_drawings(str(tmp_path))
    pixels = found.pixels.reshape(28, 28)
    assert (pixels[:13] == 255).all()
    assert (pixels[14:] == 0).all()
    assert found.drawer.tolist() == [7]
    with pytest.raises(DataError, match="split of this family has only"):
        brought(tmp_path, monkeypatch)


@pytest.mark.parametrize("content", ["nothing", "other names", "a file", "gone", "unset", "strange"])
def test_a_folder_without_drawings_is_one_sentence(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: str | Path = {"gone": tmp_path / "not there", "unset": "", "strange": "a\x01" * 5000, "a file": tmp_path / "file"}.get(content, tmp_path)
    if content == "a file":
        (tmp_path / "file").write_bytes(b"x")
    elif content == "other names":
        (tmp_path / "images_background" / "Greek" / "character01").mkdir(parents=True)
        (tmp_path / "images_background" / "Greek" / "character01" / "alpha.png").write_bytes(b"x")
        (tmp_path / "images_background" / "Greek" / "notes").mkdir()
        (tmp_path / "images_background" / "Greek" / "notes" / "0001_01.png").write_bytes(b"x")
        (tmp_path / "images_background" / "read me").write_bytes(b"x")
    with pytest.raises(DataError, match=r"MRP_OMNIGLOT.*; set MRP_OMNIGLOT to the folder .*\.$") as told:
        brought(folder, monkeypatch)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("damage", ["text", "truncated", "large", "heavy", "other format", "folder"])
def test_a_drawing_that_cannot_be_read_is_one_sentence(damage: str, tmp_path: Path) -> None:
    place = tmp_path / "images_background" / "Greek" / "character01"
    place.mkdir(parents=True)
    drawing, paper = place / "0001_01.png", Image.fromarray(np.ones((105, 105), dtype=bool))
    paper.save(drawing)
    content = drawing.read_bytes()
    changed = {"text": b"no picture", "truncated": content[:50], "heavy": content + b"\0" * 70_000}
    if damage in changed:
        drawing.write_bytes(changed[damage])
    elif damage == "large":
        paper.resize((4000, 4000)).save(drawing)
    elif damage == "other format":
        paper.save(drawing, format="GIF")
    else:
        drawing.unlink()
        drawing.mkdir()
    with pytest.raises(DataError, match=r"^MRP_OMNIGLOT is .*holds no file" if damage == "folder" else r"^The drawing Greek/character01/0001_01\.png can't be read.*archive\.$") as told:
        drawings.read_drawings(str(tmp_path))
    assert "\n" not in str(told.value)


def test_links_out_of_the_folder_are_not_followed(omniglot: Path, tmp_path: Path) -> None:
    inside = tmp_path / "brought" / "images_background" / "Greek" / "character01"
    inside.mkdir(parents=True)
    source = omniglot / "images_background" / "Greek"
    (inside / "0001_01.png").write_bytes((source / "character01" / "0001_01.png").read_bytes())
    (inside / "0001_02.png").symlink_to(source / "character01" / "0001_02.png")
    (inside.parent / "character02").symlink_to(source / "character02")
    (inside.parent.parent / "Linked").symlink_to(source)
    (tmp_path / "brought" / "images_evaluation").symlink_to(omniglot / "images_evaluation")
    found = drawings.read_drawings(str(tmp_path / "brought"))
    assert found.characters == (("images_background", "Greek", "character01"),)
    assert found.drawer.tolist() == [1]


def test_a_folder_with_too_much_is_one_sentence(omniglot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "MOST_FILES", 10)
    drawings._read.cache_clear()
    with pytest.raises(DataError, match=r"holds more than 10 drawings, but Omniglot has 32,460.*\.$"):
        drawings.read_drawings(str(omniglot))


def test_equal_drawings_are_left_out(tmp_path: Path) -> None:
    folder = draw(tmp_path, ("images_background",), 1)
    place = folder / "images_background" / "Greek" / "character01"
    (place / "0001_02.png").write_bytes((place / "0001_01.png").read_bytes())
    found = drawings.read_drawings(str(folder))
    assert (found.twins, len(found.pixels)) == (1, 99)
