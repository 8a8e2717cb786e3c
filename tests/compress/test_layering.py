"""Who may import whom: the backend knows no page, the web side loads nothing heavy, and nobody prints."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import compress
from tests.compress.helpers import python

PACKAGE = Path(compress.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
WEB_SIDE = ("compress.service.engine", "compress.curves.store", "compress.recipe", "compress.settings",
            "compress.points.statistics", "compress.home", "compress.progress")
every_file = pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(PACKAGE)) for path in SOURCES])


def imported(tree: ast.AST) -> set[str]:
    """The packages at the top of every import in a source file, also inside functions."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@every_file
def test_the_backend_knows_no_page(path: Path) -> None:
    assert imported(ast.parse(path.read_text())).isdisjoint({"streamlit", "plotly", "pages", "app", "tests"})


@every_file
def test_nothing_prints(path: Path) -> None:
    called = {node.func.id for node in ast.walk(ast.parse(path.read_text()))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "print" not in called


@every_file
def test_every_file_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert not text or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("module", WEB_SIDE)
def test_the_web_side_loads_nothing_heavy(module: str) -> None:
    script = f"import sys, json, {module}; sys.stdout.write(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(python("-c", script, check=True).stdout))
    assert module in loaded
    assert loaded.isdisjoint({"torch", "numpy", "sklearn", "scipy", "pandas", "safetensors", "mlxtend", "streamlit"})
