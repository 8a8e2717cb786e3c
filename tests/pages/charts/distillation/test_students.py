"""Which students belong to the settings on the screen, how far a job's are, and what the teacher adds beyond luck."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from compress.curves.plan import Plan, PlannedRun
from compress.progress import EpochDone, StudentSoFar, StudentsSoFar
from compress.recipe import BASELINE, CONTROL, CURVE, SEED, VARIANT, Recipe, Step
from pages.ui.charts.distillation.students import Gain, Result, Students, about, of_job, of_plans, only_first_right, summary
from tests.compress.helpers import toy_data
from tests.pages.samples import STUDENT, recipe_of, student

ASSISTED = {**STUDENT, "assistant": 0.3}
SETTINGS = [
    {}, {"seeds": 2, "temperatures": (4,)}, {"seeds": 1, "temperatures": ()}, {"loss": "logits"},
    {"assistant": 0.5, "temperatures": (8,)}, {"loss": "hints", "strength": 3.0}, {"student_seed": 7},
    {"labelled": 40, "unlabelled": False, "alpha": 1.0}, {"omit": 2, "depth": 1, "dropout": 0.2}]


def plan_of(*runs: tuple[str, dict]) -> Plan:
    """A plan of these points, each in a role."""
    recipes = [(role, Recipe.parse(one["recipe"])) for role, one in runs]
    return Plan(tuple(PlannedRun(recipe.text(), recipe.key(), role, recipe.methods[-1].values["width"])
                      for role, recipe in recipes))


def by_key(points: Iterable[dict]) -> dict[str, dict]:
    return {Recipe.parse(point["recipe"]).key(): point for point in points}


def sorted_in(*runs: tuple[str, dict], own: dict[str, Any] | None = None) -> Students:
    """These points by their roles in one plan, around the student of these settings."""
    recipe = recipe_of(**(own or {}))
    return of_plans(about([plan_of(*runs)], recipe), recipe, by_key(point for _, point in runs))


def another(entry: dict[str, Any]) -> Any:
    """A value that a setting may have, other than the sample student's."""
    value = STUDENT[entry["name"]]
    if entry["type"] == "bool":
        return not value
    if entry["choices"]:
        return next(choice for choice in entry["choices"] if choice != value)
    return value + 1 if entry["type"] == "int" else 0.5 if value != 0.5 else 0.25


def everyone(students: Students) -> list[Result]:
    return [*students.controls.values(), *students.direct.values(),
            *(one for places in students.distilled.values() for one in places.values())]


def test_a_student_goes_to_its_temperature_width_and_seed():
    found = sorted_in((CURVE, student(90)), (CURVE, student(80, width=0.6)), (SEED, student(70, student_seed=1)),
                      (VARIANT, student(60, temperature=8.0)))
    assert {temperature: {key: one.accuracy for key, one in places.items()}
            for temperature, places in found.distilled.items()} == {
        4.0: {(0.2, 0): 0.9, (0.6, 0): 0.8, (0.2, 1): 0.7}, 8.0: {(0.2, 0): 0.6}}
    assert not found.controls and not found.direct and not found.live


def test_points_of_all_plans_are_sorted_in_and_keep_their_own_point():
    points = [student(90), student(80, 2_000, width=0.6), student(70, student_seed=1)]
    plans = [plan_of((CURVE, points[0]), (CURVE, points[1])), plan_of((CURVE, points[0]), (SEED, points[2]))]
    found = of_plans(about(plans, recipe_of()), recipe_of(), by_key(points))
    assert [found.distilled[4.0][key].point for key in ((0.2, 0), (0.6, 0), (0.2, 1))] == points
    assert [one.bytes for one in everyone(found)] == [1_000, 2_000, 1_000]


def test_students_on_labels_alone_are_controls():
    found = sorted_in((CURVE, student(90)), (CONTROL, student(70, alpha=0.0)),
                      (CONTROL, student(60, alpha=0.0, student_seed=2)))
    assert {key: one.accuracy for key, one in found.controls.items()} == {(0.2, 0): 0.7, (0.2, 2): 0.6}
    assert list(found.distilled[4.0]) == [(0.2, 0)]


def test_what_is_not_measured_yet_has_no_place():
    plan = plan_of((CURVE, student()), (CONTROL, student(alpha=0.0)))
    assert not everyone(of_plans([plan], recipe_of(), {}))


@pytest.mark.parametrize("own", [{"loss": "hints"}, {"temperature": 16.0}, {"strength": 9.0}, {"unlabelled": False},
                                 {"assistant": 0.3}, {"alpha": 0.3}], ids=lambda own: next(iter(own)))
def test_students_of_any_such_settings_have_this_control(own):
    """What means nothing without a teacher is at its default in a control."""
    assert list(sorted_in((CONTROL, student(alpha=0.0)), (CURVE, student(**own)), own=own).controls) == [(0.2, 0)]


def test_a_plan_about_other_settings_is_left_out(known):
    entries = {entry["name"]: entry for entry in known["methods"]["distill"]["settings"] if not entry["of_sweep"]}
    assert set(entries) == set(STUDENT)
    for name in set(entries) - {"width"}:
        other = student(**{name: another(entries[name])})
        assert not everyone(sorted_in((CURVE, other), (CONTROL, student(alpha=0.0)))), name


@pytest.mark.parametrize("role", [CONTROL, BASELINE])
def test_a_plan_in_which_this_student_is_only_compared_with_is_left_out(role):
    plan = plan_of((role, student()), (CURVE, student(assistant=0.3)))
    assert about([plan], recipe_of()) == [] and about([plan], recipe_of(assistant=0.3)) == [plan]
    found = sorted_in((role, student()), (CURVE, student(assistant=0.3)))
    assert not found.direct and not found.controls and found.distilled.keys() == {4.0} and len(found.distilled[4.0]) == 1


def test_students_without_the_assistant_are_compared_with_at_this_temperature():
    found = sorted_in((CURVE, student(90, assistant=0.3)), (BASELINE, student(80)), (BASELINE, student(70, temperature=8.0)),
                      (VARIANT, student(50, assistant=0.3, temperature=8.0)), own=ASSISTED)
    assert {temperature: [one.accuracy for one in places.values()] for temperature, places in found.distilled.items()} == {
        4.0: [0.9], 8.0: [0.5]}
    assert [one.accuracy for one in found.direct.values()] == [0.8]


def test_points_of_the_curve_are_there_without_a_plan():
    """As of a store that an earlier version of the program wrote."""
    points = by_key([student(90), student(80, width=0.6), student(70, alpha=0.0)])
    found = of_plans([], recipe_of(), points)
    assert {key: one.accuracy for key, one in found.distilled[4.0].items()} == {(0.2, 0): 0.9, (0.6, 0): 0.8}
    assert not found.controls


def test_students_of_another_start_are_left_out():
    """Their curves have the same names and the same teacher."""
    start, other = Step.of("low_rank", {"keep": 0.1}), Step.of("low_rank", {"keep": 0.5})
    point = {**student(), "recipe": recipe_of(other).text()}
    assert about([plan_of((CURVE, point))], recipe_of(start)) == []
    assert not everyone(of_plans([], recipe_of(start), by_key([point])))


def made(asked: Any, values: list[float]) -> tuple[Plan, list[dict]]:
    """The plan of a distillation as the store has it, and a point for each of its runs."""
    runs = [(run.role, {**student(), "recipe": recipe_with(run.method).text()}) for run in asked.plan(values)]
    return plan_of(*runs), [point for _, point in runs]


def recipe_with(method: Any) -> Recipe:
    return Recipe("digits", Step("mlp"), (method.step(),), 0)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_everything_that_a_sweep_measures_has_a_place_of_its_own(settings, prepared):
    from compress.methods.distill import Distill

    asked = Distill(**settings)
    plan, points = made(asked, [0.1, 0.3])
    own = recipe_with(asked)
    found = of_plans(about([plan], own), own, by_key(points))
    assert sorted(one.point["recipe"] for one in everyone(found)) == sorted(point["recipe"] for point in points)
    held = found.distilled[asked.temperature]
    assert held.keys() == found.controls.keys() and len(held) == 2 * asked.seeds
    assert found.direct.keys() == (held.keys() if asked.assistant else set())


def test_a_variant_on_the_screen_has_the_controls_of_the_plan_that_measured_it(prepared):
    """A click on the map leads to another temperature, which has no plan of its own."""
    from compress.methods.distill import Distill

    asked = Distill(seeds=2, temperatures=(8,))
    plan, points = made(asked, [0.1, 0.3])
    own = recipe_with(dataclasses.replace(asked, temperature=8.0))
    found = of_plans(about([plan], own), own, by_key(points))
    assert found.distilled[8.0].keys() == found.controls.keys() == found.distilled[4.0].keys()


def told(*students: list) -> list[dict]:
    """A job's live numbers after some epochs."""
    return [StudentsSoFar(1, ()).plain(), StudentsSoFar(2, tuple(StudentSoFar(*one) for one in students)).plain()]


PAIR = ((CURVE, student(90)), (CONTROL, student(70, alpha=0.0)))
WIDER = plan_of(*PAIR, (CURVE, student(width=0.6)), (CONTROL, student(width=0.6, alpha=0.0)),
                (VARIANT, student(temperature=8.0)), (VARIANT, student(width=0.6, temperature=8.0)))


def test_live_students_fill_the_places_that_nobody_has_finished():
    before = sorted_in(*PAIR)
    now = of_job(told([900, 0.2, 4.0, 0, 0.9, 0.0, 0.11], [900, 0.2, 4.0, 0, 0.0, 0.0, 0.12],
                      [2_000, 0.6, 4.0, 0, 0.9, 0.0, 0.3], [900, 0.2, 8.0, 0, 0.9, 0.0, 0.4],
                      [2_000, 0.6, 4.0, 0, 0.0, 0.0, 0.5], [2_000, 0.9, 4.0, 0, 0.9, 0.0, 0.6]), WIDER, recipe_of(), before)
    assert now.live and now.distilled[4.0][0.2, 0] is before.distilled[4.0][0.2, 0]
    assert now.controls[0.2, 0] is before.controls[0.2, 0]
    assert now.distilled[4.0][0.6, 0] == Result(2_000, 0.3) and now.distilled[8.0] == {(0.2, 0): Result(900, 0.4)}
    assert now.controls[0.6, 0] == Result(2_000, 0.5) and now.widths() == [0.2, 0.6]


def test_live_students_leave_what_was_known_before_as_it_was():
    before = sorted_in(*PAIR)
    kept = ({key: dict(places) for key, places in before.distilled.items()}, dict(before.controls), dict(before.direct))
    of_job(told(*([900, width, temperature, 0, alpha, 0.0, 0.3] for width in (0.2, 0.6) for temperature in (4.0, 8.0)
                  for alpha in (0.0, 0.9))), WIDER, recipe_of(), before)
    assert (before.distilled, before.controls, before.direct) == kept and not before.live


def test_live_students_without_the_assistant_are_compared_with():
    plan = plan_of((CURVE, student(assistant=0.3)), (BASELINE, student()), (CONTROL, student(alpha=0.0)))
    now = of_job(told([900, 0.2, 4.0, 0, 0.9, 0.3, 0.5], [900, 0.2, 4.0, 0, 0.9, 0.0, 0.6],
                      [900, 0.2, 8.0, 0, 0.9, 0.0, 0.7], [900, 0.2, 4.0, 0, 0.0, 0.0, None]), plan, recipe_of(assistant=0.3),
                 Students())
    assert now.distilled == {4.0: {(0.2, 0): Result(900, 0.5)}}
    assert now.direct == {(0.2, 0): Result(900, 0.6)} and now.controls == {(0.2, 0): Result(900, None)}


def test_a_finished_curve_drawn_while_its_job_runs_keeps_its_labels():
    before = of_plans([], recipe_of(), {}, None, [1, 2, 3])
    assert of_job(told([900, 0.2, 4.0, 0, 0.9, 0.0, 0.5]), WIDER, recipe_of(), before).labels is before.labels


@pytest.mark.parametrize(("live", "plan"), [
    ([], WIDER), ([EpochDone(3, 0.1, 0.8, 0.9, 1.0).plain()], WIDER), (told([900, 0.2, 4.0, 0, 0.9, 0.0, 0.5]), None)],
    ids=["nothing", "the teacher", "no plan"])
def test_before_the_first_epoch_of_the_students_there_is_what_was_before(live, plan):
    before = sorted_in((CURVE, student()))
    assert of_job(live, plan, recipe_of(), before) is before


@pytest.mark.parametrize("settings", [{}, {"assistant": 0.4}, {"loss": "logits", "student_seed": 3}], ids=str)
def test_what_a_job_tells_finds_the_places_that_its_points_will_have(settings, prepared):
    from compress.methods.distill import Distill
    from compress.networks.families import MLP, Architecture, build
    from compress.progress import Reporter

    data = toy_data((6,))
    asked = Distill(epochs=1, seeds=2, temperatures=(8,), **settings)
    (plan, points), live = made(asked, [0.25, 0.5]), []
    teacher = build(Architecture(MLP(hidden=(12, 8)), data.shape, 3), 0)
    wanted = [run.method for run in asked.plan([0.25, 0.5])]
    list(asked.candidates(teacher, data, wanted, Reporter(lambda progress: live.append(progress.live))))
    now = of_job([one.plain() for one in live if one], plan, recipe_with(asked), Students())
    done = of_plans([plan], recipe_with(asked), by_key(points))
    assert {temperature: set(places) for temperature, places in now.distilled.items()} == {
        temperature: set(places) for temperature, places in done.distilled.items()}
    assert now.controls.keys() == done.controls.keys() and now.direct.keys() == done.direct.keys()


def test_a_student_that_diverged_before_it_learned_anything_has_no_accuracy():
    found = sorted_in((CURVE, student(10, inside={"diverged": 1, "best_epoch": 0})),
                      (CURVE, student(60, width=0.6, inside={"diverged": 3, "best_epoch": 2})))
    assert found.distilled[4.0][0.2, 0].accuracy is None and found.distilled[4.0][0.6, 0].accuracy == 0.6


def test_the_widths_are_those_of_students_and_controls_rising():
    found = sorted_in((CURVE, student(width=0.6)), (VARIANT, student(width=0.2, temperature=8.0)),
                      (CONTROL, student(width=0.1, alpha=0.0)))
    assert found.widths() == [0.1, 0.2, 0.6] and Students().widths() == []


standings = st.dictionaries(
    st.tuples(st.sampled_from([0.1, 0.2, 0.6]), st.integers(0, 4)),
    st.builds(Result, st.integers(1_000, 9_000), st.none() | st.floats(0, 1), st.none() | st.just(student())))


@given(standings)
def test_a_summary_has_a_row_for_every_width_that_somebody_learned_at(ones):
    rows = summary(ones)
    learned = {width for (width, _), one in ones.items() if one.accuracy is not None}
    assert [row["width"] for row in rows] == sorted(learned)
    for row in rows:
        own = [one for key, one in sorted(ones.items()) if key[0] == row["width"]]
        values = [one.accuracy for one in own if one.accuracy is not None]
        assert row["accuracy"] == pytest.approx(np.mean(values))
        assert (row["low"], row["high"], row["seeds"]) == (min(values), max(values), len(values))
        assert row["diverged"] == len(own) - len(values) and row["bytes"] in [one.bytes for one in own]
        assert row["points"] == [one.point for one in own if one.point]


def of_seeds(with_teacher: list[float | None], alone: list[float | None]) -> Students:
    """Students and controls of width 0.2 at temperature 4, one a seed."""
    return Students(distilled={4.0: {(0.2, seed): Result(1_000, value) for seed, value in enumerate(with_teacher)}},
                    controls={(0.2, seed): Result(1_000, value) for seed, value in enumerate(alone)})


shares = st.floats(0, 1)
pairs = st.lists(st.tuples(shares, shares), min_size=2, max_size=20)


@given(pairs)
def test_a_gain_is_the_mean_difference_with_students_interval_over_seeds(found):
    differences = np.subtract(*zip(*found, strict=True))
    gain = of_seeds(*map(list, zip(*found, strict=True))).gain(0.2, 4.0)
    assert gain.seeds == len(found) and gain.mean == pytest.approx(differences.mean(), abs=1e-12)
    half = scipy.stats.t.ppf(0.975, len(found) - 1) * scipy.stats.sem(differences)
    assert gain.high - gain.mean == pytest.approx(half, rel=3e-4, abs=1e-12) == gain.mean - gain.low


def test_one_seed_gives_a_gain_without_an_interval_that_is_never_certain():
    gain = of_seeds([0.9], [0.5]).gain(0.2, 4.0)
    assert gain == Gain(pytest.approx(0.4), None, None, 1) and not gain.certain


def test_a_gain_compares_the_seeds_that_have_both():
    found = of_seeds([0.9, 0.8, 0.7], [0.5, 0.6, 0.6, 0.1])
    found.distilled[4.0][0.2, 9] = Result(1_000, 0.99)
    assert found.gain(0.2, 4.0).mean == pytest.approx((0.4 + 0.2 + 0.1) / 3) and found.gain(0.2, 4.0).seeds == 3


def test_a_gain_leaves_diverged_students_out_with_their_partners():
    gain = of_seeds([0.9, None, 0.7], [0.5, 0.1, None]).gain(0.2, 4.0)
    assert gain == Gain(pytest.approx(0.4), None, None, 1)


@pytest.mark.parametrize("found", [
    Students(), of_seeds([0.9], []), of_seeds([], [0.5]), of_seeds([None], [0.5]), of_seeds([0.9], [None])],
    ids=["nobody", "no control", "no student", "diverged student", "diverged control"])
def test_without_a_pair_there_is_no_gain(found):
    assert found.gain(0.2, 4.0) is None


def test_a_gain_is_of_its_own_width_and_temperature():
    found = of_seeds([0.9, 0.9], [0.5, 0.5])
    assert found.gain(0.2, 8.0) is None and found.gain(0.6, 4.0) is None


@pytest.mark.parametrize(("low", "high", "certain"), [
    (0.01, 0.2, True), (-0.2, -0.01, True), (-0.1, 0.1, False), (0.0, 0.1, False), (-0.1, 0.0, False),
    (None, None, False)])
def test_a_gain_is_certain_if_its_interval_leaves_out_zero(low, high, certain):
    assert Gain(0.1, low, high, 3).certain is certain


LABELS = np.arange(200) % 7


def answering(wrong: list[int]) -> np.ndarray:
    """Predictions that are right but for these examples."""
    predictions = LABELS.copy()
    predictions[wrong] += 1
    return predictions


def judged(*pairs: tuple[list[int], list[int]]) -> Students:
    """Finished students and their controls of width 0.2, one pair a seed, each given by the examples it has wrong."""
    def standing(wrong: list[int]) -> Result:
        return Result(1_000, 1 - len(wrong) / len(LABELS), {}, answering(wrong))

    return Students(distilled={4.0: {(0.2, seed): standing(one) for seed, (one, _) in enumerate(pairs)}},
                    controls={(0.2, seed): standing(control) for seed, (_, control) in enumerate(pairs)}, labels=LABELS)


def test_the_same_few_examples_in_all_seeds_are_no_certain_gain():
    """Seeds that agree exactly say nothing about other examples."""
    few = judged(*[([5], [5, 1, 2])] * 3)
    assert few.gain(0.2, 4.0).mean == pytest.approx(0.01) and not few.gain(0.2, 4.0).certain
    assert dataclasses.replace(few, labels=None).gain(0.2, 4.0).certain
    many = judged(*[([5], [5, *range(30, 60)])] * 3)
    assert many.gain(0.2, 4.0).mean == pytest.approx(0.15) and many.gain(0.2, 4.0).certain


@given(st.lists(st.tuples(*[st.lists(st.integers(0, 199), max_size=40, unique=True)] * 2), min_size=2, max_size=4))
def test_the_luck_of_the_examples_is_the_paired_standard_error_added_to_that_of_the_seeds(wrong):
    students = judged(*wrong)
    gain, plain = students.gain(0.2, 4.0), dataclasses.replace(students, labels=None).gain(0.2, 4.0)
    apart = np.mean([np.isin(np.arange(200), control) * 1.0 - np.isin(np.arange(200), one) for one, control in wrong], 0)
    assert gain.mean == plain.mean == pytest.approx(apart.mean())
    wanted = np.hypot(plain.high - plain.mean, scipy.stats.norm.ppf(0.975) * scipy.stats.sem(apart))
    assert gain.high - gain.mean == pytest.approx(wanted, abs=1e-9) == gain.mean - gain.low


def test_predictions_come_from_the_store_by_recipe():
    points = [student(50), student(0, alpha=0.0)]
    wrong = {0: [0, 1], 1: []}
    kept = {Recipe.parse(point["recipe"]).key(): answering(wrong[number]).astype("<u2").tobytes()
            for number, point in enumerate(points)}
    plan = plan_of(*zip((CURVE, CONTROL), points, strict=True))
    found = of_plans([plan], recipe_of(), by_key(points), kept, LABELS.tolist())
    assert found.distilled[4.0][0.2, 0].predictions.tolist() == answering([0, 1]).tolist()
    assert found.controls[0.2, 0].predictions.tolist() == LABELS.tolist() == found.labels.tolist()


def test_while_one_point_lacks_predictions_the_examples_luck_is_not_known():
    known = judged(([5], [5, 1, 2]), ([5], [5, 1, 2]))
    known.distilled[4.0][0.2, 1] = dataclasses.replace(known.distilled[4.0][0.2, 1], predictions=None)
    assert known.gain(0.2, 4.0) == dataclasses.replace(known, labels=None).gain(0.2, 4.0)


@given(st.data())
def test_examples_that_only_the_first_kind_has_right(data):
    answers = st.lists(st.integers(0, 2), min_size=6, max_size=6).map(np.array)
    labels = data.draw(answers)
    first, second = (data.draw(st.lists(answers, min_size=1, max_size=3)) for _ in range(2))
    assert only_first_right(first, second, labels) == [
        row for row in range(6) if all(one[row] == labels[row] for one in first)
        and all(one[row] != labels[row] for one in second)]


@given(st.data())
def test_no_example_is_right_only_with_and_only_without(data):
    answers = st.lists(st.integers(0, 1), min_size=8, max_size=8).map(np.array)
    labels, first, second = (data.draw(answers) for _ in range(3))
    assume((first != second).any())
    both = only_first_right([first], [second], labels), only_first_right([second], [first], labels)
    assert set(both[0]).isdisjoint(both[1])
    right = [(one == labels).sum() for one in (first, second)]
    assert len(both[0]) - len(both[1]) == right[0] - right[1]
