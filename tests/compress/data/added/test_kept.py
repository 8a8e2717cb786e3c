"""Files of every form are added under a name, listed at once, used like any data set, and removed."""

from __future__ import annotations

import gzip
import json
import struct

import numpy as np
import pytest

from compress.__main__ import main
from compress.data import datasets, local_files
from compress.data.added import kept, preview
from compress.data.added.examples import Choices
from compress.data.added.folder import FILES
from compress.data.added.reading import examples_of

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
LABELS = (np.arange(60) % 3).astype(np.uint8)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COMPRESS_DATA", raising=False)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def files_of(form: str, folder) -> list:
    if form == "npz":
        np.savez(folder / "mine.npz", X=PIXELS, y=np.eye(3)[LABELS])
        return [folder / "mine.npz"]
    if form == "npy":
        np.save(folder / "first.npy", LABELS[:, None])
        np.save(folder / "second.npy", PIXELS)
        return [folder / "first.npy", folder / "second.npy"]
    (folder / "pictures").write_bytes(idx(PIXELS))
    (folder / "answers.gz").write_bytes(gzip.compress(idx(LABELS)))
    return [folder / "answers.gz", folder / "pictures"]


@pytest.mark.parametrize("form", ["npz", "npy", "idx"])
def test_arrays_of_any_form_are_the_same_data_set(form, tmp_path):
    name = kept.add("my digits", examples_of(files_of(form, tmp_path), Choices()))
    assert name == "local:my_digits" and local_files.is_added(name)
    (card,) = local_files.cards()
    assert (card.name, card.kind, card.shape, card.classes, card.examples, card.problem) == (
        name, "image", "1 x 8 x 8", 3, 60, "")
    raw = local_files.read(name)
    assert (raw.inputs[:, 0] == PIXELS).all() and (raw.labels == LABELS).all()
    assert datasets.load(name).source


def test_the_same_data_are_added_once_and_other_data_get_another_name(tmp_path):
    first = examples_of(files_of("npz", tmp_path), Choices())
    assert [kept.add("mine", first), kept.add("mine", first)] == ["local:mine", "local:mine"]
    np.savez(tmp_path / "mine.npz", x=PIXELS[::-1], y=LABELS)
    second = examples_of([tmp_path / "mine.npz"], Choices())
    assert [kept.add("mine", second), kept.add("mine", second)] == ["local:mine-2", "local:mine-2"]


def test_a_name_of_the_users_files_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPRESS_DATA", str(tmp_path / "mine.npz"))
    assert kept.add("mine", examples_of(files_of("npz", tmp_path), Choices())) == "local:mine-2"
    assert not local_files.is_added("local:mine")


def test_missing_values_and_notes_come_with_the_data(tmp_path):
    rows = "\n".join(f"{'' if row == 4 else row / 3},{row},{'a' if row % 2 else 'b'}" for row in range(40))
    (tmp_path / "table.csv").write_text(f"width,number,label\n{rows}\n")
    data = datasets.load(kept.add("table", examples_of([tmp_path / "table.csv"], Choices())))
    assert data.classes == ("a", "b") and data.notes == ("Column left out: number.",)
    assert np.isfinite(data.train.inputs).all()


def test_removing(tmp_path):
    name = kept.add("mine", examples_of(files_of("npz", tmp_path), Choices()))
    with pytest.raises(ValueError, match="No data set 'local:other' was added; those that were are local:mine"):
        kept.remove("local:other")
    with pytest.raises(ValueError, match="was added"):
        kept.remove("local:../../mine")
    kept.remove(name)
    assert local_files.cards() == ()


@pytest.mark.parametrize("name", ["", "...", "///"])
def test_a_name_without_letters_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="The name must hold letters or digits"):
        kept.add(name, examples_of(files_of("npz", tmp_path), Choices()))


def test_a_preview_says_what_is_there(tmp_path):
    repeated = np.concatenate([PIXELS, PIXELS[:5]])
    repeated[:, 0, 0] = 7
    np.savez(tmp_path / "mine.npz", x=repeated, y=np.concatenate([LABELS, LABELS[:5]]))
    about = preview.preview("mine", examples_of([tmp_path / "mine.npz"], Choices()))
    assert (about["shape"], about["examples"], about["duplicates"], about["constant"]) == ([1, 8, 8], 65, 5, 1)
    assert about["classes"] == {"0": 22, "1": 22, "2": 21} and about["problem"] == ""
    assert about["notes"] == []
    shown = about["pictures"][0]
    assert shown["label"] == "0" and np.array(shown["pixels"]).shape == (1, 8, 8)
    json.dumps(about)


def test_a_preview_says_why_nothing_can_be_trained(tmp_path):
    np.savez(tmp_path / "mine.npz", x=PIXELS[:4], y=[0, 0, 1, 1])
    assert "class" in preview.preview("mine", examples_of([tmp_path / "mine.npz"], Choices()))["problem"]


@pytest.mark.parametrize(("names", "reason"), [
    (["notes.pdf"], "notes.pdf cannot be read as data. Choose a table"), (["none.csv"], "none.csv is no file"),
    (["a.npy", "notes.pdf"], "cannot be read as data"), (["a.npy", "b.npy"], r"a.npy is not a valid \.npy file")])
def test_other_files_are_refused_with_the_forms_that_are_read(tmp_path, names, reason):
    for name in ("notes.pdf", "a.npy", "b.npy"):
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(ValueError, match=reason):
        examples_of([tmp_path / name for name in names], Choices())


def test_the_shell_shows_adds_lists_and_removes(tmp_path, capsys):
    (file,) = files_of("npz", tmp_path)

    def said(*words: str) -> list[dict]:
        assert main(["data", *words]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert said("show", str(file))[0]["examples"] == 60 and local_files.cards() == ()
    assert said("add", str(file), "--name", "birds")[0]["name"] == "local:birds"
    assert "local:birds" in [card["name"] for card in said("list")]
    assert said("remove", "local:birds")[0]["removed"].endswith("birds.npz")
    assert main(["data", "add", str(file), "--side", "-1"]) == 2
    assert "--side must be a whole number, but is '-1'" in capsys.readouterr().err


def test_a_column_of_one_value_is_said_before_it_is_added_and_when_it_is_loaded(tmp_path):
    table = np.random.default_rng(0).normal(size=(60, 3))
    table[:, 1] = 4
    np.savez(tmp_path / "mine.npz", x=table, y=np.arange(60) % 2, columns=["wing", "tail", "beak"])
    found = examples_of([tmp_path / "mine.npz"], Choices())
    note = ("1 of 3 columns (tail) has no more than one value in all examples: it is 0 after normalising, and a network "
            "learns nothing from it.")
    assert preview.preview("mine", found)["notes"] == [note]
    assert datasets.load(kept.add("mine", found)).notes == (note,)


def test_what_was_kept_can_be_added_again_with_its_words_and_notes(tmp_path):
    lines = [f"{'a fine song' if row % 2 else 'no song at all'} {row},{'owl' if row % 2 else 'wren'}" for row in range(40)]
    (tmp_path / "birds.csv").write_text("\n".join(["song,bird", *lines]))
    first = kept.add("birds", examples_of([tmp_path / "birds.csv"], Choices(text="words")))
    again = kept.add("again", examples_of([FILES.file("birds")], Choices()))
    one, other = datasets.load(first), datasets.load(again)
    assert one.kind == "text" and one.digest == other.digest and one.words == other.words
