"""A table of faults: `python -m tests.faults [NAME ...]`. Each is played in real processes over a home of its own.

Ends with 1 if a row is not as it should be.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults import page_faults, shell_faults
from tests.faults.play import Play, Seen

ROWS = (*shell_faults.ROWS, *page_faults.ROWS)


def played(fault: Callable[[Play], Seen]) -> Seen:
    """One fault in a folder of its own. What goes wrong with the play itself is a row too."""
    with tempfile.TemporaryDirectory(prefix="fault-", ignore_cleanup_errors=True) as folder:
        try:
            return fault(Play(Path(folder)))
        except Exception as error:
            return Seen(f"{type(error).__name__}: {error}", good=False)


def main(names: Sequence[str]) -> int:
    """Prints the table, row by row."""
    sys.stdout.write("| fault | seen | lost | verdict |\n|---|---|---|---|\n")
    failed = 0
    for fault in ROWS:
        if not names or fault.__name__ in names:
            seen = played(fault)
            failed += not seen.good
            cells = (fault.__doc__ or "", " ".join(seen.text.split()).replace("|", "/")[:300], seen.lost or "nothing",
                     "good" if seen.good else "NOT GOOD")
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
