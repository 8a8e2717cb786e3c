"""Who begins next."""

from __future__ import annotations

from compress.service.queue_order import ordered


def test_sessions_begin_in_turn_and_within_a_session_the_oldest_first() -> None:
    waiting = [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "c")]
    assert ordered(waiting, []) == [1, 4, 5, 2, 3]
    assert ordered(waiting, ["a", "b"]) == [5, 1, 4, 2, 3]
    assert ordered(reversed(waiting), []) == [1, 4, 5, 2, 3] and ordered([], ["a"]) == []
