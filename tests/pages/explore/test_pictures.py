"""Examples as pictures: values survive, and a caption cannot become markup."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from compress.sparse_coding.view import encoded
from pages.ui.explore import pictures

NASTY = "<script>alert('x')</script> \"&' onerror=alert(1)"


class Reader(HTMLParser):
    """Collects tags with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def opened(address: str) -> Image.Image:
    head, _, body = address.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def planes(channels: int) -> st.SearchStrategy:
    return st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(lambda size: st.lists(
        st.lists(st.lists(st.integers(0, 255), min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0]),
        min_size=channels, max_size=channels))


@given(st.sampled_from([1, 3]).flatmap(planes))
def test_a_png_holds_the_values_it_was_made_of(values):
    picture = opened(pictures.picture(values))
    assert picture.mode == ("RGB" if len(values) == 3 else "L")
    assert picture.size == (len(values[0][0]), len(values[0]))
    shown = [list(band.tobytes()) for band in picture.split()]
    assert shown == [[value for row in channel for value in row] for channel in values]


def drawn(values) -> Reader:
    head, _, body = pictures.picture(values).partition(",")
    assert head.startswith("data:image/svg+xml")
    return Reader(base64.b64decode(body).decode())


def test_a_sequence_becomes_a_line():
    (line,) = [attributes for tag, attributes in drawn([[0, 128, 255, 3]]).tags if tag == "polyline"]
    heights = [float(pair.split(",")[1]) for pair in line["points"].split()]
    assert sorted(range(4), key=heights.__getitem__) == [2, 1, 3, 0]


def test_several_features_become_a_map_in_which_a_large_value_is_dark():
    picture = opened(pictures.picture([[0, 255, 7], [255, 0, 0]]))
    assert picture.size == (3, 2) and list(picture.tobytes()) == [255, 0, 248, 0, 255, 255]


def test_a_row_of_a_table_becomes_bars():
    ground, *bars = [attributes for tag, attributes in drawn([0, 255, 127]).tags if tag == "rect"]
    low, high, middle = (float(bar["height"]) for bar in bars)
    assert low == 0 and high == pytest.approx(2 * middle, rel=0.01) and len({float(bar["x"]) for bar in bars}) == 3
    assert float(ground["fill-opacity"]) < 0.3, "the page's own colour is seen, also in dark"


def test_captions_are_text_and_never_markup():
    page = Reader(pictures.gallery([([[[0, 255]]], NASTY), ([[[1, 2]]], "7 → 1")]))
    assert [tag for tag, _ in page.tags] == ["div", "figure", "img", "figcaption", "figure", "img", "figcaption"]
    assert [attributes["alt"] for tag, attributes in page.tags if tag == "img"] == [NASTY, "7 → 1"]
    assert all(set(attributes) == {"src", "width", "height", "alt"} for tag, attributes in page.tags if tag == "img")
    assert page.text == NASTY + "7 → 1"


def test_a_wide_image_keeps_its_shape():
    page = Reader(pictures.gallery([([[[0] * 8] * 4], "wide")], size=40))
    image = next(attributes for tag, attributes in page.tags if tag == "img")
    assert (image["width"], image["height"]) == ("80", "40")


def test_a_difference_is_light_where_something_is_missing():
    assert pictures.difference([[[255, 0, 7]]], [[[0, 255, 7]]]).tolist() == [[[255, 0, 128]]]


def test_pictures_come_back_from_their_packing():
    levels = torch.arange(12).reshape(2, 6)
    first, second = pictures.unpacked(encoded(levels), [2, 3])
    assert first.tolist() == [[0, 1, 2], [3, 4, 5]] and second.tolist() == [[6, 7, 8], [9, 10, 11]]
    assert pictures.unpacked("", [1, 2, 3]) == []


def test_of_a_wide_picture_every_so_manieth_number_comes_back():
    levels = torch.arange(6_000).remainder(256)[None]
    for packed in (levels, levels[:, ::3]):  # as an earlier version packed it, and as this one does
        (only,) = pictures.unpacked(encoded(packed), [6_000])
        assert only.tolist() == levels[0, ::3].tolist()


def test_a_text_is_shown_as_a_text_and_cannot_become_markup():
    shown = Reader(pictures.gallery([(NASTY, "good → bad"), ([0, 255], "numbers")]))
    assert [tag for tag, _ in shown.tags] == ["div", "figure", "blockquote", "figcaption", "figure", "img", "figcaption"]
    assert shown.text == f"{NASTY}good → badnumbers"
