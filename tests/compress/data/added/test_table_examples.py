"""A table becomes examples: the label is found, and every column becomes what its values are."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from compress.data.added.examples import Choices
from compress.data.added.table_examples import table_examples
from compress.data.labels import numbered

ROWS = 40


def frame(**columns) -> pandas.DataFrame:
    rng = np.random.default_rng(0)
    return pandas.DataFrame({"length": rng.normal(size=ROWS), **columns, "species": ["owl", "wren"] * (ROWS // 2)})


@pytest.fixture
def file(tmp_path):
    def written(table: pandas.DataFrame, name: str = "birds.csv", **layout):
        path = tmp_path / name
        table.to_parquet(path) if name.endswith("parquet") else table.to_csv(path, index=False, **layout)
        return path

    return written


@pytest.mark.parametrize(("name", "layout"), [
    ("birds.csv", {}), ("birds.tsv", {"sep": "\t"}), ("birds.csv", {"sep": ";", "decimal": ","}),
    ("birds.csv", {"sep": "|"}), ("birds.parquet", {}), ("birds.data", {"header": False}),
    ("birds.csv", {"encoding": "utf-8-sig"}), ("birds.csv", {"encoding": "cp1252"})])
def test_the_same_table_in_any_layout_gives_the_same_examples(file, name, layout):
    table = frame(wing=np.arange(ROWS) / 4)
    table["species"] = ["Käuzchen", "wren"] * (ROWS // 2)
    found = table_examples(file(table, name, **layout), Choices())
    assert np.allclose(found.inputs, table[["length", "wing"]].to_numpy())
    assert numbered(found.labels)[1] == ("Käuzchen", "wren")
    assert (found.kind, found.labelled_by) == ("tabular", "column 3" if layout.get("header") is False else "species")


def test_each_column_becomes_what_its_values_are(file):
    table = frame(index=range(ROWS), same=1, colour=["red", "blue"] * (ROWS // 4) + ["grey", None] * (ROWS // 4),
                  is_day=[True, False, False, True] * (ROWS // 4), name=[f"bird{number}" for number in range(ROWS)],
                  song=[f"it sings {number} times at night" for number in range(ROWS)], nothing=None)
    table.loc[3, "length"] = None
    found = table_examples(file(table), Choices(words=32))
    assert {column.name: (column.type, column.features, column.missing) for column in found.columns} == {
        "length": ("number", 1, 1), "index": ("row number", 0, 0), "same": ("constant", 0, 0), "colour": ("category", 3, 10),
        "is_day": ("number", 1, 0), "name": ("other", 0, 0), "song": ("text", 32, 0), "nothing": ("empty", 0, ROWS),
        "species": ("label", 0, 0)}
    assert found.inputs.shape == (ROWS, 1 + 3 + 1 + 32)
    assert np.isnan(found.inputs[3, 0]) and np.isnan(found.inputs).sum() == 1
    names = ["blue", "grey", "red"]
    assert found.inputs[:, 1:4].tolist() == [[colour == name for name in names] for colour in table["colour"]]
    assert np.allclose(np.linalg.norm(found.inputs[:, 5:], axis=1), 1)
    assert found.notes == ("Columns left out: index, same, name, nothing.",)


def test_rows_without_a_label_are_left_out_and_counted(file):
    table = frame()
    table.loc[[2, 5], "species"] = None
    found = table_examples(file(table), Choices())
    assert len(found.inputs) == len(found.labels) == ROWS - 2
    assert "2 rows without a label are left out." in found.notes


def test_the_label_is_the_column_that_is_asked_for_or_the_likeliest(file):
    table = frame(target=[0, 1, 2, 3] * (ROWS // 4))
    path = file(table)
    assert table_examples(path, Choices()).labelled_by == "target"
    assert table_examples(path, Choices(label="species")).labelled_by == "species"
    assert table_examples(path, Choices()).could_label == ("target", "species")
    with pytest.raises(ValueError, match=r"birds.csv has no column 'kind'; its columns are length, target, species"):
        table_examples(path, Choices(label="kind"))


def test_whole_numbers_beyond_float32_keep_their_values(file):
    table = frame(number=[2 ** 40 + row for row in range(0, 2 * ROWS, 2)])
    found = table_examples(file(table), Choices())
    assert found.inputs[:, 1].tolist() == table["number"].tolist()


@pytest.mark.parametrize(("text", "reason"), [
    (b"", "birds.csv cannot be read as a table"), (b"a,b\n", "no rows of values"),
    (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 values, but the lines before it have 2"),
    (b"a,a\n1,2\n", None), (b"\0\1\2", "it has bytes of value 0"),
    (b"a,b\n1.5,2.5\n3.5,4.5\n", "no column that could be the"),
    (b"a,b\nx,1\nx,1\ny,1\ny,1\n", "no column has values that tell examples apart"),
    (b'a,b\n"1,2\n3,4\n', "is no table|cannot be read")])
def test_a_file_that_is_no_table_is_refused_in_a_sentence(tmp_path, text, reason):
    path = tmp_path / "birds.csv"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=reason or "birds.csv"):
        table_examples(path, Choices())


def test_a_damaged_parquet_file_is_refused_wherever_it_is_damaged(file):
    path = file(frame(), "birds.parquet")
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place])
        with pytest.raises(ValueError, match=r"birds\.parquet"):
            table_examples(path, Choices())


def test_a_parquet_file_that_declares_too_much_is_refused_first(file, monkeypatch):
    monkeypatch.setattr("compress.data.added.table_file.MOST_CELLS", 50)
    with pytest.raises(ValueError, match=r"birds\.parquet has 40 rows of 2 columns, but at most 50 values are read"):
        table_examples(file(frame(), "birds.parquet"), Choices())


def test_a_column_of_letters_alone_becomes_sequences(file):
    rng = np.random.default_rng(1)
    genes = ["".join(rng.choice(list("ACGT"), size=rng.integers(20, 30))) for _ in range(ROWS)]
    table = pandas.DataFrame({"gene": genes, "is_coding": ["yes", "no"] * (ROWS // 2)})
    found = table_examples(file(table), Choices())
    assert (found.kind, found.labelled_by, found.inputs.shape) == ("sequence", "is_coding", (ROWS, 4, max(map(len, genes))))
    first = found.inputs[0, :, :len(genes[0])]
    assert "".join("ACGT"[place] for place in first.argmax(0)) == genes[0] and (first.sum(0) == 1).all()
    assert not found.inputs[0, :, len(genes[0]):].any()


def test_letters_beside_numbers_are_counted(file):
    genes = [f"{'ACGT' * 5}{'A' * (row // 7)}{'C' * (row % 7)}" for row in range(ROWS)]
    found = table_examples(file(frame(gene=genes)), Choices())
    assert found.kind == "tabular" and found.inputs.shape == (ROWS, 5)
    assert found.inputs[:, 1].tolist() == [gene.count("A") for gene in genes]
