"""Packages of data that are not installed, in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[[str, str, bytes], None]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """package("modlamp", "data/table.csv", contents): a package of this name, version 9.9, with one file."""
    def installed(name: str, place: str, contents: bytes) -> None:
        path = tmp_path / name / place
        path.parent.mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('nobody needs its code')")
        path.write_bytes(contents)
        (tmp_path / f"{name}-9.9.dist-info").mkdir()
        (tmp_path / f"{name}-9.9.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))

    return installed
