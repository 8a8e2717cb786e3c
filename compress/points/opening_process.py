"""A network's file is opened by a process of its own, the same command as in a shell: what it took of memory is given back,
a file that ends it does not end anything else, and it can be ended at any time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import IO, Any

from compress.data.download_child import end, environment
from compress.progress import Reporter

LOOK_EVERY = 0.2  # seconds
PROGRESS = re.compile(r"\s*(\d+\.\d)% (.+?)(?:, [^,]*)?$")


def opened(file: str, data: str, shape: str, family: str, report: Reporter) -> dict[str, Any]:
    """What is in a file, as points/uploaded.py says it, and `opened`, the path from which the network can be added.

    Args:
        file: its path; data: the name of the data set on which the network is tried, "" for none; shape: of an example as
            the command takes it, "" where the file says it; family: of a state_dict, "" for an ONNX file.

    Raises:
        ValueError: the command's sentence; or that the system ended it.
        Cancelled: through `report`; the process has ended then.
    """
    words = ["networks", "show", file, "--hold", *([f"--data={data}"] if data else []),
             *([f"--shape={shape}"] if shape else []), *([f"--family={family}"] if family else [])]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as found, tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        child = subprocess.Popen([sys.executable, "-P", "-m", "compress", *words], text=True, stdin=subprocess.PIPE,
                                 stdout=found, stderr=said, start_new_session=True, env=environment())
        try:
            _wait(child, said, report)
        finally:
            end(child)
            if child.stdin:
                child.stdin.close()
        said.seek(0)
        if child.returncode:
            raise ValueError(_reason(said.read().splitlines()))
        found.seek(0)
        return json.loads(found.read())


def _wait(child: subprocess.Popen[str], said: IO[str], report: Reporter) -> None:
    """Until the process ends, passing on what it reports."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            child.wait(LOOK_EVERY)
            return
        said.seek(0)
        matches = [found for found in map(PROGRESS.match, said.read().splitlines()) if found]
        share, text = (float(matches[-1][1]) / 100, matches[-1][2]) if matches else (0.0, "starting")
        report(share, text)


def _reason(lines: list[str]) -> str:
    sentences = [line for line in lines if line.strip() and not PROGRESS.match(line)]
    return sentences[-1] if sentences else ("The program that reads files was ended by the system, probably because memory "
                                            "is short. Add a smaller network.")
