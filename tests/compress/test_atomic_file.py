"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compress.atomic_file import replacing, write_whole


@pytest.fixture
def umask() -> Iterator[int]:
    """A umask that differs from that of most systems; the process's own one afterwards."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_contents_arrive_whole_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "file.bin"
    write_whole(b"first", path)
    write_whole(b"the second, longer contents", path)
    assert path.read_bytes() == b"the second, longer contents"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_contents_are_read_until_the_new_ones_are_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_a_file_has_the_permissions_of_any_new_file(tmp_path: Path, umask: int) -> None:
    write_whole(b"", tmp_path / "file")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_is_there_and_nothing_else(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), replacing(path) as stream:
        stream.write(b"half")
        raise error
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_failed_rename_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_whole(b"contents", tmp_path / "folder")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_two_writers_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as first, replacing(path) as second:
        first.write(b"first")
        second.write(b"second, longer")
    assert path.read_bytes() == b"first" and list(tmp_path.iterdir()) == [path]
