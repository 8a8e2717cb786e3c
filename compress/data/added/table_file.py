"""CSV, TSV and Parquet files as tables of pandas, which Streamlit brings."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.data.declared_sizes import check_declared
from compress.memory import require

if TYPE_CHECKING:
    import pandas

TEXTS, PARQUET = (".csv", ".tsv", ".txt", ".data"), (".parquet",)
ENDINGS = (*TEXTS, *PARQUET)
MOST_CELLS = 200_000_000
_HEAD = 65_536
_EXPANSION = 12  # bytes of memory for a byte of a CSV file, while it is read
_FIELDS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


def read_table(path: Path) -> pandas.DataFrame:
    """The table in a file, its columns named by their texts.

    The separator (comma, semicolon, tab, bar) and decimal commas are recognised; without a header, columns are called
    "column 1", "column 2", ...

    Raises:
        ValueError: another ending, a damaged, empty or too large file; names the file and the line.
    """
    ending = path.suffix.lower()
    if ending in PARQUET:
        table = _parquet(path)
    elif ending in TEXTS:
        table = _text(path)
    else:
        raise ValueError(f"{path.name} must end with {', '.join(ENDINGS)} to be read as a table. Save it as CSV.")
    if not len(table) or not len(table.columns):
        raise ValueError(f"{path.name} has no rows of values. Choose a file with one row for each example.")
    if len(set(map(str, table.columns))) < len(table.columns):
        raise ValueError(f"{path.name} has two columns of one name. Give each column a name of its own.")
    table.columns = [str(name) for name in table.columns]
    return table


def _text(path: Path) -> pandas.DataFrame:
    import pandas

    size = path.stat().st_size
    require(_EXPANSION * size, f"Reading {path.name}", "Leave out rows or columns, or save it as Parquet.")
    with path.open("rb") as stream:
        encoding, head = _decoded(stream.read(_HEAD), path)
    layout: dict[str, Any] = _layout(head)
    try:
        return pandas.read_csv(path, encoding=encoding, skipinitialspace=True, low_memory=False, **layout)
    except pandas.errors.ParserError as error:
        found = _FIELDS.search(str(error))
        reason = (f"line {found[2]} has {found[3]} values, but the lines before it have {found[1]}" if found else
                  "its lines cannot be divided into the same number of values, or a quotation mark is not closed")
        raise ValueError(f"{path.name} is no table: {reason}. Mend this line, or quote texts that hold the separator."
                         ) from error
    except (UnicodeError, ValueError, OverflowError) as error:  # EmptyDataError is a ValueError
        raise ValueError(f"{path.name} cannot be read as a table (it is empty, damaged, or no text). Save it again as CSV "
                         "in UTF-8.") from error


def _decoded(head: bytes, path: Path) -> tuple[str, str]:
    """The encoding of a file, from its beginning, and the beginning as text."""
    if b"\0" in head:
        raise ValueError(f"{path.name} is no text: it has bytes of value 0. Save the table as CSV in UTF-8.")
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return encoding, head.decode(encoding)
        except UnicodeDecodeError as error:
            if encoding == "utf-8-sig" and len(head) == _HEAD and error.start > _HEAD - 4:  # cut within a character
                return encoding, head[:error.start].decode(encoding)
    raise AssertionError("latin-1 decodes every byte")


def _layout(head: str) -> dict[str, Any]:
    """Separator, decimal sign and header as arguments of pandas.read_csv."""
    lines = [line for line in head.splitlines() if line.strip()][:50]
    counts = {sign: sorted(line.count(sign) for line in lines[:-1] or lines) for sign in ("\t", ";", "|", ",")}
    separator = max(counts, key=lambda sign: (counts[sign][len(counts[sign]) // 2] if counts[sign] else 0))
    if counts[";"] and counts[";"][0] > 0 and counts[";"][0] == counts[";"][-1]:
        separator = ";"  # the commas are decimal signs, or stand in texts
    decimal = "," if separator != "," and re.search(r"\d,\d", head) and not re.search(r"\d\.\d", head) else "."
    first = next(csv.reader(lines[:1], delimiter=separator), [])
    is_number = [bool(re.fullmatch(r"\s*[-+]?[\d.,]+([eE][-+]?\d+)?\s*", cell)) for cell in first]
    if sum(is_number) < max(1, len(first) - 1) or len(first) < 2:
        return {"sep": separator, "decimal": decimal}
    return {"sep": separator, "decimal": decimal, "header": None,
            "names": [f"column {number}" for number in range(1, len(first) + 1)]}


def _parquet(path: Path) -> pandas.DataFrame:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            facts = file.metadata
            groups = (facts.row_group(number).total_byte_size for number in range(facts.num_row_groups))
            check_declared(path.name, max(sum(groups), facts.num_rows * facts.num_columns), path.stat().st_size)
            if facts.num_rows * facts.num_columns > MOST_CELLS:
                raise ValueError(f"{path.name} has {facts.num_rows:,} rows of {facts.num_columns:,} columns, but at most "
                                 f"{MOST_CELLS:,} values are read. Leave out rows or columns.")
            found = file.read()
            found.validate(full=True)  # otherwise damaged texts are found out later, wherever they are looked at
            return found.to_pandas()
    except (pyarrow.ArrowException, OSError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is not a valid Parquet file, or it is damaged. Save it again.") from error
