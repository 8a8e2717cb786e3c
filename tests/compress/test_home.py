"""The folder for everything that can be made again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compress import home
from compress.home import cache_folder


def test_compress_home_is_read_at_every_call_and_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / name / "deep"))
        assert cache_folder() == tmp_path / name / "deep" and cache_folder().is_dir()


def test_without_it_the_systems_cache_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for own, shared, folder in (("", str(tmp_path), tmp_path), ("", "", tmp_path / "user" / ".cache"),
                                ("", "relative", tmp_path / "user" / ".cache")):
        monkeypatch.setenv("COMPRESS_HOME", own)
        monkeypatch.setenv("XDG_CACHE_HOME", shared)
        assert cache_folder() == folder / "compression-explorer"


def test_a_relative_folder_begins_at_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPRESS_HOME", "here")
    assert cache_folder() == tmp_path / "here"


@pytest.mark.parametrize("name", ["file/folder", "file", "n" * 256, "nul\0"])
def test_a_folder_that_cannot_be_made_is_named_with_a_remedy(name: str, tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(home.os, "environ", {"COMPRESS_HOME": str(tmp_path / name)})  # a system refuses NUL itself
    with pytest.raises(ValueError, match=r"^The cache folder '/.* cannot be made \(.*\)\. Set COMPRESS_HOME") as told:
        cache_folder()
    assert len(str(told.value)) < 400 and "Errno" not in str(told.value)


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may everything
    with pytest.raises(ValueError, match=r"may not be written by this user. Set COMPRESS_HOME"):
        cache_folder()


def test_a_user_without_a_home_folder_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])
    for own, words in (("", "This user has no home folder, and HOME is not set"),
                       ("~nobody_here/x", "COMPRESS_HOME is '~nobody_here/x', but this system knows no such home")):
        monkeypatch.setenv("COMPRESS_HOME", own)
        with pytest.raises(ValueError, match=f"{words}.*Set COMPRESS_HOME"):
            cache_folder()


def test_a_current_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    monkeypatch.setenv("COMPRESS_HOME", "here")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ValueError, match="current folder, which cannot be read"):
        cache_folder()
