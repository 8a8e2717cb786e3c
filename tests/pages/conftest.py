"""What the page tests share: one small curve of each kind, measured once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from compress.curves.store import Store
from tests.pages.samples import Curve, measure


@pytest.fixture(scope="session")
def measured(prepared: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, tuple], Curve]:
    """measured("low_rank", (0.3, 0.6)): these points of a method on the digits, as the worker stores them."""
    store = Store(tmp_path_factory.mktemp("measured") / "store.sqlite")
    return lru_cache(lambda method, values: measure(store, method, values))
