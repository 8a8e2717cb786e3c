"""Reports of unexpected errors: whole, in one file of limited length, somewhere even where the home cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress import error_log


def raised() -> ZeroDivisionError:
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as error:
        return error
    raise AssertionError


def test_a_report_has_its_number_and_the_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    first, second = error_log.record(raised(), "curve --data digits"), error_log.record(raised())
    text = (tmp_path / "errors.log").read_text()
    assert first.number != second.number and first.path == second.path == tmp_path / "errors.log"
    assert str(first) == f"report {first.number} in {first.path}"
    assert text.index(first.number) < text.index("curve --data digits") < text.index("ZeroDivisionError") < text.index(
        second.number)


def test_a_long_log_is_begun_anew_and_the_one_before_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.setattr(error_log, "MOST_BYTES", 100)
    for _ in range(4):
        error_log.record(raised())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["errors.log", "errors.log.1"]
    assert all(file.read_text().count("----") == 1 for file in tmp_path.iterdir())


def test_without_a_home_the_report_is_among_the_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(error_log.tempfile, "tempdir", str(tmp_path))
    report = error_log.record(raised())
    assert report.path.parent == tmp_path and "ZeroDivisionError" in report.path.read_text()
