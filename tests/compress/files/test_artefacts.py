"""Files by the digest of their contents: kept once, found after a move, and never handed out damaged."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from compress.files.artefacts import FOLDER, Artefacts, digest_of, sweep_home
from compress.files.store_error import StoreError


def test_contents_come_back_by_their_digest_and_are_kept_once(tmp_path: Path) -> None:
    kept = Artefacts(tmp_path / "networks")
    digests = [kept.put(contents) for contents in (b"one", b"two", b"one")]
    assert digests[0] == digests[2] == hashlib.sha256(b"one").hexdigest()[:16] == digest_of(b"one")
    assert [kept.contents(digest) for digest in digests] == [b"one", b"two", b"one"]
    assert sorted(path.name for path in kept.folder.iterdir()) == sorted(f"{digest}.safetensors" for digest in set(digests))


def test_a_folder_can_be_moved(tmp_path: Path) -> None:
    digest = Artefacts(tmp_path / "a").put(b"one")
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert Artefacts(tmp_path / "b").contents(digest) == b"one" and not Artefacts(tmp_path / "a").has(digest)


@pytest.mark.parametrize("damage", [b"on", b"onf", b"", None], ids=["cut", "flipped", "empty", "deleted"])
def test_what_was_damaged_counts_as_missing_and_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    kept = Artefacts(tmp_path)
    digest = kept.put(b"one")
    assert kept.has(digest)
    if damage is None:
        kept.path(digest).unlink()
    else:
        before = kept.path(digest).stat()
        kept.path(digest).write_bytes(damage)
        os.utime(kept.path(digest), ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert not kept.has(digest)
    with pytest.raises(ValueError, match=r"is missing or damaged\. Measure its curve again"):
        kept.contents(digest)
    assert kept.put(b"one") == digest and kept.contents(digest) == b"one"


def test_a_change_that_keeps_length_and_time_is_seen(tmp_path: Path) -> None:
    kept = Artefacts(tmp_path)
    digest = kept.put(b"one")
    assert kept.has(digest)
    before = kept.path(digest).stat()
    kept.path(digest).write_bytes(b"two")
    os.utime(kept.path(digest), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept.path(digest).stat().st_mtime_ns == before.st_mtime_ns and not kept.has(digest)


def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "networks").write_text("a file")
    with pytest.raises(StoreError, match=r"The folder of files .*networks cannot be written .* Give this user the right"):
        Artefacts(tmp_path / "networks").put(b"one")


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StoreError, match=r"the disk of .* is full\. Free some space there, or set COMPRESS_HOME"):
        Artefacts(tmp_path).put(b"one")
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_swept_of_what_nobody_completes(tmp_path: Path) -> None:
    (kept := Artefacts(tmp_path / FOLDER)).put(b"contents")
    left = [tmp_path / ".store.part", tmp_path / "openml-1.part", kept.folder / ".one.part"]
    for path in left:
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    sweep_home(tmp_path)
    assert not any(path.exists() for path in left) and kept.contents(digest_of(b"contents")) == b"contents"
