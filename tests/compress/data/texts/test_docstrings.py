"""Sentences of documentation come from source files that are read as text, never run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.data.texts import docstrings
from compress.data.texts.tokens import as_text

FILE = '''"""The first file of alpha is about one thing. And no more."""
raise RuntimeError("nobody runs this")


class Thing:
    """Too short."""

    def act(self):
        """A method that does
        something to the thing

        Further words."""


def again():
    """A method that does something to the thing."""
'''


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages, of which the second has a file that is no Python, and tests."""
    for name in ("alpha", "beta"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text(FILE)
        (tmp_path / name / "tests" / "own.py").write_text('"""A sentence of a test that nobody wants to read."""')
    (tmp_path / "beta" / "broken.py").write_text("def (")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(docstrings, "PACKAGES", {"alpha": "alpha", "beta": "beta"})
    monkeypatch.setattr(docstrings, "EACH", 2)
    return tmp_path


def test_first_sentences_without_the_name_of_their_package(packages: Path) -> None:
    found = docstrings.docstrings()
    assert [as_text(row, found["words"]) for row in found["inputs"][:2]] == [
        "the first file of is about one thing", "a method that does something to the thing"]
    assert np.array_equal(found["labels"], [0, 0, 1, 1]) and "alpha" in found["words"]


def test_a_package_without_enough_of_them_is_named(packages: Path) -> None:
    (packages / "beta" / "__init__.py").write_text("")
    with pytest.raises(ValueError, match=r"The installed beta has 0 sentences of documentation, but 2 are needed\. Install"):
        docstrings.docstrings()
