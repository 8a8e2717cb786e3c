"""A place where a fault is played: a home of its own, commands in processes of their own, and what was seen of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.imports import ROOT

TEACHER = ("--data", "digits", "--teacher", "mlp(hidden=8,epochs=1)")
CURVE = ("curve", *TEACHER, "--method", "low_rank", "--dial", "0.3,0.6")
LONG = ("teacher", "--data", "digits", "--teacher", "mlp(hidden=16,epochs=2000)")


@dataclass(frozen=True)
class Seen:
    """What a user saw of a fault.

    Attributes:
        text: exit code and sentence; lost: what is gone for good, "" for nothing; good: whether this is as it should be.
    """

    text: str
    good: bool
    lost: str = ""


@dataclass(frozen=True)
class Ended:
    """A command that has ended: exit code, results, lines for people without progress."""

    code: int
    rows: list[dict[str, Any]]
    said: list[str]

    def seen(self, code: int, words: str = "", lines: int = 1, rows: int = 0, lost: str = "") -> Seen:
        """Whether it ended with this code, so many results and so many lines, the last with these words."""
        last = self.said[-1] if self.said else ""
        good = (self.code, len(self.rows), len(self.said)) == (code, rows, lines) and words in last
        return Seen(f"exit {self.code}, {len(self.rows)} results: {last or 'no message'}", good and not lost, lost)


@dataclass(frozen=True)
class Play:
    """Processes over one folder of files."""

    folder: Path

    @property
    def home(self) -> Path:
        """The home of the processes."""
        return self.folder / "home"

    def start(self, *arguments: str, stdout: Any = subprocess.PIPE, before: Any = None,
              **environment: str) -> subprocess.Popen[str]:
        """Starts a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "compress", *arguments], cwd=ROOT, text=True, stdout=stdout, stderr=subprocess.PIPE,
            preexec_fn=before, env={**os.environ, "COMPRESS_HOME": str(self.home), "COMPRESS_DEVICE": "cpu", **environment})

    def end(self, process: subprocess.Popen[str]) -> Ended:
        """Waits for a command's end."""
        out, errors = process.communicate(timeout=300)
        rows = [json.loads(line) for line in (out or "").splitlines()]
        return Ended(process.returncode, rows, [line for line in errors.splitlines() if "% " not in line[:8]])

    def run(self, *arguments: str, before: Any = None, **environment: str) -> Ended:
        """A whole command."""
        return self.end(self.start(*arguments, before=before, **environment))

    def until(self, process: subprocess.Popen[str], words: str) -> None:
        """Waits until a command says these words."""
        assert process.stderr is not None
        if not any(words in line for line in process.stderr):
            raise AssertionError(f"it ended before it said {words!r}")
