"""The final report as one HTML file: everything is in it, nothing of it is markup from outside, nothing is asked for."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from compress.curves.sink import opened_counter
from compress.curves.store import Store
from compress.methods import methods
from compress.recipe import Recipe
from compress.report import gathering, page
from compress.report.escaping import script, text
from compress.report.pictures import picture
from compress.shell.of_reports import reported

HOSTILE = "<img src=x onerror=alert(1)></script>%{x}"
SHORT = "plotly"


@pytest.fixture
def own(measured) -> Store:
    """A store with a teacher and two points."""
    return measured("low_rank", (0.1, 0.3)).store


@pytest.fixture
def recipes(measured) -> list[str]:
    curve = measured("low_rank", (0.1, 0.3))
    return [curve.recipe.reference().text(), *(point["recipe"] for point in curve.points)]


@pytest.fixture
def found(own, recipes, tmp_path, digits) -> gathering.Report:
    """The report on the teacher and both points, whose test split was opened once."""
    reported("digits", recipes, str(tmp_path / "first.html"), own)
    digests = [own.point(Recipe.parse(one).key(), own.all_points()[0]["reference"])["digest"] for one in recipes]
    report = gathering.gather(own, "digits", digits.digest, digests, {name: kind.card() for name, kind in methods().items()},
                              digits.title)
    assert report
    return report


class Elements(HTMLParser):
    """Every element with its attributes, and the text outside scripts."""

    def __init__(self, contents: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(contents)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_report_has_every_network_tested_once_beside_all_others(found, own, recipes, digits):
    assert [len(found.networks), found.opened, found.use, found.examples] == [3, 1, 1, len(digits.open_test())]
    assert {name for name, *_ in found.others} >= {"Teacher", "Low rank 0.1", "Low rank 0.3"}
    for network in found.networks:
        assert len(network.tested["recall"]) == 10 and ("seed", "0") in network.settings
        assert (network.p is None) == (network.name == "Teacher")
    worst = next(network for network in found.networks if network.name == "Low rank 0.1")
    assert worst.lost and found.pictures and found.versions["torch"][0].isdigit()


def test_a_test_split_that_one_test_opened_is_closed_in_the_next_store(measured, recipes, tmp_path, digits):
    first, second = (measured("low_rank", (0.1, 0.3)).store for _ in range(2))
    reported("digits", recipes, str(tmp_path / "report.html"), first)
    assert [one.counter(opened_counter("digits", digits.digest)) for one in (first, second)] == [1, 0]


def test_a_store_holds_what_was_asked_for_and_no_other_tests_points(measured):
    more, fewer = (measured("low_rank", values) for values in ((0.1, 0.2, 0.3), (0.1, 0.3)))
    assert [len(one.points) for one in (more, fewer)] == [3, 2]
    assert len(fewer.store.points(fewer.recipe.curve("keep").key(), fewer.teacher["digest"])) == 2


def test_the_same_networks_are_not_tested_again(own, recipes, tmp_path, digits):
    for _ in range(2):
        said = reported("digits", recipes[1:], str(tmp_path / "again.html"), own)
    assert said["opened"] == own.counter(opened_counter("digits", digits.digest)) == 1 and said["networks"] == 2


def test_pinned_networks_are_reported_where_none_is_named(own, recipes, tmp_path):
    with pytest.raises(ValueError, match="No network of digits is pinned"):
        reported("digits", [], str(tmp_path / "none.html"), own)
    own.pin(Recipe.parse(recipes[1]).key(), own.all_points()[0]["reference"], "the knee <b>")
    assert reported("digits", [], str(tmp_path / "pinned.html"), own)["networks"] == 1
    assert "the knee &lt;b&gt;" in (tmp_path / "pinned.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="has no point on digits"):
        reported("digits", [recipes[1].replace("keep=0.1", "keep=0.7")], None, own)


def test_one_file_holds_all_and_asks_for_nothing(found, own, monkeypatch):
    monkeypatch.setattr(page, "_library", lambda: SHORT)
    contents = page.page(found, own.artefacts).decode()
    elements = Elements(contents).found
    assert not [one for _, own_ in elements for name, one in own_.items() if name in ("src", "href") and
                not (one or "").startswith("data:image/png;base64,")]
    assert any("default-src 'none'" in (own_.get("content") or "") for _, own_ in elements)
    assert sum(tag == "img" for tag, _ in elements) == sum(len(one.lost) + len(one.gained) for one in found.networks)
    figures = json.loads(re.search(r"const figures = (.*?);\n", contents)[1])
    assert len(figures["recalls"]["data"]) == 3 and "Every choice was made on validation" in contents
    for network in found.networks:
        assert network.point["recipe"] in contents and f"{network.point['bytes']:,}" in contents


def test_texts_from_outside_stay_texts(found, own, monkeypatch):
    monkeypatch.setattr(page, "_library", lambda: SHORT)
    tested = found.networks[0].tested
    tested = {**tested, "recall": [{**row, "class": HOSTILE} for row in tested["recall"]]}
    one = replace(found.networks[0], name=HOSTILE, settings=[(HOSTILE, HOSTILE)], tested=tested, lost=[(0, HOSTILE)],
                  point={**found.networks[0].point, "recipe": HOSTILE, "note": HOSTILE})
    hostile = replace(found, title=HOSTILE, networks=[one], others=[(HOSTILE, 10, 0.5)], versions={HOSTILE: HOSTILE})
    plain = replace(hostile, title="x", networks=[replace(one, name="x", settings=[("x", "x")], lost=[(0, "x")],
                                                          point={**one.point, "recipe": "x", "note": "x"})])
    tags = [[tag for tag, _ in Elements(page.page(report, own.artefacts).decode()).found] for report in (hostile, plain)]
    assert tags[0] == tags[1]
    contents = page.page(hostile, own.artefacts).decode()
    assert "<img src=x" not in contents and contents.count("</script") == 2 and "%{x}" not in contents


def test_the_library_of_the_installed_plotly_ends_no_script():
    library = page._library()
    assert len(library) > 1_000_000 and "</script" not in library


def test_escaping_leaves_plain_text_and_data_as_they_are():
    assert text("5 → 3, 90 %") == "5 → 3, 90 %"
    assert json.loads(script({"a": "<b>\u2028"})) == {"a": "<b>\u2028"}


@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 4, 6)])
def test_a_picture_is_the_example(shape):
    levels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture(levels).partition(",")[2]))))
    assert (shown == (levels[0] if shape[0] == 1 else levels.transpose(1, 2, 0))).all()


def test_a_sequence_is_a_line_for_each_feature():
    drawn = base64.b64decode(picture(np.zeros((2, 9))).partition(",")[2]).decode()
    assert drawn.count("<polyline") == 2
