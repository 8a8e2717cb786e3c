"""Networks as a tree: each under the network that it was made of. Those that one method with the same settings makes of one
network are a branch, along its dial. Never imports streamlit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from compress.recipe import Recipe, Step
from pages.ui.charts import setting_words

Row = dict[str, Any]
Place = tuple[str, str, tuple[str, ...]]  # of a network: data set, teacher, steps
MOST_BRANCHES = 60


@dataclass(frozen=True)
class Branch:
    """Networks that one method with the same settings makes of one network.

    Attributes:
        title: the method and what of its settings is not as usual, but for the dial; the teacher itself for a root.
        depth: 0 for a teacher; parent: what they were made of, None for a root.
        rows: at least one, by rising size of the file.
    """

    title: str
    depth: int
    parent: Row | None
    rows: tuple[Row, ...]


def branches(rows: Sequence[Row], methods: dict[str, Any]) -> list[Branch]:
    """All branches, each after the one that its parent is in.

    A network whose parent was not measured stands under the nearest network of its recipe that was; without one, it is in a
    branch without a parent.

    Args:
        rows: of which none differ in the seed alone; methods: name -> card.
    """
    parsed = [(row, Recipe.parse(row["recipe"])) for row in rows]
    first: dict[Place, Row] = {}
    for row, recipe in parsed:
        first.setdefault(_place(row, recipe, len(recipe.methods)), row)
    found: dict[tuple[int | None, str, str], list[Row]] = {}
    parents: dict[int | None, Row | None] = {None: None}
    for row, recipe in parsed:
        parent, steps = _parent(row, recipe, first)
        of = id(parent) if parent else None
        parents[of] = parent
        found.setdefault((of, _title(row, recipe, steps, methods), recipe.teacher.text()), []).append(row)
    children: dict[int | None, list[tuple[str, tuple[Row, ...]]]] = {}
    for (of, title, _), group in sorted(found.items(), key=lambda one: (one[1][0]["control"], *one[0][1:])):
        children.setdefault(of, []).append((title, tuple(sorted(group, key=lambda row: row["bytes"]))))

    def below(of: int | None, depth: int) -> Iterator[Branch]:
        for title, group in children.get(of, []):
            yield Branch(title, depth, parents[of], group)
            for row in reversed(group):
                yield from below(id(row), depth + 1)

    return list(below(None, 0))


def most_telling(found: Sequence[Branch], wanted: Collection[str], most: int = MOST_BRANCHES) -> list[Branch]:
    """At most so many branches, with all those that they stand under, in the same order: first those with a wanted network,
    then those with the most networks.

    Args:
        wanted: the `id` of rows.
    """
    if len(found) <= most:
        return list(found)
    owner = {id(row): branch for branch in found for row in branch.rows}
    kept: dict[int, Branch] = {}
    for branch in sorted(found, key=lambda one: (not any(row["id"] in wanted for row in one.rows), -len(one.rows))):
        line = [branch]
        while line[-1].parent is not None:
            line.append(owner[id(line[-1].parent)])
        if len(kept.keys() | {id(one) for one in line}) <= most:
            kept |= {id(one): one for one in line}
    return [branch for branch in found if id(branch) in kept]


def _place(row: Row, recipe: Recipe, steps: int) -> Place:
    """Of the network after so many steps. How its file is stored is no matter for what is made of it."""
    return row["data_title"], recipe.teacher.text(), tuple(step.unstored().text() for step in recipe.methods[:steps])


def _parent(row: Row, recipe: Recipe, first: dict[Place, Row]) -> tuple[Row | None, tuple[Step, ...]]:
    """The nearest network that this one was made of, and the steps from there."""
    for count in range(len(recipe.methods) - 1, -1, -1):
        parent = first.get(_place(row, recipe, count))
        if parent is not None:
            return parent, recipe.methods[count:]
    return None, recipe.methods


def _title(row: Row, recipe: Recipe, steps: tuple[Step, ...], methods: dict[str, Any]) -> str:
    """What tells the branch of a network from others: all settings that are not as usual but for the last one's dial."""
    if not steps:
        return f"{row['teacher_title']}, {row['data_title']}"
    dial = methods.get(steps[-1].name, {}).get("dial", "")
    own = tuple(step.without("student_seed") for step in (*steps[:-1], steps[-1].without(dial)))
    title = setting_words.methods_in_words(own, methods)
    return f"{title}, control" if row["control"] else title
