"""A link restores what it was made from, and whatever else it says ends in a valid choice and a plain sentence."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.recipe import Recipe, Step
from compress.setting_values import label_value
from compress.settings import MOST_SEED, Settings
from pages.ui.shell import choice, links
from tests.imports import tree_of
from tests.pages.test_layering import PAGES

NASTY = ["nan", "inf", "-inf", "1e999", "", " ", "0x10", "1;2", "None", "true", "٣", "½", "1e", "-", "--", "[]", "{}",
         "<script>alert(1)</script>", "'; DROP TABLE points; --", "../../etc/passwd", "__import__('os').system('ls')",
         "%00", "\x00", "openml:../x:1", "a/b+c(d=e),f", "${HOME}", "9" * 400, "300-" * 300, "![x](http://x.example/y)"]
PLACES = ("data", "teacher", "seed", "method", "start", "keep", "scheme", "squeeze.view", "squeeze.steps", "squeeze.last",
          "t.epochs", "t.hidden", "t.rate", ".", "squeeze.", ".keep", "t.")
NESTED = "[" * 3000


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    """A description with one method whose settings are of every type, one that measures company along, one of the data,
    and three data sets."""
    def entry(name, kind, default, low=None, high=None, choices=None, of_sweep=False):
        return {"name": name, "label": name.capitalize(), "type": kind, "default": default, "low": low, "high": high,
                "choices": choices, "step": None, "of_sweep": of_sweep, "help": "What it does."}

    def method(name, dial, settings, applies_to="network", exclusions=(), renamed=()):
        return {"name": name, "dial": dial, "settings": settings, "exclusions": list(exclusions), "applies_to": applies_to,
                "renamed": dict(renamed)}

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
        "families": [{"name": "mlp", "settings": [entry("hidden", "sizes", "300-100", 1, 8192)], "training": training,
                      "reads": "numbers"}, {"name": "logistic", "settings": [], "training": training, "reads": "numbers"}],
        "presets": [{"name": "mlp", "settings": {"hidden": "300-100", "epochs": 20, "rate": 0.002}, "kinds": ["image"]},
                    {"name": "logistic", "settings": {"epochs": 20, "rate": 0.002}, "kinds": ["sequence"]}],
        "methods": {
            "squeeze": method("squeeze", "keep", settings, exclusions=[rule]),
            "teach": method("teach", "width", [
                entry("width", "float", 0.1, 0.01, 2.0), entry("loss", "str", "soft", choices=["soft", "hard"]),
                entry("shared", "bool", True), entry("depth", "int", 0, 0, 8),
                entry("repeats", "int", 3, 1, 20, of_sweep=True), entry("heats", "sizes", "1-8", 1, 64, of_sweep=True)]),
            "shrink": method("shrink", "rows", [entry("rows", "int", 9, 1, 99)], applies_to="data"),
            "press": method("press", "keep", [keep, entry("scheme", "str", "plain", choices=["plain", "deep"]),
                                              entry("epochs", "int", 5, 1, 99)],
                            renamed={"kept_share": "keep", "way": "scheme"})}}


def values_of(entry: dict[str, Any]) -> st.SearchStrategy:
    """Every value that a setting may have."""
    low, high = entry["low"], entry["high"]
    return {
        "bool": lambda: st.booleans(),
        "int": lambda: st.integers(low, high),
        "float": lambda: st.floats(low, high),
        "str": lambda: st.sampled_from(entry["choices"]) if entry["choices"] else st.text("aZ09-_. ", max_size=20),
        "sizes": lambda: st.lists(st.integers(low, high), max_size=4).map(
            lambda sizes: "-".join(map(str, sizes)) or "none"),
        "numbers": lambda: st.lists(st.floats(low, high), max_size=4).map(
            lambda numbers: "-".join(str(one).removesuffix(".0") for one in numbers) or "none"),
        "label": lambda: st.one_of(st.integers(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
                                   ).map(label_value),
    }[entry["type"]]()


def settings_of(entries: list[dict[str, Any]]) -> st.SearchStrategy:
    return st.fixed_dictionaries({entry["name"]: values_of(entry) for entry in entries})


def taken(link: dict[str, str], card: dict[str, Any], methods: tuple[str, ...] = ("squeeze",)):
    return links.from_link(link, card, methods, choice.first_choice(card))


@st.composite
def choices(draw, known: dict[str, Any], name: str) -> choice.Choice:
    """Any choice of data, teacher and seed, and of one method's settings."""
    family = draw(st.sampled_from(known["families"]))["name"]
    teacher = Step.of(family, draw(settings_of(choice.teacher_settings(known, family))))
    made = replace(choice.first_choice(known), data=draw(st.sampled_from(known["datasets"]))["name"], teacher=teacher,
                   seed=draw(st.integers(0, MOST_SEED)))
    card = known["methods"][name]
    return choice.without_conflict(made.with_method(name, **draw(settings_of(card["settings"]))), card, [])


@given(st.data())
def test_a_link_restores_every_setting_whatever_stood_before(known, data):
    """As the address bar must after the browser's Back button, and in another tab."""
    name = data.draw(st.sampled_from(sorted(known["methods"])))
    made, before = data.draw(choices(known, name)), data.draw(choices(known, name))
    link = links.to_link(made, known, (name,), name)
    assert all(isinstance(text, str) for text in link.values())
    assert links.from_link(link, known, (name,), before) == (made, [])


def page_methods(page: Path) -> tuple[str, ...]:
    """The methods that a page opens with."""
    return tuple(name for node in ast.walk(tree_of(page)) if isinstance(node, ast.Call)
                 and getattr(node.func, "id", "") == "open_page" and len(node.args) == 3
                 for name in ast.literal_eval(node.args[2]))


@given(st.data())
def test_methods_of_one_page_may_call_their_settings_alike(known, data):
    """One word of a link means one setting, because it is said whose."""
    page = data.draw(st.sampled_from([page_methods(path) for path in PAGES if path.name[0].isdigit()]))
    made, before = (data.draw(st.builds(lambda *each: replace(each[0], methods={
        **each[0].methods, **{name: one.methods[name] for name, one in zip(page, each, strict=True)}}),
        *(choices(known, name) for name in page))) if page else choice.first_choice(known) for _ in range(2))
    made = replace(made, methods={**before.methods, **{name: made.methods[name] for name in page}})
    link = links.to_link(made, known, page, page[-1] if page else None)
    assert links.from_link(link, known, page, before) == (made, [])


TWO = ("squeeze", "press")


def test_two_methods_with_settings_of_one_name_come_back_from_a_link(card):
    first = choice.first_choice(card)
    made = first.with_method("squeeze", keep=0.3, scheme="whitened").with_method("press", keep=0.7, scheme="deep")
    link = links.to_link(made, card, TWO, "press")
    assert link["squeeze.keep"] == "0.3" and link["press.keep"] == "0.7" and link["press.scheme"] == "deep"
    assert taken(link, card, TWO) == (made, [])


def test_a_link_of_before_has_bare_names(card):
    """Each went to the one method of the page that had a setting of this name then."""
    chosen, notices = taken({"method": "press", "keep": "0.3", "kept_share": "0.7", "way": "deep", "epochs": "9"}, card, TWO)
    assert chosen.methods["squeeze"]["keep"] == 0.3
    assert chosen.methods["press"] == {"keep": 0.7, "scheme": "deep", "epochs": 9} and not notices


OLD = {"sparse_code": {"nonzeros": "3", "atoms": "64", "iterations": "5", "dictionary": "random"},
       "data_codes": {"terms": "3", "dictionary_size": "64", "learning_rounds": "5", "source": "random", "positive": "true",
                      "beside": "false"},
       "activation_codes": {"active": "3", "vocabulary": "64", "passes": "5", "atoms_from": "random",
                            "only_positive": "true", "compare": "false"}}


@pytest.mark.parametrize("name", OLD)
def test_old_links_of_sparse_codes_are_understood_on_their_page(known, name):
    """Three methods have these settings; each had names of its own once."""
    present = {"nonzeros": 3, "atoms": 64, "iterations": 5, "dictionary": "random", "nonnegative": True,
               "pca_baseline": False}
    first = choice.first_choice(known)
    for link in (OLD[name], {f"{name}.{old}": text for old, text in OLD[name].items()}):
        chosen, notices = links.from_link(link, known, tuple(OLD), first)
        wanted = {key: value for key, value in present.items() if key in first.methods[name]}
        assert chosen == first.with_method(name, **wanted) and not notices


def test_a_bare_name_that_no_link_of_before_had_goes_to_the_method_on_the_screen(card):
    renamed = {**card["methods"]["squeeze"], "renamed": {"share": "keep"}}
    known = {**card, "methods": {**card["methods"], "squeeze": renamed}}
    for active, other in (TWO, TWO[::-1]):
        chosen, notices = taken({"method": active, "keep": "0.3"}, known, TWO)
        assert chosen.methods[active]["keep"] == 0.3 and chosen.methods[other]["keep"] == 0.1 and not notices


def test_an_older_name_is_understood_behind_its_method_too(card):
    chosen, notices = taken({"press.kept_share": "0.7", "start": "press(way=deep)"}, card, TWO)
    assert chosen.methods["press"]["keep"] == 0.7 and not notices
    assert chosen.start == (Step.of("press", {"keep": 0.1, "scheme": "deep", "epochs": 5}),)


def test_a_setting_that_a_link_has_twice_is_reported(card):
    chosen, notices = taken({"way": "plain", "press.scheme": "deep"}, card, TWO)
    assert chosen.methods["press"]["scheme"] == "deep"
    assert notices == ["The link's way=plain is not a setting of this page and was left out."]


@pytest.mark.parametrize("name", ["press.rows", "shrink.rows", "press.", ".keep", "press.keep.keep", "x.keep"])
def test_a_name_that_is_no_setting_of_the_pages_methods_is_reported(card, name):
    chosen, (notice,) = taken({name: "3"}, card, TWO)
    assert chosen == choice.first_choice(card) and f"{name}=3" in notice


def test_the_first_choice_is_the_first_of_everything(card):
    first = choice.first_choice(card)
    assert (first.data, first.teacher.name, first.seed) == ("digits", "mlp", 0)
    assert first.methods["squeeze"] == {"keep": 0.1, "scheme": "plain", "view": "channel", "steps": 0, "last": False}
    text = first.recipe("squeeze").text()
    assert text.startswith("digits/mlp(epochs=20,hidden=300-100,rate=0.002)/squeeze(keep=0.1,")


def test_a_link_leaves_out_what_stands_at_its_default_but_not_the_dial(card):
    first = choice.first_choice(card)
    assert links.to_link(first, card, ("squeeze",), "squeeze") == {
        "data": "digits", "teacher": "mlp", "seed": "0", "squeeze.keep": "0.1"}
    turned = first.with_method("squeeze", last=True)
    assert links.to_link(turned, card, ("squeeze",), None) == {
        "data": "digits", "teacher": "mlp", "seed": "0", "squeeze.last": "true"}


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
    assert notices == ["Spatial does not go with whitened. Here Scheme is now plain."]


def test_settings_that_go_together_are_left_alone(card):
    chosen, notices = taken({"view": "channel", "scheme": "whitened"}, card)
    assert chosen.methods["squeeze"]["scheme"] == "whitened" and not notices


def test_another_teacher_starts_from_its_own_defaults(card):
    start = replace(choice.first_choice(card), teacher=choice.teacher_defaults(card, "mlp").having(epochs=3))
    other, _ = links.from_link({"teacher": "logistic"}, card, (), start)
    same, _ = links.from_link({"data": "mnist5k"}, card, (), start)
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
    assert 0 <= chosen.seed <= MOST_SEED
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
    assert choice.clamped(card["families"][0]["settings"][0], text, notices := []) == sizes and not notices


@pytest.mark.parametrize("text", ["300-", "-300", "300x100", "3.5"])
def test_wrong_layer_sizes_are_reported_and_the_default_is_taken(card, text):
    assert choice.clamped(card["families"][0]["settings"][0], text, notices := []) == "300-100"
    assert notices == [f"Hidden cannot be {text!r}; it is set to its default, 300-100."]


def test_layer_sizes_out_of_range_are_moved_each(card):
    assert choice.clamped(card["families"][0]["settings"][0], "9000-100-0", notices := []) == "8192-100-1"
    assert notices == ["Hidden must be between 1 and 8192; 9000-100-0 was changed to 8192-100-1."]


def test_what_a_preset_puts_in_the_teachers_place_is_spelled_out(known):
    first = choice.first_choice(known)
    (step,) = first.with_preset(None, None, known, "prune(sparsity=0.5,criterion=wanda)").start
    every = {entry["name"] for entry in known["methods"]["prune"]["settings"]
             if not entry["of_sweep"] and not entry.get("of_file")}
    assert step.name == "prune" and set(step.values) == every
    assert step.values["sparsity"] == 0.5 and step.values["criterion"] == "wanda" and step.values["rounds"] == 1
    started = first.with_preset(None, None, known, "distill+prune")
    assert [one.name for one in started.start] == ["distill", "prune"] and "seeds" not in started.start[0].values
    assert started.with_preset(None, None, known).start == started.start
    assert started.with_preset(None, None, known, "").start == ()


@pytest.mark.parametrize(("text", "answer"), [
    ("polish", "no method 'polish'"), ("prune(depth=3)", "prune has no setting 'depth'"),
    ("prune(sparsity=2)", "sparsity must be between"), ("prune(", "is not a name with settings")])
def test_what_cannot_be_put_in_the_teachers_place_is_an_error(known, text, answer):
    with pytest.raises(ValueError, match=answer):
        choice.steps_named(text, known)


VALUES = [True, False, 0, 1, 2.7, 4.0, -3, None, [], [1.5], {}, float("nan"), float("inf"), 128, *NASTY, "true", "FALSE",
          "2.7", "4.0", "1e1", "12", "0.05", "plain", "300-100"]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_a_link_takes_without_a_notice_what_settings_take_and_nothing_else(known, value):
    """Page, link and shell read a value by one rule; a link alone moves it instead of refusing it."""
    from compress.methods import methods

    for name in ("low_rank", "prune", "distill"):
        for entry in known["methods"][name]["settings"]:
            found = choice.clamped(entry, value, notices := [])
            try:
                made = settings_alone(methods()[name], {entry["name"]: value})
            except ValueError:
                assert len(notices) == 1, (entry["name"], value, found)
            else:
                assert (made[entry["name"]], notices) == (found, []), entry["name"]


def settings_alone(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """Plain settings of a method, checked one by one and not for what excludes what."""
    made = object.__new__(kind)
    for name, value in {**{entry["name"]: entry["default"] for entry in kind.describe()}, **values}.items():
        object.__setattr__(made, name, value)
    Settings.__post_init__(made)
    return made.plain()


def test_a_teacher_of_a_preset_is_spelled_out_in_the_types_of_its_settings(card):
    made = choice.teacher_of("mlp(hidden=128,rate=1)", card)
    assert made == Step.of("mlp", {"hidden": "128", "epochs": 20, "rate": 1.0})
    assert type(made.values["hidden"]) is str and type(made.values["rate"]) is float


@pytest.mark.parametrize(("text", "answer"), [
    ("vgg(depth=3)", "no teacher 'vgg'"), ("mlp(depth=3)", "mlp has no setting 'depth'; its settings are hidden, epochs"),
    ("mlp(hidden=0)", "hidden must be between 1 and 8192, but got 0"),
    ("mlp(epochs=true)", "epochs must be a whole number")])
def test_a_teacher_that_makes_no_sense_is_answered_with_what_does(card, text, answer):
    with pytest.raises(ValueError, match=answer):
        choice.teacher_of(text, card)


def test_a_family_begins_with_its_first_preset_that_suits_the_data(card):
    for name, kind in [(preset["name"], kind) for preset in card["presets"] for kind in preset["kinds"]]:
        first = choice.preset_of(choice.first_of_family(card, name, kind), card)
        assert first["name"] == name and kind in first["kinds"]
    name = card["presets"][0]["name"]
    assert choice.first_of_family(card, name, "smells") == choice.teacher_defaults(card, name)


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
    changed, notices = links.from_link({"data": "waves"}, card, ("squeeze",), choice.first_choice(card))
    assert not notices and changed.teacher == choice.suited(changed, card).teacher != choice.first_choice(card).teacher


def start_of(card: dict[str, Any], text: str) -> tuple[tuple[Step, ...], list[str]]:
    """What a link puts in the teacher's place, and the notices."""
    chosen, notices = taken({"start": text}, card)
    return chosen.start, notices


def points_of(known: dict[str, Any]) -> st.SearchStrategy:
    """Any step that a point of a network's method may have, every setting spelled out."""
    cards = [card for card in known["methods"].values() if card["applies_to"] == "network"]
    return st.sampled_from(cards).flatmap(lambda card: choices(known, card["name"]).map(
        lambda made: choice.point_recipe(made.recipe(card["name"]), card).methods[0]))


@given(st.data())
def test_a_link_restores_what_stands_in_the_teachers_place(known, data):
    start = tuple(data.draw(st.lists(points_of(known), min_size=1, max_size=3)))
    page = data.draw(st.sampled_from(sorted(known["methods"])))
    made, before = (replace(data.draw(choices(known, page)), start=one) for one in (start, start[1:]))
    link = links.to_link(made, known, (page,), page)
    assert links.from_link(link, known, (page,), before) == (made, [])


def test_a_link_without_a_start_goes_back_to_the_teacher(card):
    """As the browser's Back button must after something was put in the teacher's place."""
    first = choice.first_choice(card)
    before = replace(first, start=(Step.of("teach", {"width": 0.1}),))
    assert links.from_link(links.to_link(first, card, (), None), card, (), before) == (first, [])


def test_nothing_in_the_teachers_place_leaves_no_trace_in_the_link(card):
    assert "start" not in links.to_link(choice.first_choice(card), card, ("squeeze",), "squeeze")


def test_what_stands_in_the_teachers_place_is_spelled_as_in_recipes(card):
    start = (Step.of("teach", {"width": 0.5, "loss": "hard", "shared": False, "depth": 2}),
             Step.of("squeeze", {"keep": 0.25, "scheme": "plain", "view": "channel", "steps": 0, "last": True}))
    link = links.to_link(replace(choice.first_choice(card), start=start), card, (), None)
    assert link["start"] == ("teach(depth=2,loss=hard,shared=false,width=0.5)"
                             "+squeeze(keep=0.25,last=true,scheme=plain,steps=0,view=channel)")


def test_settings_that_a_start_leaves_out_are_spelled_out_but_for_those_of_the_sweep(card):
    start, notices = start_of(card, "teach(width=0.5,repeats=9,heats=2-3)")
    assert start == (Step.of("teach", {"width": 0.5, "loss": "soft", "shared": True, "depth": 0}),) and not notices
    assert start_of(card, "teach") == ((Step.of("teach", {"width": 0.1, "loss": "soft", "shared": True, "depth": 0}),), [])


@pytest.mark.parametrize("text", [
    "vgg", "teach(width=0.5", "teach width=0.5", "", "+", "teach+", "teach(width)", "teach+vgg(depth=1)", "../teach",
    "teach()x", "teach(width=" + "9" * 5000 + ")"])
def test_a_start_that_makes_no_sense_is_reported_and_the_teacher_stays(card, text):
    start, notices = start_of(card, text)
    assert start == () and len(notices) == 1 and "the teacher itself is used" in notices[0] and len(notices[0]) < 200


@pytest.mark.parametrize(("text", "name", "value", "words"), [
    ("teach(width=9)", "width", 2.0, "between 0.01 and 2.0; 9 was lowered to 2.0"),
    ("teach(width=-1)", "width", 0.01, "between 0.01 and 2.0; -1 was raised to 0.01"),
    ("teach(depth=Infinity)", "depth", 0, "Depth cannot be 'inf'; it is set to its default, 0"),
    ("teach(width=1e999)", "width", 2.0, "lowered to 2.0"), ("teach(width=NaN)", "width", 0.1, "cannot be 'nan'"),
    ("teach(loss=loud)", "loss", "soft", "cannot be 'loud'"), ("teach(loss=[1])", "loss", "soft", "cannot be '[1]'"),
    ("teach(shared=7)", "shared", True, "cannot be '7'")])
def test_a_starts_value_out_of_range_is_moved_with_a_notice(card, text, name, value, words):
    (step,), (notice,) = start_of(card, text)
    assert step.values[name] == value and words in notice
    assert type(step.values[name]) is type(value)


@pytest.mark.parametrize("text", ["teach(width=[1])", "teach(width=null)", "teach(depth={})", f"teach(width={NESTED})"],
                         ids=["list", "null", "dict", "deep"])
def test_a_starts_value_that_is_no_plain_value_is_reported(card, text):
    start, notices = start_of(card, text)
    assert len(notices) == 1 and start in ((), start_of(card, "teach")[0])


def test_settings_of_a_start_that_exclude_each_other_are_mended(card):
    (step,), (notice,) = start_of(card, "squeeze(view=spatial,scheme=whitened)")
    assert step.values["scheme"] == "plain" and "Scheme is now plain" in notice


def test_a_start_is_not_a_setting_that_a_page_lacks(card):
    assert links.from_link({"start": "teach"}, card, (), choice.first_choice(card))[1] == []


@pytest.fixture
def started(card) -> choice.Choice:
    """A choice with a small network in the teacher's place."""
    return links.from_link({"start": "teach(width=0.5)"}, card, (), choice.first_choice(card))[0]


def names_of(recipe: Recipe) -> list[str]:
    return [step.name for step in recipe.methods]


def test_another_method_comes_after_what_stands_in_the_teachers_place(card, started):
    request = started.request(card["methods"]["squeeze"])
    assert request.methods == (*started.start, Step.of("squeeze", started.methods["squeeze"]))
    assert (request.data, request.teacher, request.seed) == (started.data, started.teacher, started.seed)


def test_a_method_does_not_come_after_itself_nor_one_of_the_data_after_any(card, started):
    assert names_of(started.request(card["methods"]["teach"])) == ["teach"]
    assert names_of(started.request(card["methods"]["shrink"])) == ["shrink"]
    longer = replace(started, start=(*started.start, Step.of("squeeze", started.methods["squeeze"])))
    assert names_of(longer.request(card["methods"]["squeeze"])) == ["squeeze"]


def test_with_the_teacher_in_its_place_a_request_is_the_method_alone(card):
    first = choice.first_choice(card)
    assert all(first.request(own) == first.recipe(name) for name, own in card["methods"].items())


def test_the_recipe_of_what_stands_in_the_teachers_place(card, started):
    assert started.started() == Recipe(started.data, started.teacher, started.start, started.seed)
    assert choice.first_choice(card).started() == choice.first_choice(card).recipe()


def test_a_point_lacks_the_settings_of_its_sweep_and_no_others(card, started):
    request = started.request(card["methods"]["teach"])
    assert set(request.methods[-1].values) == {"width", "loss", "shared", "depth", "repeats", "heats"}
    assert choice.point_recipe(request, card["methods"]["teach"]).methods[-1].values == {
        "width": 0.1, "loss": "soft", "shared": True, "depth": 0}
    chain = started.request(card["methods"]["squeeze"])
    assert choice.point_recipe(chain, card["methods"]["squeeze"]) == chain


def test_the_recipe_of_a_point_is_the_one_that_a_sweep_stores(known):
    from compress.curves.sweep import sweep_of

    first = choice.first_choice(known)
    for card in known["methods"].values():
        asked = sweep_of(first.request(card))
        stored = asked.of(asked.method)
        assert choice.point_recipe(first.request(card), card) == stored


def test_a_teacher_is_the_preset_that_has_its_settings(card):
    for preset in card["presets"]:
        assert choice.preset_of(Step.of(preset["name"], preset["settings"]), card) == preset
    assert choice.preset_of(choice.first_choice(card).teacher.having(epochs=7), card) is None
