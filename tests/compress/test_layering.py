"""Who may import whom: the wings have one order, the backend knows no page, the web side loads nothing heavy."""

from __future__ import annotations

import ast
import json

import pytest

from tests.compress.helpers import python
from tests.imports import ROOT, circles, graph, packages, tree_of

PACKAGE = ROOT / "compress"
SOURCES = sorted(PACKAGE.rglob("*.py"))
WORDS = {"settings", "stored", "recipe", "progress", "home", "atomic_file", "memory", "one_line"}
FAMILIES = {"low_rank", "pruning", "distillation", "sparse_coding", "quantization"}
ORDER = [{"workload", "setting_values"}, WORDS, {"error_log", "own_files"}, {"data"}, {"networks"}, {"solvers"}, {"layers"},
         {"method"}, {"files"}, {"training"}, FAMILIES,
         {"methods"}, {"points"}, {"curves"}, {"search"}, {"service"}, {"report"}, {"shell"}, {"__main__"}]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
WEB_SIDE = ("compress.service.engine", "compress.curves.store", "compress.recipe", "compress.settings",
            "compress.points.statistics", "compress.home", "compress.progress", "compress.atomic_file", "compress.one_line",
            "compress.workload", "compress.search.target")
LARGEST_FOLDER = 20


def wing(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_every_file_has_its_wing_in_the_order() -> None:
    assert {wing(module) for module in graph("compress")} - {""} == set(LEVEL)


def test_a_wing_imports_only_wings_above_its_own() -> None:
    upward = [f"{module} imports {other}" for module, others in graph("compress").items() for other in others
              if wing(module) and wing(other) != wing(module) and LEVEL[wing(other)] >= LEVEL[wing(module)]]
    assert not upward


def test_nothing_is_imported_in_a_circle() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert not circles(graph("compress", "pages"))


def test_modules_are_imported_by_their_names_alone() -> None:
    """A module that is looked up by a computed name escapes the two tests above; only methods/ scans, its own folder."""
    scanning = {path.relative_to(PACKAGE).as_posix() for path in SOURCES for node in ast.walk(tree_of(path))
                if isinstance(node, ast.Attribute) and node.attr in ("import_module", "__import__")}
    assert scanning == {"methods/__init__.py"}


def test_no_folder_holds_more_files_than_one_looks_through() -> None:
    folders = [PACKAGE, ROOT / "pages", *(path for top in (PACKAGE, ROOT / "pages") for path in top.rglob("*/"))]
    assert all(len(list(folder.glob("*.py"))) <= LARGEST_FOLDER for folder in folders)


def test_the_backend_knows_no_page() -> None:
    assert not [path for path in SOURCES if packages(path) & {"streamlit", "plotly", "pages", "app", "tests"}]


def test_nothing_prints() -> None:
    assert not [path for path in SOURCES for node in ast.walk(tree_of(path))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"]


def test_every_file_says_what_it_is_for() -> None:
    assert not [path for path in SOURCES if path.read_text() and not ast.get_docstring(tree_of(path))]


def test_packages_whose_modules_the_web_side_imports_load_nothing_themselves() -> None:
    for name in ("curves", "points", "search", "service", "data"):
        assert not packages(PACKAGE / name / "__init__.py")


@pytest.mark.parametrize("module", WEB_SIDE)
def test_the_web_side_loads_nothing_heavy(module: str) -> None:
    script = f"import sys, json, {module}; sys.stdout.write(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(python("-c", script, check=True).stdout))
    assert module in loaded
    assert loaded.isdisjoint({"torch", "numpy", "sklearn", "scipy", "pandas", "safetensors", "mlxtend", "streamlit"})


def test_the_gpu_checks_need_no_package_of_the_pages() -> None:
    absent = "sys.modules.update(dict.fromkeys(('streamlit', 'plotly', 'playwright', 'hypothesis')))"
    done = python("-c", f"import sys; {absent}; import tests.conftest, tests.compress.test_gpu")
    assert done.returncode == 0, done.stderr
