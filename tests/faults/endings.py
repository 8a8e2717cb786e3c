"""Commands that are stopped, or whose results nobody can take."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.faults.place import CURVE, LONG, Place, Seen, wait_for

OTHER_CURVE = (*CURVE[:-1], "0.1,0.3,0.4,0.6,0.7,0.9")


def ctrl_c_in_training(place: Place) -> Seen:
    """Ctrl-C while a teacher trains"""
    return _signalled(place, signal.SIGINT, 130)


def sigterm_in_training(place: Place) -> Seen:
    """SIGTERM while a teacher trains"""
    return _signalled(place, signal.SIGTERM, 143)


def ctrl_c_in_a_curve(place: Place) -> Seen:
    """Ctrl-C after the first point of a curve, then the same command again"""
    process = place.start(*OTHER_CURVE)
    place.first_row(process)
    process.send_signal(signal.SIGINT)
    stopped, again = place.end(process), place.shell(*OTHER_CURVE)
    return Seen(f"{stopped.text}; again: {again.text}", stopped.code in (130, 0) and again.is_whole(6))


def killed_in_a_curve(place: Place) -> Seen:
    """SIGKILL after the first point of a curve, then the same command again"""
    process = place.start(*OTHER_CURVE)
    place.first_row(process)
    process.kill()
    code, again = process.wait(), place.shell(*OTHER_CURVE)
    return Seen(f"exit {code}; again: {again.text}", again.is_whole(6))


def closed_pipe(place: Place) -> Seen:
    """`curve ... | head -1`, then the same command again"""
    process = place.start(*OTHER_CURVE)
    place.first_row(process)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    seen, again = place.end(process), place.shell(*OTHER_CURVE)
    return Seen(f"exit {seen.code}, {seen.said or 'no message'}; again: {again.text}",
                seen.code in (0, 141) and not seen.said and again.is_whole(6))


def full_disk_for_results(place: Place) -> Seen:
    """Results to a full disk (/dev/full)"""
    with open("/dev/full", "w") as full:
        seen = place.shell("methods", stdout=full)
    return Seen(seen.text, seen.is_one_sentence(1, "Standard output"))


def closed_output(place: Place) -> Seen:
    """Results with standard output closed (`>&-`)"""
    process = subprocess.Popen(["sh", "-c", 'exec "$0" -m compress methods >&-', sys.executable], text=True,
                               env=place.environment(), stderr=subprocess.PIPE, cwd=place.folder)
    seen = place.end(process)
    return Seen(seen.text, seen.is_one_sentence(1, "Standard output"))


def terminal_of_few_letters(place: Place) -> Seen:
    """A data set called naïve-Ω on a terminal that knows ASCII only"""
    path = place.data("naïve-Ω")
    seen = place.shell("teacher", "--data", "local:naïve-Ω", "--teacher", "logistic(epochs=1)", COMPRESS_DATA=str(path),
                       PYTHONIOENCODING="ascii:strict", LANG="C")
    return Seen(seen.text, seen.is_whole(1))


def _signalled(place: Place, number: int, code: int) -> Seen:
    process = place.start(*LONG)
    wait_for(process, "epoch 3")
    process.send_signal(number)
    seen = place.end(process)
    left = [path.name for path in place.home.rglob("*.part")]
    return Seen(seen.text, seen.is_one_sentence(code, "Stopped") and not left)


ROWS = (ctrl_c_in_training, sigterm_in_training, ctrl_c_in_a_curve, killed_in_a_curve, closed_pipe, full_disk_for_results,
        closed_output, terminal_of_few_letters)
