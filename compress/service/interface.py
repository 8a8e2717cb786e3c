"""What an engine is to the pages. engine.py has the one that runs jobs on this machine. Imports nothing heavy."""

from __future__ import annotations

from typing import Any, Protocol

from compress.curves.store import Store
from compress.service.participants import Part
from compress.service.requests import Request


class Engine(Protocol):
    """The interface of an engine. LocalEngine runs jobs in a local process; another engine can run them on a cluster.

    Sessions are those of browsers, by any text that names one of them.
    """

    store: Store

    def description(self, timeout: float) -> dict[str, Any]:
        """The description of the worker's installation; waits until the worker is ready."""

    def submit(self, request: Request, key: str, title: str, session: str = "", joined: int | None = None) -> int:
        """Queues a job and returns its number; if a job with this key is active, the session takes part in that job. joined:
        the job that it wants to take part in, whose end is the answer where it has ended meanwhile: nothing is begun then.

        Raises ValueError if the session has too many unfinished jobs, or the kept files take too much of the disk."""

    def see(self, number: int, session: str) -> None:
        """A session looks at a job: a sign of life, at every poll."""

    def part(self, number: int, session: str) -> Part:
        """What a session has to do with a job."""

    def leave(self, number: int, session: str) -> None:
        """A session no longer wants a job, which ends if no other session takes part in it. Finished points are kept."""


class EngineError(RuntimeError):
    """The worker cannot be started; the message has the reason and a remedy."""
