"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compress.atomic_file import OLD, YOUNG, replacing, sweep, temporary_folder, write_whole
from tests.imports import ROOT


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


def aged(path: Path, seconds: float) -> Path:
    """The file or folder, last changed so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


WRITER = """
import sys, time
from pathlib import Path
from compress.atomic_file import replacing, temporary_folder
with replacing(Path(sys.argv[1], "file")) as stream, temporary_folder(Path(sys.argv[1]), "download") as folder:
    (folder / "half").write_bytes(b"half")
    print("writes", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"writes\n"
        parts = sorted(aged(path, 2 * YOUNG) for path in tmp_path.glob("*.part"))
        (kept := tmp_path / "other").write_bytes(b"whole")
        aged(kept, 2 * OLD)
        assert len(parts) == 2 and sweep(tmp_path) == []
    finally:
        writer.kill()
        writer.wait()
    assert sorted(sweep(tmp_path)) == parts and list(tmp_path.iterdir()) == [kept]


def test_what_was_made_just_now_is_not_swept_and_a_day_later_it_is(tmp_path: Path) -> None:
    (folder := tmp_path / "openml-1.part").mkdir()
    assert sweep(tmp_path) == []
    aged(folder, OLD + 60)
    assert sweep(tmp_path) == [folder] and sweep(tmp_path / "no such folder") == []


def test_a_temporary_folder_goes_with_its_contents_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk full"), temporary_folder(tmp_path, "download") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_bytes(b"half")
        raise OSError("disk full")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_a_temporary_folder_has_the_permissions_of_any_new_folder(tmp_path: Path, umask: int) -> None:
    with temporary_folder(tmp_path, "download") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~umask
