"""The states of jobs, written to the store; where that is not possible now, later."""

from __future__ import annotations

import logging
from typing import Any

from compress.curves.store import Store
from compress.files.store_error import StoreError


class JobNotes:
    """Writes to the rows of jobs, and keeps what could not be written. Not locked: its engine calls it under a lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unwritten: dict[int, dict[str, Any]] = {}

    def write(self, number: int, **columns: Any) -> None:
        """Changes columns of a job, as Store.update_job() does; where the store cannot be written, it is tried again by
        write_again()."""
        try:
            self._store.update_job(number, **columns)
        except StoreError as problem:
            logging.getLogger(__name__).warning("The state of job %d is written later: %s", number, problem)
            self._unwritten[number] = {**self._unwritten.get(number, {}), **columns}

    def write_again(self) -> None:
        """Writes what could not be written before."""
        unwritten, self._unwritten = self._unwritten, {}
        for number, columns in unwritten.items():
            self.write(number, **columns)
