"""How long work still takes, with a clock that the tests turn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from compress.progress import Progress, Reporter
from compress.workload import NEARLY, Outlook, Phase, Workload


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def worked(clock: Clock, report: Reporter, steps: int, seconds: float, share: float = 1.0) -> None:
    """A phase that reports after each of its steps, up to a share of it."""
    for step in range(1, steps + 1):
        clock.now += seconds
        report(share * step / steps, f"step {step}")


def test_nothing_is_estimated_before_something_is_measured(clock: Clock) -> None:
    work = Workload(clock=clock)
    first, second = Reporter(task=work.root).phases(Phase("epochs", 10), Phase("networks", 4))
    assert work.outlook() == Outlook(0.0, None)
    worked(clock, first, 5, 2.0, 0.5)
    assert work.outlook().left is None, "the pace of networks is not known"
    assert work.outlook().share == pytest.approx(10 / 40), "the unknown phase counts as long as the known one"
    worked(clock, first, 1, 10.0)
    worked(clock, second, 1, 1.0, 0.25)
    assert work.outlook() == Outlook(pytest.approx(21 / 24), pytest.approx(3.0))


def test_paces_of_earlier_work_are_estimates_from_the_first_moment_and_give_way_to_new_ones(clock: Clock) -> None:
    work = Workload({"cpu / epochs": 1.0, "cpu / networks": 2.0}, clock, "cpu")
    first, _ = Reporter(task=work.root).phases(Phase("epochs", 10), Phase("networks", 4))
    assert work.outlook().left == pytest.approx(18.0)
    worked(clock, first, 5, 3.0, 0.5)
    assert work.outlook().left == pytest.approx(8 + 5 * (15 + 0.5) / 5.5)


def test_a_phase_that_takes_no_time_credits_nothing(clock: Clock) -> None:
    work = Workload({" / networks": 10.0}, clock)
    kept, networks = Reporter(task=work.root).phases(Phase("kept teacher"), Phase("networks", 4))
    kept(1.0, "done")
    assert work.outlook() == Outlook(0.0, pytest.approx(40.0))
    worked(clock, networks, 1, 10.0, 0.25)
    assert work.outlook() == Outlook(pytest.approx(0.25), pytest.approx(30.0))


def test_a_brief_phase_of_unknown_pace_hides_nothing_and_is_counted_once_it_is_known(clock: Clock) -> None:
    phases = Phase("epochs", 10), Phase("card", brief=True)
    work = Workload(clock=clock)
    epochs, card = Reporter(task=work.root).phases(*phases)
    worked(clock, epochs, 5, 1.0, 0.5)
    assert work.outlook() == Outlook(pytest.approx(0.5), pytest.approx(5.0))
    worked(clock, epochs, 1, 5.0)
    worked(clock, card, 1, 3.0)
    later = Workload(work.measured(), clock)
    Reporter(task=later.root).phases(*phases)
    assert later.outlook().left == pytest.approx(13.0)


def test_work_that_stops_early_has_ended_where_the_next_begins_and_its_pace_is_that_of_what_was_done(clock: Clock) -> None:
    work = Workload({" / networks": 1.0}, clock)
    epochs, networks = Reporter(task=work.root).phases(Phase("epochs", 20), Phase("networks", 2))
    worked(clock, epochs, 5, 1.0, 0.25)
    assert work.outlook().left == pytest.approx(17.0)
    networks(0.0, "beginning")
    assert work.outlook() == Outlook(pytest.approx(5 / 7), pytest.approx(2.0))
    assert work.measured()[" / epochs"] == pytest.approx(1.0)


def test_the_share_never_falls_and_is_below_one_until_the_end(clock: Clock) -> None:
    work, shares = Workload(clock=clock), []
    (part,) = Reporter(task=work.root).phases(Phase("epochs", 100))
    for number, seconds in enumerate([1.0] * 50 + [10.0] * 50, start=1):  # another program takes the machine
        clock.now += seconds
        part(number / 100, "epoch")
        shares.append(work.outlook().share)
    assert shares == sorted(shares) and shares[-1] == NEARLY


def test_parts_of_parts_take_their_pace_from_those_that_have_ended(clock: Clock) -> None:
    work = Workload(clock=clock)
    parts = Reporter(task=work.root).each("network", 5)
    for number, part in enumerate(parts[:2]):
        atoms, training = part.phases(Phase("atoms"), Phase("training"))
        worked(clock, atoms, 2, 1.0)
        worked(clock, training, 2, 2.0)
        assert (work.outlook().left is None) == (number == 0), "one of several does not tell the pace of all"
    assert work.outlook().left == pytest.approx(18.0)
    assert work.measured() == pytest.approx({" / network": 6.0, " / network / atoms": 2.0, " / network / training": 4.0})


def test_a_quick_first_network_neither_fills_the_bar_nor_promises_an_early_end(clock: Clock) -> None:
    """At one end of a dial nothing may have to be trained."""
    work = Workload(clock=clock)
    before, making = Reporter(task=work.root).phases(Phase("epochs", 10), Phase("points", 21))
    worked(clock, before, 10, 0.1)
    first, second, *_ = making.each("network", 21)
    worked(clock, first, 1, 0.01)
    assert work.outlook().left is None and work.outlook().share < 0.6
    worked(clock, second, 50, 0.2, 0.5)
    assert work.outlook().left is None and work.outlook().share < 0.6, "10 s of some 400 s"
    worked(clock, second, 50, 0.2)
    assert work.outlook().left == pytest.approx(19 * 20 / 2, rel=0.2)


def test_the_first_of_a_kind_does_not_count_once_there_are_others(clock: Clock) -> None:
    work = Workload(clock=clock)
    parts = Reporter(task=work.root).each("network", 5)
    for part, seconds in zip(parts, (30.0, 1.0, 1.0), strict=False):
        worked(clock, part, 1, seconds)
    assert work.outlook().left == pytest.approx(2.0)


def test_the_bar_counts_parts_of_one_kind_by_their_units_while_no_pace_is_known(clock: Clock) -> None:
    """A race: its teacher is trained, and of its curves nothing is known. The bar shall not stand at a half."""
    work = Workload(clock=clock)
    teacher, racing = Reporter(task=work.root).phases(Phase("", 10), Phase("", 90))
    worked(clock, teacher, 10, 0.2)
    curves = [curve.each(f"network {number}", 3)
              for number, curve in enumerate(racing.phases(Phase("", 30), Phase("", 60), in_order=False))]
    shares = [work.outlook().share]
    assert shares[0] == pytest.approx(0.1)
    for networks in zip(*curves, strict=True):
        for network, seconds in zip(networks, (2.0, 4.0), strict=True):
            worked(clock, network, 1, seconds)
            shares.append(work.outlook().share)
    assert all(earlier <= later for earlier, later in pairwise(shares))
    assert len(set(shares)) >= 5 and shares[2] < 0.5 <= shares[4], "it moves on, and is never far ahead"


def test_phases_that_take_turns_are_timed_apart(clock: Clock) -> None:
    work = Workload(clock=clock)
    made, measured = Reporter(task=work.root).phases(Phase("made", 4), Phase("measured", 4), in_order=False)
    for number in range(2):
        made(number / 4, "making")
        clock.now += 3.0
        made((number + 1) / 4, "made")
        measured(number / 4, "measuring")
        clock.now += 1.0
        measured((number + 1) / 4, "measured")
    assert work.measured() == pytest.approx({" / made": 3.0, " / measured": 1.0})
    assert work.outlook() == Outlook(pytest.approx(0.5), pytest.approx(8.0))


def test_without_a_workload_phases_are_shares_by_their_units() -> None:
    told: list[Progress] = []
    first, second = Reporter(told.append).phases(Phase("epochs", 3), Phase("networks", 1))
    first(0.5, "a")
    second(1.0, "b")
    assert [progress.share for progress in told] == pytest.approx([0.375, 1.0])


def test_without_a_workload_phases_that_take_turns_report_the_sum_of_their_shares() -> None:
    told: list[Progress] = []
    made, measured = Reporter(told.append).part(0.5, 1.0).phases(Phase("made", 3), Phase("measured", 1), in_order=False)
    made(1 / 3, "a")
    measured(1.0, "b")
    made(1 / 3, "c")
    assert [progress.share for progress in told] == pytest.approx([0.625, 0.75, 0.75])


def test_a_stretch_that_is_divided_again_stays_within_its_task(clock: Clock) -> None:
    work = Workload(clock=clock)
    (whole,) = Reporter(task=work.root).phases(Phase("epochs", 10))
    first, second = whole.part(0.0, 0.5).phases(Phase("a"), Phase("b"))
    worked(clock, first, 1, 1.0)
    worked(clock, second, 1, 1.0)
    assert work.outlook() == Outlook(pytest.approx(0.5), pytest.approx(2.0))
