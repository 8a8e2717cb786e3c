"""A table of faults: `python -m tests.faults [NAME ...]`.

Each is played in real processes over a home of its own, in which a teacher, a curve and a pin are kept. What is lost of
these, and of every result that a command printed meanwhile, is looked up in the home afterwards.

Ends with 1 if a row is not as it should be.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults import data, downloads, endings, files, memory, pages, sessions, settings, stores, workers
from tests.faults.place import Place, Seen, measured

Fault = Callable[[Place], Seen]
ROWS: tuple[Fault, ...] = (*endings.ROWS, *stores.ROWS, *files.ROWS, *data.ROWS, *memory.ROWS, *settings.ROWS,
                           *downloads.ROWS, *workers.ROWS, *sessions.ROWS, *pages.ROWS)


def played(fault: Fault, home: Path | None = None) -> tuple[Seen, str]:
    """A fault in a folder of its own, and what was lost in it. What goes wrong with the play itself is a row too.

    Args:
        home: of measured(), copied for this fault; an empty home if it is None.
    """
    with tempfile.TemporaryDirectory(prefix="fault-", ignore_cleanup_errors=True) as folder:
        place = Place.with_a_copy(Path(folder), home)
        try:
            seen = fault(place)
            return seen, place.lost()
        except Exception as error:
            return Seen(f"{type(error).__name__}: {error}", right=False), "unknown"


def is_good(seen: Seen, lost: str) -> bool:
    """Whether a row is as it should be: nothing is lost but what the fault itself destroys."""
    return seen.right and lost in (seen.destroyed, "nothing")


def main(names: Sequence[str]) -> int:
    """Prints the table, row by row; 2 for a name of no fault."""
    unknown = set(names) - {fault.__name__ for fault in ROWS}
    if unknown:
        sys.stderr.write(f"There is no fault {', '.join(sorted(unknown))}; without names all {len(ROWS)} are played.\n")
        return 2
    sys.stdout.write("| fault | seen | lost | verdict |\n|---|---|---|---|\n")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="measured-") as folder:
        home = measured(Path(folder))
        for fault in [fault for fault in ROWS if not names or fault.__name__ in names]:
            seen, lost = played(fault, home)
            good = is_good(seen, lost)
            failed += not good
            why = ", which the fault itself destroys" if good and lost != "nothing" else ""
            cells = (fault.__doc__ or "", " ".join(seen.text.split()).replace("|", "/")[:300], lost + why,
                     "good" if good else "NOT GOOD")
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
