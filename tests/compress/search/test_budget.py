"""Budgets in minutes and in measurements, and the clock of a search."""

from __future__ import annotations

import pytest

from compress.progress import Cancelled, Progress, Reporter
from compress.search.budget import Budget, Clock, OutOfTime, checked_fresh


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_fifth_of_the_minutes_is_kept_back_for_fresh_seeds() -> None:
    budget = Budget.of_options("3")
    assert (budget.unit, budget.amount, budget.kept_back) == ("seconds", 144.0, 36.0)
    counted = Budget.of_options("3", "40")
    assert (counted.unit, counted.amount, counted.kept_back) == ("measurements", 40, 0.0)


@pytest.mark.parametrize(("minutes", "measurements", "said"), [
    ("0", "0", "minutes must be between 0.05 and 1440, but got 0.0"), ("nan", "0", "minutes must be between"),
    ("soon", "0", "minutes must be a number between 0.05 and 1440, but got 'soon'. For example: minutes=3."),
    ("3", "-1", "measurements must be between 0 and 100000, but got -1"),
    ("3", "1.5", "measurements must be a whole number"),
])
def test_what_is_no_budget_is_refused(minutes: str, measurements: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        Budget.of_options(minutes, measurements)
    assert said in str(refused.value)


def test_so_many_fresh_seeds() -> None:
    assert checked_fresh("3") == 3
    with pytest.raises(ValueError, match="fresh must be between 0 and 20, but got 21"):
        checked_fresh("21")


def test_work_is_left_when_the_minutes_are_over() -> None:
    time, written = Time(), []
    clock = Clock(Budget(1.0), Reporter(written.append), time)
    clock.show("searching", None)
    work = clock.reporter("prune")
    time.now += 24.0
    work(0.9, "epoch 9")
    assert written[-1] == Progress(0.5, "searching; prune: epoch 9", None)  # of the search, not of the work
    time.now += 24.0
    with pytest.raises(OutOfTime):
        work(0.95, "epoch 10")
    assert clock.is_over and not clock.is_past_end
    clock.bounded(Reporter(written.append))(0.1, "seed 1")
    time.now += 12.0
    with pytest.raises(OutOfTime):
        clock.bounded(Reporter(written.append))(0.2, "seed 1")


def test_measurements_are_counted_however_long_they_take() -> None:
    time = Time()
    clock = Clock(Budget(1.0, 2), Reporter(), time)
    time.now += 10_000
    clock.reporter("prune")(0.5, "epoch 9")
    clock.count()
    assert clock.share == 0.5 and not clock.is_over
    clock.count()
    assert clock.is_over and not clock.is_past_end


def test_a_search_can_be_cancelled_within_a_piece_of_work() -> None:
    clock = Clock(Budget(1.0), Reporter(is_cancelled=lambda: True), Time())
    with pytest.raises(Cancelled):
        clock.reporter("prune")(0.5, "epoch 9")
