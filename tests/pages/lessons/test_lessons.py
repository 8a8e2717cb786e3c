"""Every step of every lesson can be shown as it says, and what the lessons claim is what this program measures. (What takes
longer to measure than a test may, atoms of digits, fifty labels, four rounds, has its command in the lesson's file.)"""

from __future__ import annotations

import ast
from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from compress.curves import sweep
from compress.curves.chains.run import chain_of, run
from compress.curves.store import Store
from compress.recipe import CONTROL
from pages.ui.chains.chained import Chained, taken
from pages.ui.lessons import LESSONS
from pages.ui.lessons.lesson import CHAINS, DIGITS
from pages.ui.shell.choice import Choice, first_choice, point_recipe
from pages.ui.shell.links import from_link, to_link
from tests.compress.helpers import ROOT
from tests.imports import tree_of

STEPS = [pytest.param(name, number, id=f"{name}-{number}") for name, lesson in LESSONS.items()
         for number in range(1, len(lesson.steps) + 1)]


def methods_of(page: str) -> tuple[str, ...]:
    """The methods that a page hands to open_page."""
    calls = [node for node in ast.walk(tree_of(ROOT / page)) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Name) and node.func.id == "open_page"]
    return tuple(ast.literal_eval(key) for call in calls for argument in call.args if isinstance(argument, ast.Dict)
                 for key in argument.keys if key is not None)


def chain_of_step(known: dict[str, Any], name: str, number: int) -> tuple[Chained, dict[str, str]]:
    """The chain of a step, without a single notice, and the rest of its link."""
    step, notices = LESSONS[name].steps[number - 1], []
    chain, link = taken(step.link, known, notices)
    assert notices == [] and bool(chain.steps) == (step.page == CHAINS)
    return chain, link


def chosen(known: dict[str, Any], name: str, number: int) -> tuple[Choice, str | None]:
    """What a step chooses, without a single notice, and the method on the screen."""
    step = LESSONS[name].steps[number - 1]
    methods = methods_of(step.page)
    _, link = chain_of_step(known, name, number)
    choice, notices = from_link(link, known, methods, first_choice(known))
    assert notices == []
    active = step.link.get("method", methods[0] if methods else None)
    assert active is None or active in methods
    return choice, active


@pytest.mark.parametrize(("name", "number"), STEPS)
def test_a_steps_state_is_one_of_its_page_and_its_link_says_all_of_it(known, name, number):
    step = LESSONS[name].steps[number - 1]
    choice, active = chosen(known, name, number)
    again = {**to_link(choice, known, methods_of(step.page), active), "method": active}
    chain, link = chain_of_step(known, name, number)
    assert {parameter: again.get(parameter) for parameter in link} == link
    assert taken(chain.to_link(), known, [])[0] == chain
    if active:
        assert f"{active}.{known['methods'][active]['dial']}" in step.link, "the dial's stop is part of the step"


def test_lessons_are_short_and_each_prediction_has_one_right_answer_that_is_explained():
    assert len(LESSONS) == 8 and all(name == lesson.name for name, lesson in LESSONS.items())
    for lesson in LESSONS.values():
        assert 5 <= len(lesson.steps) <= 8
        asked = [step.question for step in lesson.steps if step.question]
        assert len(asked) >= 2 and lesson.steps[-1].question is None, "an answer is shown by a later step"
        assert all(len(set(one.choices)) >= 3 and 0 <= one.right < len(one.choices) and one.why for one in asked)
        assert all(step.link.items() >= DIGITS.items() for step in lesson.steps)


@pytest.fixture(scope="module")
def at(known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """at("lottery-ticket", 3): the point that this step shows, measured; with its control, if it has one."""
    store = Store(tmp_path_factory.mktemp("lessons") / "store.sqlite")

    @lru_cache
    def measured(name: str, number: int) -> dict[str, Any]:
        choice, method = chosen(known, name, number)
        card = known["methods"][method]
        asked = choice.with_method(method, seeds=1) if method == "distill" else choice  # the dial's student, and its control
        wanted = sweep.sweep_of(asked.request(card), (asked.methods[method][card["dial"]],))
        for _ in sweep.run(wanted, store, latency=False):
            pass
        teacher, = store.teachers(wanted.recipe.reference().key())
        key, digest = point_recipe(asked.request(card), card).key(), teacher["digest"]
        runs = store.plan(wanted.request.key(), digest).runs
        return {**store.point(key, digest), "teacher": teacher["card"], "predicted": store.predictions(key, digest),
                "control": next((store.point(run.key, digest) for run in runs if run.role == CONTROL), None)}

    return measured


def recognised(point: dict[str, Any], label: str) -> int:
    """How many validation examples of a class a network has right."""
    return sum(str(is_one) == label == str(said)
               for is_one, said in zip(point["teacher"]["labels"], array("H", point["predicted"]), strict=True))


def test_dark_knowledge(at):
    warm, cold = at("dark-knowledge", 2), at("dark-knowledge", 4)
    assert sum(str(label) == "3" for label in warm["teacher"]["labels"]) == 36
    assert warm["teacher"]["accuracy"] == pytest.approx(0.98, abs=0.01)
    assert recognised(warm, "3") > 20 and recognised(cold, "3") <= 5
    assert warm["accuracy"] > 0.94 and warm["control"]["accuracy"] < 0.9


def test_break_even_rank(at):
    whole, half, low = (at("break-even-rank", number) for number in (2, 3, 4))
    teacher = whole["teacher"]
    assert whole["bytes"] == teacher["bytes"] and half["bytes"] / teacher["bytes"] == pytest.approx(2 / 3, abs=0.03)
    assert teacher["accuracy"] - half["accuracy"] < 0.01 and teacher["bytes"] / low["bytes"] > 4
    assert teacher["accuracy"] - low["accuracy"] < 0.025
    plain, whitened = at("break-even-rank", 5), at("break-even-rank", 6)
    assert plain["bytes"] == whitened["bytes"] and whitened["accuracy"] > plain["accuracy"] + 0.08


def test_zeros_are_not_speed(at):
    """Times differ from machine to machine: the lesson's file has those that its words go by."""
    half, most, units, few_units = (at("zeros-are-not-speed", number) for number in (2, 3, 4, 5))
    teacher = half["teacher"]
    assert teacher["macs"] == 50_200 == 2 * half["macs"] == 5 * most["macs"]
    assert 0.5 < half["bytes"] / teacher["bytes"] < 0.56 and teacher["bytes"] / most["bytes"] > 4
    assert teacher["accuracy"] - half["accuracy"] < 0.01 and teacher["accuracy"] - most["accuracy"] < 0.015
    assert units["macs"] / teacher["macs"] == pytest.approx(0.36, abs=0.04)
    assert teacher["accuracy"] - few_units["accuracy"] > 0.1


def test_the_lottery_ticket(at):
    untrained, ticket, redrawn = (at("lottery-ticket", number) for number in (2, 3, 4))
    assert untrained["accuracy"] == pytest.approx(0.7, abs=0.06) and ticket["accuracy"] > 0.94
    assert 0.01 < ticket["accuracy"] - redrawn["accuracy"] < 0.08
    assert ticket["teacher"]["accuracy"] - ticket["accuracy"] < 0.04


def test_the_same_bytes(at):
    ranks, weights, student = (at("same-bytes", number) for number in (2, 3, 4))
    assert all(20_000 < point["bytes"] < 28_000 for point in (ranks, weights, student))
    assert student["bytes"] == min(point["bytes"] for point in (ranks, weights, student))
    assert ranks["accuracy"] + 0.04 < weights["accuracy"] < student["accuracy"] - 0.03
    assert ranks["teacher"]["accuracy"] - ranks["accuracy"] == pytest.approx(0.15, abs=0.03)
    assert student["control"]["accuracy"] == pytest.approx(student["accuracy"], abs=0.015)


def test_how_few_bits(at):
    whole, nearest, three, two, plain = (at("how-few-bits", number) for number in (1, 2, 3, 4, 5))
    teacher = whole["teacher"]
    assert teacher["bytes"] / whole["bytes"] > 4 and teacher["accuracy"] - whole["accuracy"] < 0.005
    assert nearest["accuracy"] == pytest.approx(0.6, abs=0.1) and three["accuracy"] == pytest.approx(0.97, abs=0.01)
    assert teacher["bytes"] / three["bytes"] > 30 and three["bytes"] == pytest.approx(6_000, abs=500)
    assert two["bytes"] == pytest.approx(8_000, abs=500) and three["bytes"] < two["bytes"]
    assert three["accuracy"] - two["accuracy"] == pytest.approx(0.11, abs=0.04)
    assert plain["bytes"] == pytest.approx(16_000, abs=700) and plain["accuracy"] == three["accuracy"]


def test_deep_compression_step_by_step(known, tmp_path):
    """The networks of each step: after every method, and coded."""
    store = Store(tmp_path / "store.sqlite")

    def walked(number: int) -> list[dict[str, Any]]:
        chain, _ = chain_of_step(known, "deep-compression", number)
        recipe, step = chain.recipe(first_choice(known)), chain.steps[chain.dial_place]
        whole = chain_of(recipe, (step.values[known["methods"][step.name]["dial"]],), chain.dial_place + 1)
        list(run(whole, store, latency=False))
        teacher, = store.teachers(recipe.reference().key())
        return [teacher["card"], *(store.point(one.key(), teacher["digest"]) for one in whole.stairs(whole.values[0]))]

    teacher, _, pruned = walked(1)
    assert teacher["accuracy"] - pruned["accuracy"] == pytest.approx(0.04, abs=0.012)
    _, long, again = walked(2)
    assert teacher["accuracy"] - again["accuracy"] == pytest.approx(0.011, abs=0.007)
    assert long["bytes"] == pytest.approx(39_000, abs=1_000)
    _, _, short, shared = walked(3)
    assert short["bytes"] == pytest.approx(11_500, abs=300) and 0.004 < again["accuracy"] - shared["accuracy"] < 0.025
    _, _, same, trained = walked(4)
    assert same["bytes"] == short["bytes"] and trained["accuracy"] > shared["accuracy"]
    assert teacher["bytes"] / trained["bytes"] == pytest.approx(28, abs=1.5)
    assert walked(5)[-1]["accuracy"] == pytest.approx(0.1, abs=0.05)
    rounded = walked(6)[-1]
    assert rounded["accuracy"] > trained["accuracy"] and rounded["bytes"] < trained["bytes"]
    assert teacher["bytes"] / rounded["bytes"] == pytest.approx(31, abs=1.5)
