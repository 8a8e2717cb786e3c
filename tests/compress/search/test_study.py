"""Proposals of a search, and the notes that it keeps."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from compress.methods import methods
from compress.recipe import Recipe, Step
from compress.search import study
from compress.search.space import Space, recipe_of
from compress.search.study import Study, neighbour
from compress.search.target import Target
from tests.compress.search.test_space import Dice, Given

TEACHER = Recipe("digits", Step("mlp"))


@pytest.fixture(scope="module")
def space() -> Space:
    return Space.of(methods().values(), "mlp", "image")


def test_neighbours_stay_in_the_space_and_differ(space: Space) -> None:
    ranked = [params for seed in range(5) if (params := space.params(recipe_of(TEACHER, space.chosen(Dice(seed))).methods))]
    keys = {recipe_of(TEACHER, space.chosen(Given(params))).key() for params in ranked}
    ranges, found = space.ranges(), set()
    for seed in range(200):
        params = neighbour(ranked, space, random.Random(seed))
        for name, value in params.items():
            low, high, values = ranges[name]
            assert value in values if values else low <= value <= high
        chosen = recipe_of(TEACHER, space.chosen(_Filled(params, seed)))
        found.add(chosen.key())
    assert len(found - keys) > 80


class _Filled(Dice):
    """Chooses what is given, and the rest at random."""

    def __init__(self, params: dict, seed: int) -> None:
        super().__init__(seed)
        self.params = params

    def suggest_categorical(self, name, choices):
        return self.params[name] if name in self.params else super().suggest_categorical(name, choices)

    def suggest_float(self, name, low, high):
        return self.params[name] if name in self.params else super().suggest_float(name, low, high)


def test_without_optuna_the_line_that_installs_it_is_said(space: Space, tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    study.optuna.cache_clear()
    with pytest.raises(ValueError, match=r"A search needs the package optuna, which is not installed\. Install it: pip"):
        Study(tmp_path, "own", space, Target(), 0)
    study.optuna.cache_clear()


def test_the_requirements_and_the_remedy_name_the_same_versions() -> None:
    (line,) = [line for line in (Path(__file__).parents[3] / "requirements.txt").read_text().splitlines()
               if line.startswith("optuna")]
    assert line.split()[0] in study.INSTALL


def test_proposals_are_told_once_and_remembered(space: Space, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    own = Study(tmp_path, "own", space, Target(points_lost=1.0), 0)
    own.begin(space.starts())
    for number in range(3):
        proposal = own.ask([])
        chain = space.chosen(proposal.trial)
        assert recipe_of(TEACHER, chain).methods[0] == space.chosen(Given(space.starts()[number]))[0].step()
        own.tell(proposal, f"key {number}", [float(number)] if number else None, {"number": number})
    again = Study(tmp_path, "own", space, Target(points_lost=1.0), 0)
    assert [facts["number"] for facts in again.tried] == [0, 1, 2] and again.number == 3 and not again.notices
    again.begin(space.starts())  # not a second time
    assert space.chosen(again.ask([]).trial) == space.chosen(Given(space.starts()[3]))
    assert not Study(tmp_path, "own", space, Target(points_lost=2.0), 0).tried


def test_pairs_of_what_served_best_alone_come_first(space: Space, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    own = Study(tmp_path, "own", space, Target(points_lost=1.0), 0)
    starts = {params["last"]: params for params in space.starts()}
    proposal = own.ask([starts["quantize"], starts["prune"], starts["distill"]])
    assert [one.name for one in space.chosen(proposal.trial)] == ["prune", "quantize"]
    own.tell(proposal, "key", [1.0], {})
