"""Where an error's own words are passed on to a user: only at listed places, each of which knows whose words they are."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.imports import ROOT, tree_of

SOURCES = sorted([ROOT / "app.py", *(ROOT / "compress").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])
WORDING = {"str", "repr", "one_line", "format"}
PASSED_ON = {
    ("compress/curves/race.py", "field_of", "ValueError"): "checked_values() passes on what a method says of itself",
    ("compress/data/added/preview.py", "preview", "ValueError"): "raw_data() and prepare() name data and fault",
    ("compress/data/added/reading.py", "examples_of", "ValueError"): "the readers of this folder name the file",
    ("compress/data/added/table_file.py", "_text", "pandas.errors.ParserError"): "two numbers of it alone",
    ("compress/data/array_cache.py", "cached", "ValueError"): "read_arrays() names the file and the damage",
    ("compress/data/local_files.py", "read", "ValueError"): "the readers of files name the file and the damage",
    ("compress/data/local_files.py", "_card", "Exception"): "a ValueError alone, of the readers of files",
    ("compress/data/npz_archive.py", "opened", "_Refused"): "raised in this file alone",
    ("compress/data/npz_archive.py", "opened", "ValueError"): "looks whether it is a sentence of this program",
    ("compress/data/openml_download.py", "main", "ValueError"): "_fetch() and encoded() put scikit-learn's errors in words",
    ("compress/files/container.py", "_unpacked", "ValueError"): "what the parts of the header say of themselves",
    ("compress/files/network_file.py", "_network", "ValueError"): "layers and architectures name what does not fit",
    ("compress/methods/distill.py", "invalid_reason", "ValueError"): "names the setting and the remedy",
    ("compress/networks/graph/architecture.py", "_tried", "Refused"): "raised with this program's words alone",
    ("compress/networks/onnx/evaluation.py", "add", "Refused"): "raised with this program's words alone",
    ("compress/points/onnx_export.py", "to_onnx", "Unwritten"): "names the module that has no writer",
    ("compress/points/uploaded.py", "opened_file", "Refused"): "raised with this program's words alone",
    ("compress/points/state_dict.py", "_tensors", "ValueError"): "what the header says of itself",
    ("compress/pruning/refusal.py", "_refusal_of_units", "ValueError"): "names the layer whose units are not known",
    ("compress/search/solver.py", "_next", "ValueError"): "the reason why a recipe was refused, as the sweep gives it",
    ("compress/search/solver.py", "_promising", "ValueError"): "the reason why a recipe was refused, as the sweep gives it",
    ("pages/ui/own_data/adding.py", "_add", "ValueError"): "the sentence of the shell's command",
    ("pages/ui/all_methods/keeping/archives.py", "_add", "ValueError"): "the reader of archives names file and fault",
    ("pages/ui/all_methods/keeping/deleting.py", "delete", "ValueError"): "the store says what cannot be deleted",
    ("pages/ui/own_data/listed.py", "remove", "ValueError"): "the sentence of the shell's command",
    ("pages/ui/own_network/stage.py", "_add", "ValueError"): "the sentence of the shell's command",
    ("pages/ui/own_network/listed.py", "remove", "ValueError"): "kept_networks names the file and the fault",
    ("pages/ui/chains/chained.py", "taken", "ValueError"): "the parser of recipes names the setting",
    ("pages/ui/shell/filters.py", "_asked", "ValueError"): "Target names the number and what is allowed",
    ("pages/ui/explore/settings/controls.py", "_typed", "ValueError"): "checked() names the setting and what is allowed",
    ("pages/ui/explore/settings/controls.py", "typed", "ValueError"): "checked() names the setting and what is allowed",
    ("pages/ui/shell/session.py", "description", "(ValueError, StoreError)"): "of the home and of the store",
    ("pages/ui/shell/session.py", "submit", "ValueError"): "the quotas of the engine",
}


def passed_on(tree: ast.AST) -> set[tuple[str, str]]:
    """(function, what is caught) wherever the caught error becomes text."""
    found = set()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for handler in (node for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name):
            if any(isinstance(said, ast.Name) and said.id == handler.name for said in map(_said, ast.walk(handler))):
                found.add((function.name, ast.unparse(handler.type) if handler.type else "everything"))
    return found


def _said(node: ast.AST) -> ast.AST | None:
    """What a node turns into text."""
    if isinstance(node, ast.FormattedValue):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WORDING and node.args:
        return node.args[0]
    return None


def places() -> set[tuple[str, str, str]]:
    return {(Path(path).relative_to(ROOT).as_posix(), *one) for path in SOURCES for one in passed_on(tree_of(path))}


def test_the_words_of_a_caught_error_are_passed_on_where_it_is_known_whose_they_are() -> None:
    assert places() == set(PASSED_ON)


def test_the_search_finds_what_it_looks_for() -> None:
    code = ("def f():\n try:\n  g()\n except (RuntimeError, sqlite3.Error) as error:\n  raise ValueError(f'no: {error}')\n"
            "def h():\n try:\n  g()\n except OSError as error:\n  return error.strerror\n"
            "def k():\n try:\n  g()\n except Exception as e:\n  return str(e)\n")
    assert passed_on(ast.parse(code)) == {("f", "(RuntimeError, sqlite3.Error)"), ("k", "Exception")}
