"""What the first chart of a visit waits for."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.components.v2.bidi_component import serialization

from tests.pages.test_pages import component, engine, show  # noqa: F401  (fixtures)


def test_the_first_chart_does_not_wait_for_pandas(show: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Streamlit loads pandas and pyarrow, a third of the first page's time, to see whether a value of a component is a
    table; it asks so of every list and every dictionary, and not of these."""
    asked: list[Any] = []

    def is_a_table(value: Any) -> bool:
        asked.append(value)
        return False

    monkeypatch.setattr(serialization, "is_dataframe_like", is_a_table)
    shown = show("app.py")
    assert not shown.exception and component(shown)["charts"]
    assert asked and all(value is None or isinstance(value, tuple | str | int | float | bool) for value in asked)
