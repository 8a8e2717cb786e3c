"""Columns are counted as pandas counts them, and those of one number type together."""

from __future__ import annotations

import numpy as np
import pandas

from compress.data.added.column_facts import facts_of

ROWS = 50
RNG = np.random.default_rng(0)
HALF = ROWS // 2
TABLE = pandas.DataFrame({
    "measured": RNG.normal(size=ROWS), "counted": RNG.integers(0, 5, ROWS), "nothing": np.nan, "bits": [True, False] * HALF,
    "gaps": np.where(RNG.random(ROWS) < 0.3, np.nan, RNG.integers(0, 4, ROWS)), "same": 1, "zeros": [-0.0, 0.0] * HALF,
    "infinite": [np.inf, 1] * HALF, "bytes": np.arange(1, ROWS + 1, dtype=np.uint8), "rows": range(ROWS),
    "own type": pandas.array([1, None] * HALF, dtype="Int64"), "own rows": pandas.array(list(range(ROWS)), dtype="Int64"),
    "own nothing": pandas.array([None] * ROWS, dtype="Int64"), "own gaps": pandas.array([1.5, None] * HALF, dtype="Float64"),
    "texts": ["x", None] * HALF, "kinds": pandas.Categorical(["a", "b"] * HALF)})


def test_columns_are_counted_as_pandas_counts_them(monkeypatch):
    for cells in (2_000_000, 3 * ROWS, 1):
        monkeypatch.setattr("compress.data.added.column_facts.CELLS_AT_ONCE", cells)
        found = facts_of(TABLE)
        assert list(found) == list(TABLE.columns)
        assert {name: (facts.missing, facts.different) for name, facts in found.items()} == {
            name: (TABLE[name].isna().sum(), TABLE[name].nunique()) for name in TABLE.columns}


def test_fractions_and_numbers_of_rows_are_told_apart():
    found = facts_of(TABLE)
    assert {name for name, facts in found.items() if facts.is_fraction} == {"measured", "own gaps"}
    assert {name for name, facts in found.items() if facts.counts_rows} == {"bytes", "rows", "own rows"}
    assert {name for name, facts in found.items() if facts.numbers is None} == {"texts", "kinds"}
    assert all(np.allclose(facts.numbers, TABLE[name].to_numpy(np.float64, na_value=np.nan), equal_nan=True)
               for name, facts in found.items() if facts.numbers is not None)


def test_a_table_of_one_row_and_cells_of_lists_are_counted():
    found = facts_of(pandas.DataFrame({"number": [0.5], "nothing": [np.nan], "list": [[1, 2]]}))
    assert [(facts.missing, facts.different) for facts in found.values()] == [(0, 1), (1, 0), (0, 1)]


def test_columns_of_numbers_are_not_looked_at_one_by_one(monkeypatch):
    looked_at = []
    monkeypatch.setattr(pandas.DataFrame, "__getitem__", lambda table, name: looked_at.append(name))
    monkeypatch.setattr(pandas.Series, "nunique", lambda values: looked_at.append(values.name))
    found = facts_of(pandas.DataFrame(RNG.normal(size=(6, 5_000))).rename(columns=str))
    assert len(found) == 5_000 and not looked_at
