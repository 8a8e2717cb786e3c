"""Answers to the two questions of the Compare page, and dial values that are made for a size."""

from __future__ import annotations

from math import log

import pytest

from compress.curves.store import Store
from compress.search.target import Target
from pages.ui.all_methods import answers, compare
from tests.pages.samples import measure, point

TEACHER, METHOD = "digits/mlp", "low_rank(keep={})"


def row(dial: float | int, size: int, correct: int, **others) -> dict:
    """A row of a curve as the page has it."""
    own = {"method": "low_rank", "reference": "one", "control": False, "roles": ["curve"], "curve": "a",
           "method_title": "Low rank", "settings": f"keep {dial}", "recipe": f"{TEACHER}/{METHOD.format(dial)}/0"}
    return point(dial, size, correct, **{**own, **others})


def teacher(reference: str = "one", **others) -> dict:
    return row(0, 100_000, 95, method="teacher", reference=reference, recipe=f"{TEACHER}/0", settings="",
               teacher_title="mlp", data_title="Digits", **others)


CURVE = [row(0.1, 10_000, 80), row(0.3, 30_000, 93), row(0.5, 50_000, 95)]


def group(*rows: dict) -> answers.Group:
    return answers.groups([teacher(), *rows])[0]


def test_networks_are_grouped_by_their_teacher_and_controls_answer_nothing():
    found = answers.groups([teacher(), teacher("two"), *CURVE, row(0.2, 1_000, 99, control=True),
                            row(0.2, 1_000, 90, reference="gone")])
    assert [(one.teacher["reference"], len(one.rows)) for one in found] == [("one", 3), ("two", 0)]


@pytest.mark.parametrize(("asked", "dial"), [
    (Target(points_lost=2), 0.3), (Target(points_lost=0), 0.5), (Target(points_lost=15), 0.1),
    (Target(bytes=49_000), 0.3), (Target(bytes=50_000), 0.5), (Target(bytes=9_999), None)])
def test_an_answer_is_within_the_number_and_the_best_there(asked, dial):
    found = answers.answer(group(*CURVE), asked)
    assert (found and found["dial"]) == dial


def test_the_teacher_answers_where_its_own_file_is_small_enough():
    whole = group(*CURVE)
    assert answers.answer(whole, Target(bytes=200_000)) in (whole.teacher, CURVE[2])
    assert answers.answer(group(CURVE[0]), Target(bytes=200_000)) is not CURVE[0]
    assert "the teacher itself" in answers.in_words(whole.teacher, whole.teacher)


def test_an_answer_says_recipe_size_ratio_and_interval():
    said = answers.in_words({**CURVE[1], "network": "Low rank (share kept 30 %, <b>)"}, teacher())
    for part in ("30.0 kB", "3.3× smaller", "93.0 % (86.3 to 96.6 %)", "2.0 points less accurate",
                 "by <b>low rank (share kept 30 %, &lt;b&gt;)</b>"):
        assert part in said
    assert answers.in_words(None, teacher()) == "no network so far"


def test_a_dial_value_for_a_size_is_between_its_neighbours_and_a_little_too_small(known):
    """The files of this curve grow in proportion to its dial, so that the value is exact."""
    made = answers.proposal(group(*CURVE), 20_000, known)
    assert made
    assert made.stop == f"share kept {100 * made.value:.4g} %"
    assert made.value == pytest.approx(0.2 * answers.AIM, abs=1.01 * 10**-answers.DIGITS) and 0.87 < made.accuracy < 0.89
    assert f"keep={made.value}" in made.recipe.text()


@pytest.mark.parametrize("rows", [
    [],  # nothing is measured
    CURVE[1:],  # no smaller file
    [*CURVE, row(0.2, 19_500, 90)],  # a point of this size that is better than what is to be expected
    [{**one, "roles": ["baseline"]} for one in CURVE],
    [{**one, "dial": str(one["dial"])} for one in CURVE],
])
def test_nothing_is_proposed_where_a_point_has_the_size_or_no_curve_passes_it(rows, known):
    assert answers.proposal(group(*rows), 20_000, known) is None


def test_whole_numbers_stay_whole_and_no_measured_one_is_proposed(known):
    bits = [row(2, 10_000, 80, method="quantize", recipe=f"{TEACHER}/quantize(levels=4)/0"),
            row(16, 30_000, 93, method="quantize", recipe=f"{TEACHER}/quantize(levels=64)/0")]
    made = answers.proposal(group(*bits), 20_000, known)
    assert made and isinstance(made.value, int) and 2 < made.value < 16
    assert answers.proposal(group({**bits[0], "dial": 15}, bits[1]), 20_000, known) is None


def test_a_dial_that_falls_as_files_grow_is_rounded_towards_the_smaller_file(known):
    falling = [row(0.9, 10_000, 80), row(0.5, 30_000, 93)]
    made = answers.proposal(group(*falling), 20_000, known)
    assert made and 0.5 < made.value < 0.9
    exact = 1 - 0.1 * 5 ** (log(answers.AIM * 2) / log(3))
    assert 0 <= made.value - exact < 10**-answers.DIGITS


PRUNING = [row(0.9, 12_000, 90, method="prune", curve="b", recipe=f"{TEACHER}/prune(sparsity=0.9)/0"),
           row(0.8, 24_000, 94, method="prune", curve="b", recipe=f"{TEACHER}/prune(sparsity=0.8)/0")]
CHAIN = row(0.3, 19_000, 92, method="prune+low_rank", curve="c", recipe=f"{TEACHER}/prune+low_rank(keep=0.3)/0")


def test_every_method_has_its_answer_and_all_chains_have_one():
    found = answers.by_method(group(*CURVE, *PRUNING, CHAIN, {**CHAIN, "bytes": 9_000}), Target(bytes=20_000))
    assert [(one["method"], one["dial"], one["bytes"]) for one in found] == [
        ("prune+low_rank", 0.3, 9_000), ("prune", 0.9, 12_000), ("low_rank", 0.1, 10_000)]
    assert answers.by_method(group(*CURVE), Target(bytes=9_000)) == []


def test_every_method_is_proposed_at_a_size_that_it_lacks(known):
    made = answers.proposals(group(*CURVE, *PRUNING), 20_000, known)
    assert [one.recipe.methods[0].name for one in made] == ["prune", "low_rank"] and made[0].accuracy > made[1].accuracy
    (left,) = answers.proposals(group(*CURVE, *PRUNING, row(0.85, 19_500, 93, method="prune", curve="b")), 20_000, known)
    assert left.recipe.methods[0].name == "low_rank" and answers.proposals(group(*CURVE), 9_000, known) == []


@pytest.fixture(scope="module")
def store(prepared, tmp_path_factory):
    """A store with two points of a real curve, and no others."""
    found = Store(tmp_path_factory.mktemp("answers") / "store.sqlite")
    measure(found, "low_rank", (0.1, 0.3))
    return found


@pytest.fixture(scope="module")
def real(store, known):
    """The points of the store, in rows of the page."""
    points = store.all_points()
    return compare.rows(points, known, lambda name: points[0]["data_digest"])


def test_a_real_curve_is_measured_at_a_size_that_it_lacks(real, store, known):
    from compress.curves import sweep

    curve = [one for one in real if one["method"] == "low_rank"]
    size = round((curve[0]["bytes"] * curve[1]["bytes"]) ** 0.5)
    found = next(one for one in answers.groups(real) if one.teacher["reference"] == curve[0]["reference"])
    made = answers.proposal(found, size, known)
    assert made
    (new,) = list(sweep.run(sweep.sweep_of(made.recipe, (made.value,)), store, latency=False))[:1]
    assert 0.75 * size < new.bytes < 1.25 * size
