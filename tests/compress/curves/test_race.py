"""A race measures the curves of all methods in turns, and what it stores is what each curve alone would store."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import compress.methods
from compress.curves import kept_views, race, sweep
from compress.curves.race_plan import entries, view_key
from compress.curves.store import Store
from compress.data.datasets import Dataset
from compress.method import Method
from compress.methods import methods
from compress.methods.prune import Prune
from compress.progress import Cancelled, Progress, Reporter
from compress.recipe import CURVE, Recipe

RECIPE = sweep.complete(Recipe.parse("toy/mlp(hidden=16-16,epochs=2)/0"))
FEW = {"recovery_epochs": 1, "recovery_steps": 2, "epochs": 2}
CANDIDATES = Prune.candidates
ROUNDING = '''
import copy
from dataclasses import dataclass
import torch
from compress.method import Candidate, Entrant, Method
from compress.settings import setting

@dataclass(frozen=True)
class Round(Method):
    """Every weight is rounded to a few decimal digits."""
    name, title, dial, values = "round", "Rounding", "digits", (1, 2, 3, 4)
    race = (Entrant("decimal", {}, (1, 3)),)
    digits: int = setting(2, low=1, high=7, help="Decimal digits kept of each weight.")

    def candidates(self, network, data, wanted, report=None, seed=0):
        for method in wanted:
            smaller, scale = copy.deepcopy(network), 10**method.digits
            with torch.no_grad():
                for parameter in smaller.parameters():
                    parameter.copy_(parameter.mul(scale).round().div(scale))
            yield Candidate(method, smaller)
'''


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, toy: Dataset) -> None:
    """Every entrant with three of its values and hardly any training."""
    for kind in methods().values():
        less = [dataclasses.replace(one, values=(*one.values[:2], one.values[-1]), settings={
            name: min(value, FEW[name]) if name in FEW else value for name, value in one.settings.items()})
            for one in kind.race]
        monkeypatch.setattr(kind, "race", tuple(less))


@pytest.fixture
def rounding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more method, as a file among those of the methods."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "rounding_of_a_test.py").write_text(ROUNDING)
    monkeypatch.setattr(compress.methods, "__path__", [*compress.methods.__path__, str(tmp_path / "more")])
    methods.cache_clear()
    yield
    methods.cache_clear()


def raced(store: Store, report: Reporter | None = None) -> list[Any]:
    return list(race.run(RECIPE, store, report or Reporter(), latency=False))


def test_every_curve_has_its_first_point_before_any_has_its_second(store: Store) -> None:
    points = raced(store)
    found = entries(RECIPE, {name: kind.card() for name, kind in methods().items()})
    own = {key: number for number, entry in enumerate(found) for key in entry.keys}
    order = [own[key] for point in points if (key := Recipe.parse(point.recipe).key()) in own]
    count = len(found)
    assert sorted(order[:count]) == list(range(count)) and sorted(order) == sorted([*range(count)] * 3)
    first, second = ([point for point in points if Recipe.parse(point.recipe).key() in found[0].keys][place].dial
                     for place in (0, 1))
    assert (first, second) == (min(found[0].values), max(found[0].values)), "both ends come before what is between"


def test_a_race_stores_what_each_curve_alone_would_store(store: Store, tmp_path: Path) -> None:
    raced(store)
    teacher = store.teachers(RECIPE.key())[0]["digest"]
    for entry in entries(RECIPE, {name: kind.card() for name, kind in methods().items()}):
        alone = Store(tmp_path / f"{entry.name}{entry.effort}" / "store.sqlite")
        wanted = sweep.sweep_of(entry.request, entry.values)
        list(sweep.run(wanted, alone, latency=False))
        assert store.plan(wanted.request.key(), teacher) == alone.plan(wanted.request.key(), teacher)
        ours, theirs = (one.points(wanted.curve.key(), teacher) for one in (store, alone))
        assert [(one["digest"], one["accuracy"]) for one in ours] == [(one["digest"], one["accuracy"]) for one in theirs]
        assert len(ours) == 3 and ours == store.points(entry.recipe.curve(entry.dial).key(), teacher)
        ours, theirs = (one.view(wanted.curve.key(), teacher) for one in (store, alone))
        assert set(ours) == set(theirs) and ours["values"] == theirs["values"]


def test_a_method_that_is_added_later_races_without_another_edit(store: Store, rounding: None) -> None:
    assert [point.dial for point in raced(store) if "/round(" in point.recipe] == [1, 3]


def test_a_second_race_trains_and_measures_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert raced(store)
    monkeypatch.setattr(sweep, "measure", lambda *_: pytest.fail("measured again"))
    assert raced(store) == []


def test_a_cancelled_race_keeps_what_is_finished_and_goes_on_from_there(store: Store) -> None:
    found: list[Any] = []
    with pytest.raises(Cancelled):
        for point in race.run(RECIPE, store, Reporter(is_cancelled=lambda: len(found) > 4), latency=False):
            found.append(point)
    again = raced(store)
    assert again and not {point.recipe for point in again} & {point.recipe for point in found}


def test_progress_rises_from_0_to_1_and_says_who_is_at_work(store: Store) -> None:
    seen: list[Progress] = []
    raced(store, Reporter(seen.append))
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    told = " ".join(progress.text for progress in seen)
    assert all(f"{entry.words}: " in told for entry in entries(RECIPE, {name: kind.card()
                                                                        for name, kind in methods().items()}))


def test_who_cannot_take_part_is_left_out_with_the_reason(store: Store) -> None:
    recipe = sweep.complete(Recipe.parse("toy/mlp(hidden=16-16,epochs=2)/prune(sparsity=0.5)/0"))
    field = race.field_of(recipe, race.datasets.load("toy"))
    assert {runner.entry.name for runner in field.runners} | {"distill"} == {name for name, kind in methods().items()
                                                                             if kind.race}
    list(race.run(recipe, store, latency=False))
    teacher = store.teachers(RECIPE.key())[0]["digest"]
    assert store.view(view_key(recipe), teacher) == {"refused": field.refused}


def failing_at_its_second_network(self: Prune, *given: Any) -> Iterator[Any]:
    made = CANDIDATES(self, *given)
    yield next(made)
    raise ValueError("Prune: there is no second network. Choose one.")


def test_who_cannot_go_on_ends_with_the_reason_and_the_others_finish(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Prune, "candidates", failing_at_its_second_network)
        found = [Recipe.parse(point.recipe).methods[-1].name for point in raced(store)]
    assert {name: found.count(name) for name in set(found)} == {"prune": 2, "low_rank": 6, "sparse_code": 6, "quantize": 3,
                                                                "distill": 6}
    teacher = store.teachers(RECIPE.key())[0]["digest"]
    assert race.refused(RECIPE, store, teacher) == {
        name: "Prune: there is no second network. Choose one." for name in ("pruning (second order)", "pruning (gradual)")}
    assert raced(store) and race.refused(RECIPE, store, teacher) == {}, "the next race asks again"


def test_a_race_that_nobody_finishes_fails_with_the_first_reason(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in methods().values():
        if kind is not Prune:
            monkeypatch.setattr(kind, "race", ())
    monkeypatch.setattr(Prune, "candidates", failing_at_its_second_network)
    with pytest.raises(ValueError, match="there is no second network"):
        list(race.run(RECIPE, store, latency=False, explained=lambda error: f"Sorry: {error}"))
    teacher = store.teachers(RECIPE.key())[0]["digest"]
    assert all(sentence.startswith("Sorry: Prune") for sentence in race.refused(RECIPE, store, teacher).values())


def test_the_inside_views_wait_for_the_first_points(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    looked = kept_views.keep_inside

    def noted(wanted: Method, *given: Any) -> None:
        order.append(f"view of {wanted.name}")
        looked(wanted, *given)

    monkeypatch.setattr(kept_views, "keep_inside", noted)
    for point in race.run(RECIPE, store, latency=False):
        order.append(Recipe.parse(point.recipe).methods[-1].name)
    count = len(entries(RECIPE, {name: kind.card() for name, kind in methods().items()}))
    assert not [step for step in order[:count] if step.startswith("view")]
    assert sum(step.startswith("view") for step in order) == count


def test_the_plan_names_who_each_run_belongs_to() -> None:
    plan = race.plan_of(race.field_of(RECIPE, race.datasets.load("toy")))
    assert {run.label for run in plan.runs if run.role == CURVE} == {
        runner.entry.words for runner in race.field_of(RECIPE, race.datasets.load("toy")).runners}


def test_every_network_method_of_the_program_takes_part() -> None:
    assert {kind.name for kind in methods().values() if kind.applies_to == "network"} == {
        kind.name for kind in methods().values() if kind.race}


def test_without_anybody_who_can_take_part_the_reason_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in methods().values():
        monkeypatch.setattr(kind, "race", ())
    with pytest.raises(ValueError, match="No method takes part"):
        race.field_of(RECIPE, race.datasets.load("toy"))
