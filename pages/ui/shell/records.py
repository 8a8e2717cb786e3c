"""What was measured before, as pages ask for it: results of all visitors, found by recipe and by the data's contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from compress.data import datasets
from compress.recipe import Recipe
from pages.ui.shell import session


def of_all_points(made_for: tuple[Any, ...], make: Callable[[list[dict[str, Any]]], Any]) -> Any:
    """make(every point of the store), made once for all visitors until a point changes; nobody may change it in place.
    made_for: what else the result depends on, as text and numbers."""
    return _made(made_for, session.store().points_stamp(), make)


@st.cache_resource(max_entries=4, show_spinner=False)
def _made(made_for: tuple[Any, ...], stamp: tuple[Any, ...], _make: Callable[[list[dict[str, Any]]], Any]) -> Any:
    return _make(session.store().all_points())


def teacher_record(recipe: Recipe) -> dict[str, Any] | None:
    """The trained teacher of a recipe: digest, card; None if it was not trained yet on the data of this name."""
    return session.store().teacher(recipe.reference().key(), data_digest(recipe.data))


def data_digest(name: str) -> str:
    """The digest of the data that have this name now; "" if these files were never read."""
    return session.store().data_digest(name, datasets.source(name))


def job_key(recipe: Recipe, kind: str = "") -> str:
    """The key of jobs for this recipe and the present files of its data set. kind: of work other than measuring it."""
    return " ".join(filter(None, [kind, recipe.key(), datasets.source(recipe.data)]))
