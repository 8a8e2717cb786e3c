"""What a search has found, as plain data and in words."""

from __future__ import annotations

import json

import pytest

from compress.search.found import MEASURED, SKIPPED, Found, Fresh, Tried, lost_words, luck, sentence
from compress.search.target import Target

CARD = {"accuracy": 0.95, "bytes": 1_000_000}
BEST = {"accuracy": 0.942, "bytes": 20_000, "recipe": "digits/mlp/prune(sparsity=0.9)+low_rank(keep=0.5)/0"}
FOUND = Found("at_most=1", (Tried("a", MEASURED, 5, 0.5), Tried("b", SKIPPED, 9, None, "at least 9 bytes")), 3, 1.5, "a",
              (Fresh(1, 0.9, 1.5, 20_000),), True, ("The notes were damaged.",))


def test_a_search_comes_back_from_the_store() -> None:
    assert Found.from_plain(json.loads(json.dumps(FOUND.plain()))) == FOUND
    assert FOUND.measured == 1


@pytest.mark.parametrize("damaged", [None, {}, {**FOUND.plain(), "tried": [{"state": "danced"}]},
                                     {**FOUND.plain(), "new": 1}, {**FOUND.plain(), "fresh": [{}]},
                                     {**FOUND.plain(), "tried": 7}])
def test_what_this_version_cannot_read_is_none(damaged: dict | None) -> None:
    assert Found.from_plain(damaged) is None


def test_the_answer_in_words() -> None:
    assert sentence(Target(points_lost=1.0), BEST, CARD) == (
        "The smallest file at most 1 point below the teacher: 20.0 kB, 50x smaller than the teacher, 94.2 % accurate "
        "(0.8 points below the teacher), by prune + low rank.")
    assert sentence(Target(bytes=10), None, CARD) == "No network found yet: the best accuracy within 10 bytes."
    assert [lost_words(points) for points in (1.0, -0.5, 0.001)] == [
        "1 point below the teacher", "0.5 points above the teacher", "as accurate as the teacher"]


def test_the_winners_curse_in_words() -> None:
    one, other = Fresh(1, 0.94, 1.0, 20_000), Fresh(2, 0.93, 2.0, 21_000)
    said = luck(Target(points_lost=1.0), 0.8, (one, other), 40)
    assert said == ("It was chosen from 40 on the same validation examples, where it loses 0.8 points; with 2 fresh seeds, "
                    "of the teacher too, it loses 1.5 (from 1 to 2) in 20.5 kB on average. That misses the limit of 1.")
    assert "misses" not in luck(Target(points_lost=2.0), 0.8, (one,), 40)
    assert "1 fresh seed," in luck(Target(), 0.8, (one,), 4)
    assert luck(Target(), 0.8, (), 40) == ""
