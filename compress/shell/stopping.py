"""Ctrl-C and SIGTERM end a command with one line and the exit code that shells expect: 128 + the number of the signal.

Imports as little as possible, because it comes before everything else: loading torch takes seconds, which are stopped too.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType

SENTENCE = "Stopped; finished points are kept."
GRACE = 3.0  # seconds for temporary files to be removed; a library may also have swallowed the exception
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """Raised wherever the program is when a signal asks it to stop; no `except Exception` catches it."""


class _State:
    """The signal that asked this process to stop, or None; whether the user was told."""

    signal: int | None = None
    told = False


def listen() -> None:
    """From now on a signal raises Stopped; a second one, or GRACE seconds, end the process at once. A signal that whoever
    started this process chose to ignore stays ignored."""
    sys.excepthook = _where_nobody_catches
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


def stop_listening() -> None:
    """The work is done: a signal that comes during the last milliseconds changes nothing."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def code() -> int | None:
    """The exit code if a signal asked this process to stop, even where a library made another exception of Stopped."""
    return None if _State.signal is None else 128 + _State.signal


def sentence() -> str:
    """What the user is told, once."""
    _State.told = True
    return SENTENCE


def _where_nobody_catches(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Stopped is raised between two modules' first lines too."""
    if issubclass(kind, Stopped):
        _leave()
    sys.__excepthook__(kind, error, trace)


def _stop(number: int, frame: FrameType | None) -> None:
    if _State.signal is not None:
        _leave()
    _State.signal = number
    if _is_loading(frame):
        _leave()
    sys.unraisablehook = lambda _: None  # Stopped in a destructor or a callback would be printed there
    timer = threading.Timer(GRACE, _leave)
    timer.daemon = True
    timer.start()
    raise Stopped


def _is_loading(frame: FrameType | None) -> bool:
    """Whether a module is being loaded, in which case nothing is half done: an exception in the middle of it would end the
    process with a message of C++, where a library that is being loaded does not expect one."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _leave() -> None:
    """Says the sentence and ends, past everything that could stand in the way."""
    try:
        if not _State.told:
            os.write(2, f"{sentence()}\n".encode())
    finally:
        os._exit(code() or 1)
