"""What is counted in each column of a table; columns of one number type are counted together, many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas

CELLS_AT_ONCE = 2_000_000  # of the columns that are counted together, which are copied


@dataclass(frozen=True, eq=False)
class Facts:
    """What is in a column.

    Attributes:
        missing: rows without a value.
        different: how many values there are, without those that are missing; rows, where the cells hold lists or tables.
        is_fraction: whether it holds measurements, which are no classes.
        counts_rows: whether it is 0, 1, 2, ... or 1, 2, 3, ..., as files have that were saved with their index.
        numbers: (n,) float64, NaN where missing; None unless the values are numbers or truth values.
    """

    missing: int
    different: int
    is_fraction: bool = False
    counts_rows: bool = False
    numbers: np.ndarray | None = None


def facts_of(table: pandas.DataFrame) -> dict[str, Facts]:
    """Name -> what is in the column, in the order of the table, whose columns have different names."""
    found = {}
    together: dict[np.dtype, list[int]] = {}
    for place, (name, dtype) in enumerate(zip(table.columns, table.dtypes, strict=True)):
        if isinstance(dtype, np.dtype) and dtype.kind in "iufb":
            together.setdefault(dtype, []).append(place)
        else:
            found[name] = _of_one(table.iloc[:, place])
    for places in together.values():
        for part in _parts(places, max(1, CELLS_AT_ONCE // max(1, len(table)))):
            facts = _of_numbers(table.iloc[:, part].to_numpy())
            found |= dict(zip(table.columns[part], facts, strict=True))
    return {name: found[name] for name in table.columns}


def _parts(places: list[int], most: int) -> Iterator[list[int]]:
    for start in range(0, len(places), most):
        yield places[start:start + most]


def _of_numbers(values: np.ndarray) -> list[Facts]:
    """The facts of columns (n, count) of one number type."""
    numbers, rising = values.astype(np.float64), np.sort(values, axis=0)
    absent = np.isnan(numbers)
    # Missing numbers are sorted behind the others; each of them differs from its neighbours.
    different = 1 + (rising[1:] != rising[:-1]).sum(axis=0) - absent.sum(axis=0)
    is_fraction = ((numbers != np.round(numbers)) & ~absent).any(axis=0) & (values.dtype.kind == "f")
    counts_rows = _count_rows(numbers) & (values.dtype.kind in "iu")
    return [Facts(*found) for found in zip(absent.sum(axis=0).tolist(), different.tolist(), is_fraction.tolist(),
                                           counts_rows.tolist(), np.ascontiguousarray(numbers.T), strict=True)]


def _of_one(values: pandas.Series) -> Facts:
    """The facts of a column of texts, dates, or numbers of a type that only pandas has."""
    kind, missing = values.dtype.kind, int(values.isna().sum())
    present = values.dropna()
    try:
        different = int(present.nunique())
    except TypeError:  # lists or tables in the cells
        different = len(values)
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan) if kind in "iufb" else None
    is_fraction = kind == "f" and not bool((present == present.round()).all())
    counts = numbers is not None and kind in "iu" and bool(_count_rows(numbers[:, None])[0])  # NaN is no step of 1
    return Facts(missing, different, is_fraction, counts, numbers)


def _count_rows(numbers: np.ndarray) -> np.ndarray:
    """Which columns (n, count) are 0, 1, 2, ... or 1, 2, 3, ..."""
    if len(numbers) < 3:
        return np.zeros(numbers.shape[1], dtype=bool)
    return (np.diff(numbers, axis=0) == 1).all(axis=0) & np.isin(numbers[0], (0, 1))
