"""A full folder of kept files lets no new run begin, and says which setting that is."""

from __future__ import annotations

import pytest

from compress.files import disk_quota


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two files of 300,000 bytes each; the limit is set by the test."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(300_000))
    monkeypatch.delenv("COMPRESS_DISK_GB", raising=False)
    return tmp_path


def test_without_a_limit_nothing_is_full(folder, monkeypatch):
    disk_quota.check(folder)
    monkeypatch.setenv("COMPRESS_DISK_GB", " ")
    disk_quota.check(folder)


@pytest.mark.parametrize("limit", ["0.0006", "6e-4", "0.0001"])
def test_at_the_limit_no_run_begins(folder, monkeypatch, limit):
    monkeypatch.setenv("COMPRESS_DISK_GB", limit)
    with pytest.raises(ValueError, match=r"take 0\.0006 GB, and COMPRESS_DISK_GB allows"):
        disk_quota.check(folder)


def test_below_the_limit_and_before_the_first_file_runs_begin(folder, monkeypatch):
    monkeypatch.setenv("COMPRESS_DISK_GB", "0.000601")
    disk_quota.check(folder)
    disk_quota.check(folder / "not there")


@pytest.mark.parametrize("limit", ["ten", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_none_is_refused(folder, monkeypatch, limit):
    monkeypatch.setenv("COMPRESS_DISK_GB", limit)
    with pytest.raises(ValueError, match=f"above 0, but got '{limit}'"):
        disk_quota.check(folder)
