"""One batch in a process of its own, with a limit on its memory: python -m tests.fuzz.batch FOLDER KIND SEED COUNT.

Prints one JSON object: how many were tried and taken, the exceptions that nobody caught, the longest time (s), and the most
memory above that before the first damaged one (bytes).
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from compress.networks import device
from tests.fuzz import readers

SECONDS = 5.0
BYTES = 500_000_000
SLACK = 300_000_000  # addresses that an allocator reserves without using them


class Hang(BaseException):
    """More than SECONDS for one file or link."""


def run(folder: Path, kind: str, seed: int, count: int) -> dict[str, Any]:
    """Damages and reads `count` files or links of a kind. A number of a batch always gives the same damage."""
    device.prepare()
    prepare = _links(folder) if kind == "link" else _files(folder, kind)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    idle = _status("VmRSS")
    limit = _status("VmSize") + BYTES + SLACK
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    taken, longest, uncaught = 0, 0.0, []
    for number in range(count):
        read = prepare(Random(f"{kind} {seed} {number}"))
        started = time.perf_counter()
        try:
            with _alarm():
                taken += read()
        except (Exception, Hang) as error:
            uncaught.append({"kind": kind, "seed": seed, "number": number, "error": type(error).__name__,
                             "text": "".join(traceback.format_exception(error)[-3:])[-1500:]})
        longest = max(longest, time.perf_counter() - started)
    return {"kind": kind, "tried": count, "taken": taken, "uncaught": uncaught, "longest": longest,
            "peak": max(0, _status("VmHWM") - idle)}


def _files(folder: Path, kind: str) -> Callable[[Random], Callable[[], bool]]:
    """Damages one of the samples of a kind, and returns what reads it; every sound one is read first."""
    own, place = readers.KINDS[kind], folder / "damaged" / kind
    samples = {path.name: path.read_bytes() for path in sorted((folder / kind).iterdir())}
    parts = samples if kind.startswith("idx") else {}  # a folder of two files
    place.mkdir(parents=True, exist_ok=True)

    def read(name: str, contents: bytes) -> bool:
        for left in place.glob(f"{name}*"):
            left.unlink()
        for other, sound in parts.items():
            (place / other).write_bytes(sound)
        (place / name).write_bytes(contents)
        return own.read(place if parts else place / name)

    for name, contents in samples.items():
        if kind != "description" and not read(name, contents):
            raise AssertionError(f"the sound {kind} {name} is refused")

    def prepare(random: Random) -> Callable[[], bool]:
        name, other = random.choice(list(samples)), random.choice(list(samples))
        contents = own.damage(samples[name], samples[other], random)
        return lambda: read(name, contents)

    return prepare


def _links(folder: Path) -> Callable[[Random], Callable[[], bool]]:
    known = json.loads((folder / "description" / "description.json").read_bytes())
    return lambda random: lambda: readers.link(known, random)


@contextmanager
def _alarm() -> Iterator[None]:
    def end(*_: object) -> None:
        raise Hang(f"more than {SECONDS} s")

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _status(name: str) -> int:
    """Bytes of a line of /proc/self/status: VmRSS, VmHWM, VmSize."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))) + "\n")
