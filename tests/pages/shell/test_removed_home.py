"""The folder of results is removed while the app runs: one sentence, and everything works again."""

from __future__ import annotations

import shutil
import time

from tests.pages.test_pages import LINK, LOW_RANK, engine, named, show, words  # noqa: F401  (fixtures)


def test_a_home_that_is_removed_is_told_once_and_the_same_session_measures_again(show, engine):  # noqa: F811
    shown = show(LOW_RANK, LINK, by_itself=True)
    measured = finished(engine)
    assert measured
    shutil.rmtree(engine.store.path.parent)
    shown = shown.run()
    assert not shown.exception and not shown.error
    (told,) = [one.value for one in shown.warning]
    assert "was removed or moved away while this program ran" in told
    named(shown.main.button, "Measure the curve").click().run()
    assert finished(engine) == measured
    shown = shown.run()
    assert not shown.exception and "smaller" in words(shown)


def finished(engine) -> set[str]:  # noqa: F811
    """Waits until no job is left; the recipes of the points that the store has then."""
    deadline = time.monotonic() + 90
    while engine.store.active_jobs():
        assert time.monotonic() < deadline, engine.store.active_jobs()
        time.sleep(0.05)
    return {point["recipe"] for point in engine.store.all_points()}
