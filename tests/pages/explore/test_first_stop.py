"""Where the dial of a finished curve starts, and who may have set it before."""

from __future__ import annotations

import pytest

from pages.ui.explore import first_stop
from tests.pages.samples import measure, point
from tests.pages.test_pages import LINK, LOW_RANK, component, engine, named, show  # noqa: F401  (fixtures)

TEACHER = point(0.0, 1_000, 95)


@pytest.mark.parametrize(("points", "stop"), [
    ([point(0.1, 100, 80), point(0.2, 200, 94), point(0.3, 300, 95)], 0.2),
    ([point(0.1, 100, 80), point(0.2, 200, 90), point(0.3, 300, 90)], 0.2),
    ([point(0.9, 2_000, 99), point(0.1, 100, 94)], 0.1)],
    ids=["within one point", "none: the most accurate, and of these the smallest", "a larger file is no gain"])
def test_the_best_stop(points, stop):
    assert first_stop.best(points, TEACHER) == stop


@pytest.fixture(scope="module")
def curve(engine, prepared):  # noqa: F811
    """A finished curve over the page's own stops, the default among them."""
    return measure(engine.store, "low_rank", (0.05, 0.1, 0.15, 0.5, 0.9))


def dial(shown) -> float:
    return shown.session_state["choice"].methods["low_rank"]["keep"]


def test_a_finished_curve_starts_at_its_best_stop(show, curve):  # noqa: F811
    best = first_stop.best(curve.points, curve.teacher["card"])
    shown = show(LOW_RANK, LINK)
    assert dial(shown) == best != 0.15
    assert "low_rank.keep" not in shown.query_params, "nobody has set the dial: a link that leaves it out places it again"
    plot = component(shown)
    assert plot["dial"]["values"][plot["dial"]["index"]] == best


def test_a_link_or_a_visitor_sets_the_dial_for_good(show, curve):  # noqa: F811
    shown = show(LOW_RANK, {**LINK, "low_rank.keep": "0.15"})
    assert dial(shown) == 0.15 and dial(shown.run()) == 0.15
    assert dial(show(LOW_RANK, {**LINK, "keep": "0.05"})) == 0.05


def test_other_settings_get_their_own_stop_while_the_dial_is_free(show, curve, engine):  # noqa: F811
    plain = measure(engine.store, "low_rank(scheme=plain)", (0.05, 0.1, 0.15, 0.5, 0.9))
    shown, held = show(LOW_RANK, LINK), show(LOW_RANK, {**LINK, "keep": "0.9"})
    for visitor in (shown, held):
        named(visitor.main.selectbox, "Scheme").select("plain").run()
    assert dial(shown) == first_stop.best(plain.points, plain.teacher["card"]) and dial(held) == 0.9


@pytest.mark.parametrize(("preset", "is_set"), [("2:4, the pattern of GPUs", True), ("Digits in a second", False)])
def test_a_preset_that_names_the_dial_keeps_it(show, engine, monkeypatch, preset, is_set):  # noqa: F811
    monkeypatch.setattr(engine, "submit", lambda *_: 1)
    shown = show("pages/4_Prune.py", LINK)
    named(shown.main.button, preset).click().run()
    assert ("prune" in shown.session_state["choice"].turned) is is_set
