"""The scheduler with fake jobs: one computes at a time, sessions have equal shares, and nothing waits for ever."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from compress.progress import Cancelled
from compress.service.turns import Turns

LIMIT = 30.0


@dataclass
class Clock:
    """Time that passes when a job works."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Hall:
    """Fake jobs on one scheduler. `worked`: the numbers of jobs in the order of their pieces of work."""

    clock: Clock = field(default_factory=Clock)
    worked: list[int] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    problems: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turns = Turns(clock=self.clock, seconds=1.0)
        self.alone = threading.Lock()

    def work(self, number: int, pieces: int, seconds: float = 1.0) -> None:
        for _ in range(pieces):
            assert self.alone.acquire(blocking=False), "two jobs compute at a time"
            self.worked.append(number)
            self.clock.now += seconds
            self.alone.release()
            self.turns.report(number)

    def start(self, number: int, session: str, act: Callable[[], None]) -> None:
        def run() -> None:
            try:
                with self.turns.seat(number, session):
                    act()
            except BaseException as problem:  # shown by the test's thread
                self.problems.append(problem)

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()
        until = threading.Event()
        for _ in range(3000):
            if number in self.turns._seats or not self.threads[-1].is_alive():
                return
            until.wait(0.01)
        raise AssertionError(f"job {number} never took part")

    def finish(self) -> None:
        for thread in self.threads:
            thread.join(LIMIT)
            assert not thread.is_alive(), "a job never had its turn"


@pytest.fixture
def hall() -> Hall:
    return Hall()


@contextmanager
def held(hall: Hall) -> Iterator[None]:
    """A job of a session of its own has the turn until the block ends, so that the others begin together."""
    gate = threading.Event()
    hall.start(0, "gate", lambda: gate.wait(LIMIT) and None)
    yield
    gate.set()


def test_two_sessions_take_turns(hall: Hall) -> None:
    with held(hall):
        for number, session in ((1, "a"), (2, "b")):
            hall.start(number, session, lambda number=number: hall.work(number, 4))
    hall.finish()
    assert hall.worked == [1, 2] * 4 and not hall.problems


def test_a_session_with_three_jobs_has_one_share(hall: Hall) -> None:
    with held(hall):
        for number in (1, 2, 3):
            hall.start(number, "many", lambda number=number: hall.work(number, 8))
        hall.start(4, "one", lambda: hall.work(4, 8))
    hall.finish()
    begun = hall.worked[:hall.worked.index(4) + 1 + 2 * 7]
    assert Counter(number == 4 for number in begun)[True] == 8
    shares = Counter(begun)
    assert max(shares[number] for number in (1, 2, 3)) - min(shares[number] for number in (1, 2, 3)) <= 1


def test_a_turn_lasts_until_its_slice_is_used_up(hall: Hall) -> None:
    with held(hall):
        hall.start(1, "a", lambda: hall.work(1, 8, 0.25))
        hall.start(2, "b", lambda: hall.work(2, 8, 0.25))
    hall.finish()
    assert hall.worked == [1] * 4 + [2] * 4 + [1] * 4 + [2] * 4


def test_who_reports_rarely_waits_as_long_afterwards(hall: Hall) -> None:
    """An epoch of four slices is paid for by four turns of the others."""
    with held(hall):
        hall.start(1, "slow", lambda: hall.work(1, 2, 4.0))
        hall.start(2, "quick", lambda: hall.work(2, 8, 1.0))
    hall.finish()
    assert hall.worked[:6] == [1, 2, 2, 2, 2, 1]


def test_who_comes_late_has_the_next_turn_but_no_claim_on_the_time_before(hall: Hall) -> None:
    def first() -> None:
        hall.work(1, 5)
        hall.start(2, "late", lambda: hall.work(2, 5))
        hall.work(1, 5)

    hall.start(1, "early", first)
    hall.threads[0].join(LIMIT)
    hall.finish()
    assert hall.worked[:5] == [1] * 5
    assert hall.worked[6] == 2 and hall.worked[5:11].count(2) == 3


def test_a_job_that_fails_passes_its_turn_on(hall: Hall) -> None:
    def fail() -> None:
        hall.work(1, 1)
        raise ValueError("no luck")

    with held(hall):
        hall.start(1, "a", fail)
        hall.start(2, "b", lambda: hall.work(2, 3))
    hall.finish()
    assert hall.worked.count(2) == 3 and [str(problem) for problem in hall.problems] == ["no luck"]


def test_a_cancelled_job_has_the_next_turn_to_end(hall: Hall) -> None:
    seen: list[bool] = []

    def cancelling() -> None:
        hall.work(1, 1)
        hall.turns.cancel(3)
        hall.work(1, 3, 0.1)

    with held(hall):
        hall.start(1, "a", cancelling)
        hall.start(2, "b", lambda: hall.work(2, 2))
        hall.start(3, "c", lambda: seen.append(bool(hall.worked) and hall.worked.count(1) < 4))
    hall.finish()
    assert seen == [True]


def test_the_second_with_a_key_waits_and_others_compute_meanwhile(hall: Hall) -> None:
    made: list[int] = []

    def share(number: int) -> None:
        with hall.turns.exclusive(number, "teacher"):
            if not made:
                hall.work(number, 4)
                made.append(number)
        hall.work(number, 1)

    with held(hall):
        hall.start(1, "a", lambda: share(1))
        hall.start(2, "b", lambda: share(2))
        hall.start(3, "c", lambda: hall.work(3, 6))
    hall.finish()
    assert made == [1] and hall.worked.count(2) == 1
    assert hall.worked[:8].count(3) >= 3 and 2 not in hall.worked[:7]
    assert hall.worked.index(2) < len(hall.worked) - 1 and not hall.turns._keys


def test_who_worked_for_others_does_not_wait_for_them_all_afterwards(hall: Hall) -> None:
    """Twenty seconds for a teacher that b and c need too: then all three have equal turns."""
    made: list[int] = []

    def share(number: int) -> None:
        with hall.turns.exclusive(number, "teacher"):
            if not made:
                hall.work(number, 20)
                made.append(number)
        hall.work(number, 4)

    with held(hall):
        for number, session in ((1, "a"), (2, "b"), (3, "c")):
            hall.start(number, session, lambda number=number: share(number))
    hall.finish()
    assert sorted(hall.worked[20:26]) == [1, 1, 2, 2, 3, 3]


def test_waiting_for_a_key_can_be_cancelled_and_the_block_is_free_again(hall: Hall) -> None:
    def holder() -> None:
        with hall.turns.exclusive(1, "teacher"):
            hall.work(1, 2)
            hall.turns.cancel(2)
            hall.work(1, 2)

    def waiter() -> None:
        with hall.turns.exclusive(2, "teacher"):
            hall.work(2, 1)

    with held(hall):
        hall.start(1, "a", holder)
        hall.start(2, "b", waiter)
    hall.finish()
    assert 2 not in hall.worked and [type(problem) for problem in hall.problems] == [Cancelled]
    assert not hall.turns._keys and not hall.turns._seats


def test_a_key_within_itself_does_not_wait(hall: Hall) -> None:
    def nested() -> None:
        with hall.turns.exclusive(1, "teacher"), hall.turns.exclusive(1, "teacher"):
            hall.work(1, 1)

    hall.start(1, "a", nested)
    hall.finish()
    assert hall.worked == [1] and not hall.turns._keys and not hall.problems


def test_a_job_finds_its_state_again() -> None:
    state: list[str | None] = [None]
    seen: list[tuple[int, str | None]] = []

    def restore(kept: str | None) -> None:
        state[0] = kept

    hall = Hall()
    hall.turns = Turns(lambda: state[0], restore, clock=hall.clock, seconds=1.0)

    def act(number: int) -> None:
        for step in range(3):
            seen.append((number, state[0]))
            state[0] = f"{number}.{step}"
            hall.work(number, 1)

    with held(hall):
        hall.start(1, "a", lambda: act(1))
        hall.start(2, "b", lambda: act(2))
    hall.finish()
    assert seen == [(1, None), (2, None), (1, "1.0"), (2, "2.0"), (1, "1.1"), (2, "2.1")]


def test_whose_turn_it_is_is_told_before_it_computes() -> None:
    told: list[int] = []
    hall = Hall()
    hall.turns = Turns(on_turn=told.append, clock=hall.clock, seconds=1.0)
    with held(hall):
        hall.start(1, "a", lambda: hall.work(1, 2))
        hall.start(2, "b", lambda: hall.work(2, 2))
    hall.finish()
    assert told == [0, 1, 2, 1, 2] or told == [0, 1, 2, 1, 2, 1, 2]
