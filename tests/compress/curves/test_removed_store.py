"""A store whose file is removed while it is in use is begun anew, says so once, and numbers no job twice."""

from __future__ import annotations

from pathlib import Path

from compress.curves.store import Store


def test_a_removed_file_is_begun_anew_with_one_notice_and_new_numbers(tmp_path: Path):
    app, worker = (Store(tmp_path / "home" / "store.sqlite") for _ in range(2))
    first = app.new_job("key", "curve", "title", {})
    assert worker.job(first)["key"] == "key" and app.take_notices() == []
    for file in app.path.parent.glob("store.sqlite*"):
        file.unlink()
    assert worker.active_jobs() == app.active_jobs() == []
    (told,) = app.take_notices()
    assert str(app.path) in told and "was removed or moved away while this program ran" in told
    assert worker.take_notices() == []
    assert app.new_job("key", "curve", "title", {}) > first
