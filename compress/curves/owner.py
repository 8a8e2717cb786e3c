"""Who owns a job: a process, known by its number and the time of its start, because numbers are given again."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        number: its process number; start: when it started, in this system's own words, "" where that is not known.
        place: the machine since it was started, and the container; numbers mean something only in one place.
    """

    number: int
    start: str
    place: str

    def is_alive(self) -> bool | None:
        """Whether this process still runs; None if it is in another place, where this process cannot look."""
        if self.place != place():
            return None
        return _exists(self.number) and started(self.number) == self.start


@cache
def _this(process: int) -> Owner:
    return Owner(process, started(process), place())


def this_process() -> Owner:
    """The owner of the jobs that this process makes."""
    return _this(os.getpid())  # by its number, because a forked process is another


def started(process: int) -> str:
    """When a process started, in this system's own words; "" if it does not run, or there is no way to know."""
    stat = Path(f"/proc/{process}/stat")
    try:
        if Path("/proc/self/stat").exists():
            fields = stat.read_text().rpartition(")")[2].split()
            return "" if fields[0] in "ZX" else fields[19]  # field 22: clock ticks since the machine's start
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(process)], capture_output=True, text=True, timeout=10)
        return " ".join(answer.stdout.split())
    except (OSError, IndexError, subprocess.SubprocessError):
        return ""


@cache
def place() -> str:
    """The machine since it was started, and the container."""
    return " ".join([platform.node(), _read("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid")])


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
