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
import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from reprlib import Repr
from typing import Any, ClassVar, Self, TypeVar

Kind = TypeVar("Kind", int, float)
MOST_SIZES = 100  # layers of a network: a longer list is a slip, and takes minutes to build
_SHORT = Repr()
_SHORT.maxstring, _SHORT.maxlong, _SHORT.maxlevel = 60, 40, 2
MOST_SEED = 2 ** 32 - 1
NO_LABEL = -1
LONGEST_LABEL = 200
_WHOLE_LABEL = re.compile(r"0|-?[1-9]\d*", re.ASCII)
_QUOTED = re.compile(r'".+"', re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan", re.ASCII | re.IGNORECASE)


def setting(default: Any, *, help: str, low: float | None = None, high: float | None = None,
            choices: tuple[str, ...] | None = None, label: str = "", step: float | None = None,
            of_sweep: bool = False, is_label: bool = False, idle: dict[str, tuple[Any, ...]] | None = None,
            of_file: bool = False, tried: tuple[Any, ...] = ()) -> Any:
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
        tried: the values among which a search for the best recipe chooses; () for the default alone.
        is_label: whether the value is the label of a class as the data have it, a whole number or a text; NO_LABEL is none.
    """
    facts = {"help": help, "low": low, "high": high, "choices": choices, "label": label, "step": step,
             "of_sweep": of_sweep, "is_label": is_label, "idle": idle or {}, "of_file": of_file, "tried": tried}
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
        help."""
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
    read = {"bool": _bool, "int": _whole, "float": _number, "str": _text, "sizes": _sizes, "numbers": _numbers,
            "label": _label}[entry["type"]]
    try:
        if entry["type"] != "label" and isinstance(value, str) and _QUOTED.fullmatch(value.strip()):
            value = value.strip()[1:-1]
        found = read(value)
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


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[value.strip().lower()] if isinstance(value, str) else {}[value]


def _number(value: Any) -> float:
    """Raises ValueError or TypeError for a value that is not a number."""
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError(value)
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value.strip(), re.ASCII):
        return int(value)  # exactly, however many digits it has
    number = _number(value)
    if number != int(number):
        raise ValueError(value)
    return int(value) if isinstance(value, int) else int(number)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _label(value: Any) -> int | str:
    """A label in its one spelling: whole numbers as int; text in quotes only where it would be read otherwise without."""
    if isinstance(value, Integral | float):
        value = str(int(value) if not isinstance(value, bool) and value == value // 1 else value)
    if not isinstance(value, str):
        raise TypeError(value)
    if len(value) > LONGEST_LABEL or not value.encode("utf-8", "replace").decode() == value:  # half characters are no text
        raise ValueError(value)
    if value in ("", "none"):
        return NO_LABEL
    inside = value[1:-1] if _QUOTED.fullmatch(value) else value
    if inside in (str(NO_LABEL), "none") or _QUOTED.fullmatch(inside):
        return NO_LABEL if value == str(NO_LABEL) else value
    return int(inside) if _WHOLE_LABEL.fullmatch(inside) else inside


def label_of(value: int | str) -> str | None:
    """The class's label that a setting of a label means; None for no class."""
    if value == NO_LABEL:
        return None
    text = str(value)
    return text[1:-1] if _QUOTED.fullmatch(text) else text


def label_value(label: str) -> int | str:
    """The value of a setting that means this label; the opposite of label_of()."""
    return _label(f'"{label}"')


def _sizes(value: Any) -> tuple[int, ...]:
    """Text like 300-100, one number, or a list of them."""
    if isinstance(value, str):
        text = value.strip()
        return () if text in ("", "none") else _few([_size(part) for part in text.split("-", MOST_SIZES)])
    return (_whole(value),) if isinstance(value, int) else _few([_whole(size) for size in value])


def _numbers(value: Any) -> tuple[float, ...]:
    """Text like 0.5-8, in decimals alone, since the '-' of an exponent would be read as the next number's; one number; or a
    list of them."""
    if isinstance(value, str):
        text = value.strip()
        return () if text in ("", "none") else _few([_decimal(part) for part in text.split("-", MOST_SIZES)])
    return (_number(value),) if isinstance(value, Real) else _few([_number(one) for one in value])


def _few(sizes: list[Kind]) -> tuple[Kind, ...]:
    """Raises ValueError for more sizes than a network has layers."""
    if len(sizes) > MOST_SIZES:
        raise ValueError(f"{len(sizes)} sizes")
    return tuple(sizes)


def _size(text: str) -> int:
    """One of the numbers between dashes: digits alone."""
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise ValueError(text)
    return int(text)


def _decimal(text: str) -> float:
    """One of the numbers between dashes: digits with at most one point."""
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text, re.ASCII):
        raise ValueError(text)
    return float(text)


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
        "tried": [spelled(value) for value in facts["tried"]],
        "idle": {name: list(values) for name, values in facts["idle"].items()},
    }
