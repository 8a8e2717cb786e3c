"""A column of text is read as token ids where this is chosen, and becomes a data set of kind text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from compress.data import datasets
from compress.data.added.examples import Choices, Examples
from compress.data.added.kept import add
from compress.data.added.preview import preview
from compress.data.added.table_examples import table_examples
from compress.data.texts.tokens import as_text
from tests.compress.helpers import python
from tests.compress.texts import reviews


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """120 reviews with a number and a short second text beside each."""
    path = tmp_path / "reviews.csv"
    lines = [f"{number * 7 % 5},{text} {text},a b,{label}" for number, (text, label) in enumerate(reviews(120))]
    path.write_text("\n".join(["stars,review,note,label", *lines]))
    return path


def read(path: Path, text: str) -> Examples:
    return table_examples(path, Choices(text=text))


def test_the_text_alone_is_read_as_tokens_and_the_rest_is_left_out_and_said(table: Path) -> None:
    found = read(table, "words")
    assert (found.kind, found.inputs.dtype, len(found.inputs)) == ("text", np.int32, 120)
    first = reviews(120)[0][0]
    assert as_text(found.inputs[0], found.words) == f"{first} {first}"
    told = {column.name: column.becomes for column in found.columns}
    assert told["review"] == "ids of its words" and told["stars"] == "left out: only the text is read"
    assert any("stars" in note for note in found.notes)


def test_pairs_of_neighbours_are_tokens_too(table: Path) -> None:
    found = read(table, "pairs")
    assert sum(" " in word for word in found.words) > 50
    assert {word for word in found.words if " " not in word} == set(read(table, "words").words)


def test_by_default_words_are_counted_beside_the_other_columns(table: Path) -> None:
    assert read(table, "counts").kind == "tabular"


def test_a_table_without_a_text_is_refused_and_so_is_another_way_of_reading(tmp_path: Path, table: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("\n".join(["a,label", *(f"{number}.5,{number % 2}" for number in range(20))]))
    with pytest.raises(ValueError, match=r"numbers\.csv has no column of sentences.*Choose text=counts"):
        read(path, "words")
    with pytest.raises(ValueError, match=r"text must be one of counts, words, pairs, but is 'letters'"):
        read(table, "letters")


def test_texts_longer_than_128_tokens_are_cut_and_said(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("\n".join(["text,label", *(f"{'a b ' * 80}w{number},{number % 2}" for number in range(40))]))
    found = read(path, "words")
    assert found.inputs.shape == (40, 128) and "40 texts are longer than 128 tokens" in found.notes[-1]


def test_a_preview_of_texts_has_a_map_and_the_number_of_words(table: Path) -> None:
    about = preview("reviews", read(table, "words"))
    assert (about["kind"], about["problem"], about["pictures"]) == ("text", "", []) and 20 < about["words"] <= 40
    assert set(about["map"]["classes"]) == {"like", "dislike"}
    json.dumps(about)


def test_added_texts_are_a_data_set_with_words(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))
    name = add("reviews", read(table, "words"))
    data = datasets.load(name)
    assert (name, data.kind) == ("local:reviews", "text") and {"good", "bad"} <= set(data.words)
    card = next(card for card in datasets.available() if card.name == name)
    assert (card.kind, card.shape, card.examples, card.problem) == ("text", "18", 120, "")


@pytest.mark.parametrize(("change", "message"), [
    ({"x": np.full((6, 3), 9, dtype=np.int32)}, r"must be whole numbers in 0\.\.3"),
    ({"x": np.ones((6, 3))}, "must be whole numbers"),
    ({"words": None}, "texts must have between 3 and")])
def test_a_file_whose_ids_have_no_words_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                  change: dict[str, object], message: str) -> None:
    arrays = {"x": np.full((6, 3), 2, dtype=np.int32), "y": np.arange(6) % 2, "kind": np.array("text"),
              "words": np.array(["", "(unknown)", "a", "b"])} | change
    np.savez(tmp_path / "texts.npz", **{name: array for name, array in arrays.items() if array is not None})
    monkeypatch.setenv("COMPRESS_DATA", str(tmp_path / "texts.npz"))
    with pytest.raises(ValueError, match=message):
        datasets.load("local:texts")


def test_the_shell_reads_texts_and_adds_what_was_looked_at_without_looking_again(table: Path, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    done = python("-m", "compress", "data", "add", str(table), "--text=words", "--looked-at", COMPRESS_HOME=home, check=True)
    assert json.loads(done.stdout) == {"name": "local:reviews"}
