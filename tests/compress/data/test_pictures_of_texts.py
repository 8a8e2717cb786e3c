"""What a page shows of an example that is a text, or a sequence of letters: words and letters, not their numbers."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np

from compress.data import datasets
from compress.data.added.examples import Choices
from compress.data.added.letters import one_hot
from compress.data.added.reading import examples_of
from compress.data.pictures import as_shown, pictures, pictures_file
from compress.data.raw_data import RawData
from tests.compress.texts import raw_reviews, toy_texts


def test_texts_are_shown_in_the_words_that_the_network_reads(tmp_path: Path) -> None:
    data = toy_texts()
    (tmp_path / "texts.npy").write_bytes(pictures_file(data))
    shown = pictures(tmp_path / "texts.npy", list(range(len(data.validation))))
    raw = raw_reviews()
    written = {" ".join(raw.words[number] for number in row if number) for row in raw.inputs}
    assert all(isinstance(text, str) for text in shown) and set(filter(lambda text: "…" not in text, shown)) <= written
    assert not np.load(BytesIO(pictures_file(data)), allow_pickle=False).dtype.hasobject


def test_unknown_words_are_dots_and_pairs_are_left_out() -> None:
    data = replace(toy_texts(), words=("", "(unknown)", "not", "good", "not good"))
    assert as_shown(np.array([0, 0, 2, 1]), data) == "not …"
    assert as_shown(np.array([2, 3, 4]), data) == "not good"


def test_sequences_of_letters_are_shown_as_letters() -> None:
    texts = ["ACGTACGT", "TTTTAC", "GGGACCA", "CCCAAAT"] * 6
    texts = [text + "ACGT"[place % 4] * (place // 4) for place, text in enumerate(texts)]
    raw = RawData("Reads", "sequence", ("no", "yes"), one_hot(texts, "ACGT", 16), np.arange(24, dtype=np.int64) % 2,
                  words=tuple("ACGT"))
    data = datasets.prepare(raw, "reads", 0)
    assert {as_shown(one, data) for one in data.validation.inputs} <= {text[:16] for text in texts}


def test_an_added_table_of_sequences_keeps_its_letters(tmp_path: Path) -> None:
    path = tmp_path / "reads.csv"
    drawn = np.random.default_rng(0).choice(list("ACGT"), (60, 12))
    path.write_text("read,label\n" + "".join(f"{''.join(row)},{'yn'[place % 2]}\n" for place, row in enumerate(drawn)))
    assert examples_of([path], Choices()).words == tuple("ACGT")
