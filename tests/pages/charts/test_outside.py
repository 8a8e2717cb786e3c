"""Text from outside is shown sign by sign: no markup, address, icon or formula comes of it."""

from __future__ import annotations

import html
import re

import pytest

from pages.ui.charts import outside

HOSTILE = ["![x](http://a.example/b)", "[a](javascript:b)", "<b>x</b>", "a*b*_c_`d`", "$x$ \\ #1", ":red[x]", "&lt;b&gt;",
           "$\\href{http://a.example}{x}$", "</script><style>body{display:none}</style>", "|a|b|", "~~x~~", "{x}"]
LATE = [":material/home:", "openml:car:3", ":streamlit:", "http://a.example", "https://a.example/x", "www.a.example",
        "me@a.example", "a -> b", "a <-> b", "a -- b", "a >= b", "a ~= b"]


@pytest.mark.parametrize("text", [*HOSTILE, *LATE, "plain", "a, b; (c) 50 % of 'x'"])
def test_markdown_has_a_backslash_before_every_sign_of_markup_and_nothing_else_changes(text):
    shown = outside.markdown(text)
    assert re.sub(r"\\(.)", r"\1", shown).replace(outside.GAP, "") == text
    assert not re.search(r"[*_`\[\]<>$#!~|&{}]", re.sub(r"\\.", "", shown))


def test_an_underscore_inside_a_word_stays_and_every_other_has_a_backslash():
    assert outside.markdown("COMPRESS_HOME _a_ b__c d_") == r"COMPRESS_HOME \_a\_ b\_\_c d\_"


@pytest.mark.parametrize("text", LATE)
def test_what_streamlit_replaces_after_reading_markdown_is_taken_apart(text):
    """These stand in the finished text: names between colons, addresses, and pairs of signs between spaces."""
    text_node = re.sub(r"\\(.)", r"\1", outside.markdown(text))
    assert not re.search(r":[\w+\-/]+:|https?://[-.\w]|www\.|[\w.]@[\w-]|(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", text_node)


@pytest.mark.parametrize("text", ["- a", "+ a", "1. a", "12) a", "# a", "> a", "=== a"])
def test_no_text_becomes_a_list_or_a_heading(text):
    assert re.match(r"\d*\\", outside.markdown(text))
    assert outside.markdown(text).replace("\\", "") == text


@pytest.mark.parametrize("text", [*HOSTILE, "a'b\"c", "%{x}", "var(--text)"])
def test_html_shows_the_text_itself(text):
    shown = outside.html(text)
    assert html.unescape(shown) == text
    assert not re.search(r"[<>\"'{]|var\(--", shown)


def test_names_of_an_axis_stay_apart_when_they_are_cut():
    long = ["a" * 10_000, "a" * 10_001, "b", "b\x00", "b\x01"]
    shown = outside.names(long)
    assert len(set(shown)) == 5 and max(map(len, shown)) <= outside.TICK + 4
    assert shown[1] == f"{shown[0]} (2)" and outside.names(["0", "1"]) == ["0", "1"]


@pytest.mark.parametrize("text", ["=HYPERLINK(\"http://a.example\")", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    assert outside.cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["plain", "a=b", "", -0.5, None, True])
def test_other_cells_stay_as_they_are(value):
    assert outside.cell(value) is value
