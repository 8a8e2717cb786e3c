"""Networks that do not fit into memory: refused before they start, or an allocation that fails."""

from __future__ import annotations

import resource

from tests.faults.place import Place, Seen

GIANT = "mlp(hidden=8192-8192-8192-8192-8192,epochs=1)"


def more_than_is_allowed(place: Place) -> Seen:
    """Five layers of 8192 where COMPRESS_MEMORY allows 1 GB"""
    seen = place.shell("teacher", "--data", "digits", "--teacher", GIANT, COMPRESS_MEMORY="1")
    return Seen(seen.text, seen.is_one_sentence(2, "GB"))


def more_than_the_limit_of_the_system(place: Place) -> Seen:
    """Five layers of 8192 where `ulimit -v` allows 6 GB"""
    seen = place.shell("teacher", "--data", "digits", "--teacher", GIANT, before=lambda: _limit(6))
    return Seen(seen.text, seen.is_one_sentence(2, "GB"))


def allocation_that_fails(place: Place) -> Seen:
    """The same where the user says that 100 GB are there, and an allocation really fails"""
    seen = place.shell("teacher", "--data", "digits", "--teacher", GIANT, before=lambda: _limit(6), COMPRESS_MEMORY="100")
    return Seen(seen.text, seen.is_one_sentence(2, "There is not enough memory for this"))


def _limit(gigabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (gigabytes * 10**9, gigabytes * 10**9))


ROWS = (more_than_is_allowed, more_than_the_limit_of_the_system, allocation_that_fails)
