"""Measures anew and writes the report: python -m tests.benchmarks [MODULE | MODULE.PART ...]

Without names everything is measured, which takes about an hour; the machine should be idle. Each part runs in a process of
its own, and its table replaces the old one in README.md of this folder as soon as it is there: what was measured before
an interruption is kept. A part that fails leaves its old table, and the command ends with 1.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

from compress.networks import device
from tests.benchmarks.report import REPORT, chosen, names, rewritten

ROOT = Path(__file__).resolve().parents[2]


def main(wanted: list[str], report: Path = REPORT) -> int:
    """Measures the wanted parts (see `chosen`) one after the other; the exit status: 0, 1 if a part failed, 2 for a wrong
    name."""
    try:
        parts = chosen(wanted, names(report.read_text()))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    failed = [part for part in parts if not measured(part, report)]
    if failed:
        sys.stderr.write(f"failed, their old figures are kept: {', '.join(failed)}\n")
    return 1 if failed else 0


def measured(part: str, report: Path) -> bool:
    """Runs one part, writes its result into the report, and returns whether there was one."""
    module, _, name = part.partition(".")
    sys.stderr.write(f"{part} ...\n")
    done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{module}", name], cwd=ROOT, stdout=subprocess.PIPE,
                          text=True)
    if done.returncode == 0:
        where = f"Measured {date.today()} on {device.title(device.prepare())}."
        report.write_text(rewritten(report.read_text(), part, f"{done.stdout.strip()}\n\n{where}"))
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
