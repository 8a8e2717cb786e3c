"""The words on the screen and on the command line: what a person reads is a sentence, not code, and names no metaphor."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.compress.helpers import ROOT

SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "compress").rglob("*.py")])
SETTINGS = "scheme|schedule|pattern|criterion|allocation|loss|classify|convolution|student|storage|dictionary"
# What may not be said -> what is said instead.
UNWANTED = {
    r"\w\(s\)": "write the singular and the plural",
    r"beyond doubt|beyond noise|real difference": "a tested difference is significant or not significant",
    r"\bhears? (nothing|anything)": "a unit has no inputs left",
    r"as sure as right": "0 = confidence matches accuracy",
    r"on what the (teacher|network) says": "the teacher's outputs",
    r"time\(s\)|this was number": "used once",
    rf"\b(?:{SETTINGS})=[a-z_]+\b": "name the setting and the choice in words",
}
# Sentences are for people; a recipe, a link or a shell line keeps its own spelling.
SPELLED = re.compile(r"\w+\([^)]*=[^)]*\)|--set \w+=\w+|\w+/\w+\([^)]*\)")


@cache
def texts(path: Path) -> list[tuple[int, str]]:
    """Every text of a source file that may be a sentence, with its line: all constants, the docstrings of classes among
    them, but for the file's own first text, which no page shows. The constant parts of an f-string count together."""
    tree = ast.parse(path.read_text())
    tree.body = tree.body[ast.get_docstring(tree) is not None:]
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = ("X" if isinstance(part, ast.FormattedValue) else str(part.value) for part in node.values)
            found.append((node.lineno, "".join(parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            found.append((node.lineno, node.value))
    return found


@pytest.mark.parametrize("pattern", UNWANTED)
def test_no_text_says_what_should_be_said_otherwise(pattern):
    found = [f"{path.relative_to(ROOT)}:{line}: {text[:90]!r}" for path in SOURCES for line, text in texts(path)
             if " " in text and re.search(pattern, SPELLED.sub("", text))]
    assert not found, f"{UNWANTED[pattern]}: " + "; ".join(found)


def test_the_hunt_finds_what_it_hunts_for(tmp_path):
    source = tmp_path / "page.py"
    source.write_text('said = f"opened {count} time(s) with pattern=units"\n')
    (_, text), = texts(source)
    assert sum(bool(re.search(pattern, text)) for pattern in UNWANTED) == 3
