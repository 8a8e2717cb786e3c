"""Every page as a whole, without a browser: it draws, says what to do, takes links, and shows what was measured."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from compress.curves.store import Store
from compress.data.pictures import PICTURES
from compress.files.artefacts import SUFFIX
from compress.progress import StudentSoFar, StudentsSoFar
from compress.recipe import Recipe, Step
from compress.service import engine as engines
from compress.service import kept_description
from pages.ui.charts import outside
from pages.ui.explore import pictures
from pages.ui.shell import session
from tests.compress.helpers import ROOT
from tests.pages.late_worker import LateWorker
from tests.pages.samples import TEACHER, Curve, measure

PAGES = ["app.py", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "pages").glob("*.py")))]
TEACHERS, DISTILL, LOW_RANK, COMPARE, HANDBOOK = ("pages/1_Teacher.py", "pages/2_Distill.py", "pages/3_Low_rank.py",
                                                  "pages/8_Compare.py", "pages/10_Handbook.py")
LINK = {"data": "digits", "teacher": "mlp", **{f"t.{name}": str(value) for name, value in Step.parse(TEACHER).settings}}
LESSON = "distill(epochs=2,seeds=2,temperatures=8)"
ERRORS = "low_rank.Energy and error at each rank"
ADDED, DARK, LEARNS, ONLY = (f"distill.{title}" for title in (
    "What the teacher's outputs add", "Dark knowledge: the teacher's soft targets", "How the student learns",
    "Learned only with the teacher"))
CODE = "Link and code for this point"
TABLE = "Compare.All points in a table: sort it, tick rows to pin or delete them"
TAUGHT = {**LINK, "width": "0.6", **{name: str(value) for name, value in Step.parse(LESSON).settings}}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, known: dict[str, Any]) -> Iterator[Any]:
    """The pages' own engine, over an empty store, with the description that an earlier worker left and a worker process
    that starts with the first job; ended and forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPRESS_HOME", str(tmp_path_factory.mktemp("pages")))
        patch.setattr(engines, "WorkerProcess", LateWorker)
        kept_description.keep(known)
        session.engine.clear()
        started = session.engine()
        yield started
        started.close()
        assert started.process is None or started.process.poll() is not None
        session.engine.clear()


@pytest.fixture(scope="module")
def show(engine: Any) -> Callable[..., AppTest]:
    """show("pages/3_Low_rank.py", {"keep": "0.3"}): this page as a new visitor with this link sees it, who wants pages to
    measure by themselves or (here, unless said otherwise) does not. opened: folds, such as "prune.Layer by layer"."""
    def draw(page: str, link: dict[str, str] | None = None, by_itself: bool = False, opened: Sequence[str] = ()) -> AppTest:
        shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
        for fold in opened:
            shown.session_state[f"fold.{fold}"] = True
        shown.session_state["kept.live"] = by_itself
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


def component(shown: AppTest, key: str = "") -> dict[str, Any]:
    """The charts by id and the dial: of the live plot with this key, or of the first one and those that follow its dial."""
    plots = [json.loads(one.proto.json) for one in shown.main.get("bidi_component")]
    first = next(plot for plot in plots if key in ("", plot["key"]))
    charts = [chart for plot in plots if plot is first or plot["follows"] == first["key"] for chart in plot["charts"]]
    return {"charts": {name: json.loads(text) for name, text in charts},
            "dial": first["dial"] and json.loads(first["dial"])}


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


def test_what_has_to_be_said_of_the_store_is_said_on_the_first_page_once(show, engine):
    with sqlite3.connect(engine.store.path) as connection:
        connection.execute("INSERT INTO notices VALUES ('3 points are left out.')")
    shown = show(LOW_RANK)
    assert [one.value for one in shown.warning] == ["3 points are left out."]
    assert [one.value for one in shown.run().warning] == ["3 points are left out."], "as long as the page is open"
    assert not show(LOW_RANK).warning and not shown.switch_page(TEACHERS).run().warning


@pytest.mark.parametrize(("page", "advice"), [
    (TEACHERS, "Train this teacher"), (DISTILL, "Measure the curve"), (LOW_RANK, "Measure the curve"),
    ("pages/4_Prune.py", "Measure the curve"), ("pages/5_Sparse_code.py", "Measure the curve"),
    ("pages/6_Quantize.py", "Measure the curve"),
    (COMPARE, "Every network that you measure will be on this plane")])
def test_a_page_with_nothing_to_show_says_what_to_do(show, page, advice):
    shown = show(page)
    said = shown.main.caption if page == COMPARE else shown.info
    assert any(advice in one.value for one in said)
    assert page == COMPARE or advice in labels(shown.button)


def test_the_first_page_shows_a_finished_race_at_once(show):
    shown = show("app.py")
    assert len(component(shown)["charts"]["race"]["figure"]["data"]) > 10
    assert "below the teacher: smallest" in re.sub("<[^>]+>", "", words(shown))


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
    assert shown.query_params["low_rank.keep"] == "1.0"


def test_a_link_sets_the_controls(show):
    shown = show(LOW_RANK, {"data": "mnist1d", "scheme": "plain", "allocation": "greedy", "output_layer": "true"})
    assert not shown.warning
    assert named(shown.sidebar.selectbox, "Data set").value == "mnist1d"
    assert named(shown.main.selectbox, "Scheme").value == "plain"
    assert named(shown.main.selectbox, "Allocation").value == "greedy"


@pytest.mark.parametrize("link", [{}, LINK, {**LINK, "scheme": "plain"}, {"seed": "3", "low_rank.keep": "0.3"}])
def test_an_address_that_was_opened_stays_until_something_is_chosen(show, link):
    shown = show(LOW_RANK, link)
    assert {name: shown.query_params[name] for name in shown.query_params} == link, "Back would lead to this page again"
    named(shown.main.selectbox, "Allocation").select("greedy").run()
    assert shown.query_params["low_rank.allocation"] == "greedy" and shown.query_params["data"] == "digits"
    assert ("low_rank.keep" in shown.query_params) == ("low_rank.keep" in link)


@pytest.mark.parametrize(("page", "said"), [(LOW_RANK, "Known here are low_rank, data_svd"), (COMPARE, "It was left out")])
def test_a_method_that_is_not_of_this_page_is_named(show, page, said):
    shown = show(page, {"method": "bogus"})
    assert len(shown.warning) == 1 and outside.markdown(f"method=bogus is no method of this page. {said}") in (
        shown.warning[0].value)
    assert "bogus" not in str(shown.query_params) and not shown.exception


def test_the_links_of_the_sidebar_lead_to_what_is_chosen(show):
    shown = show(LOW_RANK, {"data": "mnist1d", "scheme": "plain"})
    queries = {one.proto.label: dict(parse_qsl(one.proto.query_string)) for one in shown.sidebar.get("page_link")}
    assert set(queries) >= {"Teacher", "Compare"} and {query["data"] for query in queries.values()} == {"mnist1d"}
    assert queries["Low rank"]["low_rank.scheme"] == "plain" and "low_rank.scheme" not in queries["Prune"]


def test_what_is_chosen_goes_into_the_link_and_along_to_other_pages(show):
    shown = show(LOW_RANK)
    named(shown.sidebar.selectbox, "Data set").select("mnist1d").run()
    named(shown.main.selectbox, "Scheme").select("plain").run()
    assert shown.session_state["choice"].data == "mnist1d"
    assert shown.query_params["data"] == "mnist1d" and shown.query_params["low_rank.scheme"] == "plain"
    shown.query_params.clear()  # a link in the sidebar leads to a page without parameters
    shown.switch_page(TEACHERS).run()
    assert named(shown.sidebar.selectbox, "Data set").value == "mnist1d"
    shown.query_params.clear()
    shown.switch_page(LOW_RANK).run()
    assert named(shown.main.selectbox, "Scheme").value == "plain" and not shown.exception


def test_settings_that_exclude_each_other_are_mended_with_a_warning(show):
    shown = show(LOW_RANK, {"convolution": "spatial", "scheme": "whitened"})
    assert "Scheme is now plain" in shown.warning[0].value
    assert named(shown.main.selectbox, "Scheme").value == "plain" and not shown.exception


def test_a_teacher_of_no_preset_is_named_in_the_sidebar(show):
    assert named(show(LOW_RANK, LINK).sidebar.selectbox, "Teacher").value == "MLP 24-16, epochs 2"


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
    shown = show(LOW_RANK, {**LINK, "keep": "0.3"}, opened=[ERRORS])
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "spectra", "errors", "energies"]
    assert plot["charts"]["accuracy-size"]["alt"].startswith("Accuracy against file size: 4 points from")
    read = {value: text for value, text in zip(plot["dial"]["values"], plot["dial"]["readout"], strict=True) if text}
    assert set(read) == {0.1, 0.3, 0.6, 0.9} and "smaller" in read[0.3]
    assert plot["dial"]["values"][plot["dial"]["index"]] == 0.3
    for follower in (one for chart in plot["charts"].values() for one in chart["follow"]):
        assert len(follower["x"]) == len(plot["dial"]["values"])
    assert "At this stop: " in words(shown) and "paired test, p =" in words(shown)


def test_a_point_can_be_taken_away(show, filled):
    shown = show(LOW_RANK, {**LINK, "keep": "0.3"}, opened=[f"low_rank.{CODE}"])
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
    assert component(shown)["dial"]["readout"].count(None) == 1 and "Measure the 1 point left" in labels(shown.button)


@contextmanager
def changed(store: Store, digest: str, suffix: str = SUFFIX) -> Iterator[None]:
    """One byte of a file in the store is changed, its length and the time of its last change are not; it is whole again
    afterwards."""
    path = store.artefacts.path(digest, suffix)
    contents, before = path.read_bytes(), path.stat()
    path.write_bytes(contents[:-1] + bytes([contents[-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    yield
    path.write_bytes(contents)


def test_a_point_whose_file_is_gone_or_changed_is_drawn_and_can_be_measured_again(show, filled):
    point, gone = filled.points[1], "The file of the point at the dial is gone, or it was changed"
    with changed(filled.store, point["digest"]):
        shown = show(LOW_RANK, {**LINK, "keep": "0.3"})
        assert not shown.exception and component(shown)["dial"]["readout"].count(None) == 0
        assert gone in words(shown) and "Measure the 1 point left" in labels(shown.button)
        assert [button.proto.disabled for button in shown.get("download_button")] == [True, False]
        other = show(LOW_RANK, {**LINK, "keep": "0.6"})
        assert gone not in words(other) and not any(button.proto.disabled for button in other.get("download_button"))
    shown = show(LOW_RANK, {**LINK, "keep": "0.3"})
    assert gone not in words(shown) and not any(button.proto.disabled for button in shown.get("download_button"))


def test_a_teacher_whose_file_is_gone_or_changed_can_be_trained_again(show, filled):
    with changed(filled.store, filled.teacher["digest"]):
        shown = show(TEACHERS, LINK)
        assert not shown.exception and "Train it again" in labels(shown.button)
        assert shown.warning[0].value.startswith("This teacher's file is gone, or it was changed.")
    shown = show(TEACHERS, LINK)
    assert not shown.warning and "Train it again" not in labels(shown.button)


def test_pictures_of_examples_are_left_out_where_their_file_is_gone_or_changed(show, filled):
    assert len(pictures.of_examples(filled.view, [0, 1])) == 2
    with changed(filled.store, filled.view["pictures"], PICTURES):
        assert pictures.of_examples(filled.view, [0, 1]) == []


def test_the_other_curve_is_shown_beside_its_own(show, filled):
    measure(session.store(), "low_rank(scheme=plain)", (0.1, 0.3, 0.9))
    shown = show(LOW_RANK, {**LINK, "keep": "0.3"})
    names = [trace["name"] for trace in component(shown)["charts"]["accuracy-size"]["figure"]["data"]]
    assert names[0] == "Low rank, plain" and "Low rank, whitened" in names


def test_a_curve_whose_run_was_cancelled_is_not_drawn_as_a_line(show, filled):
    stopped = measure(session.store(), "low_rank(scheme=centred)", (0.1, 0.5, 0.9))
    key = stopped.recipe.curve("keep").key()

    def names() -> list[str]:
        shown = show(LOW_RANK, {**LINK, "keep": "0.3"})
        return [trace["name"] for trace in component(shown)["charts"]["accuracy-size"]["figure"]["data"]]

    assert "Low rank, centred" in names()
    session.store().save_view(key, stopped.teacher["digest"], {**stopped.view, "values": [0.1, 0.2, 0.5, 0.9]})
    assert "Low rank, centred" not in names()


def test_compressed_data_has_its_own_reference_and_pictures(show, filled):
    shown = show(LOW_RANK, {**LINK, "method": "data_svd", "components": "4", "epochs": "1"},
                 opened=["data_svd.Singular values and error", "data_svd.Examples rebuilt"])
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "rebuilt", "spectrum", "data-errors"]
    stars = [trace for trace in plot["charts"]["accuracy-size"]["figure"]["data"] if trace["name"] == "raw data"]
    assert len(stars) == 1 and "than the raw data" in words(shown)
    assert "(paired test, p = " in words(shown)
    assert words(shown).count("<img ") == 16 and "k = 4" in words(shown)


def test_the_teacher_page_shows_the_card(show, filled):
    folds = ("Where the parameters and the arithmetic are", "The most confident mistakes")
    shown = show(TEACHERS, LINK, opened=[f"teacher.{title}" for title in folds])
    assert not shown.exception and "Train this teacher" not in labels(shown.button)
    assert shown.subheader[0].value == "64-24-16-10 on Digits 8x8"
    charts = [component(shown, key)["charts"] for key in ("teacher.training", "teacher.confusion", "teacher.layers")]
    assert [name for one in charts for name in one] == ["training", "confusion", "parameters"]
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


@pytest.mark.parametrize("preset", ["The textbook pair", "30 hidden units"])
def test_the_teacher_of_a_preset_can_be_turned_on_the_teacher_page(show, monkeypatch, preset):
    """A teacher of one hidden layer: its size is a number in the preset and a text in the form."""
    monkeypatch.setattr(session.engine(), "submit", lambda *_: 1)
    shown = show(DISTILL)
    named(shown.main.button, preset).click().run()
    shown.query_params.clear()
    shown.switch_page(TEACHERS).run()
    assert not shown.exception
    hidden = shown.session_state["choice"].teacher.values["hidden"]
    assert named(shown.main.text_input, "Hidden").value == hidden and isinstance(hidden, str)
    named(shown.main.text_input, "Hidden").input("64").run()
    assert shown.session_state["choice"].teacher.values["hidden"] == "64" and not shown.exception


def test_compare_shows_a_row_for_every_network(show, filled):
    shown = show(COMPARE, LINK)
    assert not shown.exception
    networks = [point for point in session.store().all_points() if point["method"] != "data_svd"]
    assert not shown.data_editor  # a closed table is not sent
    shown = show(COMPARE, LINK, opened=[TABLE])
    assert len(shown.data_editor[0].value) == len(networks)
    assert component(shown)["charts"]["plane"]["alt"].startswith(f"{len(networks)} networks")


def test_compare_filters_by_method(show, filled):
    shown = show(COMPARE, LINK)
    named(shown.multiselect, "Methods").select("Teacher").run()
    assert component(shown)["charts"]["plane"]["alt"].startswith("1 networks") and not shown.exception
    assert shown.query_params["filter.method"] == "Teacher"
    again = show(COMPARE, {name: shown.query_params[name] for name in shown.query_params})
    assert named(again.multiselect, "Methods").value == ["Teacher"] and not again.warning


def test_compare_follows_the_data_set_of_the_sidebar(show, filled):
    shown = show(COMPARE, LINK)
    assert named(shown.multiselect, "Data sets").value == ["Digits 8x8"]
    named(shown.sidebar.selectbox, "Data set").select("mnist5k").run()
    assert named(shown.multiselect, "Data sets").value == []
    assert "Nothing is measured on mnist5k yet" in " ".join(one.value for one in shown.caption) and not shown.exception
    named(shown.multiselect, "Data sets").select("Digits 8x8").run()
    assert shown.query_params["filter.data"] == "Digits 8x8" and shown.query_params["data"] == "mnist5k"
    named(shown.sidebar.selectbox, "Data set").select("digits").run()
    assert named(shown.multiselect, "Data sets").value == ["Digits 8x8"] and "filter.data" not in shown.query_params


def test_a_filter_of_a_link_that_names_nothing_measured_is_told(show, filled):
    shown = show(COMPARE, {**LINK, "filter.teacher": "**nobody**"})
    assert outside.markdown("Nothing is measured of **nobody**") in shown.warning[0].value and not shown.exception


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


@pytest.fixture(scope="module")
def taught(engine: Any, prepared: None) -> Curve:
    """Two widths of students at two temperatures and two seeds, with their controls."""
    return measure(engine.store, LESSON, (0.2, 0.6))


@pytest.fixture
def asked(show, taught, engine, known) -> Iterator[Callable[..., int]]:
    """asked(link, state="running", live=[...]): a job for what this link asks for, as its worker leaves it. It is taken
    out of the store afterwards, with the plan that it came with. (The worker knows nothing of it.)"""
    numbers: list[int] = []
    before: dict[tuple[str, str], Any] = {}

    from compress.curves.sweep import plan_of, sweep_of

    def ask(link: dict[str, str], **columns: Any) -> int:
        request = show(DISTILL, link).session_state["choice"].request(known["methods"]["distill"])
        asked_for = sweep_of(request, (0.2, 0.4, 0.6))
        plan = plan_of(asked_for, asked_for.values, {})
        key, digest = asked_for.request.key(), taught.teacher["digest"]
        before.setdefault((key, digest), engine.store.plan(key, digest))
        assert engine.store.replace_plan(key, digest, engine.store.plan(key, digest), plan)
        numbers.append(engine.store.new_job(request.curve("width").key(), "curve", "Distillation", {}))
        engine.store.update_job(numbers[-1], **columns)
        return numbers[-1]

    yield ask
    with sqlite3.connect(engine.store.path) as connection:
        connection.executemany("DELETE FROM jobs WHERE id=?", [(number,) for number in numbers])
        connection.executemany("DELETE FROM plans WHERE key=? AND reference=?", before)
    for (key, digest), kept in before.items():
        assert kept is None or engine.store.replace_plan(key, digest, None, kept)


def test_the_distill_page_shows_students_gains_map_and_learning_then_dark_knowledge(show, taught):
    shown = show(DISTILL, TAUGHT, opened=[ADDED, DARK, LEARNS])
    assert not shown.exception and not shown.warning and not shown.info
    plot, dark = component(shown), component(shown, "distill.dark")
    assert list(plot["charts"]) == ["accuracy-size", "softened", "gains", "map", "learning"]
    assert list(dark["charts"]) == ["outputs", "alike"]
    assert "2 points with the teacher" in plot["charts"]["accuracy-size"]["alt"]
    assert "2 controls on labels alone" in plot["charts"]["accuracy-size"]["alt"]
    for one in (plot, dark):
        for follower in (follower for chart in one["charts"].values() for follower in chart.get("follow", [])):
            assert len(follower["x"]) == len(one["dial"]["values"])
    assert [trace["name"] for trace in dark["charts"]["outputs"]["figure"]["data"]] == ["teacher", "student", "labels alone"]


def test_the_distill_pages_dial_reads_each_students_size_and_accuracy(show, taught):
    plot = component(show(DISTILL, TAUGHT))
    assert plot["dial"]["values"] == [0.2, 0.6] and plot["dial"]["index"] == 1
    for text, point in zip(plot["dial"]["readout"], taught.points, strict=True):
        assert f"{100 * point['accuracy']:.1f} %" in text and "smaller" in text


def test_the_distill_page_says_in_words_what_the_teacher_adds(show, taught):
    text = words(show(DISTILL, TAUGHT))
    point = taught.points[-1]
    assert f"The student <b>{point['inside']['title']}</b> is" in text
    assert "Against the same students on labels alone: <b>" in text and "over 2 seeds" in text
    assert "is the gain significant" in text or "Largest significant gain: width" in text


def test_the_distill_page_tells_that_both_arms_had_equal_means(show, taught):
    shown = show(DISTILL, TAUGHT, opened=[LEARNS, ONLY])
    told = " ".join(caption.value for caption in shown.main.caption)
    steps = 2 * -(-taught.teacher["card"]["train_examples"] // 64)
    assert f"take the same {steps} steps of 64 examples" in told and "the range over 2 seeds" in told
    assert "in every seed" in told


def test_another_example_is_shown_beside_its_probabilities(show, taught):
    shown = show(DISTILL, TAUGHT, opened=[DARK])
    first = component(shown, "distill.dark")["charts"]["outputs"]
    named(shown.main.button, "Another example").click().run()
    second = component(shown, "distill.dark")["charts"]["outputs"]
    assert first["figure"]["data"][0]["y"] != second["figure"]["data"][0]["y"] and not shown.exception
    assert "2 of 20" in " ".join(caption.value for caption in shown.main.caption)


def test_a_students_point_can_be_taken_away(show, taught):
    shown = show(DISTILL, TAUGHT, opened=[f"distill.{CODE}"])
    assert any(label.startswith("This point's file (") for label in labels(shown.get("download_button")))
    code = " ".join(block.value for block in shown.code)
    assert "Distill(" in code and taught.points[-1]["recipe"] in code and "seeds" not in taught.points[-1]["recipe"]


def test_a_file_that_was_damaged_is_never_handed_out(show, taught):
    for point in taught.points:
        path = taught.store.artefacts.path(point["digest"])
        sound = path.read_bytes()
        path.write_bytes(sound[:len(sound) // 2])
        try:
            shown = show(DISTILL, {**TAUGHT, "distill.width": str(point["dial"])})
        finally:
            path.write_bytes(sound)
        files = [one.proto for one in shown.get("download_button") if one.proto.label.startswith("This point's file (")]
        assert not shown.exception and all(one.disabled and "damaged" in one.help for one in files)


def offered(shown: AppTest) -> list[str]:
    """What the button at the left measures."""
    return [label for label in labels(shown.button) if label.startswith(("Measure", "Resume"))]


def test_a_plan_that_is_measured_is_not_offered_again(show, taught):
    """Two widths, each with two seeds at two temperatures and two controls."""
    assert offered(show(DISTILL, TAUGHT)) == []


def test_a_width_that_the_plan_lacks_is_offered_with_its_seeds_temperatures_and_controls(show, taught):
    assert offered(show(DISTILL, {**TAUGHT, "width": "0.5"})) == ["Measure the 6 points left"]


@pytest.mark.parametrize("more", [{"seeds": "3"}, {"temperatures": "8-20"}, {"seeds": "1"}, {"loss": "logits"}], ids=str)
def test_what_has_no_plan_yet_is_offered(show, taught, more):
    assert offered(show(DISTILL, {**TAUGHT, **more})) == ["Measure the curve"]


@pytest.mark.parametrize("role", ["control", "seed", "variant", "curve"])
def test_whatever_of_a_plan_has_no_point_is_offered(show, engine, prepared, role):
    """A curve may be complete while its controls are not."""
    curve = measure(engine.store, "distill(dropout=0.1,epochs=1,seeds=2,temperatures=8)", (0.2, 0.6))
    plan = next(plan for plan in engine.store.plans(curve.teacher["digest"]) if "dropout=0.1" in plan.runs[0].recipe)
    run = next(run for run in plan.runs if run.role == role)
    link = {**TAUGHT, "dropout": "0.1", "epochs": "1"}
    assert offered(show(DISTILL, link)) == []
    with sqlite3.connect(engine.store.path) as connection:
        connection.execute("DELETE FROM points WHERE key=?", [run.key])
    assert offered(show(DISTILL, link)) == ["Measure the 1 point left"]


def test_a_point_whose_file_is_gone_is_offered_again(show, engine, prepared):
    curve = measure(engine.store, "low_rank(output_layer=true)", (0.1, 0.3))
    engine.store.artefacts.path(curve.points[0]["digest"]).unlink()
    assert offered(show(LOW_RANK, {**LINK, "keep": "0.3", "output_layer": "true"})) == ["Measure the 1 point left"]


def test_students_are_shown_while_they_learn_beside_those_that_have(show, taught, asked):
    link = {**TAUGHT, "width": "0.4"}
    live = StudentsSoFar(1, (StudentSoFar(3_000, 0.4, 4.0, 0, 0.9, 0.0, 0.1234),
                             StudentSoFar(3_000, 0.4, 4.0, 0, 0.0, 0.0, 0.2),
                             StudentSoFar(3_000, 0.6, 4.0, 0, 0.9, 0.0, 0.0001)))
    asked(link, state="running", share=0.5, text="epoch 1 of 2", live=[live.plain()])
    shown = show(DISTILL, link, opened=[ADDED])
    assert not shown.exception and "Cancel" in labels(shown.main.button)
    plot = component(shown)
    assert plot["dial"]["values"] == [0.2, 0.4, 0.6]
    assert plot["dial"]["readout"][1].endswith("12.3 % so far")
    assert "so far" not in plot["dial"]["readout"][2]
    assert "3 points with the teacher" in plot["charts"]["accuracy-size"]["alt"]
    assert plot["charts"]["gains"]["figure"]["data"][0]["x"][1].startswith("40")


def test_a_student_that_diverges_is_told_while_it_learns(show, taught, asked):
    link = {**TAUGHT, "width": "0.4", "epochs": "2"}
    asked(link, state="running", live=[
        StudentsSoFar(1, (StudentSoFar(3_000, 0.4, 4.0, 0, 0.9, 0.0, None),)).plain()])
    shown = show(DISTILL, link)
    assert component(shown)["dial"]["readout"][1].endswith("diverged") and not shown.exception


@pytest.mark.parametrize("link", [{"temperature": "8.0"}, {"student_seed": "1", "seeds": "1"}],
                         ids=lambda link: next(iter(link)))
def test_a_curve_that_was_measured_along_is_shown_as_its_own(show, taught, link):
    """A click on the map leads there."""
    shown = show(DISTILL, {**TAUGHT, **link}, opened=[ADDED, DARK, LEARNS])
    assert not shown.exception
    plot = component(shown)
    assert {"accuracy-size", "softened", "gains", "map", "learning"} == set(plot["charts"])
    assert plot["dial"]["values"] == [0.2, 0.6] and set(component(shown, "distill.dark")["charts"]) == {"outputs", "alike"}


def test_what_is_recognised_of_a_class_never_shown_is_told(show, engine, prepared):
    lesson = "distill(alpha=1.0,epochs=12,omit=4,seeds=1,temperature=8.0,temperatures=none)"
    curve = measure(engine.store, lesson, (0.6,))
    told = words(show(DISTILL, {**TAUGHT, **{name: str(value) for name, value in Step.parse(lesson).settings}}))
    truth, own = curve.teacher["card"]["labels"], Recipe.parse(curve.points[0]["recipe"])
    kept = memoryview(engine.store.all_predictions("distill", curve.teacher["digest"])[own.key()]).cast("H")
    right = sum(answer == label == 4 for answer, label in zip(kept, truth, strict=True))
    assert right and (f"Of {truth.count(4)} examples of class <b>4</b>, on which it was not trained, it recognises "
                      f"<b>{right}</b>; on labels alone 0.") in told


def test_a_temperature_that_was_added_later_is_shown_as_its_own(show, engine, prepared):
    for temperatures in ("8", "8-2"):
        measure(engine.store, f"distill(epochs=1,seeds=1,temperatures={temperatures})", (0.2, 0.6))
    shown = show(DISTILL, {**TAUGHT, "epochs": "1", "seeds": "1", "temperature": "2"}, opened=[ADDED])
    assert not shown.exception and "map" in component(shown)["charts"]


def test_a_curve_that_is_measured_along_again_keeps_its_own_points(show, engine, prepared):
    measure(engine.store, "distill(batch=32,epochs=1,seeds=1,temperature=8.0,temperatures=none)", (0.2, 0.5, 0.6))
    measure(engine.store, "distill(batch=32,epochs=1,seeds=1,temperatures=8)", (0.2, 0.6))
    shown = show(DISTILL, {**TAUGHT, "batch": "32", "epochs": "1", "seeds": "1", "temperature": "8"})
    assert component(shown)["dial"]["values"] == [0.2, 0.5, 0.6]


def test_students_on_labels_alone_are_a_whole_page(show, taught):
    assert not show(DISTILL, {**TAUGHT, "alpha": "0"}).exception


def test_students_on_labels_alone_can_be_asked_for(show, engine, prepared):
    measure(engine.store, "distill(alpha=0.0,epochs=2,seeds=2,temperatures=8)", (0.2, 0.6))
    shown = show(DISTILL, {**TAUGHT, "alpha": "0"})
    assert not any(label.startswith("Measure") for label in labels(shown.button))
    hero = component(shown)["charts"]["accuracy-size"]
    assert None not in hero["follow"][0]["x"] and "no student yet" not in hero["alt"]


def put_in_its_place(show: Callable[..., AppTest]) -> AppTest:
    """The Distill page after the student at its dial was put in the teacher's place."""
    shown = show(DISTILL, TAUGHT)
    named(shown.main.button, "Put this student in the teacher's place").click().run()
    assert not shown.exception
    return shown


def test_a_student_in_the_teachers_place_is_told_in_the_sidebar_and_in_the_link(show, taught, known):
    shown = put_in_its_place(show)
    told = " ".join(element.value for element in shown.sidebar.markdown)
    assert "In the teacher's place:" in told and "Distillation (student width 60 %, epochs 2)" in told
    assert shown.query_params["start"] == Recipe.parse(taught.points[-1]["recipe"]).methods[0].text()
    button = named(shown.main.button, "This student is in the teacher's place")
    assert button.disabled and "Back to the teacher" in labels(shown.sidebar.button)


def test_other_pages_then_compress_the_student(show, taught, known):
    shown = put_in_its_place(show)
    shown.query_params.clear()  # a link in the sidebar leads to a page without parameters
    shown.switch_page(LOW_RANK).run()
    assert not shown.exception and "start" in shown.query_params
    request = shown.session_state["choice"].request(known["methods"]["low_rank"])
    assert [step.name for step in request.methods] == ["distill", "low_rank"]
    assert request.methods[0] == Recipe.parse(taught.points[-1]["recipe"]).methods[0].unstored()
    names = {trace["name"]: trace for trace in component(shown)["charts"]["accuracy-size"]["figure"]["data"]}
    assert names["starts from this network"]["x"] == [taught.points[-1]["bytes"]]
    assert "Measure the curve" in labels(shown.button)


def test_the_students_own_page_still_distils_the_teacher(show, taught, known):
    shown = put_in_its_place(show)
    request = shown.session_state["choice"].request(known["methods"]["distill"])
    assert [step.name for step in request.methods] == ["distill"]
    assert "starts from this network" not in json.dumps(component(shown)["charts"]["accuracy-size"])


def test_back_to_the_teacher_takes_the_student_back(show, taught, known):
    shown = put_in_its_place(show)
    named(shown.sidebar.button, "Back to the teacher").click().run()
    assert not shown.exception and "start" not in shown.query_params
    assert "Back to the teacher" not in labels(shown.sidebar.button)
    assert len(shown.session_state["choice"].request(known["methods"]["low_rank"]).methods) == 1
    assert not named(shown.main.button, "Put this student in the teacher's place").disabled


def test_a_measured_chain_is_shown_with_what_it_starts_from(show, taught, engine):
    start = Recipe.parse(taught.points[-1]["recipe"]).methods[0].text()
    chain = measure(engine.store, f"{start}+low_rank", (0.1, 0.3, 0.9))
    shown = show(LOW_RANK, {**LINK, "start": start, "keep": "0.3"}, opened=[ERRORS, f"low_rank.{CODE}"])
    assert not shown.exception and not shown.warning
    plot = component(shown)
    assert list(plot["charts"]) == ["accuracy-size", "spectra", "errors", "energies"]
    assert [text is not None for text in plot["dial"]["readout"]].count(True) == 3
    assert chain.points[1]["recipe"] in " ".join(block.value for block in shown.code)
    assert "starts from this network" in [trace["name"] for trace in plot["charts"]["accuracy-size"]["figure"]["data"]]


def test_a_chain_from_another_start_has_a_name_beside_this_one(show, taught, engine):
    first, second = (Recipe.parse(point["recipe"]).methods[0].text() for point in taught.points)
    for start in (first, second):
        measure(engine.store, f"{start}+low_rank", (0.1, 0.3, 0.9))
    shown = show(LOW_RANK, {**LINK, "start": second, "keep": "0.3"})
    names = [trace["name"] for trace in component(shown)["charts"]["accuracy-size"]["figure"]["data"]]
    assert all(names) and any("width 0.2" in name for name in names)


def test_a_start_that_makes_no_sense_ends_in_a_warning_and_a_whole_page(show):
    shown = show(LOW_RANK, {**LINK, "start": "vgg(depth=3"})
    assert not shown.exception and "the teacher itself is used" in shown.warning[0].value
    assert "start" not in shown.query_params and "Back to the teacher" not in labels(shown.sidebar.button)
