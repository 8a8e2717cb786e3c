"""The model map: every network under the one that it was made of, also where links of the chain are missing."""

from __future__ import annotations

import pytest

from compress.methods import methods
from compress.recipe import Recipe
from pages.ui.all_methods import axes
from pages.ui.all_methods.map import chart, tree
from pages.ui.shell.filters import AXES
from tests.pages.all_methods.test_axes import row
from tests.pages.samples import figure_of

CARDS = {name: method.card() for name, method in methods().items()}
TEACHER, PRUNED, HALF = "digits/mlp/0", "digits/mlp/prune(sparsity=0.9)/0", "digits/mlp/prune(sparsity=0.5)/0"
CODED = [f"digits/mlp/prune(sparsity=0.9)+quantize(levels={levels})/0" for levels in (2, 4)]


def made(recipe: str, size: int, **others) -> dict:
    parsed = Recipe.parse(recipe)
    return row(size, 90, recipe, **{"recipe": recipe, "teacher_title": parsed.teacher.text(), "lost": 0.01, "latency": 1.0,
                                    "method": "+".join(step.name for step in parsed.methods) or "teacher", **others})


def of(*recipes: str) -> list[dict]:
    return [made(recipe, 9_000 - 1_000 * number) for number, recipe in enumerate(recipes)]


def shape(rows: list[dict]) -> list[tuple]:
    """Each branch: depth, title, the recipe of its parent, those of its networks."""
    return [(one.depth, one.title, one.parent and one.parent["recipe"], [member["recipe"] for member in one.rows])
            for one in tree.branches(rows, CARDS)]


def test_what_a_method_makes_along_its_dial_is_one_branch_below_its_start():
    assert shape(of(TEACHER, HALF, PRUNED, *CODED)) == [
        (0, "mlp, Digits", None, [TEACHER]), (1, "Pruning", TEACHER, [PRUNED, HALF]),
        (2, "Quantization", PRUNED, CODED[::-1])]


def test_other_settings_are_another_branch_and_controls_come_last():
    rows = [made(TEACHER, 9_000), made("digits/mlp/distill(width=0.2,alpha=0)/0", 500, control=True),
            made("digits/mlp/prune(sparsity=0.9,criterion=random)/0", 700), made(PRUNED, 800)]
    assert [title for _, title, *_ in shape(rows)] == [
        "mlp, Digits", "Pruning", "Pruning (random)", "Distillation (alpha 0), control"]


def test_a_chain_whose_middle_was_not_measured_hangs_from_what_was():
    title = "Pruning (share removed 90 %) + Quantization"
    assert shape(of(TEACHER, CODED[0])) == [(0, "mlp, Digits", None, [TEACHER]), (1, title, TEACHER, [CODED[0]])]
    assert shape(of(CODED[0])) == [(0, title, None, [CODED[0]])]


def test_how_a_file_is_stored_is_no_matter_for_what_is_made_of_it():
    stored = PRUNED.replace("0.9", "0.9,coding=none,precision=float16")
    assert shape(of(TEACHER, stored, CODED[0]))[2][2] == stored


def test_data_sets_and_teachers_have_trees_of_their_own():
    other = [{**one, "data_title": "Wine"} for one in of(TEACHER, PRUNED)]
    large = of("digits/mlp(hidden=9)/0", PRUNED.replace("mlp", "mlp(hidden=9)"))
    found = shape([*of(TEACHER, PRUNED), *other, *large])
    assert [depth for depth, *_ in found] == [0, 1] * 3 and [found[place][2] for place in (1, 3, 5)] == [
        found[place][3][0] for place in (0, 2, 4)]


def test_of_too_many_branches_the_wanted_ones_stay_with_all_above_them():
    rows = [*of(TEACHER, PRUNED, *CODED), *(made(f"digits/mlp/low_rank(keep=0.{number},scheme={scheme})/0", 50 + number)
                                            for scheme in ("a", "b") for number in (1, 2, 3))]
    found = tree.branches(rows, CARDS)
    kept = tree.most_telling(found, {rows[3]["id"]}, most=4)
    assert len(found) == 5 and len(kept) == 4 and kept == [one for one in found if one in kept]
    assert [one.depth for one in kept] == [0, 1, 1, 2] and kept[-1].parent is rows[1]
    assert tree.most_telling(found, (), most=9) == found


def test_two_thousand_networks_are_a_map_of_at_most_sixty_branches():
    rows = [made(TEACHER, 9_000), *(made(f"digits/mlp/prune(sparsity=0.{dial},recovery_epochs={epochs})/0", 100 + epochs)
                                    for epochs in range(200) for dial in range(1, 11))]
    kept = tree.most_telling(tree.branches(rows, CARDS), {rows[5]["id"]})
    assert len(kept) == tree.MOST_BRANCHES and any(rows[5] is one for branch in kept for one in branch.rows)
    size, lost = axes.MEASURES["bytes"], axes.MEASURES["lost"]
    figure_of(chart.chart(kept, size, size, lost))


@pytest.mark.parametrize("name", AXES)
def test_every_measure_is_a_place_a_size_and_a_colour(name):
    one = axes.measure(name)
    for rows in ([], of(TEACHER), of(TEACHER, HALF, PRUNED, *CODED)):
        figure = figure_of(chart.chart(tree.branches(rows, CARDS), one, one, one))
        (nodes,) = [trace for trace in figure.data if trace.mode == "markers"]
        assert sorted(nodes.customdata) == sorted(row["id"] for row in rows)


def test_a_stem_leads_from_a_network_down_to_what_was_made_of_it():
    size = axes.MEASURES["bytes"]
    figure = figure_of(chart.chart(tree.branches(of(TEACHER, PRUNED, *CODED), CARDS), size, size, axes.MEASURES["lost"]))
    root, pruned, coded, nodes = figure.data
    places = dict(zip(nodes.customdata, zip(nodes.x, nodes.y, strict=True), strict=True))
    assert (pruned.x[0], pruned.y[0]) == (9_000, 0) and (coded.x[0], coded.y[0]) == (8_000, -1)
    assert set(places.values()) == {(9_000, 0), (8_000, -1), (7_000, -2), (6_000, -2)} and len(root.x) == 2


def test_on_a_phone_the_titles_are_above_the_lines_instead_of_beside_them():
    size = axes.MEASURES["bytes"]
    drawn = chart.chart(tree.branches(of(TEACHER, PRUNED, *CODED), CARDS), size, size, size)
    beside, above = drawn["figure"]["layout"]["yaxis"], drawn["narrow"]
    assert not above["yaxis"]["showticklabels"]
    assert [(note["y"], note["text"].strip()) for note in above["annotations"]] == [
        (place, text.strip()) for place, text in zip(beside["tickvals"], beside["ticktext"], strict=True)]


def test_a_name_from_outside_is_plain_text():
    rows = [{**one, "data_title": "<b>x</b>"} for one in of(TEACHER)]
    layout = chart.chart(tree.branches(rows, CARDS), *(axes.MEASURES["bytes"],) * 3)["figure"]["layout"]
    (text,) = layout["yaxis"]["ticktext"]
    assert "<b>" not in text and "&lt;b" in text
