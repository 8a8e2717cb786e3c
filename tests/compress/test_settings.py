"""Settings know their ranges: a bad value is answered with what is allowed, a good one survives as plain data."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils import check_random_state

from compress.methods import methods
from compress.networks.families import FAMILIES
from compress.setting_values import NO_LABEL, label_of, label_value
from compress.settings import Settings, checked_seed, setting
from compress.solvers.ksvd import KSVD
from compress.training.loop import Training

LETTERS = st.characters(exclude_categories=["Cs"])
ALL = [*methods().values(), *FAMILIES.values(), Training]


@dataclass(frozen=True)
class Example(Settings):
    """One setting of every type."""

    share: float = setting(0.5, low=0.0, high=1.0, help="A share.")
    count: int = setting(3, low=1, high=9, help="A count.", label="How many", step=2, idle={"loud": (False,)})
    way: str = setting("fast", choices=("fast", "slow"), help="A way.")
    loud: bool = setting(False, help="A switch.")
    sizes: tuple[int, ...] = setting((30, 10), low=1, high=100, help="Sizes.")
    heats: tuple[float, ...] = setting((1.0, 8.0), low=0.5, high=64.0, help="Numbers.")
    named: int | str = setting(NO_LABEL, is_label=True, help="A class.")


BAD = [("share", 1.5, "between 0.0 and 1.0", "1.5"), ("share", -0.1, "between 0.0 and 1.0", "-0.1"),
       ("share", float("nan"), "between 0.0 and 1.0", "nan"), ("share", "much", "a number", "'much'"),
       ("share", None, "a number", "None"), ("share", [1], "a number", r"\[1\]"),
       ("count", 0, "between 1 and 9", "0"), ("count", 10, "between 1 and 9", "10"),
       ("count", 2.5, "a whole number", "2.5"), ("count", "two", "a whole number", "'two'"),
       ("count", float("inf"), "a whole number", "inf"), ("count", float("nan"), "a whole number", "nan"),
       ("share", True, "a number", "True"), ("share", "1_0", "a number", "'1_0'"), ("share", "٣", "a number", "'٣'"),
       ("share", "", "a number", "''"), ("share", "true", "a number", "'true'"),
       ("share", "inf", "between 0.0 and 1.0", "inf"),
       ("count", True, "a whole number", "True"), ("count", "true", "a whole number", "'true'"),
       ("count", "2.7", "a whole number", "'2.7'"), ("count", "inf", "a whole number", "'inf'"),
       ("count", "0x3", "a whole number", "'0x3'"), ("count", "9" * 5000, "a whole number", "'99"),
       ("count", "9" * 400, "between 1 and 9", "99"), ("loud", "1", "true or false", "'1'"),
       ("loud", None, "true or false", "None"), ("loud", [], "true or false", r"\[\]"),
       ("way", "medium", "one of fast, slow", "'medium'"), ("way", 3, "one of fast, slow", "3"),
       ("way", None, "one of fast, slow", "None"),
       ("loud", "perhaps", "true or false", "'perhaps'"), ("loud", 2, "true or false", "2"),
       ("sizes", "30-x", "whole numbers between 1 and 100 joined by '-'", "'30-x'"),
       ("sizes", "30--10", "whole numbers", "'30--10'"), ("sizes", "30-", "whole numbers", "'30-'"),
       ("sizes", "-30", "whole numbers", "'-30'"), ("sizes", "30x10", "whole numbers", "'30x10'"),
       ("sizes", [True], "whole numbers", r"\[True\]"), ("sizes", "101", "between 1 and 100", "101"),
       ("sizes", "0-5", "between 1 and 100", "0"), ("sizes", (5, 101), "between 1 and 100", "101"),
       ("sizes", 1.5, "joined by '-'", "1.5"), ("sizes", [1.5], "whole numbers", r"\[1.5\]"),
       ("named", None, "the label of a class", "None"), ("named", "x" * 201, "of at most 200 characters", "'xx"),
       ("named", "\ud800", "the label of a class", r"'\\ud800"), ("named", [1], "the label of a class", r"\[1\]"),
       ("heats", "1-x", "numbers between 0.5 and 64.0 joined by '-'", "'1-x'"), ("heats", "1e-1", "numbers", "'1e-1'"),
       ("heats", "1--2", "numbers", "'1--2'"), ("heats", "-2", "numbers", "'-2'"), ("heats", "2-0.4", "between 0.5", "0.4"),
       ("heats", [1.5, 65], "between 0.5 and 64.0", "65"), ("heats", [True], "numbers", r"\[True\]"),
       ("heats", True, "joined by '-'", "True"), ("heats", float("nan"), "between 0.5", "nan"),
       ("sizes", True, "joined by '-'", "True"), ("sizes", None, "whole numbers", "None")]


@pytest.mark.parametrize(("name", "value", "allowed", "shown"), BAD, ids=[f"{name}={value!s:.9}" for name, value, *_ in BAD])
def test_a_bad_value_is_answered_with_class_setting_range_and_value(name: str, value: Any, allowed: str,
                                                                    shown: str) -> None:
    with pytest.raises(ValueError, match=rf"Example: {name} must be .*{allowed}.*but got {shown}"):
        Example(**{name: value})


GOOD = [("share", "0.25", 0.25), ("share", 1, 1.0), ("count", 4.0, 4), ("count", "7", 7),
        ("count", "4.0", 4), ("count", "3e0", 3), ("count", " 5 ", 5),
        ("share", "1e-1", 0.1), ("share", ".5", 0.5), ("loud", "True", True), ("loud", "false", False),
        ("loud", False, False), ("sizes", "8-4", (8, 4)), ("sizes", "none", ()), ("sizes", "", ()),
        ("sizes", 12, (12,)), ("sizes", '"8-4"', (8, 4)), ("way", '"slow"', "slow"), ("count", '"3"', 3),
        ("named", 3, 3), ("named", "3", 3), ("named", "-7", -7), ("named", 3.0, 3), ("named", 1.5, "1.5"),
        ("named", "1.50", "1.50"),
        ("named", "007", "007"), ("named", "-0", "-0"), ("named", "cat", "cat"), ("named", " cat ", " cat "),
        ("named", '"cat"', "cat"), ("named", '"3"', 3), ("named", "-1", -1), ("named", "none", -1), ("named", "", -1),
        ("named", '"-1"', '"-1"'), ("named", '"none"', '"none"'), ("named", '""a""', '""a""'), ("named", True, "True"),
        ("named", np.int64(4), 4), ("named", str(2 ** 63 + 5), 2 ** 63 + 5), ("named", "9" * 150, int("9" * 150)),
        ("heats", "1-8-20", (1.0, 8.0, 20.0)), ("heats", "0.5-2.25", (0.5, 2.25)), ("heats", "none", ()),
        ("heats", 4, (4.0,)),
        ("heats", 1.5, (1.5,)), ("heats", " .5-3. ", (0.5, 3.0)), ("heats", (8, 2.5), (8.0, 2.5)),
        ("sizes", [3, 4], (3, 4)), ("sizes", "16", (16,)), ("sizes", " 30-10 ", (30, 10)), ("sizes", "007", (7,))]


@pytest.mark.parametrize(("name", "value", "expected"), GOOD)
def test_a_good_value_gets_the_settings_own_type(name: str, value: Any, expected: Any) -> None:
    found = getattr(Example(**{name: value}), name)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_number_of_the_program_is_checked_at_both_ends(kind: type[Settings]) -> None:
    for entry in kind.describe():
        for end, beyond in (("low", -1), ("high", 1)):
            if entry[end] is not None:
                several = entry["type"] in ("sizes", "numbers")
                wrong = str(max(0, entry[end] + beyond)) if several else entry[end] + beyond
                with pytest.raises(ValueError, match=rf"{kind.__name__}: {entry['name']} must be between"):
                    kind.from_plain({entry["name"]: wrong})


@given(share=st.floats(0, 1), count=st.integers(1, 9), way=st.sampled_from(("fast", "slow")), loud=st.booleans(),
       sizes=st.lists(st.integers(1, 100), max_size=4).map(tuple),
       heats=st.lists(st.floats(0.5, 64), max_size=4).map(tuple),
       named=st.one_of(st.integers(), st.text(LETTERS, max_size=200)))
def test_settings_come_back_from_plain_data(**values: Any) -> None:
    made = Example(**values)
    assert Example.from_plain(json.loads(json.dumps(made.plain()))) == made


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_defaults_come_back_from_plain_data(kind: type[Settings]) -> None:
    assert kind.from_plain(json.loads(json.dumps(kind().plain()))) == kind() == kind.from_plain({})


def test_an_unknown_setting_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="Example has no setting 'size'; its settings are share, count, way, loud"):
        Example.from_plain({"size": 3})


def test_a_description_has_all_that_a_form_needs() -> None:
    described = {entry["name"]: entry for entry in Example.describe()}
    assert list(described) == [field.name for field in dataclasses.fields(Example)]
    assert described["count"] == {"name": "count", "label": "How many", "type": "int", "default": 3, "low": 1,
                                  "high": 9, "choices": None, "step": 2, "of_sweep": False, "of_file": False,
                                  "idle": {"loud": [False]}, "tried": [], "share": False, "help": "A count."}
    assert described["way"]["choices"] == ["fast", "slow"] and described["way"]["type"] == "str"
    assert described["sizes"]["default"] == "30-10" and described["sizes"]["type"] == "sizes"
    assert described["heats"]["default"] == "1-8" and described["heats"]["type"] == "numbers"
    assert described["loud"]["type"] == "bool" and described["loud"]["label"] == "Loud"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_setting_of_the_program_explains_itself(kind: type[Settings]) -> None:
    for entry in kind.describe():
        assert entry["help"].strip(), entry["name"]
        assert entry["label"]
        if entry["type"] in ("int", "float", "sizes", "numbers"):
            assert entry["low"] is not None and entry["high"] is not None
        if entry["type"] == "str":
            assert entry["choices"] and entry["default"] in entry["choices"]
        json.dumps(entry, allow_nan=False)


@given(st.text(LETTERS, min_size=1, max_size=190))
def test_every_label_can_be_meant(label: str) -> None:
    """Also -1, none, and labels in quotes: whatever is said is spelled in one way, and means this label."""
    value = label_value(label)
    assert label_of(value) == label and Example(named=value).named == value and label_value(label_of(value) or "") == value


@pytest.mark.parametrize("label", ["-1", "none", '"', '""', '"a"', '""a""', " ", "1.0", "-0", "3", "true"])
def test_labels_that_look_like_something_else_can_be_meant(label: str) -> None:
    value = label_value(label)
    assert label_of(value) == label and Example(named=value).named == value
    assert label_of(Example().named) is None


@pytest.mark.parametrize("seed", [0, 7, "7", 2 ** 32 - 1, str(2 ** 32 - 1), np.uint32(2 ** 32 - 1), np.int64(3)])
def test_a_seed_is_what_every_generator_takes(seed: Any) -> None:
    found = checked_seed(seed)
    assert type(found) is int and found == int(seed)
    torch.Generator().manual_seed(found)
    np.random.seed(found)
    np.random.default_rng(found)
    assert KSVD(seed=found).seed == found
    check_random_state(found)


@pytest.mark.parametrize("seed", [-1, 2 ** 32, 2 ** 53, 2 ** 63, "-1", str(2 ** 64), "9" * 5000, 1.5, "x", "", True, None,
                                  "٣"])
def test_a_seed_outside_its_range_is_answered_with_the_range(seed: Any) -> None:
    with pytest.raises(ValueError, match=r"Owner: seed must be (a whole number )?between 0 and 4294967295, but got .*\."):
        checked_seed(seed, "Owner")


def test_settings_cannot_be_changed_and_can_be_keys() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Example().share = 0.1  # type: ignore[misc]
    assert {Example(): 1}[Example(share="0.5")] == 1
