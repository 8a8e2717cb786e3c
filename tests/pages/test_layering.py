"""Who may import whom, who may touch the session, and what lies at the top of the repository."""

from __future__ import annotations

import ast
import subprocess

import pytest

from tests.compress.helpers import python
from tests.imports import ROOT, imported, packages, tree_of

UI = ROOT / "pages" / "ui"
PLAIN = [*(".".join(path.relative_to(UI).with_suffix("").parts) for path in sorted((UI / "charts").rglob("[a-z]*.py"))),
         "explore.notice", "shell.choice", "shell.links", "shell.look.view",
         *(f"lessons.{path.stem}" for path in sorted((UI / "lessons").glob("[a-z]*.py")))]
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
SESSION = {"session_state", "query_params", "cache_resource", "cache_data"}
TOUCHED_BY = {"session.py": SESSION, "widgets.py": {"session_state"}, "records.py": {"cache_resource"}}
TOP = {"requirements.txt", "README.md", "LICENSE", "app.py", "pages", "compress", "tests"}


def loaded_by(program: str) -> set[str]:
    """Packages that a fresh process has loaded after this program."""
    names = "print(*{name.partition('.')[0] for name in sys.modules})"
    return set(python("-c", f"import sys\n{program}\n{names}", check=True).stdout.split())


def test_what_turns_numbers_into_charts_and_words_knows_no_streamlit():
    assert not [name for name in PLAIN if "streamlit" in packages(UI / f"{name.replace('.', '/')}.py")]


def test_charts_and_words_do_not_reach_streamlit_or_plotly_by_a_detour():
    modules = ", ".join(f"pages.ui.{name}" for name in PLAIN)
    assert {"streamlit", "plotly", "torch"}.isdisjoint(loaded_by(f"import {modules}"))


def test_no_page_imports_torch():
    assert not [path for path in PAGES if packages(path) & {"torch", "sklearn", "safetensors"}]


def test_the_process_that_serves_pages_never_loads_torch():
    """Everything that a page can import, and the engine, the store and the snippets that it uses."""
    ui = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(UI.rglob("[a-z]*.py"))]
    loaded = loaded_by("import " + ", ".join([*ui, "pages.ui.liveplot", "compress.service.engine", "compress.curves.store",
                                              "compress.service.snippet"]))
    assert "streamlit" in loaded
    assert {"torch", "sklearn"}.isdisjoint(loaded)


def test_only_three_modules_touch_the_session_the_link_and_the_caches():
    for path in PAGES:
        touched = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
        touched |= {name.rpartition(".")[2] for name in imported(path)}
        assert SESSION & touched <= (TOUCHED_BY.get(path.name, set()) if path.parent.name == "shell" else set()), path


def test_the_top_of_the_repository_stays_tidy():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    tops = {line.partition("/")[0].strip('"') for line in listed.stdout.splitlines()}
    assert {name for name in tops if not name.startswith(".")} == TOP
