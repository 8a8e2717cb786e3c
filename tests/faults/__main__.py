"""python -m tests.faults [NAME ...]: plays the faults, or those named, as a Markdown table; exit code 1 if one is wrong."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import data, endings, settings, stores, workers
from tests.faults.place import Place, Seen

ROWS = {row.__name__: row for module in (endings, settings, stores, data, workers) for row in module.ROWS}


def play(name: str) -> Seen:
    """Plays one fault in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fault-", ignore_cleanup_errors=True) as folder:
        try:
            return ROWS[name](Place(Path(folder)))
        except Exception as error:  # the other rows are played all the same
            return Seen(f"the row itself failed: {type(error).__name__}: {error}", "unknown", False)


def main(names: list[str]) -> int:
    """Prints the table; returns the exit code."""
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        sys.stderr.write(f"There is no fault {', '.join(unknown)}; the faults are {', '.join(ROWS)}.\n")
        return 2
    print("| fault | seen | lost | verdict | s |\n|---|---|---|---|---|", flush=True)
    wrong = 0
    for name in names or ROWS:
        began = time.monotonic()
        outcome = play(name)
        wrong += not outcome.right
        seen = " ".join(outcome.seen.split()).replace("|", "\\|")[:300]
        print(f"| {ROWS[name].__doc__} | {seen} | {outcome.lost} | {'right' if outcome.right else '**wrong**'} | "
              f"{time.monotonic() - began:.0f} |", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    # Begun in the background of a shell, this process ignores Ctrl-C, and so would the commands that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
