"""What pages know of the worker's installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pages.ui.shell import session


class Kept:
    """An engine whose worker described the installation a while ago."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def description(self, timeout: float) -> dict[str, Any]:
        return self.known


def test_a_file_that_was_repaired_is_seen_by_the_next_reload(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                               known: dict[str, Any]) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(b"damaged")
    monkeypatch.setenv("COMPRESS_DATA", str(path))
    monkeypatch.setattr(session, "engine", lambda: Kept(known))

    def mine() -> dict[str, Any]:
        return next(card for card in session.description()["datasets"] if card["name"] == "local:mine")

    assert "mine.npz is not a valid" in mine()["problem"]
    np.savez(path, x=np.arange(60.0).reshape(20, 3), y=np.arange(20) % 2)
    assert (mine()["problem"], mine()["examples"]) == ("", 20)
    assert session.description()["methods"] == known["methods"]
