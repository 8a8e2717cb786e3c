"""The Chains page without a browser: cards, staircase, refusals beside their step, link and code."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from compress.__main__ import _parser
from compress.curves.chains import order
from compress.curves.chains.duel import duel_of
from compress.curves.chains.run import chain_of, run
from compress.curves.chains.structure import RefusedStep
from compress.recipe import Recipe
from compress.service.requests import DuelRequest
from pages.ui.chains import duel_fold, order_fold, presets
from pages.ui.chains.state import FIRST
from pages.ui.shell import session
from tests.pages.explore.test_by_itself import asked  # noqa: F401  (a fixture)
from tests.pages.samples import TEACHER
from tests.pages.test_pages import LINK, component, engine, labels, named, show, words  # noqa: F401  (fixtures)

PAGE = "pages/7_Chains.py"
CHAIN = {**LINK, "chain": "low_rank(keep=0.3)+prune(pattern=n:4,sparsity=0.5)", "dial-step": "1"}


def stairs_of(shown: Any) -> dict[str, Any]:
    return component(shown, "dial.chain")["charts"]["stairs"]


@pytest.fixture(scope="module")
def measured(engine: Any, prepared: Any) -> list[Any]:  # noqa: F811
    """All stops of a chain, in the pages' store."""
    text = f"digits/{TEACHER}/low_rank(keep=0.3)+prune(pattern=n:4,sparsity=0.5,coding=entropy)/0"
    values = [0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4]
    return list(run(chain_of(Recipe.parse(text), values, 1), engine.store, latency=False))


def test_a_first_visit_begins_a_chain_by_itself(show, asked, known):  # noqa: F811
    shown = show(PAGE, LINK, by_itself=True)
    (recipe,) = asked
    assert [step.name for step in Recipe.parse(recipe).methods] == [part.partition("(")[0] for part in FIRST.split("+")]
    assert not shown.exception
    chips = [button.proto for button in shown.main.button if button.label == presets.PRESETS[0].title]
    assert [chip.type for chip in chips] == ["primary"], "its preset is marked"


def test_a_measured_chain_is_a_staircase_with_its_words(show, measured):  # noqa: F811
    shown = show(PAGE, CHAIN)
    assert not shown.exception and not shown.error and not shown.warning
    drawn = stairs_of(shown)
    assert len(drawn["follow"]) == 4 and all(x for one in drawn["follow"] for x in one["x"])
    assert "Step by step: low rank" in words(shown) and "then coding" in words(shown)
    assert "All 7 stops are measured." in [one.value for one in shown.main.caption]


def test_steps_are_moved_removed_and_added(show, asked):  # noqa: F811
    shown = show(PAGE, CHAIN)
    for key, chain in (("chain.0.right", ["prune", "low_rank"]), ("chain.1.out", ["prune"]),
                       ("chain.add.quantize", ["prune", "quantize"])):
        next(button for button in shown.main.button if button.key == key).click().run()
        link = {name: value[0] if isinstance(value, list) else value for name, value in shown.query_params.items()}
        assert [one.partition("(")[0] for one in link["chain"].split("+")] == chain and not shown.exception
    assert not asked


def test_the_code_and_the_command_are_those_of_the_chain(show, measured, known):  # noqa: F811
    shown = show(PAGE, CHAIN)
    address, alone, every, command, line = [one.value for one in shown.main.code]
    assert "dial-step=1" in address and "chain=low_rank" in address
    assert "for keep in (0.03, 0.05," in every and "keep=keep" in every and "LowRank(" in alone
    compile(every, "every", "exec")
    chosen = _parser().parse_args(shlex.split(command)[3:])
    assert chosen.dial_step == "1" and chosen.dial.split(",")[0] == "0.03"
    assert Recipe.parse(line).methods[0].values["keep"] == 0.3


def test_what_cannot_be_chained_is_refused_beside_its_step(show, engine, prepared):  # noqa: F811
    text = f"digits/{TEACHER}/low_rank(keep=0.3)+prune(pattern=n:4,sparsity=0.6,coding=entropy)/0"
    values = [0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4]
    with pytest.raises(RefusedStep):
        list(run(chain_of(Recipe.parse(text), values, 1), engine.store))
    shown = show(PAGE, {**CHAIN, "chain": CHAIN["chain"].replace("0.5", "0.6")}, by_itself=True)
    (error,) = shown.main.error
    assert "sparsity must be one of 0.25, 0.5, 0.75" in error.value and not shown.exception
    assert "Nothing can be measured." in [one.value for one in shown.main.caption]


def test_the_order_matrix_shows_what_is_measured_and_offers_the_rest(show, engine, measured):  # noqa: F811
    votes = {"votes": "+" * 12 + "0" * 347, "sizes": [9000, 9100], "accuracies": [0.9, 0.87], "recipes": ["", ""]}
    recipe, data = Recipe.parse(f"digits/{TEACHER}/0"), engine.store.data_digest("digits", "")
    wanted = order.order_of(recipe, 16, 1)
    engine.store.save_view(wanted.view_key, data, {"cells": {"low_rank+prune": {"0": votes}},
                                                   "refused": {"prune+quantize": "cannot be made equal"}})
    shown = show(PAGE, CHAIN, opened=(f"chain.{order_fold.TITLE}",))
    assert not shown.exception and "The order matters for <b>1 of 1</b> pairs" in words(shown)
    assert "low rank first is <b>3.3 points</b> better at 9.1 kB" in words(shown)
    count = wanted.pairs.__len__() * 3 - 3 - 1
    assert f"Measure {count} comparisons" in labels(shown.main.button)
    captions = [one.value for one in shown.main.caption]
    assert any("Pruning and Quantization. cannot be made equal" in one for one in captions), captions


def test_a_duel_is_asked_for_and_its_verdict_is_a_sentence(show, engine, measured, monkeypatch):  # noqa: F811
    sent: list[DuelRequest] = []
    monkeypatch.setattr(session, "submit", lambda request, key, title: sent.append(request))
    shown = show(PAGE, CHAIN, opened=(f"chain.{duel_fold.TITLE}",))
    assert not shown.exception and "Measure the duel" in labels(shown.main.button)
    named(shown.main.button, "Measure the duel").click().run()
    (request,) = sent
    assert not shown.exception and request.by == "bytes" and request.seeds == 3
    wanted = duel_of(Recipe.parse(request.first), Recipe.parse(request.second), request.by, request.size, request.seeds)
    assert [step.name for step in wanted.second.methods] == ["prune", "low_rank"], "the same steps the other way round"
    cells = {str(seed): {"votes": "-" * 9 + "0" * 350, "sizes": [3000, 3010], "accuracies": [0.8, 0.83],
                         "recipes": [wanted.first.text(), wanted.second.text()]} for seed in range(3)}
    engine.store.save_view(wanted.view_key, engine.store.data_digest("digits", ""), {"cells": cells})
    shown = show(PAGE, CHAIN, opened=(f"chain.{duel_fold.TITLE}",))
    assert "The other one is better than this chain by 2.5 points (p = 0.0039, 3 seeds)." in words(shown)
    assert "Measure the duel" not in labels(shown.main.button)
