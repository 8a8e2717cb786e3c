"""A home of its own for each fault, commands over it, and what is seen of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.imports import ROOT

LIMIT = 240.0
TEACHER = "mlp(hidden=8,epochs=2)"
CURVE = ("curve", "--data", "digits", "--teacher", TEACHER, "--method", "low_rank", "--dial", "0.2,0.5,0.8")
LONG = ("teacher", "--data", "digits", "--teacher", "mlp(hidden=16,epochs=2000)")
PAGE = """
import json, sys
from streamlit.testing.v1 import AppTest
from pages.ui.shell import session
shown = AppTest.from_file(sys.argv[1] + "/app.py", default_timeout=200)
if sys.argv[2] != "app.py":
    shown.switch_page(sys.argv[2])
shown.query_params.update(json.loads(sys.argv[3]))
shown.run()
print("PAGE " + json.dumps({"title": [one.value for one in shown.title], "raised": [one.value for one in shown.exception],
                            "said": [one.value for one in (*shown.error, *shown.warning, *shown.info)]}))
try:
    session.engine().close()
except Exception:
    pass  # the page has said why there is none
"""


@dataclass(frozen=True)
class Seen:
    """The outcome of a fault: what a user saw, what was lost ("nothing"), and whether that is right."""

    seen: str
    lost: str
    right: bool


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, its JSON rows, and its standard error without progress."""

    code: int
    rows: list[dict[str, Any]]
    said: list[str]

    @property
    def text(self) -> str:
        """Exit code and last line, for the table."""
        return f"exit {self.code}: {self.said[-1] if self.said else f'{len(self.rows)} rows'}"

    def is_one_sentence(self, code: int, *words: str) -> bool:
        """Whether it ended with this code and one line with these words."""
        return self.code == code and len(self.said) == 1 and all(word in self.said[0] for word in words)


@dataclass(frozen=True)
class Place:
    """A folder for one fault."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """COMPRESS_HOME here."""
        return self.folder / "home"

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.home / "store.sqlite"

    def environment(self, **more: str | None) -> dict[str, str]:
        """The environment of commands; None takes a variable away."""
        base = {name: text for name, text in os.environ.items() if not name.startswith(("COMPRESS_", "XDG_"))}
        wanted = {**base, "COMPRESS_HOME": str(self.home), "COMPRESS_DEVICE": "cpu", "COMPRESS_CORES": "1",
                  "PYTHONPATH": str(ROOT), **more}
        return {name: text for name, text in wanted.items() if text is not None}

    def start(self, *arguments: str, **settings: Any) -> subprocess.Popen[str]:
        """A command of the shell that goes on."""
        environment = self.environment(**settings.pop("env", {}))
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": self.folder, **settings}
        return subprocess.Popen([sys.executable, "-m", "compress", *arguments], env=environment, text=True, **settings)

    def shell(self, *arguments: str, **settings: Any) -> Ended:
        """A command of the shell, to its end."""
        return ended(self.start(*arguments, **settings))

    def page(self, page: str = "app.py", link: dict[str, str] | None = None, **env: str | None) -> dict[str, Any]:
        """A page as a new visitor sees it: its title, what it says, and exceptions that it shows."""
        done = subprocess.run([sys.executable, "-c", PAGE, str(ROOT), page, json.dumps(link or {})], cwd=self.folder,
                              text=True, env=self.environment(**env), capture_output=True, timeout=LIMIT)
        lines = [line for line in done.stdout.splitlines() if line.startswith("PAGE ")]
        return json.loads(lines[-1][5:]) if lines else {"title": [], "raised": [done.stderr[-300:]], "said": []}

    def data(self, name: str = "d", seed: int = 0, spoil: Callable[[np.ndarray], None] = lambda inputs: None) -> Path:
        """A file of three clouds."""
        generator, labels = np.random.default_rng(seed), np.arange(120) % 3
        inputs = generator.normal(size=(3, 6))[labels] * 3 + generator.normal(size=(120, 6))
        spoil(inputs)
        np.savez(self.folder / f"{name}.npz", x=inputs, y=labels)
        return self.folder / f"{name}.npz"


def ended(process: subprocess.Popen[str]) -> Ended:
    """Waits for a command's end."""
    try:
        out, errors = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
    said = [line for line in (errors or "").splitlines() if line.strip() and "% " not in line[:8]]
    return Ended(process.returncode, [json.loads(line) for line in (out or "").splitlines()], said)


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Reads standard error until it says this."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended before it said {words!r}")


def eventually(holds: Callable[[], Any], seconds: float = LIMIT) -> Any:
    """Waits until something holds; returns it, or what it was at the end."""
    until = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def same_rows(first: Ended, again: Ended) -> str:
    """What the second run lacks of the first: "nothing", or how many rows."""
    known = {row["recipe"] for row in again.rows}
    gone = [row for row in first.rows if row["recipe"] not in known]
    return f"{len(gone)} rows" if gone else "nothing"
