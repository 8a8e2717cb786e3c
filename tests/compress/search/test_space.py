"""The space of a search: what methods declare, and the way from choices to recipes and back."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from compress.method import Candidate, Entrant, Method
from compress.methods import methods
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.progress import no_report
from compress.recipe import Recipe, Step
from compress.search.space import Choices, Space, recipe_of
from compress.settings import setting

TEACHER = Recipe("digits", Step("mlp"))


class Dice:
    """Chooses at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self.random.choice(list(choices))

    def suggest_float(self, name: str, low: float, high: float) -> float:
        return self.random.uniform(low, high)


@dataclass(frozen=True)
class Given:
    """Chooses what is given."""

    params: dict[str, Any]

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        assert self.params[name] in choices
        return self.params[name]

    def suggest_float(self, name: str, low: float, high: float) -> float:
        assert low <= self.params[name] <= high
        return self.params[name]


@pytest.fixture(scope="module")
def space() -> Space:
    return Space.of(methods().values(), "mlp", "image")


def test_every_choice_is_a_recipe_and_every_such_recipe_a_choice(space: Space) -> None:
    keys = set()
    for seed in range(300):
        recipe = recipe_of(TEACHER, space.chosen(Dice(seed)))
        params = space.params(recipe.methods)
        assert params is not None, recipe.text()
        assert recipe_of(TEACHER, space.chosen(Given(params))).key() == recipe.key()
        keys.add(recipe.key())
    assert len(keys) > 290


def test_what_the_space_does_not_have_is_no_choice(space: Space) -> None:
    def params(*chain: Method) -> Any:
        return space.params(recipe_of(TEACHER, chain).methods)

    assert params(Quantize(levels=5)) and params(Prune(sparsity=0.9, recovery_epochs=5, recovery_rate=0.002), Quantize())
    assert not params(Quantize(levels=60_000))
    assert not params(Quantize(group=32, per="group"))
    assert not params(Prune(criterion="random")) and not params(Prune(multiple=2))
    assert not params(Prune(), Quantize(), Prune())
    assert not space.params((Step("data_svd"),))


def test_a_search_begins_with_the_entrants_of_a_race_the_quick_ones_first(space: Space) -> None:
    starts = [recipe_of(TEACHER, space.chosen(Given(params))).methods[0] for params in space.starts()]
    entrants = [one for kind in space.methods.values() for one in kind.kind.race]
    assert len(starts) == len(entrants) and starts[-1].name == "distill"
    values = Quantize.race[0].values
    own = {**Quantize.race[0].settings, "levels": values[len(values) // 2], "precision": "int8"}  # the shortest files
    assert Quantize(**own).step() in starts


def test_methods_that_compress_data_are_left_out(space: Space) -> None:
    assert set(space.methods) == {name for name, kind in methods().items() if kind.applies_to == "network"}


def test_settings_without_effect_are_not_chosen(space: Space) -> None:
    still = space.params((Quantize(scheme="codebook").step(),))
    trained = space.params((Quantize(scheme="codebook", recovery_epochs=3).step(),))
    assert still and trained and trained.keys() - still.keys() == {"quantize.recovery", "quantize.recovery_rate"}
    assert "quantize.damping" not in still


def test_positions_along_the_dial() -> None:
    dial = Choices.of(Prune)
    assert [dial.value(dial.position(value)) for value in (0.125, 0.9, 0.91, 0.985, 0.99)] == [0.125, 0.9, 0.91, 0.985, 0.99]
    assert dial.position(0.1) is None and dial.position(0.995) is None
    levels = Choices.of(Quantize)
    assert [levels.value(levels.position(value)) for value in (2, 12, 250)] == [2, 12, 250]


def test_a_new_method_takes_part_without_an_edit(space: Space) -> None:
    @dataclass(frozen=True)
    class Bare(Method):
        name, title, dial, values = "bare", "Bare", "digits", (1, 2, 4)
        digits: int = setting(2, low=1, high=7, help="Digits.")
        loud: bool = setting(False, help="Noise.")

        def candidates(self, network: Any, data: Any, wanted: Sequence[Any], report: Any = no_report,
                       seed: int = 0) -> Iterator[Candidate]:
            raise NotImplementedError

    @dataclass(frozen=True)
    class Racing(Bare):
        name, race = "racing", (Entrant("loud", {"loud": True}, (1, 4)),)

    wider = Space.of([*methods().values(), Bare, Racing], "mlp", "image")
    starts = [recipe_of(TEACHER, wider.chosen(Given(params))).methods[0] for params in wider.starts()]
    assert {step.values["loud"]: step.values["digits"] for step in starts if step.name == "bare"} == {False: 2}
    assert {step.values["loud"]: step.values["digits"] for step in starts if step.name == "racing"} == {True: 4}
    assert next(one for one in wider.methods["racing"].settings if one.name == "loud").values == (False, True)
    assert wider.digest != space.digest
