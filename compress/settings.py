"""Settings are fields of frozen dataclasses, each with its range and a help text.

One declaration serves the check of a value, the command line, the form on a page and the handbook. A value comes from
Python, from JSON or as text (links, the command line); `converted` reads all of these by one rule.

    @dataclass(frozen=True)
    class Prune(Settings):
        sparsity: float = setting(0.5, low=0.0, high=0.99, help="Share of the weights removed.")
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from reprlib import Repr
from typing import Any, ClassVar, Self

from compress.setting_values import LONGEST_LABEL, MOST_SIZES, NO_LABEL, read

_SHORT = Repr()
_SHORT.maxstring, _SHORT.maxlong, _SHORT.maxlevel = 60, 40, 2
MOST_SEED = 2 ** 32 - 1


def setting(default: Any, *, help: str, low: float | None = None, high: float | None = None,
            choices: tuple[str, ...] | None = None, label: str = "", step: float | None = None,
            of_sweep: bool = False, is_label: bool = False, idle: dict[str, tuple[Any, ...]] | None = None,
            of_file: bool = False, tried: tuple[Any, ...] = (), share: bool = False) -> Any:
    """A dataclass field with all that a form needs.

    Args:
        default: the value if none is chosen; its type is the setting's type (bool, int, float, str, a tuple of
            int for layer sizes, or a tuple of float; an empty one is of sizes).
        help: one sentence for the user.
        low, high: the closed range of a number, or of each number of a tuple.
        choices: the allowed words of a str setting.
        label: the name on the page; by default the field's name with spaces.
        step: of a slider.
        of_sweep: whether the setting adds runs to a curve (other seeds, say) and is not part of a point.
        idle: when the setting has no effect, so that a form need not show it: name of another setting, `family` of the
            teacher or `kind` of the data -> the values with which it has none.
        of_file: whether the setting is not of a method but of the file that it writes. Such settings are given by name
            alone, and come last in a form.
        share: whether the number is a share of something, which pages show in percent.
        tried: the values among which a search for the best recipe chooses; () for the default alone.
        is_label: whether the value is the label of a class as the data have it, a whole number or a text; NO_LABEL is none.
    """
    facts = {"help": help, "low": low, "high": high, "choices": choices, "label": label, "step": step,
             "of_sweep": of_sweep, "is_label": is_label, "idle": idle or {}, "of_file": of_file, "tried": tried,
             "share": share}
    return dataclasses.field(default=default, metadata=facts, kw_only=of_file)


@dataclass(frozen=True)
class Settings:
    """Base of everything with settings; checks every value when it is made.

    Class attributes:
        renamed: older name -> present name of settings, so that older recipes, links and command lines are still read.

    Raises:
        ValueError: names the class, the setting, the allowed range, the value and the remedy.
    """

    renamed: ClassVar[dict[str, str]] = {}

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = checked(_described(field), getattr(self, field.name), type(self).__name__)
            object.__setattr__(self, field.name, value)

    def plain(self) -> dict[str, Any]:
        """The settings as JSON-able values, in field order; tuples are spelled '300-100' or '0.5-8'."""
        return {field.name: spelled(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """The opposite of plain(); settings left out get their defaults, older names are understood.

        Raises:
            ValueError: an unknown name, a setting that is given by two of its names, or a value that is not allowed.
        """
        known = [field.name for field in _in_order(cls)]
        given: dict[str, Any] = {}
        for name, value in values.items():
            present = cls.renamed.get(name, name)
            if present not in known:
                raise ValueError(f"{cls.__name__} has no setting {shown(name)}; its settings are {', '.join(known)}."
                                 f"{similar(name, known)}")
            if present in given:
                raise ValueError(f"{cls.__name__}: {present} is given twice, once by an older name; give each setting once.")
            given[present] = value
        return cls(**given)

    @classmethod
    def describe(cls) -> list[dict[str, Any]]:
        """One dict for each setting: name, label, type, default, low, high, choices, step, of_sweep, of_file, idle, tried,
        share, help."""
        return [_described(field) for field in _in_order(cls)]


def spelled(value: Any) -> Any:
    """A setting's value as plain JSON; a tuple becomes '300-100' or '0.5-8', an empty one 'none'."""
    if isinstance(value, tuple):
        return "-".join(str(one).removesuffix(".0") for one in value) or "none"
    return value


def checked(entry: dict[str, Any], value: Any, owner: str = "") -> Any:
    """The value in the setting's own type, if it is allowed.

    Args:
        entry: the setting as describe() gives it.
        value: of Python, of JSON, or text.
        owner: whose setting it is, for the message.

    Raises:
        ValueError: names the owner, the setting, what is allowed, the value and a remedy.
    """
    found = converted(entry, value, owner)
    for number in found if isinstance(found, tuple) else (found,):
        if number != nearest(entry, number):
            raise ValueError(f"{_whose(entry, owner)} must be between {entry['low']} and {entry['high']}, but got "
                             f"{shown(number)}. Choose a value in this range; {entry['default']} is a good start.")
    return found


def checked_seed(value: Any, owner: str = "", name: str = "seed") -> int:
    """A seed as int: what numpy, torch and scikit-learn all take, in Python, recipes, links and on the command line.

    Raises:
        ValueError: not a whole number in 0..2^32 - 1; in the words of checked().
    """
    entry = {"name": name, "type": "int", "low": 0, "high": MOST_SEED, "choices": None, "default": 0}
    return checked(entry, value if isinstance(value, bool) or not isinstance(value, Integral) else int(value), owner)


def converted(entry: dict[str, Any], value: Any, owner: str = "") -> Any:
    """The value in the setting's own type (bool, int, float, str, or a tuple of int or float), whatever a number's range.

    Text is read as its type is spelled, in quotes or without: true or false in any case, one of the choices, digits 0 to 9
    in decimal or exponent notation. A bool is no number, a number no bool and no text, and 2.7 no whole number; 4.0 is one.

    Raises:
        ValueError: names the owner, the setting, the type or the choices, the value and an example.
    """
    try:
        found = read(entry["type"], value)
        if entry["choices"] and found not in entry["choices"]:
            raise ValueError(value)
        return found
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{_whose(entry, owner)} must be {_wanted(entry)}, but got {shown(value)}. "
                         f"For example: {entry['name']}={spelled(entry['default'])}.") from error


def nearest(entry: dict[str, Any], value: Any) -> Any:
    """The allowed number nearest to a number of the setting's type. NaN and values that are no numbers are returned
    unchanged."""
    if entry["type"] not in ("int", "float", "sizes", "numbers"):
        return value
    kind = float if entry["type"] in ("float", "numbers") else int
    if entry["low"] is not None and value < entry["low"]:
        return kind(entry["low"])
    return kind(entry["high"]) if entry["high"] is not None and value > entry["high"] else value


def similar(text: str, known: Iterable[str]) -> str:
    """A question to put behind the message of an unknown name: " Did you mean mlp?"; "" where no known name is like it."""
    found = difflib.get_close_matches(text[:100].lower(), list(known), n=1)
    return f" Did you mean {found[0]}?" if found else ""


def shown(value: Any) -> str:
    """A value of any kind and length for a message: its beginning and its end if it is long."""
    return _SHORT.repr(value)


def _whose(entry: dict[str, Any], owner: str) -> str:
    return f"{owner}: {entry['name']}" if owner else entry["name"]


def _wanted(entry: dict[str, Any]) -> str:
    """The values that a setting allows, in words."""
    numbers = f"between {entry['low']} and {entry['high']}"
    return {"bool": "true or false", "int": f"a whole number {numbers}", "float": f"a number {numbers}",
            "str": f"one of {', '.join(entry['choices'] or ())}",
            "label": f"the label of a class, of at most {LONGEST_LABEL} characters, or {NO_LABEL} for none",
            "sizes": f"whole numbers {numbers} joined by '-' (at most {MOST_SIZES} of them), or 'none'",
            "numbers": f"numbers {numbers} joined by '-' (at most {MOST_SIZES} of them), or 'none'"}[entry["type"]]


def _in_order(kind: type[Settings]) -> list[dataclasses.Field[Any]]:
    """Those of the file last."""
    return sorted(dataclasses.fields(kind), key=lambda field: bool(field.metadata["of_file"]))


def _described(field: dataclasses.Field[Any]) -> dict[str, Any]:
    facts = field.metadata
    kind = "label" if facts["is_label"] else type(field.default).__name__
    if isinstance(field.default, tuple):
        kind = "numbers" if any(isinstance(one, float) for one in field.default) else "sizes"
    return {
        "name": field.name, "label": facts["label"] or field.name.replace("_", " ").capitalize(), "type": kind,
        "default": spelled(field.default), "low": facts["low"], "high": facts["high"],
        "choices": facts["choices"] and list(facts["choices"]), "step": facts["step"], "of_sweep": facts["of_sweep"],
        "of_file": facts["of_file"], "help": facts["help"],
        "tried": [spelled(value) for value in facts["tried"]], "share": facts["share"],
        "idle": {name: list(values) for name, values in facts["idle"].items()},
    }
