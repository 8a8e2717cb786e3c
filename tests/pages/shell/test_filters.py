"""The Compare page's filters as a part of its link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.search.target import Target
from pages.ui.shell.filters import AXES, MAP, PLANE, SEARCHES, Filters, taken

titles = st.none() | st.lists(st.text(min_size=1), unique=True).map(tuple)


@given(titles, titles, titles, titles, st.sampled_from(AXES), st.booleans(),
       st.sampled_from([PLANE, MAP]))
def test_a_link_restores_every_title(data, teacher, method, setting, axis, folded, drawn):
    filters = Filters(data, teacher, method, setting, x=axis, y="recall:a|b", mark=axis, colour="recall:x", look="sure",
                      folded=folded, drawn=drawn)
    assert taken({**filters.to_link(), "seed": "1"}, []) == (filters, {"seed": "1"})


@pytest.mark.parametrize(("text", "names"), [
    ("*", ()), ("Digits 8x8", ("Digits 8x8",)), ("a|b|a", ("a", "b")), ("%7C|%2A", ("|", "*")), ("|", ()),
    ("%zz", ("%zz",))])
def test_titles_are_joined_by_a_bar(text, names):
    assert taken({"filter.method": text}, [])[0].method == names


def test_what_is_free_is_in_no_link():
    assert Filters().to_link() == {} and Filters(data=()).to_link() == {"filter.data": "*"}


@given(st.floats(0, 100).map(lambda points: round(points, 2)), st.integers(1, 10**9))
def test_a_link_restores_both_questions(points, size):
    filters, notices = Filters(lost=Target(points_lost=points), size=Target(bytes=size)), []
    assert taken(filters.to_link(), notices) == (filters, {}) and not notices


@given(st.sampled_from(SEARCHES["search"]), st.sampled_from(SEARCHES["speed"]), st.sampled_from(SEARCHES["minutes"]))
def test_a_link_restores_what_is_searched_for(search, speed, minutes):
    filters, notices = Filters(search=search, speed=speed, minutes=minutes, size=Target(bytes=9_000)), []
    assert taken(filters.to_link(), notices) == (filters, {}) and not notices
    assert (filters.target.points_lost is None) == (search in ("size", "front"))
    assert filters.target.bytes == (9_000 if search in ("size", "both") else None)
    assert filters.target.latency == (None if speed == "any" else float(speed))


@pytest.mark.parametrize(("name", "text"), [("search", "best"), ("speed", "0.3"), ("minutes", "-1"), ("minutes", "3.0"),
                                          ("draw", "tree"), ("fold", "all")])
def test_a_search_that_is_not_offered_is_left_out_with_a_sentence(name, text):
    notices = []
    assert taken({name: text}, notices) == (Filters(), {})
    assert len(notices) == 1 and f"{name}={text}" in notices[0]


def test_a_link_restores_what_is_opened_and_leaves_out_what_is_no_network():
    networks, notices = ("0123456789abcdef/fedcba9876543210", "00000000aaaaaaaa/bbbbbbbb00000000"), []
    filters = Filters(opened=networks)
    assert taken(filters.to_link(), notices) == (filters, {}) and not notices
    assert taken({"open": f"<b> {networks[0]} {networks[0]}"}, notices) == (Filters(opened=networks[:1]), {})
    assert len(notices) == 1 and "no network" in notices[0]
    many = " ".join(f"0123456789abcde{number}/fedcba9876543210" for number in range(9))
    assert len(taken({"open": many}, [])[0].opened) == 4


@pytest.mark.parametrize("link", [{"at_most": "101"}, {"within": "-5"}, {"within": "much"}, {"at_most": "nan"}])
def test_a_question_that_makes_no_sense_is_left_out_with_a_sentence(link):
    notices = []
    assert taken(link, notices) == (Filters(), {})
    assert len(notices) == 1 and next(iter(link)) in notices[0]
