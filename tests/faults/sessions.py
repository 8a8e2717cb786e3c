"""Several sessions of browsers on one run."""

from __future__ import annotations

from tests.faults.place import Place, Seen
from tests.faults.workers import LEAVE, VALUES, by_an_engine

BEGIN = """
first = submit("anna")
"""


def one_of_two_cancels(place: Place) -> Seen:
    """Two sessions wait for one run, and one of them cancels"""
    found = by_an_engine(place, BEGIN + """
assert submit("ben") == first
wait(points)
engine.leave(first, "anna")
say(ended=finished(first))""" + LEAVE)[-1]
    return Seen(f"{found['ended'][0]}, {len(found['points'])} points",
                found["ended"] == ["done", ""] and len(found["points"]) == len(VALUES))


def the_other_cancels_too(place: Place) -> Seen:
    """Both sessions of a run cancel it; one comes back for it"""
    found = by_an_engine(place, BEGIN + """
assert submit("ben") == first
wait(points)
engine.leave(first, "anna")
engine.leave(first, "ben")
ended = finished(first)
say(ended=ended, again=finished(submit("ben")))""" + LEAVE)[-1]
    return Seen(f"{found['ended'][0]}; again: {found['again'][0]}, {len(found['points'])} points",
                found["ended"][0] == "cancelled" and found["again"][0] == "done" and len(found["points"]) == len(VALUES))


ROWS = (one_of_two_cancels, the_other_cancels_too)
