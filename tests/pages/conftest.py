"""What the tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit import error_util

from pages.ui.shell import mishap


@pytest.fixture(scope="session", autouse=True)
def errors_are_seen() -> Iterator[None]:
    """An error while a page is drawn stays an exception, which tests see; test_mishap.py is about the sentence."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mishap, "catch", lambda: None)
        patch.setattr(error_util, "show_uncaught_app_exception", mishap.STREAMLITS_OWN)
        yield
