"""The folder for everything that can be made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress.home import cache_folder


def test_compress_home_is_read_at_every_call_and_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / name / "deep"))
        assert cache_folder() == tmp_path / name / "deep" and cache_folder().is_dir()


def test_without_it_the_systems_cache_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPRESS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "compression-explorer"


def test_a_folder_that_cannot_be_made_is_named_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "file" / "folder"))
    with pytest.raises(ValueError, match=r"file/folder' cannot be made .*Set COMPRESS_HOME"):
        cache_folder()
