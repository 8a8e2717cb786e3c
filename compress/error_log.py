"""The log of errors that nobody expected: their whole reports, in the cache folder, under a short number each."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from compress.home import cache_folder

MOST_BYTES = 1_000_000
NAME = "errors.log"


@dataclass(frozen=True)
class Report:
    """Where the report of an error is: its number, and the file."""

    number: str
    path: Path

    def __str__(self) -> str:
        return f"report {self.number} in {self.path}"


def record(error: BaseException, while_doing: str = "") -> Report:
    """Appends an error's traceback to the log and returns where it is. A log that has grown long is begun anew, and the one
    before is kept as errors.log.1. Where the cache folder cannot be written, the report is a file among the system's
    temporary files.

    Raises:
        OSError: there is no room for it anywhere.
    """
    number = secrets.token_hex(3)
    text = "".join([f"---- {number} {time.strftime('%Y-%m-%d %H:%M:%S')} {while_doing}\n",
                    *traceback.format_exception(error), "\n"]).encode("utf-8", "backslashreplace")
    try:
        path = cache_folder() / NAME
        if path.exists() and path.stat().st_size > MOST_BYTES:
            os.replace(path, path.with_name(f"{NAME}.1"))
        with path.open("ab") as log:
            log.write(text)  # one write: reports of two processes do not mix
    except (OSError, ValueError):
        handle, name = tempfile.mkstemp(prefix="compression-explorer-", suffix=".log")
        path = Path(name)
        with open(handle, "wb") as log:
            log.write(text)
    return Report(number, path)
