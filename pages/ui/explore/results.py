"""Sentences about the points on the screen that every page about one curve says."""

from __future__ import annotations

from pages.ui.explore import notice
from pages.ui.explore.shown import Shown
from pages.ui.shell import session


def sentences(now: Shown) -> list[str]:
    """The point at the dial against the reference, and the smallest file that costs little."""
    found = []
    if now.point and now.reference:
        found.append(notice.of_point(now.point, now.reference, now.card["reference"], _p_value(now)))
    if len(now.points) > 3 and now.reference:
        found.append(notice.of_curve(now.points, now.reference))
    return found


def _p_value(now: Shown) -> float | None:
    """Paired test of the point at the dial against the teacher, on the same validation examples."""
    if now.card["applies_to"] == "data":
        return None
    digest, store = now.teacher["digest"], session.store()
    ours = store.predictions(now.recipe.key(), digest)
    theirs = store.predictions(now.recipe.reference().key(), digest)
    return notice.paired(theirs, ours, now.teacher["card"]["labels"])[2]
