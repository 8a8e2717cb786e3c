"""What a job reads and writes while it measures: a small surface, so that a worker beside the app and one on another machine
can do the same work. The store is one; anything with these methods is another.

Points, teachers and views refer to files by the digests of their contents, never by paths.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from compress.curves.plan import Plan
from compress.files.artefacts import Files


class Sink(Protocol):
    """What jobs find and leave; the methods are those of curves.store.Store."""

    @property
    def artefacts(self) -> Files:
        """Files of networks and data."""

    def teacher(self, key: str) -> dict[str, Any] | None:
        """A kept teacher: recipe, digest, data_digest, card."""

    def save_teacher(self, key: str, recipe: str, digest: str, data_digest: str, card: dict[str, Any]) -> None:
        """Keeps a trained teacher."""

    def point(self, key: str, reference: str) -> dict[str, Any] | None:
        """A measured point."""

    def known_keys(self, keys: Collection[str], reference: str) -> set[str]:
        """Which recipe keys have a point whose file is there."""

    def add_point(self, key: str, curve: str, reference: str, data: str, teacher: str, method: str, point: dict[str, Any],
                  predictions: bytes) -> None:
        """Keeps a measured point."""

    def plan(self, key: str, reference: str) -> Plan | None:
        """What is measured for a curve."""

    def save_plan(self, key: str, reference: str, plan: Plan) -> None:
        """Keeps what is measured for a curve."""

    def view(self, key: str, reference: str) -> dict[str, Any] | None:
        """What a page shows of a method's inside."""

    def save_view(self, key: str, reference: str, view: dict[str, Any]) -> None:
        """Keeps such a view."""

    def count(self, name: str) -> int:
        """Adds one to a counter and returns it."""
