"""Who imports whom, read from the code alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@lru_cache(maxsize=1024)
def tree_of(path: Path) -> ast.Module:
    """A source file's syntax tree, parsed once."""
    return ast.parse(path.read_text())


def imported(path: Path) -> set[str]:
    """Dotted names of all modules, and of what is taken from them, that a file imports anywhere in it."""
    return {name for node in ast.walk(tree_of(path)) for name in _names_of(node)}


def packages(path: Path) -> set[str]:
    """The first words of what a file imports."""
    return {name.partition(".")[0] for name in imported(path)}


@lru_cache(maxsize=8)
def graph(*folders: str) -> dict[str, set[str]]:
    """Module -> the modules below these folders that it imports; importing a name of a package's imports its __init__."""
    files = {_module(path): path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))}
    return {module: {name for name in imported(path) if name in files and name != module
                     and not (name in {one.rpartition(".")[0] for one in imported(path) if one in files}
                              and files[name].name == "__init__.py")}
            for module, path in files.items()}


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other, directly or by a detour: strongly connected components of more than one."""
    reach: dict[str, set[str]] = {module: set(_reached(edges, module)) for module in edges}
    found = {tuple(sorted(other for other in reach[module] if module in reach[other])) for module in edges
             if module in reach[module]}
    return [list(circle) for circle in sorted(found)]


def _reached(edges: dict[str, set[str]], start: str) -> Iterator[str]:
    seen, waiting = set(), [*edges[start]]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            yield module
            waiting += edges[module]


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _names_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
