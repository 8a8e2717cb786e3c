"""What a search takes up of the points that the store has."""

from __future__ import annotations

from typing import Any

import pytest

from compress.methods import methods
from compress.search import study
from compress.search.known import instructive
from compress.search.space import Space
from compress.search.study import Study
from compress.search.target import Target


def point(methods_of: str, size: int, accuracy: float) -> dict[str, Any]:
    return {"recipe": f"digits/mlp(hidden={size})/{methods_of}/0", "bytes": size, "accuracy": accuracy}


def test_the_front_comes_first_and_then_each_chain_of_methods_in_turn() -> None:
    best = [point("prune", 10, 0.8), point("prune", 20, 0.9)]
    many = [point("prune", 100 + number, 0.5) for number in range(50)]
    few = [point("low_rank", 300, 0.4), point("prune+quantize", 400, 0.3)]
    found = instructive([*many, *few, *best], lambda one: [one["bytes"]])
    assert found[:2] == best and len(found) == 54
    assert {one["recipe"] for one in found[2:5]} == {few[0]["recipe"], few[1]["recipe"], many[0]["recipe"]}
    assert [one["bytes"] for one in found[5:]] == list(range(101, 150))


def test_a_study_takes_up_so_many_points_and_no_more_when_it_goes_on(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    space = Space.of(methods().values(), "mlp", "image")
    params = space.starts()[0]
    monkeypatch.setattr(study, "MOST_KNOWN", 5)

    def taken(first: int) -> int:
        made = Study(tmp_path, "own", space, Target(points_lost=1.0), 0)
        made.add_known([(f"key {number}", params, [float(number)]) for number in range(first, first + 8)])
        return len(made._study.get_trials(deepcopy=False))

    assert [taken(0), taken(0), taken(8)] == [5, 5, 5]
