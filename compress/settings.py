"""Settings are fields of frozen dataclasses that know their range and explain themselves.

From one declaration come the check of a value, the command line, the form on a page and the handbook:

    @dataclass(frozen=True)
    class Prune(Settings):
        sparsity: float = setting(0.5, low=0.0, high=0.99, help="Share of the weights removed.")
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

SIZES_HELP = "whole numbers joined by '-', for example 300-100, or 'none'"


def setting(default: Any, *, help: str, low: float | None = None, high: float | None = None,
            choices: tuple[str, ...] | None = None, label: str = "", step: float | None = None,
            of_sweep: bool = False) -> Any:
    """A dataclass field with the facts a form needs.

    Args:
        default: the value where nothing is chosen; its type is the setting's type (bool, int, float, str, or a
            tuple of int for layer sizes).
        help: one sentence for the reader beside the dial.
        low, high: the closed range of a number, or of each number of a tuple.
        choices: the allowed words of a str setting.
        label: the name on the page; the field's own name with spaces where it is left out.
        step: what one notch of a slider is.
        of_sweep: it says what else is measured along (other seeds, say) and is no part of what a point is.
    """
    facts = {"help": help, "low": low, "high": high, "choices": choices, "label": label, "step": step,
             "of_sweep": of_sweep}
    return dataclasses.field(default=default, metadata=facts)


@dataclass(frozen=True)
class Settings:
    """Base of everything with settings; checks every value when it is made.

    Raises:
        ValueError: names the class, the setting, the allowed range, the value and the remedy.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, checked(type(self).__name__, field, getattr(self, field.name)))

    def plain(self) -> dict[str, Any]:
        """The settings as JSON-able values, in field order; tuples of sizes are spelled '300-100'."""
        return {field.name: spelled(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """The opposite of plain(); settings left out get their defaults, unknown names raise ValueError."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ValueError(f"{cls.__name__} has no setting {name!r}; its settings are {', '.join(known)}.")
        return cls(**values)

    @classmethod
    def describe(cls) -> list[dict[str, Any]]:
        """One dict a setting: name, label, type, default, low, high, choices, step, of_sweep, help."""
        return [_described(field) for field in dataclasses.fields(cls)]


def spelled(value: Any) -> Any:
    """A setting's value as plain JSON; a tuple of sizes becomes '300-100', an empty one 'none'."""
    if isinstance(value, tuple):
        return "-".join(str(size) for size in value) or "none"
    return value


def checked(owner: str, field: dataclasses.Field[Any], value: Any) -> Any:
    """The value in the field's type if it is allowed; otherwise a ValueError that tells what is."""
    value = _converted(owner, field, value)
    choices, low, high = field.metadata["choices"], field.metadata["low"], field.metadata["high"]
    if choices is not None and value not in choices:
        raise ValueError(f"{owner}: {field.name} must be one of {', '.join(choices)}, but got {value!r}. "
                         f"Choose one of these; {field.default!r} is a good start.")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, str):
            continue
        if (low is not None and not number >= low) or (high is not None and not number <= high):
            raise ValueError(f"{owner}: {field.name} must be between {low} and {high}, but got {number}. "
                             f"Choose a value in this range; {spelled(field.default)} is a good start.")
    return value


def _converted(owner: str, field: dataclasses.Field[Any], value: Any) -> Any:
    kind: type[Any] = type(field.default)
    try:
        if kind is bool:
            return {"true": True, "false": False}[str(value).lower()]
        if kind is tuple:
            return _sizes(value)
        if kind is int and float(value) != int(float(value)):
            raise ValueError(value)
        return kind(float(value)) if kind is int else kind(value)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        wanted = {bool: "true or false", int: "a whole number", float: "a number", tuple: SIZES_HELP}
        raise ValueError(f"{owner}: {field.name} must be {wanted.get(kind, 'text')}, but got {value!r}. "
                         f"For example: {field.name}={spelled(field.default)}.") from error


def _sizes(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):
        return () if value in ("", "none") else tuple(int(size) for size in value.split("-"))
    sizes = (value,) if isinstance(value, int) else tuple(value)
    if any(isinstance(size, bool) or int(size) != size for size in sizes):
        raise ValueError(value)
    return tuple(int(size) for size in sizes)


def _described(field: dataclasses.Field[Any]) -> dict[str, Any]:
    facts = field.metadata
    kind = "sizes" if isinstance(field.default, tuple) else type(field.default).__name__
    return {
        "name": field.name, "label": facts["label"] or field.name.replace("_", " ").capitalize(), "type": kind,
        "default": spelled(field.default), "low": facts["low"], "high": facts["high"],
        "choices": facts["choices"] and list(facts["choices"]), "step": facts["step"], "of_sweep": facts["of_sweep"],
        "help": facts["help"],
    }
