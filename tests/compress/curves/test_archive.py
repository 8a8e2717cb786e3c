"""Points as one archive: they come back with files, roles and notes, and a damaged archive is refused whole."""

from __future__ import annotations

import json
import random
import zipfile
from io import BytesIO

import pytest

from compress.curves.archive import packed, unpacked
from compress.recipe import Recipe
from compress.shell import of_archives


@pytest.fixture(scope="module")
def curve(measured):
    return measured("low_rank", (0.1, 0.3))


@pytest.fixture(scope="module")
def places(curve):
    return {(Recipe.parse(point["recipe"]).key(), curve.teacher["digest"]) for point in curve.points}


@pytest.fixture(scope="module")
def whole(curve, places) -> bytes:
    return packed(curve.store, places)


def changed(contents: bytes, change) -> bytes:
    """The same archive with its index changed by a function."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(contents)) as old, zipfile.ZipFile(made, "w") as new:
        index = json.loads(old.read("points.json"))
        change(index)
        new.writestr("points.json", json.dumps(index))
        for name in old.namelist():
            if name != "points.json":
                new.writestr(name, old.read(name))
    return made.getvalue()


def test_points_come_back_with_their_teacher_files_and_predictions(whole, places, curve, store):
    assert unpacked(whole, store) == 2 and unpacked(whole, store) == 0
    for key, reference in places:
        assert store.point(key, reference) == curve.store.point(key, reference)
        assert store.predictions(key, reference) == curve.store.predictions(key, reference)
        assert store.artefacts.has(store.point(key, reference)["digest"])
    assert store.teacher_of(curve.teacher["digest"])["card"] == curve.teacher["card"]
    assert {tuple(point["roles"]) for point in store.all_points()} == {("curve",)}
    assert store.points(curve.recipe.curve("keep").key(), curve.teacher["digest"]) == curve.points


@pytest.mark.parametrize("change", [
    lambda index: index.update(format="other"),
    lambda index: index.pop("teachers"),
    lambda index: index["teachers"].clear(),
    lambda index: index["teachers"][0].update(key="0" * 20),
    lambda index: index["points"][0].pop("predictions"),
    lambda index: index["points"][0].update(predictions="AAAA"),
    lambda index: index["points"][0].update(predictions="%"),
    lambda index: index["points"][0].update(roles=["king"]),
    lambda index: index["points"][0].update(curve=7),
    lambda index: index["points"][0]["point"].update(digest="0" * 16),
    lambda index: index["points"][0]["point"].update(bytes=1),
    lambda index: index["points"][0]["point"].update(recipe="no recipe"),
    lambda index: index["points"][0]["point"].pop("accuracy"),
])
def test_an_index_that_does_not_fit_is_refused_whole(whole, store, change):
    with pytest.raises(ValueError, match="refused whole"):
        unpacked(changed(whole, change), store)
    assert store.all_points() == [] and not list(store.artefacts.folder.glob("*"))


def test_damaged_bytes_are_refused_whole_or_change_nothing(whole, store):
    numbers = random.Random(0)
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[numbers.randrange(len(whole))] ^= 1 << numbers.randrange(8)
        cut = bytes(damaged[:numbers.choice((len(whole), numbers.randrange(len(whole))))])
        try:
            unpacked(cut, store)
        except ValueError:
            assert store.all_points() == []
            continue
        assert len(store.all_points()) == 2  # a bit that says nothing, such as the time of a file
        for point in store.all_points():
            assert store.artefacts.has(point["digest"])
        break


def test_the_command_saves_what_is_pinned_with_its_note_and_loads_it(curve, places, store, tmp_path):
    file = str(tmp_path / "pinned.zip")
    with pytest.raises(ValueError, match="No network is pinned"):
        list(of_archives.run(store, save=file))
    key, reference = sorted(places)[0]
    curve.store.pin(key, reference, "the knee")
    (saved,), (loaded,) = of_archives.run(curve.store, save=file), of_archives.run(store, load=file)
    assert saved["points"] == 1 and loaded["new"] == 1
    assert store.pins()[key, reference]["note"] == "the knee"
    for options in ({}, {"save": file, "load": file}):
        with pytest.raises(ValueError, match="needs one of --save FILE"):
            list(of_archives.run(store, **options))
    with pytest.raises(ValueError, match="cannot be read"):
        list(of_archives.run(store, load=str(tmp_path / "nowhere.zip")))


def test_nothing_and_unknown_points_make_no_archive(curve):
    for wanted in ([], [("0" * 20, "0" * 16)]):
        with pytest.raises(ValueError, match="at least one measured network"):
            packed(curve.store, wanted)


def test_a_network_that_another_process_deletes_meanwhile_is_refused_in_a_sentence(curve, places, monkeypatch):
    listed = curve.store.all_points()
    curve.store.delete_points(list(places)[:1])
    monkeypatch.setattr(curve.store, "all_points", lambda: listed)
    with pytest.raises(ValueError, match=r"^A network was deleted while the archive was made\. Make the archive again\.$"):
        packed(curve.store, places)
    curve.store.restore_points(places)
    assert packed(curve.store, places)
