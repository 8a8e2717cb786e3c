"""The interface through which a job reads and writes results, for a worker next to the app or on another machine. The store
implements it.

Points, teachers and views refer to files by the digests of their contents, never by paths.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from compress.curves.plan import Plan
from compress.files.artefacts import Files


def opened_counter(data: str, digest: str) -> str:
    """The name of the counter of how often the test split of these data was opened."""
    return f"test split of {data} {digest}"


def report_key(data: str, digest: str, networks: Iterable[str]) -> str:
    """Where the store keeps the final report on the networks with these files. digest: of the data."""
    return f"final {data} {digest} " + " ".join(sorted(networks))


class Sink(Protocol):
    """Results that jobs read and write; the methods are those of curves.store.Store."""

    @property
    def artefacts(self) -> Files:
        """The files of networks and data."""

    def save_data_version(self, name: str, source: str, digest: str) -> None:
        """Stores which data, by their digest, were read from a source (Dataset.source) under this name."""

    def teacher(self, key: str, data_digest: str) -> dict[str, Any] | None:
        """A stored teacher that was trained on these data: recipe, digest, data_digest, card; None if there is none."""

    def save_teacher(self, key: str, recipe: str, digest: str, data_digest: str, card: dict[str, Any]) -> None:
        """Stores a trained teacher."""

    def point(self, key: str, reference: str) -> dict[str, Any] | None:
        """A measured point; None if there is none."""

    def points_with(self, reference: str) -> dict[str, dict[str, Any]]:
        """Recipe key -> point, for all points with this reference, the teacher among them."""

    def known_keys(self, keys: Collection[str], reference: str) -> set[str]:
        """The recipe keys that have a point whose file exists."""

    def predictions(self, key: str, reference: str) -> bytes:
        """A point's predicted classes on validation (uint16, little-endian); KeyError if there is no such point."""

    def add_point(self, key: str, curve: str, reference: str, data: str, teacher: str, method: str, point: dict[str, Any],
                  predictions: bytes) -> None:
        """Stores a measured point."""

    def plan(self, key: str, reference: str) -> Plan | None:
        """The plan of a curve; None if there is none."""

    def replace_plan(self, key: str, reference: str, before: Plan | None, plan: Plan) -> bool:
        """Stores the plan of a curve if the stored one is still the one before (None: none, or one that cannot be read);
        False, and nothing is stored, if it is not."""

    def view(self, key: str, reference: str) -> dict[str, Any] | None:
        """The inside view of a method; None if there is none."""

    def save_view(self, key: str, reference: str, view: dict[str, Any]) -> None:
        """Stores the inside view of a method."""

    def replace_view(self, key: str, reference: str, before: dict[str, Any] | None, view: dict[str, Any]) -> bool:
        """Stores the inside view of a method if the stored one is still the one before (None: none, or one that cannot be
        read); False, and nothing is stored, if it is not."""

    def count(self, name: str) -> int:
        """Adds 1 to a counter and returns its new value."""
