"""A few hundred damaged files and links of every kind; `python -m tests.fuzz` tries 25,000."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import damage

KINDS = ("network", "compressed", "npz", "own", "onnx", "idx", "idx.gz", "store", "description", "pictures", "link")
SOUND = {"tried": 3, "taken": 1, "uncaught": [], "longest": 0.1, "peak": 10}


@pytest.fixture(scope="module")
def found() -> dict:
    return command.fuzz(files=400, links=60, seed=7, kinds=KINDS)


def test_every_damaged_file_and_link_is_read_or_refused_in_words(found: dict) -> None:
    assert found["uncaught"] == []
    assert found["tried"] == 60 + sum(round(400 * command.SHARES[kind]) for kind in KINDS[:-1])


def test_none_takes_long_or_much_memory(found: dict) -> None:
    assert command.passes(found), {name: value for name, value in found.items() if name != "kinds"}


def test_a_missed_bar_is_seen() -> None:
    assert command.passes(command.total([SOUND, SOUND])) and command.total([SOUND, SOUND])["tried"] == 6
    for change in ({"uncaught": [{"kind": "link"}]}, {"longest": 5.1}, {"peak": 500_000_001}):
        assert not command.passes(command.total([SOUND, {**SOUND, **change}]))


def test_a_batch_that_dies_counts(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """There are no samples in this folder."""
    (one,) = command._batch(str(tmp_path), "npz", 0, 5)["uncaught"]
    assert one["kind"] == "npz" and "FileNotFoundError" in one["text"]


def test_the_same_seed_damages_in_the_same_way_and_most_damage_changes_something() -> None:
    sound = bytes(range(256)) * 8
    made = [damage.damaged(sound, sound[::-1], Random(number)) for number in range(200)]
    assert made == [damage.damaged(sound, sound[::-1], Random(number)) for number in range(200)]
    assert sum(one != sound for one in made) > 180 and len(set(made)) > 150
    plain = {"sizes": [8, 6], "layer": {"kind": "sparse", "nonzeros": 3}}
    assert sum(damage.mutated(plain, Random(number)) != plain for number in range(200)) > 150
    assert plain == {"sizes": [8, 6], "layer": {"kind": "sparse", "nonzeros": 3}}
