"""What is measured for a curve is written down: roles, labels, what is missing, what makes no sense."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compress.curves import sweep
from compress.curves.plan import Plan, PlannedRun
from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.data.datasets import Dataset
from compress.files.artefacts import Artefacts
from compress.methods import methods
from compress.progress import Cancelled, Reporter
from compress.recipe import BASELINE, CONTROL, CURVE, SEED, VARIANT, Recipe
from tests.compress.helpers import few_values, quick

TEACHER = "toy/mlp(hidden=16-16,epochs=1)"
DISTILL = "distill(epochs=1,seeds=2,temperatures=8,assistant=0.5)"
pytestmark = pytest.mark.usefixtures("toy")


def swept(store: Store, text: str, values: list[Any], report: Reporter | None = None) -> tuple[Plan, str]:
    """The plan that is kept for a request, after measuring it."""
    wanted = sweep_of(Recipe.parse(text), values)
    list(run(wanted, store, report or Reporter(), latency=False))
    digest = store.teachers(wanted.recipe.reference().key())[0]["digest"]
    return store.plan(wanted.request.key(), digest), digest


def test_a_plan_comes_back_from_its_plain_data() -> None:
    plan = Plan((PlannedRun("a/b/0", "k", CONTROL, 0.5, "labels alone"),), ((0.3, "too odd"),))
    assert Plan.from_plain(json.loads(json.dumps(plan.plain()))) == plan


def test_a_plan_has_the_missing_runs_and_only_known_roles() -> None:
    plan = Plan(tuple(PlannedRun(key, key, role, 0.5) for key, role in (("a", CURVE), ("b", CONTROL))))
    assert [one.key for one in plan.missing({"a"})] == ["b"] and plan.missing({"a", "b"}) == []
    assert plan.values == [0.5] and Plan.from_plain(plan.plain()) == plan
    with pytest.raises(ValueError, match="but got judge"):
        Plan.from_plain({"runs": [{**plan.plain()["runs"][0], "role": "judge"}], "invalid": []})


def test_every_role_of_a_distillation_is_kept_with_its_curve(store: Store) -> None:
    plan, digest = swept(store, f"{TEACHER}/{DISTILL}/0", [0.25, 0.5])
    counts = {role: sum(one.role == role for one in plan.runs) for role in (CURVE, SEED, CONTROL, BASELINE, VARIANT)}
    assert counts == {CURVE: 2, SEED: 2, CONTROL: 4, BASELINE: 4, VARIANT: 4}
    assert plan.missing(store.known_keys([one.key for one in plan.runs], digest)) == []
    for one in plan.runs:
        settings = Recipe.parse(one.recipe).methods[-1].values
        assert one.dial == settings["width"] and Recipe.parse(one.recipe).key() == one.key
        assert (one.role == CONTROL) == (settings["alpha"] == 0) and (one.role == VARIANT) == (settings["temperature"] == 8)
        assert (one.role == BASELINE) == (settings["alpha"] > 0 and settings["assistant"] == 0)
    stored = {point["key"]: point["roles"] for point in store.all_points()}
    assert all(stored[one.key] == [one.role] for one in plan.runs)


@pytest.mark.parametrize("kind", list(methods().values()), ids=list(methods()))
def test_every_method_keeps_a_plan_of_exactly_what_it_measured(kind: type[Any], store: Store, toy: Dataset) -> None:
    text = f"{TEACHER}/{quick(kind).request().text()}/0"
    plan, digest = swept(store, text, few_values(kind, toy)[:2])
    points = {point["key"] for point in store.all_points() if point["method"] != "teacher"}
    assert points == {one.key for one in plan.runs} == store.known_keys(points, digest)
    assert plan.values == few_values(kind, toy)[:2]


def test_a_plan_is_there_before_its_points_and_names_what_a_cancelled_run_left_out(store: Store) -> None:
    wanted = sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2, 0.3, 0.4])
    with pytest.raises(Cancelled):
        measured = []
        for point in run(wanted, store, Reporter(is_cancelled=lambda: len(measured) >= 1), latency=False):
            measured.append(point)
    digest = store.teachers(wanted.recipe.reference().key())[0]["digest"]
    plan = store.plan(wanted.request.key(), digest)
    known = store.known_keys([one.key for one in plan.runs], digest)
    assert plan.values == [0.2, 0.3, 0.4] and len(known) == 1
    assert {one.dial for one in plan.missing(known)} == {0.3, 0.4}


def test_a_point_whose_file_is_damaged_is_missing(store: Store) -> None:
    plan, digest = swept(store, f"{TEACHER}/low_rank/0", [0.2, 0.4])
    first = store.point(plan.runs[0].key, digest)
    store.artefacts.path(first["digest"]).write_bytes(b"half a file")
    assert [one.key for one in plan.missing(store.known_keys([one.key for one in plan.runs], digest))] == [plan.runs[0].key]
    (again,) = run(sweep_of(Recipe.parse(f"{TEACHER}/low_rank/0"), [0.2, 0.4]), store, latency=False)
    assert (again.dial, again.digest) == (plan.runs[0].dial, first["digest"]) and store.artefacts.has(first["digest"])


def test_values_requested_later_join_the_plan_and_impossible_ones_have_a_reason(store: Store) -> None:
    swept(store, f"{TEACHER}/prune(pattern=n:4)/0", [0.25, 0.3])
    plan, _ = swept(store, f"{TEACHER}/prune(pattern=n:4)/0", [0.75])
    assert plan.values == [0.25, 0.75]
    ((value, reason),) = plan.invalid
    assert value == 0.3 and "sparsity must be one of 0.25, 0.5, 0.75" in reason


def test_settings_that_only_add_runs_have_a_plan_of_their_own(store: Store) -> None:
    few, _ = swept(store, f"{TEACHER}/distill(epochs=1,seeds=1,temperatures=none)/0", [0.5])
    more, _ = swept(store, f"{TEACHER}/distill(epochs=1,seeds=2,temperatures=none)/0", [0.5])
    assert {one.key for one in few.runs} < {one.key for one in more.runs}


def test_all_plans_of_a_teacher_and_the_points_of_their_runs_are_found(store: Store) -> None:
    few, digest = swept(store, f"{TEACHER}/distill(epochs=1,seeds=1,temperatures=none)/0", [0.5])
    other, _ = swept(store, f"{TEACHER}/low_rank/0", [0.2])
    assert sorted(store.plans(digest), key=str) == sorted([few, other], key=str) and store.plans("another") == []
    keys = [one.key for one in few.runs]
    points = store.points_of([*keys, "unknown"], digest)
    assert points == {key: store.point(key, digest) for key in keys} and store.points_of(keys, "another") == {}


class Elsewhere:
    """A sink that is no store: what a worker on another machine would collect."""

    def __init__(self, folder: Any) -> None:
        self.artefacts = Artefacts(folder)
        self.teachers, self.points, self.plans, self.views, self.counters = {}, {}, {}, {}, {}

    def save_data_version(self, name: str, source: str, digest: str) -> None:
        self.sources = {(name, source): digest}

    def teacher(self, key: str, data_digest: str) -> Any:
        return self.teachers.get((key, data_digest))

    def save_teacher(self, key: str, recipe: str, digest: str, data_digest: str, card: Any) -> None:
        self.teachers[key, data_digest] = {"recipe": recipe, "digest": digest, "data_digest": data_digest, "card": card}

    def point(self, key: str, reference: str) -> Any:
        return self.points.get((key, reference))

    def known_keys(self, keys: Any, reference: str) -> set[str]:
        return {key for key in keys if (key, reference) in self.points}

    def add_point(self, key: str, curve: str, reference: str, data: str, teacher: str, method: str, point: Any,
                  predictions: bytes) -> None:
        self.points[key, reference] = point

    def plan(self, key: str, reference: str) -> Plan | None:
        return self.plans.get((key, reference))

    def replace_view(self, key: str, reference: str, before: dict[str, Any] | None, view: dict[str, Any]) -> bool:
        self.views[key, reference] = view
        return True

    def replace_plan(self, key: str, reference: str, before: Plan | None, plan: Plan) -> bool:
        if self.plans.get((key, reference)) != before:
            return False
        self.plans[key, reference] = plan
        return True

    def view(self, key: str, reference: str) -> Any:
        return self.views.get((key, reference))

    def save_view(self, key: str, reference: str, view: Any) -> None:
        self.views[key, reference] = view

    def count(self, name: str) -> int:
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]


@pytest.mark.parametrize("method", ["low_rank", "data_svd(epochs=1)", "low_rank(keep=0.5)+prune"])
def test_a_sink_elsewhere_collects_what_the_store_does(method: str, store: Store, tmp_path: Any) -> None:
    elsewhere = Elsewhere(tmp_path / "elsewhere")
    wanted = sweep_of(Recipe.parse(f"{TEACHER}/{method}/0"), [0.5, 0.75] if "svd" not in method else [2, 4])
    for sink in (store, elsewhere):
        assert len(list(run(wanted, sink, latency=False))) == 2
    ours = {(point["key"], point["reference"]): point["digest"] for point in store.all_points()}
    assert ours == {key: point["digest"] for key, point in elsewhere.points.items()}
    assert all(elsewhere.artefacts.has(digest) for digest in ours.values())
    kept = [*elsewhere.points.values(), *elsewhere.views.values(), *elsewhere.teachers.values()]
    assert str(tmp_path) not in json.dumps(kept), "no path is kept"


def test_two_processes_keep_their_values_in_one_plan(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process keeps its plan between this one's look and its writing."""
    recipe = Recipe.parse(f"{TEACHER}/low_rank/0")
    ours, theirs = sweep_of(recipe, [0.5]), sweep_of(recipe, [0.25])
    look, waiting = store.plan, [theirs]

    def plan(key: str, reference: str) -> Plan | None:
        found = look(key, reference)
        while waiting:
            sweep._keep_plan(waiting.pop(), [0.25], {0.001: "too small"}, "teacher", store)
        return found

    monkeypatch.setattr(store, "plan", plan)
    sweep._keep_plan(ours, [0.5], {}, "teacher", store)
    kept = look(ours.request.key(), "teacher")
    assert kept.values == [0.25, 0.5] and dict(kept.invalid) == {0.001: "too small"}
