"""Commands that are stopped, or cannot write."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.faults.place import CURVE, LONG, Place, Seen, ended, eventually, same_rows, wait_for


def ctrl_c_in_training(place: Place) -> Seen:
    """Ctrl-C while a teacher trains"""
    return _signalled(place, signal.SIGINT, 130)


def sigterm_in_training(place: Place) -> Seen:
    """SIGTERM while a teacher trains"""
    return _signalled(place, signal.SIGTERM, 143)


def ctrl_c_in_a_curve(place: Place) -> Seen:
    """Ctrl-C after the first point of a curve, then the same command again"""
    first = place.start(*CURVE)
    assert first.stdout is not None
    line = first.stdout.readline()
    first.send_signal(signal.SIGINT)
    stopped, again = ended(first), place.shell(*CURVE)
    kept = again.rows and line[:30] and len(again.rows) == 3
    return Seen(stopped.text, "nothing" if kept else "points", stopped.code in (130, 0) and bool(kept) and again.code == 0)


def killed_in_a_curve(place: Place) -> Seen:
    """A command killed (SIGKILL) after its first point, then the same command again"""
    first = place.start(*CURVE)
    assert first.stdout is not None
    first.stdout.readline()
    first.kill()
    stopped, again = first.wait(), place.shell(*CURVE)
    return Seen(f"exit {stopped}, then {again.text}", "nothing" if len(again.rows) == 3 else "points",
                again.code == 0 and len(again.rows) == 3)


def closed_pipe(place: Place) -> Seen:
    """`curve ... | head -1`"""
    process = place.start(*CURVE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    seen = ended(process)
    again = place.shell(*CURVE)
    return Seen(seen.text if seen.said else f"exit {seen.code}, no message", "nothing" if len(again.rows) == 3 else "points",
                seen.code in (0, 1, 141, -13) and not seen.said)


def full_disk_for_results(place: Place) -> Seen:
    """Results to a full disk (/dev/full)"""
    with open("/dev/full", "w") as full:
        seen = place.shell("methods", stdout=full)
    return Seen(seen.text, "nothing", seen.is_one_sentence(1, "Standard output"))


def closed_output(place: Place) -> Seen:
    """Results with standard output closed (`>&-`)"""
    process = subprocess.Popen(["sh", "-c", 'exec "$0" -m compress methods >&-', sys.executable], text=True,
                               env=place.environment(), stderr=subprocess.PIPE, cwd=place.folder)
    seen = ended(process)
    return Seen(seen.text, "nothing", seen.is_one_sentence(1, "Standard output"))


def terminal_of_few_letters(place: Place) -> Seen:
    """A data set called naïve-Ω on a terminal that knows ASCII only"""
    path = place.data("naïve-Ω")
    seen = place.shell("teacher", "--data", "local:naïve-Ω", "--teacher", "logistic(epochs=1)",
                       env={"COMPRESS_DATA": str(path), "PYTHONIOENCODING": "ascii:strict", "LANG": "C"})
    return Seen(seen.text, "nothing", seen.code == 0 and len(seen.rows) == 1)


def two_on_a_fresh_home(place: Place) -> Seen:
    """Two commands at once on a home that does not exist"""
    both = [place.start(*CURVE) for _ in range(2)]
    first, second = (ended(process) for process in both)
    whole = sorted(row["dial"] for row in first.rows) == sorted(row["dial"] for row in second.rows) == [0.2, 0.5, 0.8]
    return Seen(f"{first.text}; {second.text}", same_rows(first, second), whole and first.code == second.code == 0)


def _signalled(place: Place, number: int, code: int) -> Seen:
    process = place.start(*LONG)
    wait_for(process, "epoch 3")
    process.send_signal(number)
    seen = ended(process)
    left = eventually(lambda: [path.name for path in place.home.rglob("*.part")], 0.1)
    return Seen(seen.text, "nothing" if not left else str(left), seen.is_one_sentence(code, "Stopped"))


ROWS = (ctrl_c_in_training, sigterm_in_training, ctrl_c_in_a_curve, killed_in_a_curve, closed_pipe, full_disk_for_results,
        closed_output, terminal_of_few_letters, two_on_a_fresh_home)
