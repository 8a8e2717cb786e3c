"""A table as examples: which column holds the classes, and what each of the others becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compress.data.added.column_facts import Facts, facts_of
from compress.data.added.examples import COUNTS, PAIRS, Choices, Column, Examples
from compress.data.added.letters import are_sequences, one_hot
from compress.data.added.table_file import read_table
from compress.data.finite import LARGEST
from compress.data.labels import class_labels
from compress.data.texts.hashed import hashed, hashed_names
from compress.data.texts.tokens import MOST_TOKENS, numbered_tokens, tokens_of
from compress.memory import require

if TYPE_CHECKING:
    import pandas

LABEL_NAMES = ("label", "labels", "class", "classes", "target", "y", "category", "species", "diagnosis", "outcome", "type")
MOST_CLASSES = 200
MOST_CATEGORIES = 32
LONGEST_CATEGORY = 60  # characters; beyond, a text is a text
LONGEST_SEQUENCE = 512
ROWS_SHOWN = 5
_EXACT = 2.0 ** 24  # from here on float32 no longer tells neighbouring whole numbers apart


@dataclass(frozen=True, eq=False)
class _Made:
    """A column, its features (n, count), and what they are called."""

    column: Column
    values: np.ndarray | None = None
    names: tuple[str, ...] = ()


def table_examples(path: Path, choices: Choices) -> Examples:
    """The examples of a table.

    Numbers stay numbers; a missing one is NaN, and counts as the mean of the training split. A column of up to 32 different
    texts becomes one feature of 0 and 1 for each text; a column of sentences becomes counts of its words and pairs of
    neighbouring words, hashed into a number of features (Weinberger et al., 2009), each row of length 1. Columns that cannot
    tell examples apart (constant, row numbers, names that hardly occur twice) are left out, and rows without a label too.

    Where one column holds sequences of letters, such as proteins, and the others tell nothing, the examples are sequences:
    one feature for each letter that occurs (1 where the sequence has it), as long as the longest, 512 at most.

    With choices.text other than "counts", the examples are texts: the longest column of sentences alone, as token ids.

    Raises:
        ValueError: no table, no column for the label, or no other column of use.
    """
    table = read_table(path)
    facts = facts_of(table)
    could = _could_label(facts, len(table))
    label = _label(table, could, choices.label, path)
    missing = table[label].isna().to_numpy()
    if missing.all():
        raise ValueError(f"{path.name}: the column {label!r} has no values. Choose another column as the label.")
    kept = table
    if missing.any():
        kept = table.loc[~missing].reset_index(drop=True)
        facts = facts_of(kept)
    made = [_Made(Column(label, "label", 0, int(missing.sum()), "the class")) if name == label else
            _column(name, kept, facts[name], choices.words) for name in table.columns]
    columns = tuple(one.column for one in made)
    if not any(column.features for column in columns):
        raise ValueError(f"{path.name}: beside the label {label!r} no column has values that tell examples apart. Choose "
                         "another column as the label, or add columns of numbers.")
    rows = tuple(tuple("" if cell is None or cell != cell else str(cell)[:80] for cell in row)
                 for row in kept.head(ROWS_SHOWN).astype(object).to_numpy().tolist())
    if choices.text != COUNTS:
        return _of_text(kept, columns, choices, label, int(missing.sum()), rows, could, path)
    letters = [column.name for column in columns if column.type == "letters"]
    if len(letters) == 1 and sum(bool(column.features) for column in columns) == 1:
        alphabet = "".join(sorted(set("".join(kept[letters[0]].dropna()))))
        kind, inputs = "sequence", _sequences(kept[letters[0]], alphabet)
    else:
        alphabet, kind, inputs = "", "tabular", _joined([one.values for one in made if one.values is not None], path)
    names = tuple(name for one in made for name in one.names) if kind == "tabular" else ()
    return Examples(kind, inputs, class_labels(_plain(kept[label])), notes=_notes(columns, int(missing.sum())),
                    columns=columns, rows=rows, labelled_by=label, could_label=could, words=tuple(alphabet), names=names)


def _of_text(table: pandas.DataFrame, columns: tuple[Column, ...], choices: Choices, label: str, without_label: int,
             rows: tuple[tuple[str, ...], ...], could: tuple[str, ...], path: Path) -> Examples:
    """The longest column of text as token ids. Raises ValueError if there is none."""
    names = [column.name for column in columns if column.type == "text"]
    if not names:
        raise ValueError(f"{path.name} has no column of sentences that could be read as tokens. Choose text={COUNTS}, "
                         "or another file.")
    texts = {name: table[name].map(lambda cell: cell if isinstance(cell, str) else "").tolist() for name in names}
    chosen = max(names, key=lambda name: sum(map(len, texts[name])))
    ids, words = numbered_tokens(texts[chosen], MOST_TOKENS, choices.text == PAIRS)
    what = "words, and pairs of neighbours behind them" if choices.text == PAIRS else "words"
    told = tuple(column if column.type == "label" or column.name == chosen else
                 replace(column, features=0, becomes="left out: only the text is read") for column in columns)
    told = tuple(replace(column, features=ids.shape[1], becomes=f"ids of its {what}") if column.name == chosen else column
                 for column in told)
    cut = sum(len(tokens_of(text, choices.text == PAIRS)) > MOST_TOKENS for text in texts[chosen])
    too_long = f"{cut} texts are longer than {MOST_TOKENS} tokens; the rest of them is not read."
    notes = (*_notes(told, without_label), *([too_long] if cut else []))
    return Examples("text", ids, class_labels(_plain(table[label])), notes=notes, columns=told, rows=rows, labelled_by=label,
                    could_label=could, words=words)


def _could_label(facts: dict[str, Facts], rows: int) -> tuple[str, ...]:
    """Columns of 2 to 200 different values, of which each occurs twice on average."""
    return tuple(name for name, of_column in facts.items() if 2 <= of_column.different <= min(MOST_CLASSES, rows / 2)
                 and not of_column.is_fraction)


def _label(table: pandas.DataFrame, could: tuple[str, ...], wanted: str, path: Path) -> str:
    names = [str(name) for name in table.columns]
    if wanted:
        if wanted not in names:
            raise ValueError(f"{path.name} has no column {wanted!r}; its columns are {', '.join(names[:30])}"
                             f"{', ...' if len(names) > 30 else ''}. Choose one of them as the label.")
        return wanted
    if not could:
        raise ValueError(f"{path.name} has no column that could be the label: none has 2 to {MOST_CLASSES} different values "
                         "that occur at least twice on average. Add a column with the class of each row.")
    named = [name for known in LABEL_NAMES for name in could if name.strip().lower() == known]
    return named[0] if named else could[-1] if could[-1] == names[-1] else could[0] if could[0] == names[0] else could[-1]


def _column(name: str, table: pandas.DataFrame, facts: Facts, words: int) -> _Made:
    """One column other than the label."""
    missing, different = facts.missing, facts.different

    def made(type: str, features: int, becomes: str, numbers: np.ndarray | None = None,
             names: tuple[str, ...] = ()) -> _Made:
        """What the column becomes."""
        return _Made(Column(name, type, features, missing, becomes), numbers, names)

    if missing == len(table):
        return made("empty", 0, "left out: it has no values")
    if different == 1 and not missing:
        return made("constant", 0, "left out: all its values are the same")
    if facts.numbers is not None:
        if facts.counts_rows:
            return made("row number", 0, "left out: it counts the rows")
        absent = ", the mean where it is missing" if missing else ""
        return made("number", 1, f"a number{absent}", facts.numbers[:, None], (name,))
    values = table[name]
    if values.dtype.kind in "mMc" or not values.dropna().map(lambda cell: isinstance(cell, str | bool)).all():
        return made("other", 0, "left out: neither numbers nor text")
    texts = values.map(lambda cell: cell if isinstance(cell, str) else "" if cell != cell or cell is None else str(cell))
    if are_sequences([text for text in texts if text]) and different > MOST_CATEGORIES:
        alphabet = sorted(set("".join(texts)))
        counts = np.stack([texts.str.count(re.escape(letter)) for letter in alphabet], axis=1).astype(np.float64)
        return made("letters", len(alphabet), "a sequence of letters, one feature each", counts,
                    tuple(f"{name}: {letter}" for letter in alphabet))
    if different <= min(MOST_CATEGORIES, len(values) / 2) and texts.str.len().max() <= LONGEST_CATEGORY:
        found = sorted({text for text in texts if text})
        numbers = np.stack([(texts == text).to_numpy() for text in found], axis=1).astype(np.float64)
        many = "1 feature" if len(found) == 1 else f"{len(found)} features"
        return made("category", len(found), f"{many} of 0 and 1{', all 0 where it is missing' if missing else ''}", numbers,
                    tuple(f"{name}: {text}" for text in found))
    if texts.str.count(r"\S\s+\S").mean() >= 1.0:
        return made("text", words, f"{words} features that count its words", hashed(texts.tolist(), words),
                    hashed_names(name, words))
    return made("other", 0, "left out: texts that hardly occur twice, such as names or dates")


def _sequences(texts: pandas.Series, alphabet: str) -> np.ndarray:
    length = min(int(texts.str.len().max()), LONGEST_SEQUENCE)
    require(len(texts) * len(alphabet) * length * 5, f"{len(texts)} sequences of {length} letters", "Leave out rows.")
    return one_hot(texts.fillna("").tolist(), alphabet, length)


def _joined(parts: list[np.ndarray], path: Path) -> np.ndarray:
    """All features (n, count); float32 where that keeps every value well."""
    count = sum(part.shape[1] for part in parts)
    require(16 * len(parts[0]) * count, f"{path.name}: {count} features of {len(parts[0])} rows",
            "Leave out rows or columns.")
    joined = np.concatenate(parts, axis=1)
    finite = np.abs(joined[np.isfinite(joined)])
    whole_beyond = bool(((finite > _EXACT) & (finite == np.floor(finite))).any())
    return joined if whole_beyond or (finite.size and finite.max() > LARGEST) else joined.astype(np.float32)


def _notes(columns: tuple[Column, ...], without_label: int) -> tuple[str, ...]:
    left = [column.name for column in columns if not column.features and column.type != "label"]
    notes = []
    if without_label:
        notes.append(f"{without_label} rows without a label are left out.")
    if left:
        notes.append(f"{'Column' if len(left) == 1 else 'Columns'} left out: {', '.join(left[:10])}"
                     f"{' and others' if len(left) > 10 else ''}.")
    return tuple(notes)


def _plain(labels: pandas.Series) -> np.ndarray:
    """Labels as an array of whole numbers, truth values or texts."""
    if labels.dtype.kind in "iub":
        return labels.to_numpy()
    if labels.dtype.kind == "f" and (labels == labels.round()).all():
        return labels.to_numpy()
    return np.array([str(label) for label in labels])
