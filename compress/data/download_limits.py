"""What the downloading process may not do: outlive the program that started it, or fetch more than anybody can use."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import urllib.request
from typing import Any
from urllib.request import Request

MOST_BYTES = 2_000_000_000
_GRACE = 2.0
_PR_SET_PDEATHSIG = 1  # of Linux's prctl(2)


class TooLarge(ValueError):
    """The server's file is longer than MOST_BYTES."""


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
    time.sleep(_GRACE)  # the main thread removes incomplete files
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
