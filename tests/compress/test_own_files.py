"""Files that users add: names, removal, and sentences where a folder cannot be written."""

from __future__ import annotations

import os
import time

import pytest

from compress.files import kept_networks
from compress.own_files import OwnFiles

FILES = OwnFiles("flowers", ".txt", "flower", longest_name=8, replaced=r"[^\w-]+")


@pytest.mark.parametrize(("name", "plain"), [("red rose", "red_rose"), ("../../etc/passwd", "etc_pass"), ("Öl-1", "Öl-1")])
def test_a_name_becomes_the_name_of_a_file(name, plain):
    assert FILES.plain(name) == plain


@pytest.mark.parametrize("name", ["", "._.", "///", "\x00"])
def test_a_name_without_letters_is_refused(name):
    with pytest.raises(ValueError, match=r"must hold letters or digits.*Call the flower birds"):
        FILES.plain(name)


def test_files_are_listed_by_name_and_removed():
    assert FILES.files() == []
    FILES.folder().mkdir(parents=True)
    for name in ("b", "a", ".hidden"):
        FILES.file(name).write_text("petals")
    assert [path.stem for path in FILES.files()] == ["a", "b"]
    assert FILES.removed("a") == FILES.file("a") and [path.stem for path in FILES.files()] == ["b"]
    with pytest.raises(ValueError, match=r"a\.txt cannot be removed \(No such file"):
        FILES.removed("a")


def test_what_waits_longer_than_a_day_is_removed_although_another_process_removes_some_of_it(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    place, old = kept_networks.waiting(), time.time() - 2 * kept_networks.DAY
    for name in ("first", "second", "third"):
        (place / name).mkdir()
        os.utime(place / name, (old, old))
    (place / "young").mkdir()
    remove, removed = kept_networks.shutil.rmtree, []

    def meets_another(path):
        remove(path)
        removed.append(path)
        if len(removed) == 1:
            raise FileNotFoundError(path)

    monkeypatch.setattr(kept_networks.shutil, "rmtree", meets_another)
    assert [path.name for path in kept_networks.waiting().iterdir()] == ["young"] and len(removed) == 3
