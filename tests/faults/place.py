"""A home of its own for each fault, commands over it, what is seen of them, and what of the results is lost."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from compress.curves.store import Store
from tests.imports import ROOT

LIMIT = 300.0  # seconds for a command
TEACHER = "mlp(hidden=8,epochs=2)"
CURVE = ("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--dial", "0.2,0.5,0.8")
LONG = ("teacher", "--data", "digits", "--teacher", "mlp(hidden=16,epochs=2000)")
OWN = ("teacher", "--data", "local:d", "--teacher", "logistic(epochs=2)")
Kept = tuple[str, str, str]  # kind (network, pin), recipe, digest


@dataclass(frozen=True)
class Seen:
    """The outcome of a fault.

    Attributes:
        text: what a user saw; right: whether that is as it should be.
        destroyed: what the fault itself takes away, as Place.lost() says it; the rest must be there.
    """

    text: str
    right: bool
    destroyed: str = "nothing"


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, its JSON rows, and its standard error without progress."""

    code: int
    rows: list[dict[str, Any]]
    said: list[str]

    @property
    def text(self) -> str:
        """Exit code and last line, for the table."""
        return f"exit {self.code}: {self.said[-1] if self.said else f'{len(self.rows)} results, no message'}"

    def is_one_sentence(self, code: int, *words: str) -> bool:
        """Whether it ended with this code and one line with these words."""
        return self.code == code and len(self.said) == 1 and all(word in self.said[0] for word in words)

    def is_whole(self, rows: int = 3) -> bool:
        """Whether it printed all its results, and nothing else."""
        return (self.code, len(self.rows), self.said) == (0, rows, [])


@dataclass(frozen=True)
class Place:
    """A folder for one fault. promised: what is to be there in the end, because it was there or a command printed it."""

    folder: Path
    promised: set[Kept] = field(default_factory=set)

    @classmethod
    def with_a_copy(cls, folder: Path, home: Path | None) -> Place:
        """A place with a copy of a home; without one if it is None."""
        place = cls(folder)
        if home is not None:
            shutil.copytree(home, place.home)
            place.promised.update(place.kept())
        return place

    @property
    def home(self) -> Path:
        """COMPRESS_HOME here."""
        return self.folder / "home"

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.home / "store.sqlite"

    @property
    def networks(self) -> list[Path]:
        """The files of networks."""
        return sorted((self.home / "networks").glob("*.safetensors"))

    def kept(self) -> set[Kept]:
        """What this home holds: networks whose file is there unchanged, and pins."""
        if not self.store.is_file():
            return set()
        store = Store(self.store)
        points = [point for point in store.all_points() if store.artefacts.has(point["digest"])]
        return {("network", point["recipe"], point["digest"]) for point in points} | {
            ("pin", point["recipe"], point["digest"]) for point in points if point["pinned"]}

    def lost(self) -> str:
        """What was promised and is not there, counted: "nothing", "1 pin", "3 networks, 1 pin"."""
        counts = Counter(kind for kind, _, _ in self.promised - self.kept())
        return ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in sorted(counts.items())) or "nothing"

    def environment(self, **more: str | None) -> dict[str, str]:
        """The environment of commands; None takes a variable away."""
        base = {name: text for name, text in os.environ.items() if not name.startswith(("COMPRESS_", "XDG_"))}
        wanted = {**base, "COMPRESS_HOME": str(self.home), "COMPRESS_DEVICE": "cpu", "COMPRESS_CORES": "1",
                  "PYTHONPATH": str(ROOT), **more}
        return {name: text for name, text in wanted.items() if text is not None}

    def start(self, *arguments: str, stdout: Any = subprocess.PIPE, before: Callable[[], object] | None = None,
              **environment: str | None) -> subprocess.Popen[str]:
        """A command of the shell that goes on. before: called in its process first."""
        def begin() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job would ignore it, and hand that down
            if before:
                before()

        return subprocess.Popen([sys.executable, "-m", "compress", *arguments], env=self.environment(**environment),
                                text=True, stdout=stdout, stderr=subprocess.PIPE, cwd=self.folder, preexec_fn=begin)

    def shell(self, *arguments: str, stdout: Any = subprocess.PIPE, before: Callable[[], object] | None = None,
              **environment: str | None) -> Ended:
        """A command of the shell, to its end."""
        return self.end(self.start(*arguments, stdout=stdout, before=before, **environment))

    def end(self, process: subprocess.Popen[str]) -> Ended:
        """Waits for a command's end. What it printed as a result is to be there from now on."""
        try:
            out, errors = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
        rows = [json.loads(line) for line in (out or "").splitlines()]
        self.expect(rows)
        said = [line for line in (errors or "").splitlines() if line.strip() and "% " not in line[:8]]
        return Ended(process.returncode, rows, said)

    def first_row(self, process: subprocess.Popen[str]) -> None:
        """Waits for the first result of a command."""
        assert process.stdout is not None
        self.expect([json.loads(process.stdout.readline())])

    def expect(self, rows: list[dict[str, Any]]) -> None:
        """The networks of these results are to be there in the end."""
        self.promised.update(("network", row["recipe"], Path(row["file"]).stem) for row in rows
                             if "recipe" in row and row.get("file"))

    def data(self, name: str = "d", seed: int = 0, spoil: Callable[[np.ndarray], None] = lambda inputs: None) -> Path:
        """A file of three clouds."""
        generator, labels = np.random.default_rng(seed), np.arange(120) % 3
        inputs = generator.normal(size=(3, 6))[labels] * 3 + generator.normal(size=(120, 6))
        spoil(inputs)
        np.savez(self.folder / f"{name}.npz", x=inputs, y=labels)
        return self.folder / f"{name}.npz"


def measured(folder: Path) -> Path:
    """A home with a teacher, the three points of CURVE and a pin; played() copies it for every fault."""
    place = Place(folder)
    done = place.shell(*CURVE)
    if not done.is_whole():
        raise RuntimeError(f"The curve before all faults was not measured: {done.text}")
    store = Store(place.store)
    point = max(store.all_points(), key=lambda one: str(one["dial"]))
    store.pin(point["key"], point["reference"], "the one to keep")
    return place.home


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Reads standard error until it says this."""
    assert process.stderr is not None
    if not any(words in line for line in process.stderr):
        raise AssertionError(f"it ended before it said {words!r}")


def eventually(holds: Callable[[], Any], seconds: float = LIMIT) -> Any:
    """Waits until something holds; returns it, or what it was at the end."""
    until = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def without_privileges() -> None:
    """In a process that is going to start a program: the rights of files bind it, also where it is root's."""
    drop, rights = 24, (1, 2)  # PR_CAPBSET_DROP; CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, which only root has
    for right in rights:
        ctypes.CDLL(None).prctl(drop, right, 0, 0, 0)
