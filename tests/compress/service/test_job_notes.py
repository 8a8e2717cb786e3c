"""States of jobs that cannot be written now are written later, the newest of each column."""

from __future__ import annotations

from typing import Any

import pytest

from compress.curves.store import Store
from compress.files.store_error import StoreError
from compress.service.job_notes import JobNotes


def test_what_could_not_be_written_is_written_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, number = JobNotes(store), store.new_job("key", "curve", "title", {})

    def refuse(number: int, **columns: Any) -> None:
        raise StoreError("it is locked")

    with monkeypatch.context() as locked:
        locked.setattr(store, "update_job", refuse)
        notes.write(number, share=0.5, text="half")
        notes.write(number, text="more")
        notes.write_again()
    assert store.job(number)["share"] == 0
    notes.write_again()
    assert (store.job(number)["share"], store.job(number)["text"]) == (0.5, "more")
    store.update_job(number, text="newest")
    notes.write_again()
    assert store.job(number)["text"] == "newest", "nothing is written twice"
