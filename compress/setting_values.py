"""Values of settings as they are read: from Python, from JSON, or as text of a link or the command line.

Each reader returns the value in the type of its setting, and raises ValueError, TypeError, KeyError or OverflowError for
anything else; settings.py puts the setting, the type and an example into words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, TypeVar

Kind = TypeVar("Kind", int, float)
MOST_SIZES = 100  # layers of a network: a longer list is a slip, and takes minutes to build
NO_LABEL = -1
LONGEST_LABEL = 200
_WHOLE_LABEL = re.compile(r"0|-?[1-9]\d*", re.ASCII)
_QUOTED = re.compile(r'".+"', re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan", re.ASCII | re.IGNORECASE)


def read(kind: str, value: Any) -> Any:
    """The value in the type of a setting: bool, int, float, str, sizes (tuple of int), numbers (tuple of float) or label.
    Text may stand in quotes, which are part of a label alone."""
    if kind != "label" and isinstance(value, str) and _QUOTED.fullmatch(value.strip()):
        value = value.strip()[1:-1]
    return READERS[kind](value)


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


READERS: dict[str, Callable[[Any], Any]] = {"bool": _bool, "int": _whole, "float": _number, "str": _text, "sizes": _sizes,
                                            "numbers": _numbers, "label": _label}
