"""What pages know of the worker's installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pages.ui.shell import session
from pages.ui.shell.frame import PAGES
from tests.pages.test_pages import LINK, engine, named, show  # noqa: F401  (fixtures)


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


def test_a_data_set_that_was_added_is_in_the_list_of_the_next_page(show: Any, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
                                                                   tmp_path: Path) -> None:
    """The page keeps the list with which it was drawn, and no longer than that."""
    shown, path = show("pages/1_Teacher.py", LINK), tmp_path / "later.npz"
    assert not [card for card in shown.session_state["known"]["datasets"] if card["name"] == "local:later"]
    np.savez(path, x=np.arange(60.0).reshape(20, 3), y=np.arange(20) % 2)
    monkeypatch.setenv("COMPRESS_DATA", str(path))
    assert "later" in named(shown.run().sidebar.selectbox, "Data set").options
    assert [card["examples"] for card in shown.session_state["known"]["datasets"] if card["name"] == "local:later"] == [20]


def test_links_to_the_other_pages_follow_the_choice_and_stay_when_a_page_fails(show: Any,  # noqa: F811
                                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    shown = show("pages/1_Teacher.py", LINK)
    before = queries(shown)
    named(shown.main.text_input, "Hidden").input("20").run()
    after = queries(shown)
    assert len(before) == len(after) == len(PAGES)
    assert "t.hidden=20" in after["Prune"] and "t.hidden=20" not in before["Prune"]

    def broken(*_: Any) -> list[str]:
        raise ValueError("the link cannot be read")

    monkeypatch.setattr(session, "begin", broken)
    shown.run()
    assert len(shown.exception) == 1 and list(queries(shown)) == list(after)


def queries(shown: Any) -> dict[str, str]:
    """Title of a page -> what its link restores."""
    return {one.proto.label: one.proto.query_string for one in shown.sidebar.get("page_link")}


def test_an_address_of_before_is_late_on_its_page_and_meant_on_another(show: Any) -> None:  # noqa: F811
    """A slow browser names the address of before for many seconds, and what was chosen since must not be undone by that."""
    shown = show("pages/1_Teacher.py", LINK)
    before = dict(shown.query_params)
    named(shown.main.text_input, "Hidden").input("20").run()
    now = dict(shown.query_params)
    assert before != now

    def named_by_browser(parameters: dict[str, Any]) -> Any:
        shown.query_params.clear()
        shown.query_params.update(parameters)
        return shown.run().session_state["choice"].teacher.values["hidden"]

    assert named_by_browser(before) == "20" and named_by_browser(now) == "20"
    shown.session_state["page"] = "Handbook"
    assert named_by_browser(before) == LINK["t.hidden"], "the Teacher page was opened by a link"
