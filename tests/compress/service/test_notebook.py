"""Progress on its way to the store: not too often, never lost, and no store error ends a job at once."""

from __future__ import annotations

from typing import Any

import pytest

from compress.curves.store import Store
from compress.files.store_error import StoreError
from compress.progress import EpochDone, Progress
from compress.service import notebook
from compress.service.notebook import Notebook
from compress.workload import Outlook


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(notebook.time, "monotonic", lambda: now[0])
    return now


def test_progress_is_written_now_and_then_and_epochs_are_collected(store: Store, clock: list[float]) -> None:
    number = store.new_job("k", "curve", "t", {})
    book = Notebook(store, number, lambda: Outlook(0.6, 12.0))
    for epoch in range(1, 6):
        book.write(Progress(epoch / 10, f"epoch {epoch}", EpochDone(epoch, 0.1, 0.2, 0.3, 0.4)))
        clock[0] += notebook.EVERY * 0.6
    job = store.job(number)
    assert (job["share"], job["seconds_left"]) == (0.6, 12.0), "of the work, whatever a report says of its stretch"
    assert job["text"] == "epoch 5" and [entry["epoch"] for entry in job["live"]] == [1, 2, 3, 4, 5]
    book.write(Progress(0.6, "later"))
    assert store.job(number)["text"] == "epoch 5"
    book.flush()
    assert store.job(number)["text"] == "later"


def test_a_store_that_fails_is_tried_again_and_then_everything_is_there(
        store: Store, clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    number = store.new_job("k", "curve", "t", {})
    book, real, tries = Notebook(store, number, lambda: Outlook(0.6, 12.0)), store.update_job, []

    def full(job: int, **columns: Any) -> None:
        tries.append(columns)
        raise StoreError("The disk of /home is full.")

    monkeypatch.setattr(store, "update_job", full)
    book.note(state="running")
    for _ in range(20):
        clock[0] += 0.2
        book.write(Progress(0.5, "half"))
    assert 3 <= len(tries) <= 6
    monkeypatch.setattr(store, "update_job", real)
    clock[0] += notebook.AGAIN
    book.write(Progress(0.6, "more"))
    job = store.job(number)
    assert (job["state"], job["share"], job["text"]) == ("running", 0.6, "more")


def test_after_some_patience_the_error_is_the_jobs(
        store: Store, clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    book = Notebook(store, store.new_job("k", "curve", "t", {}), lambda: Outlook(0.6, 12.0))

    def full(job: int, **columns: Any) -> None:
        raise StoreError("The disk of /home is full.")

    monkeypatch.setattr(store, "update_job", full)
    book.write(Progress(0.1, "one"))
    clock[0] += notebook.PATIENCE + 1
    with pytest.raises(StoreError):
        book.write(Progress(0.2, "two"))
