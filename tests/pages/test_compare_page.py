"""The Compare page without a browser: what it is asked, what it answers from the store, and what can be done with that."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import torch

from compress.curves.sink import report_key
from compress.points import onnx_packages
from compress.recipe import Recipe
from compress.service.requests import ONNX, PROGRAM, InspectRequest, onnx_key, program_key
from tests.pages.explore.test_by_itself import asked  # noqa: F401  (a fixture)
from tests.pages.test_pages import COMPARE, LINK, component, engine, filled, labels, named, show, words  # noqa: F401

POINTS, SIZE = "Points below the teacher", "Size of the file in kB"


def answers(shown: Any) -> list[str]:
    """Both answers as HTML."""
    return re.findall(r"ce-finding.*?</div>", words(shown))


def smallest(curve: Any, points_lost: float) -> dict[str, Any]:
    """What the first question wants of a curve."""
    within = [one for one in curve.points if one["accuracy"] >= curve.teacher["card"]["accuracy"] - points_lost / 100]
    return min(within, key=lambda one: one["bytes"])


def test_both_questions_are_answered_from_the_store(show, filled):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "3", "within": "4kB"})
    assert named(shown.number_input, POINTS).value == 3 and named(shown.number_input, SIZE).value == 4
    first, second = answers(shown)
    point = smallest(filled, 3)
    assert f"<b>{point['bytes'] / 1000:.1f} kB</b>" in first and f"low rank (share kept {100 * point['dial']:g} %" in first
    best = max((one for one in filled.points if one["bytes"] <= 4_000), key=lambda one: one["accuracy"])
    assert f"<b>{100 * best['accuracy']:.1f} % (" in second and not shown.exception


def test_another_number_is_another_answer_and_is_in_the_link(show, filled):  # noqa: F811
    shown = show(COMPARE, LINK)
    assert not {"at_most", "within"} & set(shown.query_params)
    named(shown.number_input, POINTS).set_value(60.0).run()
    assert f"<b>{smallest(filled, 60)['bytes'] / 1000:.1f} kB</b>" in answers(shown)[0]
    assert shown.query_params["at_most"] == "60" and not shown.exception
    named(shown.number_input, SIZE).set_value(0.5).run()
    assert "no network so far" in answers(shown)[1] and shown.query_params["within"] == "500"


def test_an_answer_is_opened_and_pinned(show, filled, engine):  # noqa: F811
    shown = show(COMPARE, {**LINK, "at_most": "3"})
    (link, *_) = [one.proto for one in shown.main.get("page_link") if one.proto.label == "Open"]
    point = smallest(filled, 3)
    assert "Low_rank" in link.page and f"low_rank.keep={point['dial']}" in link.query_string
    next(one for one in shown.button if one.label == "Pin").click().run()
    place = (Recipe.parse(point["recipe"]).key(), filled.teacher["digest"])
    try:
        assert place in engine.store.pins() and "Pinned" in labels(shown.button)
        next(one for one in shown.button if one.label == "Pinned").click().run()
        assert place not in engine.store.pins() and not shown.exception
    finally:
        engine.store.unpin(*place)


def test_a_size_without_a_point_is_measured_by_a_click(show, filled, asked):  # noqa: F811
    sizes = [one["bytes"] for one in filled.points[:2]]
    shown = show(COMPARE, {**LINK, "within": str(round((sizes[0] * sizes[1]) ** 0.5))})
    assert asked == []
    (offer,) = [one for one in shown.button if one.label.startswith("Measure at")]
    assert "Low rank, share kept 1" in offer.help and offer.label.startswith("Measure at ")
    offer.click().run()
    (text,) = asked
    keep = Recipe.parse(text).methods[-1].values["keep"]
    assert 0.1 < keep < 0.3 and "Cancel" in labels(shown.button) and not shown.exception


@pytest.mark.parametrize("link", [{"at_most": "many"}, {"within": "0"}])
def test_a_number_that_makes_no_sense_is_told(show, filled, link):  # noqa: F811
    shown = show(COMPARE, {**LINK, **link})
    assert next(iter(link)) in shown.warning[0].value and not shown.exception


@pytest.fixture(scope="module")
def pair(filled, engine) -> str:  # noqa: F811
    """Two points as a link opens them; the first has been looked into."""
    from compress.progress import no_report
    from compress.service.job_kinds import do

    reference = filled.teacher["digest"]
    for point in filled.points[:2]:
        do(InspectRequest("digits", point["digest"], reference), engine.store, no_report, torch.device("cpu"))
    return " ".join(f"{Recipe.parse(one['recipe']).key()}/{reference}" for one in filled.points[:2])


def panel_of(shown: Any, key: str) -> dict[str, Any]:
    """The charts of a part of the panel, by id."""
    return component(shown, key)["charts"]


def test_two_opened_networks_are_shown_side_by_side(show, filled, pair):  # noqa: F811
    shown = show(COMPARE, {**LINK, "open": pair})
    assert not shown.exception and words(shown).count("ce-opened") == 2 and words(shown).count("low rank (share kept") >= 2
    plots = {one["key"]: one for one in (json.loads(one.proto.json) for one in shown.main.get("bidi_component"))}
    first, second = pair.split()
    assert plots["compare.clicks"]["letters"] == {"of": "compare.plane", "marks": [[first, "A"], [second, "B"]]}
    assert plots["compare.plane"]["reportsTo"] == "compare.clicks"
    told = " ".join(one.value for one in shown.markdown)
    assert "right → wrong" in told and words(shown).count("<figure>") > 0
    named(shown.main.segmented_control, "What to look at").set_value("Each class").run()
    assert {"recalls", "confusion-A", "confusion-B"} <= panel_of(shown, "panel.classes").keys()
    named(shown.main.segmented_control, "What to look at").set_value("How sure").run()
    assert len(panel_of(shown, "panel.sure")["calibration"]["figure"]["data"]) == 3
    named(shown.main.segmented_control, "What to look at").set_value("Layers").run()
    assert panel_of(shown, "panel.changes").keys() == {"cosine", "cka"}
    assert panel_of(shown, "panel.of_layer").keys() == {"spectrum", "histogram"} and len(shown.main.dataframe) == 2
    named(shown.main.segmented_control, "What to look at").set_value("File and code").run()
    assert shown.query_params["look"] == "code"
    assert any("network_file.read" in one.value for one in shown.main.code) and not shown.exception


def test_a_link_says_what_is_looked_at(show, filled, pair):  # noqa: F811
    shown = show(COMPARE, {**LINK, "open": pair, "look": "classes"})
    assert "recalls" in panel_of(shown, "panel.classes") and not shown.warning and not shown.exception
    assert "look=ears" in show(COMPARE, {**LINK, "open": pair, "look": "ears"}).warning[0].value


def test_a_network_is_closed_and_leaves_the_link(show, filled, pair):  # noqa: F811
    shown = show(COMPARE, {**LINK, "open": pair})
    next(one for one in shown.button if one.label == "Close").click().run()
    assert shown.query_params["open"] == pair.split()[1] and words(shown).count("ce-opened") == 1
    next(one for one in shown.button if one.label == "Close").click().run()
    assert "open" not in shown.query_params and not shown.exception


def test_what_was_not_looked_into_is_offered(show, filled, pair, asked, engine, monkeypatch):  # noqa: F811
    reference = filled.teacher["digest"]
    name = f"{Recipe.parse(filled.points[2]['recipe']).key()}/{reference}"
    monkeypatch.setattr(engine, "submit", lambda request, key, title, session="", joined=None: asked.append(request))
    shown = show(COMPARE, {**LINK, "open": name})
    named(shown.main.segmented_control, "What to look at").set_value("Layers").run()
    assert asked == []
    next(one for one in shown.button if one.label == "Look into A").click().run()
    assert asked == [InspectRequest("digits", filled.points[2]["digest"], reference)] and not shown.exception


def test_an_onnx_file_is_offered_only_after_it_was_tested(show, filled, pair, engine, monkeypatch):  # noqa: F811
    point = filled.points[0]
    found = {"agreement": 0.9, "examples": 359, "largest_difference": 0.2, "latency": 0.5, "latency_low": 0.4,
             "latency_high": 0.6, "digest": engine.store.artefacts.put(b"onnx", ".onnx"), "bytes": 4}

    def buttons() -> Any:
        shown = show(COMPARE, {**LINK, "open": pair.split()[0]})
        named(shown.main.segmented_control, "What to look at").set_value("File and code").run()
        assert not shown.exception
        return shown

    monkeypatch.setattr(onnx_packages, "find_spec", lambda name: None)
    assert "pip install onnx onnxscript onnxruntime" in " ".join(one.value for one in buttons().caption)
    monkeypatch.setattr(onnx_packages, "find_spec", lambda name: object())
    assert "Make an ONNX file and test it" in labels(buttons().button)
    for agreement, disabled in ((0.9, True), (1.0, False)):
        engine.store.save_view(onnx_key(point["digest"]), ONNX, {**found, "agreement": agreement})
        (offer,) = [one for one in buttons().main.get("download_button") if one.proto.label.startswith("ONNX file")]
        assert offer.proto.disabled is disabled
    assert "2.0× faster than torch" in " ".join(one.value for one in buttons().caption)


def test_a_program_of_torch_is_offered_only_after_it_was_tested(show, filled, pair, engine):  # noqa: F811
    point = filled.points[0]
    found = {"agreement": 1.0, "examples": 359, "largest_difference": 1e-6,
             "digest": engine.store.artefacts.put(b"program", ".pt2"), "bytes": 7}

    def buttons() -> Any:
        shown = show(COMPARE, {**LINK, "open": pair.split()[0]})
        named(shown.main.segmented_control, "What to look at").set_value("File and code").run()
        assert not shown.exception
        return shown

    assert "Make a program of torch.export and test it" in labels(buttons().button)
    for agreement, disabled in ((0.9, True), (1.0, False)):
        engine.store.save_view(program_key(point["digest"]), PROGRAM, {**found, "agreement": agreement})
        (offer,) = [one for one in buttons().main.get("download_button") if one.proto.label.startswith("Program of torch")]
        assert offer.proto.disabled is disabled


def test_a_final_report_is_offered_as_one_page(show, filled, engine, monkeypatch):  # noqa: F811
    point, reference = filled.points[0], filled.teacher["digest"]
    place = (Recipe.parse(point["recipe"]).key(), reference)
    tested = {**point, "name": point["digest"], "recall": []}
    engine.store.save_view(report_key("digits", filled.teacher["data_digest"], [point["digest"]]), "final", {
        "data": "digits", "opened": 1, "examples": 360, "rows": [tested]})
    engine.store.pin(*place, "")
    try:
        shown = show(COMPARE, LINK)
        offered = {one.proto.label: one.proto.disabled for one in shown.main.get("download_button")}
        assert "This report as one page (HTML)" in offered and offered["Pinned networks as one archive"] is False
        assert not shown.exception
    finally:
        engine.store.unpin(*place)


def test_networks_are_drawn_over_what_the_link_says(show, filled):  # noqa: F811
    shown = show(COMPARE, {**LINK, "y": "recall:3", "x": "macs"})
    chart = panel_of(shown, "compare.plane")["plane"]
    assert chart["title"].startswith("Recall of 3 against multiply-adds")
    assert named(shown.selectbox, "Up").value == "recall:3" and not shown.exception and not shown.warning
    labels_of = filled.teacher["card"]["labels"]
    values = [value for trace in chart["figure"]["data"] if trace.get("customdata") for value in trace["y"]]
    assert all(abs(value * labels_of.count(3) - round(value * labels_of.count(3))) < 1e-6 for value in values)
    named(shown.selectbox, "Up").set_value("agreement").run()
    assert shown.query_params["y"] == "agreement" and shown.query_params["x"] == "macs" and not shown.exception
    named(shown.toggle, "Seeds as one point").set_value(True).run()
    assert shown.query_params["fold"] == "seeds" and not shown.exception


def test_a_setting_narrows_what_is_shown(show, filled):  # noqa: F811
    shown = show(COMPARE, {**LINK, "filter.setting": "low_rank.keep=0.3"})
    assert panel_of(shown, "compare.plane")["plane"]["alt"].startswith("2 networks")
    assert named(shown.multiselect, "Settings").value == ["low_rank.keep=0.3"] and not shown.exception


def test_a_measure_that_does_not_exist_is_told(show, filled):  # noqa: F811
    shown = show(COMPARE, {**LINK, "y": "beauty"})
    assert "beauty" in shown.warning[0].value and "expected" in shown.warning[0].value and not shown.exception


def test_the_map_shows_what_was_made_of_what_and_is_in_the_link(show, filled):  # noqa: F811
    shown = show(COMPARE, LINK)
    named(shown.main.segmented_control, "How networks are drawn").set_value("map").run()
    assert shown.query_params["draw"] == "map" and not shown.exception
    again = show(COMPARE, {**LINK, "draw": "map", "mark": "bytes", "colour": "recall:3"})
    chart = panel_of(again, "compare.plane")["map"]
    teacher, low_rank = chart["figure"]["layout"]["yaxis"]["ticktext"][:2]
    assert teacher.startswith("mlp 24-16") and low_rank.startswith("Low rank") and chart["title"].endswith("file size)")
    assert named(again.selectbox, "Colour of a mark").value == "recall:3" and not again.exception and not again.warning
