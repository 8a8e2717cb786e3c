"""A store that cannot be used is one sentence on every page, and the app works again after the repair, without a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.shell import session
from tests.compress.helpers import ROOT

PAGES = ("app.py", "pages/1_Teacher.py", "pages/3_Low_rank.py", "pages/8_Compare.py", "pages/10_Handbook.py")


@pytest.fixture
def store_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the pages' store will be; nothing is there yet. An engine that a test starts is ended afterwards."""
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    session.engine.clear()
    yield tmp_path / "store.sqlite"
    session.engine().close()
    session.engine.clear()


def show(page: str) -> AppTest:
    shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    if page != "app.py":
        shown.switch_page(page)
    return shown.run()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")


@pytest.mark.parametrize(("spoil", "repair"), [(Path.mkdir, Path.rmdir), (foreign, Path.unlink)])
def test_a_store_that_cannot_be_used_is_one_sentence_until_it_is_repaired(
        spoil: Callable[[Path], None], repair: Callable[[Path], None], store_path: Path) -> None:
    spoil(store_path)
    for page in PAGES:
        shown = show(page)
        assert not shown.exception and len(shown.error) == 1, page
        said = shown.error[0].value
        assert store_path.name in said and "ove " in said and said.endswith("Then reload this page.")
        assert "sqlite3" not in said and "Traceback" not in said
    repair(store_path)
    shown = show("pages/3_Low_rank.py")
    assert not shown.exception and not shown.error and shown.title[0].value == "Low rank"


def test_a_damaged_store_is_named_once_as_an_error_and_then_as_a_notice(store_path: Path) -> None:
    store_path.write_bytes(b"junk " * 2000)
    shown = show("app.py")
    assert not shown.exception and "was damaged" in shown.error[0].value
    (kept,) = store_path.parent.glob("store.sqlite.damaged-*")
    assert kept.read_bytes() == b"junk " * 2000
    shown = show("app.py")
    assert not shown.exception and not shown.error and shown.title
    assert kept.name.replace("-", "") in "".join(one.value for one in shown.warning).replace("\\", "").replace("-", "")
