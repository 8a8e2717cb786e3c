"""All methods, found by scanning this folder: a file with a subclass of Method adds a method."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from compress.method import Method
from compress.recipe import Step
from compress.settings import shown, similar


@lru_cache(maxsize=1)
def methods() -> dict[str, type[Method]]:
    """Name -> method class, in alphabetical order of their titles."""
    found: dict[str, type[Method]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Method) and value.__module__ == module.__name__:
                found[value.name] = value
    return dict(sorted(found.items(), key=lambda pair: pair[1].title))


def named(name: str) -> type[Method]:
    """The class of this method. Raises ValueError for an unknown name; the message lists all names."""
    if name not in methods():
        raise ValueError(f"There is no method {shown(name)}; choose one of {', '.join(methods())}."
                         f"{similar(name, methods())}")
    return methods()[name]


def method(step: Step) -> Method:
    """The method of a recipe's step; settings that are left out have their defaults.

    Raises:
        ValueError: an unknown method (the message lists all names), or a setting that is not allowed.
    """
    return named(step.name).from_plain(step.values)
