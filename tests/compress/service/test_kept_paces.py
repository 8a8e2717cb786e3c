"""Paces of earlier jobs: kept in a small file, as good as none when it is damaged, and never the reason of a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress.service import kept_paces


def test_a_pace_is_kept_and_the_next_is_the_mean_of_both(tmp_path: Path) -> None:
    kept_paces.keep(tmp_path, {"cpu / epoch": 2.0})
    kept_paces.keep(tmp_path, {"cpu / epoch": 4.0, "cpu / network": 0.5})
    found = kept_paces.load(tmp_path)
    assert (found["cpu / epoch"], found.get("cpu / network"), found.get("cpu / other")) == (3.0, 0.5, None)


def test_only_the_newest_kinds_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_paces, "MOST", 2)
    for kind in "abca":
        kept_paces.keep(tmp_path, {kind: 1.0})
    assert [kind in kept_paces.load(tmp_path).kept for kind in map(kept_paces._short, "abc")] == [True, False, True]


@pytest.mark.parametrize("contents", ["", "{", "[1]", "null", "\x00"])
def test_a_damaged_file_is_as_good_as_none_and_is_written_anew(tmp_path: Path, contents: str) -> None:
    (tmp_path / kept_paces.FILE).write_text(contents)
    assert dict(kept_paces.load(tmp_path).kept) == {}
    kept_paces.keep(tmp_path, {"epoch": 1.0})
    assert kept_paces.load(tmp_path)["epoch"] == 1.0


def test_what_is_no_pace_is_left_out(tmp_path: Path) -> None:
    (tmp_path / kept_paces.FILE).write_text('{"a": 1.5, "b": "fast", "c": -1, "d": Infinity, "e": NaN, "f": 0}')
    assert kept_paces.load(tmp_path).kept == {"a": 1.5, "f": 0.0}


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept_paces.keep(tmp_path / "file", {"epoch": 1.0})
    assert kept_paces.load(tmp_path / "file").kept == {}
