"""A link restores what it was made from, and whatever else it says ends in a valid choice and a plain sentence."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.recipe import Step
from pages.ui import choice
from tests.compress.helpers import ROOT
from tests.pages.test_layering import PAGES

NASTY = ["nan", "inf", "-inf", "1e999", "", " ", "0x10", "1;2", "None", "true", "٣", "½", "1e", "-", "--", "[]", "{}",
         "<script>alert(1)</script>", "'; DROP TABLE points; --", "../../etc/passwd", "__import__('os').system('ls')",
         "%00", "\x00", "openml:../x:1", "a/b+c(d=e),f", "${HOME}", "9" * 400, "300-" * 300, "![x](http://x.example/y)"]
PLACES = ("data", "teacher", "seed", "method", "keep", "scheme", "view", "steps", "last", "t.epochs", "t.hidden",
          "t.rate")


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    """A description with one method whose settings are of every type, and two data sets."""
    def entry(name, kind, default, low=None, high=None, choices=None):
        return {"name": name, "label": name.capitalize(), "type": kind, "default": default, "low": low, "high": high,
                "choices": choices, "step": None, "help": "What it does."}

    keep = entry("keep", "float", 0.1, 0.001, 1.0)
    settings = [keep, entry("scheme", "str", "plain", choices=["plain", "whitened"]),
                entry("view", "str", "channel", choices=["channel", "spatial"]), entry("steps", "int", 0, 0, 20),
                entry("last", "bool", False)]
    rule = {"when": {"view": ("spatial",), "scheme": ("whitened",)}, "sentence": "Spatial does not go with whitened.",
            "remedy": {"scheme": "plain"}}
    training = [entry("epochs", "int", 20, 1, 2000), entry("rate", "float", 0.002, 1e-6, 10.0)]
    return {
        "datasets": [{"name": "digits", "kind": "image"}, {"name": "mnist5k", "kind": "image"},
                     {"name": "waves", "kind": "sequence"}],
        "families": [{"name": "mlp", "settings": [entry("hidden", "sizes", "300-100", 1, 8192)], "training": training},
                     {"name": "logistic", "settings": [], "training": training}],
        "presets": [{"name": "mlp", "settings": {"hidden": "300-100", "epochs": 20, "rate": 0.002}, "kinds": ["image"]},
                    {"name": "logistic", "settings": {"epochs": 20, "rate": 0.002}, "kinds": ["sequence"]}],
        "methods": {"squeeze": {"name": "squeeze", "dial": "keep", "settings": settings, "exclusions": [rule]}}}


def values_of(entry: dict[str, Any]) -> st.SearchStrategy:
    """Every value that a setting may have."""
    low, high = entry["low"], entry["high"]
    return {
        "bool": lambda: st.booleans(),
        "int": lambda: st.integers(low, high),
        "float": lambda: st.floats(low, high),
        "str": lambda: st.sampled_from(entry["choices"]),
        "sizes": lambda: st.lists(st.integers(low, high), max_size=4).map(
            lambda sizes: "-".join(map(str, sizes)) or "none"),
    }[entry["type"]]()


def settings_of(entries: list[dict[str, Any]]) -> st.SearchStrategy:
    return st.fixed_dictionaries({entry["name"]: values_of(entry) for entry in entries})


def taken(link: dict[str, str], card: dict[str, Any], methods: tuple[str, ...] = ("squeeze",)):
    return choice.from_link(link, card, methods, choice.first_choice(card))


@st.composite
def choices(draw, known: dict[str, Any], name: str) -> choice.Choice:
    """Any choice of data, teacher and seed, and of one method's settings."""
    family = draw(st.sampled_from(known["families"]))["name"]
    teacher = Step.of(family, draw(settings_of(choice.teacher_settings(known, family))))
    made = replace(choice.first_choice(known), data=draw(st.sampled_from(known["datasets"]))["name"], teacher=teacher,
                   seed=draw(st.integers(0, 999_999_999)))
    card = known["methods"][name]
    return choice.without_conflict(made.with_method(name, **draw(settings_of(card["settings"]))), card, [])


@given(st.data())
def test_a_link_restores_every_setting_whatever_stood_before(known, data):
    """As the address bar must after the browser's Back button, and in another tab."""
    name = data.draw(st.sampled_from(sorted(known["methods"])))
    made, before = data.draw(choices(known, name)), data.draw(choices(known, name))
    link = choice.to_link(made, known, (name,), name)
    assert all(isinstance(text, str) for text in link.values())
    assert choice.from_link(link, known, (name,), before) == (made, [])


@pytest.mark.parametrize("path", [path for path in PAGES if path.parent.name != "ui"], ids=lambda path: path.name)
def test_the_methods_of_one_page_have_different_settings(known, path):
    """Otherwise one word in a link would mean two things."""
    names = [name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Call)
             and getattr(node.func, "id", "") == "open_page" and len(node.args) == 3
             for name in ast.literal_eval(node.args[2])]
    settings = [entry["name"] for name in names for entry in known["methods"][name]["settings"]]
    assert len(set(settings)) == len(settings)
    assert {"data", "teacher", "seed", "method"}.isdisjoint(settings)


def test_the_first_choice_is_the_first_of_everything(card):
    first = choice.first_choice(card)
    assert (first.data, first.teacher.name, first.seed) == ("digits", "mlp", 0)
    assert first.methods["squeeze"] == {"keep": 0.1, "scheme": "plain", "view": "channel", "steps": 0, "last": False}
    text = first.recipe("squeeze").text()
    assert text.startswith("digits/mlp(epochs=20,hidden=300-100,rate=0.002)/squeeze(keep=0.1,")


def test_a_link_leaves_out_what_stands_at_its_default_but_not_the_dial(card):
    first = choice.first_choice(card)
    assert choice.to_link(first, card, ("squeeze",), "squeeze") == {
        "data": "digits", "teacher": "mlp", "seed": "0", "keep": "0.1"}
    turned = first.with_method("squeeze", last=True)
    assert choice.to_link(turned, card, ("squeeze",), None) == {
        "data": "digits", "teacher": "mlp", "seed": "0", "last": "true"}


@pytest.mark.parametrize(("link", "name", "value", "range_", "word"), [
    ({"keep": "5"}, "keep", 1.0, "between 0.001 and 1.0; 5 was", "lowered to 1.0"),
    ({"keep": "0"}, "keep", 0.001, "between 0.001 and 1.0; 0 was", "raised to 0.001"),
    ({"keep": "inf"}, "keep", 1.0, "between 0.001 and 1.0; inf was", "lowered to 1.0"),
    ({"steps": "21"}, "steps", 20, "between 0 and 20; 21 was", "lowered to 20"),
    ({"steps": "-1"}, "steps", 0, "between 0 and 20; -1 was", "raised to 0")])
def test_a_value_out_of_range_is_moved_and_the_notice_names_range_and_value(card, link, name, value, range_, word):
    chosen, notices = taken(link, card)
    assert chosen.methods["squeeze"][name] == value
    assert len(notices) == 1 and range_ in notices[0] and word in notices[0]


def test_a_teachers_value_out_of_range_is_moved_too(card):
    chosen, notices = taken({"t.epochs": "99999"}, card)
    assert chosen.teacher.values["epochs"] == 2000 and "between 1 and 2000" in notices[0]


def test_unknown_names_are_reported_and_left_out(card):
    chosen, notices = taken({"kep": "0.3", "data": "cifar", "teacher": "vgg", "t.depth": "3"}, card)
    assert chosen == choice.first_choice(card)
    for word in ("'cifar'", "digits, mnist5k", "'vgg'", "mlp, logistic", "kep=0.3", "t.depth=3"):
        assert any(word in notice for notice in notices), word


def test_settings_of_another_page_are_reported(card):
    chosen, notices = taken({"keep": "0.3"}, card, methods=())
    assert chosen == choice.first_choice(card) and "keep=0.3" in notices[0]


def test_a_data_set_of_openml_needs_its_version(card):
    assert taken({"data": "openml:iris:1"}, card)[0].data == "openml:iris:1"
    for name in ("openml:iris", "openml:iris:one", "openml:a/b:1", "openml:iris:1/"):
        chosen, notices = taken({"data": name}, card)
        assert chosen.data == "digits" and name in notices[0]


def test_settings_that_exclude_each_other_are_mended_with_a_notice(card):
    chosen, notices = taken({"view": "spatial", "scheme": "whitened"}, card)
    assert chosen.methods["squeeze"]["view"] == "spatial" and chosen.methods["squeeze"]["scheme"] == "plain"
    assert notices == ["Spatial does not go with whitened. Here scheme is now plain."]


def test_settings_that_go_together_are_left_alone(card):
    chosen, notices = taken({"view": "channel", "scheme": "whitened"}, card)
    assert chosen.methods["squeeze"]["scheme"] == "whitened" and not notices


def test_another_teacher_starts_from_its_own_defaults(card):
    start = replace(choice.first_choice(card), teacher=choice.teacher_defaults(card, "mlp").having(epochs=3))
    other, _ = choice.from_link({"teacher": "logistic"}, card, (), start)
    same, _ = choice.from_link({"data": "mnist5k"}, card, (), start)
    assert other.teacher == choice.teacher_defaults(card, "logistic") and same.teacher.values["epochs"] == 3


@pytest.mark.parametrize("text", NASTY)
def test_junk_in_any_place_ends_in_a_valid_choice(card, text):
    for name in (*PLACES, text):
        check_valid(card, *taken({name: text}, card))
    check_valid(card, *taken(dict.fromkeys((*PLACES, text), text), card))


@given(st.dictionaries(st.sampled_from(PLACES) | st.text(max_size=8), st.text(max_size=20)))
def test_no_link_raises(card, link):
    check_valid(card, *taken(link, card))


def check_valid(card: dict[str, Any], chosen: choice.Choice, notices: list[str]) -> None:
    """Every value is one that its setting allows, and each notice is a sentence."""
    assert all(notice.endswith(".") and "\n" not in notice for notice in notices)
    assert 0 <= chosen.seed < 10**9
    entries = [*choice.teacher_settings(card, chosen.teacher.name), *card["methods"]["squeeze"]["settings"]]
    values = {**chosen.teacher.values, **chosen.methods["squeeze"]}
    assert set(values) == {entry["name"] for entry in entries}
    for entry in entries:
        unheard: list[str] = []
        assert choice.clamped(entry, str(values[entry["name"]]), unheard) == values[entry["name"]] and not unheard
        assert type(values[entry["name"]]) is type(entry["default"])


@pytest.mark.parametrize(("text", "sizes"), [
    ("300-100", "300-100"), (" 300-100 ", "300-100"), ("007", "7"), ("", "none"), ("none", "none")])
def test_layer_sizes_are_spelled_one_way(card, text, sizes):
    assert choice.sizes(card["families"][0]["settings"][0], text) == sizes


@pytest.mark.parametrize("text", ["300-", "-300", "0", "8193", "300x100", "3.5"])
def test_wrong_layer_sizes_are_refused_with_the_form_and_the_range(card, text):
    with pytest.raises(ValueError, match=r"from 1 to 8192 joined by '-'.*For example: 300-100"):
        choice.sizes(card["families"][0]["settings"][0], text)


def test_a_preset_that_does_not_suit_the_data_gives_way_to_one_that_does(card):
    start = choice.first_choice(card)
    moved = choice.suited(replace(start, data="waves"), card)
    fitting = [Step.of(preset["name"], preset["settings"]) for preset in card["presets"]
               if "sequence" in preset["kinds"]]
    assert start.teacher not in fitting and moved.teacher == fitting[0]
    assert choice.suited(start, card) == start
    own = replace(start, data="waves", teacher=start.teacher.having(epochs=7))
    assert choice.suited(own, card) == own


def test_a_link_that_names_only_the_data_gets_a_teacher_that_suits_them(card):
    changed, notices = choice.from_link({"data": "waves"}, card, ("squeeze",), choice.first_choice(card))
    assert not notices and changed.teacher == choice.suited(changed, card).teacher != choice.first_choice(card).teacher
