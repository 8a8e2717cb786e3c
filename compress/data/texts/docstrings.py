"""Sentences of documentation, read from the installed packages as text: which library does a sentence describe?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from compress.data.extras.package import folder_of
from compress.data.texts.tokens import numbered_tokens, tokens_of

PACKAGES = {"numpy": "numpy", "pandas": "pandas", "sklearn": "scikit-learn", "torch": "torch"}  # folder -> name
EACH = 1_000  # sentences of each package
LENGTH = 32
_FEWEST = 5  # tokens of a sentence
_END = re.compile(r"(?<=[.!?])\s")


def docstrings() -> dict[str, np.ndarray]:
    """The first sentences of docstrings as token ids, equally many of each package, whose own name is left out. No code of
    the packages is run. Raises ValueError if one of them has fewer."""
    texts: list[str] = []
    for folder, name in PACKAGES.items():
        found = _sentences(folder_of(folder), folder, name)
        if len(found) < EACH:
            raise ValueError(f"The installed {name} has {len(found)} sentences of documentation, but {EACH} are needed. "
                             f"Install it again with its source files: pip install --force-reinstall {name}")
        texts += found
    ids, words = numbered_tokens(texts, LENGTH)
    return {"inputs": ids, "labels": np.repeat(np.arange(len(PACKAGES)), EACH), "words": np.array(words)}


def _sentences(root: Path, *own_names: str) -> list[str]:
    """Different sentences of the files below a folder, in the order of their paths."""
    found: dict[str, None] = {}
    own = re.compile(r"(?i)\b(" + "|".join(map(re.escape, own_names)) + r")\b")
    for path in sorted(root.rglob("*.py")):
        if "test" in str(path.relative_to(root)):
            continue
        for text in _first_sentences(path):
            sentence = own.sub(" ", text)
            if _FEWEST <= len(tokens_of(sentence)) <= LENGTH:
                found[sentence] = None
            if len(found) == EACH:
                return list(found)
    return list(found)


def _first_sentences(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):  # a file of another version of Python
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            paragraph = (ast.get_docstring(node) or "").strip().partition("\n\n")[0]
            yield _END.split(" ".join(paragraph.split()))[0]
