"""Every page as a whole, without a browser: it draws, says what to do, takes links, and shows what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from compress.recipe import Recipe, Step
from pages.ui import session
from tests.compress.helpers import ROOT
from tests.pages.samples import TEACHER, Curve, measure

PAGES = ["app.py", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "pages").glob("*.py")))]
TEACHERS, LOW_RANK, COMPARE, HANDBOOK = ("pages/1_Teacher.py", "pages/3_Low_rank.py", "pages/8_Compare.py",
                                         "pages/9_Handbook.py")
LINK = {"data": "digits", "teacher": "mlp", **{f"t.{name}": str(value) for name, value in Step.parse(TEACHER).settings}}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The pages' own engine with its worker process, over an empty store; ended and forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPRESS_HOME", str(tmp_path_factory.mktemp("pages")))
        session.engine.clear()
        started = session.engine()
        yield started
        started.close()
        assert started.process.wait(timeout=20) is not None
        session.engine.clear()


@pytest.fixture(scope="module")
def show(engine: Any) -> Callable[..., AppTest]:
    """show("pages/3_Low_rank.py", {"keep": "0.3"}): this page as a new visitor with this link sees it."""
    def draw(page: str, link: dict[str, str] | None = None) -> AppTest:
        shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
        if page != "app.py":
            shown.switch_page(page)
        shown.query_params.update(link or {})
        return shown.run()

    return draw


@pytest.fixture(scope="module")
def filled(engine: Any, prepared: None) -> Curve:
    """Four of a curve's points and two of compressed data, measured into the pages' store."""
    measure(engine.store, "data_svd(epochs=1)", (4, 16))
    return measure(engine.store, "low_rank", (0.1, 0.3, 0.6, 0.9))


def component(shown: AppTest, number: int = 0) -> dict[str, Any]:
    """What a live plot was given: its charts by id and its dial."""
    data = json.loads(shown.main.get("bidi_component")[number].proto.json)
    return {"charts": {name: json.loads(text) for name, text in data["charts"]},
            "dial": data["dial"] and json.loads(data["dial"])}


def labels(elements: Any) -> list[str]:
    return [element.label for element in elements]


def named(elements: Any, label: str) -> Any:
    """The one element with this label."""
    (found,) = [element for element in elements if element.label == label]
    return found


def words(shown: AppTest) -> str:
    return " ".join(element.proto.body for element in shown.main.get("html"))


@pytest.mark.parametrize("page", PAGES)
def test_a_first_visit_draws_the_page_and_its_sidebar(show, page):
    shown = show(page)
    assert not shown.exception and not shown.error and not shown.warning
    assert len(shown.title) == 1 and shown.title[0].value
    assert labels(shown.sidebar.selectbox) == ["Data set", "Teacher"]
    assert len(shown.sidebar.get("page_link")) == len(PAGES)


@pytest.mark.parametrize(("page", "advice"), [
    (TEACHERS, "Train this teacher"), (LOW_RANK, "Measure the curve"), (COMPARE, "Train a teacher")])
def test_a_page_with_nothing_to_show_says_what_to_do(show, page, advice):
    shown = show(page)
    assert advice in shown.info[0].value
    assert page == COMPARE or advice in labels(shown.button)


def test_the_first_page_shows_a_finished_curve_at_once(show):
    plot = component(show("app.py"))
    assert plot["dial"]["readout"][plot["dial"]["index"]]
    assert "smallest file within one point" in words(show("app.py"))


@pytest.mark.parametrize("page", PAGES)
def test_a_bad_link_ends_in_warnings_and_a_whole_page(show, page):
    bad = {"data": "nope", "teacher": "vgg", "seed": "-1", "keep": "inf", "t.epochs": "1e999", "t.hidden": "3x",
           "![x](http://a.example)": "<b>"}
    shown = show(page, bad)
    assert not shown.exception and len(shown.title) == 1
    assert session.engine().store.active_jobs() == []
    told = " ".join(warning.value for warning in shown.warning)
    for word in ("nope", "vgg", "seed", "Epochs", "Hidden", "left out"):
        assert word in told
    assert "![x]" not in told and "<b>" not in told
    assert shown.session_state["choice"].recipe().text().startswith("digits/mlp(")


def test_a_value_out_of_range_is_moved_with_a_warning(show):
    shown = show(LOW_RANK, {"keep": "5"})
    assert "between 0.001 and 1.0; 5 was lowered to 1.0" in shown.warning[0].value
    assert shown.query_params["keep"] == "1.0"


def test_a_link_sets_the_controls(show):
    shown = show(LOW_RANK, {"data": "mnist1d", "scheme": "plain", "allocation": "greedy", "output_layer": "true"})
    assert not shown.warning
    assert named(shown.sidebar.selectbox, "Data set").value == "mnist1d"
    assert named(shown.main.selectbox, "Scheme").value == "plain"
    assert named(shown.main.selectbox, "Allocation").value == "greedy"


def test_what_is_chosen_goes_into_the_link_and_along_to_other_pages(show):
    shown = show(LOW_RANK)
    named(shown.sidebar.selectbox, "Data set").select("mnist1d").run()
    named(shown.main.selectbox, "Scheme").select("plain").run()
    assert shown.session_state["choice"].data == "mnist1d"
    assert shown.query_params["data"] == "mnist1d" and shown.query_params["scheme"] == "plain"
    shown.query_params.clear()  # a link in the sidebar leads to a page without parameters
    shown.switch_page(TEACHERS).run()
    assert named(shown.sidebar.selectbox, "Data set").value == "mnist1d"
    shown.query_params.clear()
    shown.switch_page(LOW_RANK).run()
    assert named(shown.main.selectbox, "Scheme").value == "plain" and not shown.exception


def test_settings_that_exclude_each_other_are_mended_with_a_warning(show):
    shown = show(LOW_RANK, {"convolution": "spatial", "scheme": "whitened"})
    assert "scheme is now plain" in shown.warning[0].value
    assert named(shown.main.selectbox, "Scheme").value == "plain" and not shown.exception


def test_another_teacher_suits_the_data_set(show):
    shown = show("app.py", {"data": "mnist1d"})
    teachers = named(shown.sidebar.selectbox, "Teacher").options
    assert "Three convolutions of 25" in teachers and "LeNet-5" not in teachers
    named(shown.sidebar.selectbox, "Teacher").select("GRU over time").run()
    assert shown.session_state["choice"].teacher.name == "gru" and shown.query_params["teacher"] == "gru"


def test_the_handbook_has_a_tab_for_every_method_with_all_its_settings(show, known):
    shown = show(HANDBOOK)
    assert labels(shown.tabs) == [card["title"] for card in known["methods"].values()]
    for tab, card in zip(shown.tabs, known["methods"].values(), strict=True):
        text = " ".join(element.value for element in tab.markdown)
        assert all(entry["help"] in text for entry in card["settings"]) and card["doc"][:60] in text


def test_the_low_rank_page_shows_the_curve_its_inside_and_a_notice(show, filled):
    shown = show(LOW_RANK, {**LINK, "keep": "0.3"})
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "spectra", "energies", "errors"]
    assert plot["charts"]["accuracy-size"]["alt"].startswith("Accuracy against file size: 4 points from")
    read = {value: text for value, text in zip(plot["dial"]["values"], plot["dial"]["readout"], strict=True) if text}
    assert set(read) == {0.1, 0.3, 0.6, 0.9} and "smaller" in read[0.3]
    assert plot["dial"]["values"][plot["dial"]["index"]] == 0.3
    for follower in (one for chart in plot["charts"].values() for one in chart["follow"]):
        assert len(follower["x"]) == len(plot["dial"]["values"])
    assert "At this stop the file is" in words(shown) and "paired test, p =" in words(shown)


def test_a_point_can_be_taken_away(show, filled):
    shown = show(LOW_RANK, {**LINK, "keep": "0.3"})
    assert any(label.startswith("This point's file (") for label in labels(shown.get("download_button")))
    code = " ".join(block.value for block in shown.code)
    assert "LowRank(" in code and "python -m compress curve --data digits" in code
    assert next(point for point in filled.points if point["dial"] == 0.3)["recipe"] in code


def test_a_stop_that_is_not_measured_offers_no_file(show, filled):
    shown = show(LOW_RANK, {**LINK, "keep": "0.2"})
    assert not shown.exception and not shown.get("download_button")


def test_the_rest_of_a_curve_is_offered(show, filled):
    """The dial stands where nothing was measured, so at least that point is missing."""
    shown = show(LOW_RANK, {**LINK, "keep": "0.2"})
    missing = component(shown)["dial"]["readout"].count(None)
    assert missing and f"Measure the {missing} points left" in labels(shown.button)


def test_the_other_curve_is_shown_beside_its_own(show, filled):
    measure(session.store(), "low_rank(scheme=plain)", (0.1, 0.3, 0.9))
    shown = show(LOW_RANK, {**LINK, "keep": "0.3"})
    names = [trace["name"] for trace in component(shown)["charts"]["accuracy-size"]["figure"]["data"]]
    assert names[0] == "plain" and "Low rank: whitened" in names


def test_compressed_data_has_its_own_reference_and_pictures(show, filled):
    shown = show(LOW_RANK, {**LINK, "method": "data_svd", "components": "4", "epochs": "1"})
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "spectrum", "data-errors"]
    stars = [trace for trace in plot["charts"]["accuracy-size"]["figure"]["data"] if trace["name"] == "raw data"]
    assert len(stars) == 1 and "than the raw data" in words(shown)
    assert words(shown).count("<img ") == 16 and "k = 4" in words(shown)


def test_the_teacher_page_shows_the_card(show, filled):
    shown = show(TEACHERS, LINK)
    assert not shown.exception and "Train this teacher" not in labels(shown.button)
    assert shown.subheader[0].value == "64-24-16-10 on Digits 8x8"
    assert list(component(shown)["charts"]) == ["training", "confusion", "parameters"]
    card = filled.teacher["card"]
    assert f"{card['correct']} of {card['examples']} validation examples" in words(shown)
    assert words(shown).count("<img ") == len(card["wrong"])


def test_a_wrong_size_is_refused_and_the_last_good_one_stays(show, filled):
    shown = show(TEACHERS, LINK)
    named(shown.main.text_input, "Hidden").input("24x16").run()
    assert "joined by '-'" in shown.warning[0].value and "24-16" in shown.warning[0].value
    assert shown.session_state["choice"].teacher.values["hidden"] == "24-16" and not shown.exception
    named(shown.main.text_input, "Hidden").input("20").run()
    assert shown.session_state["choice"].teacher.values["hidden"] == "20" and shown.query_params["t.hidden"] == "20"
    assert not shown.warning and "Train this teacher" in labels(shown.button)


def test_compare_shows_a_row_for_every_network(show, filled):
    shown = show(COMPARE, LINK)
    assert not shown.exception
    networks = [point for point in session.store().all_points() if point["method"] != "data_svd"]
    assert len(shown.data_editor[0].value) == len(networks)
    assert component(shown)["charts"]["plane"]["alt"].startswith(f"{len(networks)} networks")


def test_compare_filters_by_method(show, filled):
    shown = show(COMPARE, LINK)
    named(shown.multiselect, "Methods").select("Teacher").run()
    assert component(shown)["charts"]["plane"]["alt"].startswith("1 networks") and not shown.exception


@pytest.fixture
def pinned(engine: Any, filled: Curve) -> Iterator[tuple[str, str]]:
    """Key and reference of a pinned point."""
    point = Recipe.parse(filled.points[1]["recipe"])
    place = (point.key(), filled.teacher["digest"])
    engine.store.pin(*place, "")
    yield place
    engine.store.unpin(*place)


def test_a_pin_and_its_note_survive(show, pinned):
    shown = show(COMPARE, LINK)
    note = named(shown.main.text_input, "Note")
    note.input("the knee *of* it").run()
    assert named(shown.main.text_input, "Note").value == "the knee *of* it" and not shown.exception
    shown.run()
    assert named(shown.main.text_input, "Note").value == "the knee *of* it"
    assert named(show(COMPARE, LINK).main.text_input, "Note").value == "the knee *of* it"


def test_a_pin_can_be_taken_away(show, pinned, engine):
    shown = show(COMPARE, LINK)
    named(shown.button, "Unpin").click().run()
    assert not any(point["pinned"] for point in engine.store.all_points())
    assert "Unpin" not in labels(shown.button) and not shown.exception
