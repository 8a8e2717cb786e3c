"""Which addresses a browser may still name after they were replaced."""

from __future__ import annotations

from pages.ui.shell.address import LATE, Replaced

OLD, NEW = {"data": "digits"}, {"data": "mnist5k"}


def test_an_address_that_was_replaced_lately_is_known():
    replaced = Replaced().having(OLD, 10.0)
    assert replaced.names(OLD, 10.0 + LATE / 2)
    assert not replaced.names(NEW, 10.0)


def test_after_a_while_it_is_an_address_like_any_other():
    assert not Replaced().having(OLD, 10.0).names(OLD, 10.0 + LATE)


def test_several_are_known_at_once_and_those_of_long_ago_are_not_kept():
    replaced = Replaced().having(OLD, 0.0).having(NEW, LATE / 2).having({}, LATE + 1)
    assert [address for address, _ in replaced.addresses] == [NEW, {}]
    assert replaced.names(NEW, LATE + 1) and not replaced.names(OLD, LATE + 1)
