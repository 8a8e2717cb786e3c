"""What the page tests share: what the worker says of itself, and one small curve of each kind, measured once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from compress.curves.store import Store
from tests.pages.samples import Curve, measure


@pytest.fixture(scope="session")
def known(prepared: None) -> dict[str, Any]:
    """The worker's description, without a worker."""
    from compress.service.description import description

    return description()


@pytest.fixture(scope="session")
def measured(prepared: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, tuple], Curve]:
    """measured("low_rank", (0.3, 0.6)): these points of a method on the digits, as the worker stores them."""
    store = Store(tmp_path_factory.mktemp("measured") / "store.sqlite")
    return lru_cache(lambda method, values: measure(store, method, values))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Works in a folder of its own, where a program may leave files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
