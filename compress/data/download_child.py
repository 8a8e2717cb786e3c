"""Both ends of a downloading process: run() starts it and ends it at a time limit or when work is cancelled; begin(), in the
process itself, sees that it does not outlive its parent, nor fetch more than anybody can use.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.request import Request

from compress.progress import Cancelled, Reporter

GRACE = 1.0  # seconds for the child process to remove incomplete files
LOOK_EVERY = 0.2
SAY_EVERY = 2.0
MOST_BYTES = 2_000_000_000
_PR_SET_PDEATHSIG = 1  # of Linux's prctl(2)


class TooLarge(ValueError):
    """The server's file is longer than MOST_BYTES."""


def run(module: str, arguments: list[str], seconds: float, report: Reporter) -> tuple[int | None, str]:
    """The exit code of the child process (None if it was ended at the time limit) and the last line of its error output.

    Raises:
        Cancelled: through `report`; the child process has ended then.
    """
    reading, writing = os.pipe()  # the child process ends when the other end of its standard input is closed
    try:
        child = subprocess.Popen([sys.executable, "-P", "-m", module, *arguments], text=True,
                                 errors="replace", stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 start_new_session=True, env=environment())
        try:
            words = _wait(child, seconds, report, arguments[0])
        finally:
            end(child)
    finally:
        os.close(reading)
        os.close(writing)
    return (None, "") if words is None else (child.returncode, (words.strip().splitlines() or [""])[-1])


def environment() -> dict[str, str]:
    """Of a child process of this program. The folder of the program comes first; that in which the user works is not
    searched for modules (-P)."""
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _wait(child: subprocess.Popen[str], seconds: float, report: Reporter, name: str) -> str | None:
    """The error output of the child process at its end; None at the time limit."""
    began = said = time.monotonic()
    while True:
        try:
            return child.communicate(timeout=min(LOOK_EVERY, seconds))[1]
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if now - began >= seconds:
                return None
            if report.is_cancelled():
                raise Cancelled(f"the download of {name}") from None
            if now - said >= SAY_EVERY:
                report(0.0, f"downloading {name} from openml.org, {now - began:.0f} s")
                said = now


def end(child: subprocess.Popen[str]) -> None:
    """Ends the child process and its group, first by SIGTERM, then by SIGKILL; does nothing if it has ended."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.communicate()


def begin() -> None:
    """The first call in the downloading process."""
    end_with_parent()
    limit_sizes()


def end_with_parent() -> None:
    """This process gets SIGTERM when its parent has ended, and ends by force soon after. The parent holds the other end of
    standard input, which the system closes however the parent ends."""
    threading.Thread(target=_wait_for_the_end_of_input, daemon=True).start()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_for_the_end_of_input() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(2 * GRACE)  # the main thread removes incomplete files
    os._exit(128 + signal.SIGTERM)


class _DeclaredLength(urllib.request.BaseHandler):
    """Looks at the declared length of every answer before anything of it is read."""

    def http_response(self, request: Request, response: Any) -> Any:
        declared = response.headers.get("Content-Length") or "0"
        if declared.isdigit() and int(declared) > MOST_BYTES:
            response.close()
            raise TooLarge(too_large(f" ({int(declared) / 1e9:.1f} GB)"))
        return response

    https_response = http_response


def limit_sizes() -> None:
    """From now on a file that is declared longer than MOST_BYTES is refused, and no file grows longer on the disk: writing
    more raises an OSError with errno EFBIG."""
    urllib.request.install_opener(urllib.request.build_opener(_DeclaredLength()))
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))


def too_large(size: str = "") -> str:
    """The sentence for a file beyond the limit. size: in brackets, or nothing."""
    return f"its file is longer than {MOST_BYTES / 1e9:g} GB{size}, the most that is downloaded here. Choose a smaller set."
