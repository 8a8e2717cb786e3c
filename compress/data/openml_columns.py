"""Columns of free text and of dates, which scikit-learn's reader of ARFF files refuses, are kept out of its table; the texts
are read beside it.

fetch_openml has no argument for this (its advice is to read everything by pandas). Inside columns_left_out() three of its
functions are replaced: the one that asks openml.org for the columns, the one that reads the file, and the parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import nan
from typing import Any
from urllib.error import URLError

_TEXT = ("string", "date")
_NAME = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+"""
_ATTRIBUTE = re.compile(rf"\s*@attribute\s+(?P<name>{_NAME})\s+(?P<kind>date|relational)\b", re.IGNORECASE)


class Refused(ValueError):
    """A data set that arrived and cannot be used; the message has the reason and the remedy."""


@dataclass
class LeftOut:
    """What is found out in the course of a download.

    Attributes:
        names: of the columns of text and dates that are left out, in the order of the set.
        texts: the values of each column of text in a dense file, by name; "" where one is missing.
        failure: why the file could not be read. (fetch_openml then downloads it again, and may raise what comes of that.)
    """

    names: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    failure: Exception | None = None


@contextmanager
def columns_left_out() -> Iterator[LeftOut]:
    """Lets fetch_openml leave out columns of text and dates inside the block.

    Raises:
        Refused: inside the block: a target of free text, a table inside the table, or an example without a class.
    """
    from sklearn.datasets import _arff_parser, _openml

    found, targets = LeftOut(), list[int]()
    ask, read, parse = _openml._get_data_features, _openml._load_arff_response, _arff_parser._arff.load

    def watched(*given: Any, **options: Any) -> Any:
        """Reads the answer as before, and keeps the error that scikit-learn replaces by advice of its own."""
        try:
            return read(*given, **options)
        except URLError:
            raise
        except Exception as error:
            found.failure = error
            raise

    _openml._get_data_features = lambda *given, **options: _marked(ask(*given, **options), found.names, targets)
    _openml._load_arff_response = watched
    _arff_parser._arff.load = lambda lines, **options: _numbers_alone(parse, lines, targets, found.texts, options)
    try:
        yield found
    finally:
        _openml._get_data_features, _openml._load_arff_response, _arff_parser._arff.load = ask, read, parse


def _marked(features: list[dict[str, Any]], names: list[str], targets: list[int]) -> list[dict[str, Any]]:
    """The columns as openml.org describes them, those of text and dates as ones to ignore."""
    marked = []
    for feature in features:
        is_text, is_target = feature["data_type"].lower() in _TEXT, feature["is_target"] == "true"
        if is_text and is_target:
            raise Refused(f"its target {feature['name']!r} is free text or a date, but must be a category. Choose a "
                          "classification set.")
        if is_target:
            targets.append(int(feature["index"]))
        elif is_text and "true" not in (feature["is_ignore"], feature["is_row_identifier"]):
            names.append(feature["name"])
        marked.append({**feature, "is_ignore": "true"} if is_text else feature)
    return marked


def _numbers_alone(parse: Callable[..., Any], lines: Iterable[str], targets: list[int], kept: dict[str, list[str]],
                   options: dict[str, Any]) -> Any:
    """The parsed file; in the rows of a dense one, NaN is in the place of text, which is kept by the column's name."""
    found = parse(map(_as_string, lines), **options)
    kinds = [kind for _, kind in found["attributes"]]
    texts = [place for place, kind in enumerate(kinds) if kind == "STRING"]
    nominal = [place for place in targets if isinstance(kinds[place], list)]
    if not isinstance(found["data"], tuple):  # a sparse file's columns are chosen before they become numbers
        kept.clear()  # a second try begins again
        kept.update({name: [] for name, kind in found["attributes"] if kind == "STRING"})
        found["data"] = _rows(found["data"], texts, nominal, list(kept.values()))
    return found


def _rows(rows: Iterable[list[Any]], texts: list[int], targets: list[int],
          kept: list[list[str]]) -> Iterator[list[Any]]:
    for number, row in enumerate(rows):
        for place in targets:
            if row[place] is None:
                raise Refused(f"its example {number} has no class. Choose a set, or a version, in which every example has "
                              "one.")
        for place, values in zip(texts, kept, strict=True):
            values.append(row[place] or "")
            row[place] = nan
        yield row


def _as_string(line: str) -> str:
    """The declaration of a column of dates as one of text, which the parser knows."""
    declared = _ATTRIBUTE.match(line)
    if not declared:
        return line
    if declared["kind"].lower() == "relational":
        raise Refused(f"its column {declared['name']} is a table of its own (relational). Choose another set.")
    return f"@attribute {declared['name']} string\n"
