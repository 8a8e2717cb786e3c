"""Sentences about the points on the screen, the same on every page about one curve."""

from __future__ import annotations

import base64

from pages.ui.charts import outside
from pages.ui.explore import notice
from pages.ui.explore.curve_state import CurveState
from pages.ui.shell import session


def sentences(state: CurveState) -> list[str]:
    """The point at the dial against the reference, and the smallest file that costs little."""
    found = []
    if state.point and state.reference:
        found.append(notice.of_point(state.point, state.reference, state.card["reference"], _p_value(state)))
    if len(state.points) > 3 and state.reference:
        found.append(notice.of_curve(state.points, state.reference))
    return found


def notes(state: CurveState) -> list[str]:
    """What the method noted when it made the point at the dial."""
    return [f"<b>{outside.html(note[0].upper() + note[1:])}.</b>" for note in state.point["notes"] if note]


def _p_value(state: CurveState) -> float | None:
    """Paired test of the point at the dial against its reference, on the same validation examples: the teacher, or the
    network of the raw data, whose predictions a curve of before they were kept does not have."""
    digest, store = state.teacher["digest"], session.store()
    ours = store.predictions(state.recipe.key(), digest)
    if state.card["applies_to"] == "network":
        theirs = store.predictions(state.recipe.reference().key(), digest)
    elif "predictions" in state.reference:
        theirs = base64.b64decode(state.reference["predictions"])
    else:
        return None
    return notice.paired(theirs, ours, state.teacher["card"]["labels"])[2]
