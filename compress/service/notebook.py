"""The progress of a job on its way to the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from compress.curves.store import Store
from compress.files.store_error import StoreError
from compress.progress import EpochDone, Progress
from compress.workload import Outlook

EVERY = 0.15
AGAIN = 1.0
PATIENCE = 60.0


class Notebook:
    """Writes the progress of a job to the store, a few times a second at most; epochs are collected for the live chart.

    A store that cannot be written for a while stops nobody: what is to be written is tried again. After a minute the job
    fails with the store's sentence.
    """

    def __init__(self, store: Store, number: int, outlook: Callable[[], Outlook]) -> None:
        """
        Args:
            outlook: of the job's work, asked when something is written.
        """
        self.store, self.number, self.outlook = store, number, outlook
        self.live: list[dict[str, Any]] = []
        self.next_write = 0.0
        self.columns: dict[str, Any] = {}
        self.failing_since: float | None = None

    def write(self, progress: Progress) -> None:
        """Called at every report. Epochs of a network are collected; of other live data only the newest is stored."""
        now = time.monotonic()
        if isinstance(progress.live, EpochDone):
            self.live = [*(self.live if progress.live.epoch > 1 else []), progress.live.plain()]
        elif progress.live is not None:
            self.next_write = self.next_write if self.live else 0.0  # the first is worth showing at once
            self.live = [progress.live.plain()]
        self.columns |= {"text": progress.text} if progress.live is None else {"text": progress.text, "live": self.live}
        if now >= self.next_write:
            ahead = self.outlook()
            self.note(share=ahead.share, seconds_left=ahead.left)

    def note(self, **columns: Any) -> None:
        """Writes columns of the job at once."""
        self.columns |= columns
        self.flush()

    def flush(self) -> None:
        """Writes what has changed since the last write; a store error is raised only after some patience."""
        now = time.monotonic()
        if not self.columns:
            return
        try:
            self.store.update_job(self.number, **self.columns)
        except StoreError:
            self.failing_since = self.failing_since or now
            self.next_write = now + AGAIN
            if now - self.failing_since > PATIENCE:
                raise
            return
        self.columns, self.failing_since, self.next_write = {}, None, now + EVERY
