"""When the stage of a run that has just begun is drawn."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from pages.ui.explore import stage

OWN = SimpleNamespace(card={}, waits=lambda state: state.running)


def state(points: int = 0, number: int = 7, running: bool = True, teacher: str | None = "kept") -> Any:
    return SimpleNamespace(job={"id": number}, running=running, teacher=teacher, points=[{}] * points)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points each look at the store found; the first one comes with the store's third stamp."""
    kept: dict[str, Any] = {}
    stamps, found = itertools.count(1), []

    def look_up(card: Any) -> Any:
        found.append(1)
        return state(points=1)

    monkeypatch.setattr(stage, "look_up", look_up)
    monkeypatch.setattr(stage.session, "store", lambda: SimpleNamespace(points_stamp=lambda: next(stamps) >= 3))
    monkeypatch.setattr(stage.session, "remembered", lambda name: kept.get(name))
    monkeypatch.setattr(stage.session, "remember", kept.__setitem__)
    return found


def test_a_page_waits_a_moment_for_the_first_point_of_a_run_and_only_once(looks: list[int]):
    assert len(stage._with_first_point(OWN, state()).points) == 1 and looks == [1]
    begun = state()
    assert stage._with_first_point(OWN, begun) is begun and looks == [1]
    assert len(stage._with_first_point(OWN, state(number=8)).points) == 0, "nothing new is in the store"


@pytest.mark.parametrize("one", [state(points=2), state(running=False), state(teacher=None)])
def test_a_page_does_not_wait_for_what_is_there_or_takes_long(looks: list[int], one: Any):
    assert stage._with_first_point(OWN, one) is one and not looks
