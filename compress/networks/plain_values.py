"""Numbers of plain data that come from a file and may be damaged: each is checked before anything is made from it."""

from __future__ import annotations

from typing import Any

from compress.settings import shown

LARGEST = 2**40  # more than any size in a file: products of a few of them are still exact


def whole(plain: dict[str, Any], name: str, low: int = 0, high: int = LARGEST) -> int:
    """plain[name], a whole number between low and high. Raises ValueError for anything else, also for a bool or a float."""
    value = plain.get(name)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number between {low} and {high}, but got {shown(value)}")
    return value


def wholes(plain: dict[str, Any], name: str, low: int, counts: tuple[int, ...]) -> tuple[int, ...]:
    """plain[name], a list of whole numbers of at least `low`. counts: how many it may have. Raises ValueError as whole()."""
    values = plain.get(name)
    if (not isinstance(values, list) or len(values) not in counts
            or any(type(value) is not int or not low <= value <= LARGEST for value in values)):
        allowed = " or ".join(map(str, counts))
        raise ValueError(f"{name} must be {allowed} whole numbers between {low} and {LARGEST}, but got {shown(values)}")
    return tuple(values)


def flag(plain: dict[str, Any], name: str) -> bool:
    """plain[name], true or false. Raises ValueError for anything else."""
    value = plain.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, but got {shown(value)}")
    return value


def mapping(value: Any, name: str) -> dict[str, Any]:
    """The value, if it is an object with names. Raises ValueError if it is not."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object with names, but got {shown(value)}")
    return value
