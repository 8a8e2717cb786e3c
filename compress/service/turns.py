"""Turns: jobs run in threads of their own, and exactly one of them computes at a time.

A job keeps its turn until it reports after its slice is used up and another job comes before it. Sessions get equal shares
of the time, whatever the number of their jobs: the next turn goes to the session that has computed the shortest time
(start-time fair queuing, Goyal, Vin & Cheng 1996, with the time computed in place of the service received), and within a
session to the job that has. What belongs to the process (random states, the number of threads) is kept for each job while
others compute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from compress.progress import Cancelled

SLICE = 0.4


@dataclass(eq=False)
class _Seat:
    """A job among the others.

    Attributes:
        used: seconds computed, with what it was given when it came; computed: those alone.
        began: when its present turn, or its last part that is counted, began.
        ready: False while it waits for what another job makes; cancelled: it gets the next turn, in order to end.
        state: its random states and threads while another job computes; None before its first turn.
    """

    number: int
    session: str
    used: float
    computed: float = 0.0
    began: float = 0.0
    waiting: bool = True
    ready: Callable[[], bool] = lambda: True
    cancelled: bool = False
    state: Any = None


class Turns:
    """Who computes. Jobs are known by their numbers; every method but cancel() is called from the job's own thread."""

    def __init__(self, keep: Callable[[], Any] = lambda: None, restore: Callable[[Any], None] = lambda state: None,
                 on_turn: Callable[[int], None] = lambda number: None, seconds: float = SLICE,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            keep: returns the process's random states and threads; restore: puts them back, or sets those of a new job
                for None.
            on_turn: called when a job gets its turn, before it computes.
            seconds: of a turn, after which the next report passes it on.
        """
        self.keep, self.restore, self.on_turn, self.seconds, self.clock = keep, restore, on_turn, seconds, clock
        self._changed = threading.Condition()
        self._seats: dict[int, _Seat] = {}
        self._turn: _Seat | None = None
        self._spent: dict[str, float] = {}
        self._keys: dict[str, int] = {}

    @contextmanager
    def seat(self, number: int, session: str) -> Iterator[None]:
        """Inside the block the job takes part; the block begins with its first turn."""
        self._join(number, session)
        try:
            self._take(number)
            yield
        finally:
            self._end(number)

    def report(self, number: int) -> None:
        """Where a job may lose its turn: returns when it has the turn again. Costs next to nothing within a slice."""
        seat = self._seats[number]
        if self.clock() - seat.began < self.seconds and not any(one.cancelled for one in list(self._seats.values())):
            return
        with self._changed:
            self._count(seat)
            next_one = self._first()
            passes = next_one is not None and self._order(next_one) < self._order(seat)
        if passes:
            self._give()
            self._take(number)

    def used(self, number: int) -> float:
        """Seconds that a job has computed so far; 0 before the job takes part."""
        seat = self._seats.get(number)
        if seat is None:
            return 0.0
        return seat.computed + (self.clock() - seat.began if self._turn is seat else 0.0)

    def is_taken(self, number: int, key: str) -> bool:
        """Whether another job is in a block with this key."""
        return self._keys.get(key, number) != number

    @contextmanager
    def exclusive(self, number: int, key: str) -> Iterator[bool]:
        """Inside the block no other job is in a block with this key; others compute while this one waits for it. Gives
        whether the job had to wait.

        Raises:
            Cancelled: the job was cancelled while it waited.
        """
        if self._keys.get(key) == number:  # a block within a block
            yield False
            return
        waited = self.is_taken(number, key)
        if waited:
            self._wait(self._seats[number], lambda: key not in self._keys)
        self._keys[key] = number
        try:
            yield waited
        finally:
            with self._changed:
                del self._keys[key]

    def cancel(self, number: int) -> None:
        """The job gets the next turn, so that it can end."""
        with self._changed:
            if number in self._seats:
                self._seats[number].cancelled = True
                self._changed.notify_all()

    def _join(self, number: int, session: str) -> None:
        """A session that comes, or comes back, begins where the others are: it has no claim on time before."""
        with self._changed:
            others = [seat.session for seat in self._seats.values()]
            if session not in others:
                least = min((self._spent[one] for one in others), default=0.0)
                self._spent[session] = max(self._spent.get(session, 0.0), least)
            used = min((seat.used for seat in self._seats.values() if seat.session == session), default=0.0)
            self._seats[number] = _Seat(number, session, used)

    def _wait(self, seat: _Seat, ready: Callable[[], bool]) -> None:
        """Others compute until the job can go on."""
        seat.ready = ready
        self._give()
        self._take(seat.number)
        seat.ready = lambda: True
        if seat.cancelled:
            raise Cancelled("cancelled while waiting for another job")

    def _take(self, number: int) -> None:
        """Waits for the job's turn."""
        seat = self._seats[number]
        with self._changed:
            seat.waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._turn is None and self._first() is seat)
            self._turn, seat.waiting, seat.began = seat, False, self.clock()
        self.restore(seat.state)
        self.on_turn(number)

    def _give(self) -> None:
        """Gives the turn away, with the process's state kept."""
        assert self._turn is not None
        state = self.keep()
        with self._changed:
            self._count(self._turn)
            self._turn.state, self._turn.waiting, self._turn = state, True, None
            self._changed.notify_all()

    def _end(self, number: int) -> None:
        with self._changed:
            seat = self._seats.pop(number)
            if self._turn is seat:
                self._count(seat)
                self._turn = None
            if not self._seats:
                self._spent.clear()
            self._changed.notify_all()

    def _count(self, seat: _Seat) -> None:
        """Adds the time since the last count. Sessions whose jobs all wait for what another makes fall behind nobody: or
        they would have all turns afterwards, before the one that worked for them."""
        now = self.clock()
        self._spent[seat.session] += now - seat.began
        seat.used, seat.computed, seat.began = seat.used + now - seat.began, seat.computed + now - seat.began, now
        able = {one.session for one in self._seats.values() if not one.waiting or one.ready()} | {seat.session}
        least = min(self._spent[session] for session in able)
        for session in {one.session for one in self._seats.values()} - able:
            self._spent[session] = max(self._spent[session], least)

    def _first(self) -> _Seat | None:
        """The job that has the next turn, of those that wait and can go on."""
        candidates = [seat for seat in self._seats.values() if seat.waiting and (seat.cancelled or seat.ready())]
        return min(candidates, key=self._order, default=None)

    def _order(self, seat: _Seat) -> tuple[bool, float, float, int]:
        return not seat.cancelled, self._spent[seat.session], seat.used, seat.number
