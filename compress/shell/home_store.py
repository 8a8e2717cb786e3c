"""The store of results that commands read and add to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compress.shell import streams

if TYPE_CHECKING:
    from compress.curves.store import Store
    from compress.data.datasets import Dataset


def opened() -> Store:
    """The store in home, cleaned of what earlier programs began and did not end; what has to be said of it is said.

    Raises:
        ValueError: a home folder that cannot be used.
        StoreError: a store that cannot be used.
    """
    from compress.curves.store import Store
    from compress.files.artefacts import sweep_home

    store = Store()
    sweep_home(store.path.parent)
    store.clean_up()
    for sentence in store.take_notices():
        streams.note(sentence)
    return store


def say_of_other_data(store: Store, data: Dataset) -> None:
    """One line where results of other contents of this name are kept, the first time that these contents are read."""
    sentence = store.of_other_data(data.name, data.digest)
    if sentence and not store.data_digest(data.name, data.source):
        streams.note(sentence)
