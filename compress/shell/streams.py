"""Standard output and standard error of a command, whatever stands behind them: a closed pipe, a full disk, nothing at all,
a terminal that knows few letters."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from compress.one_line import one_line


class ReaderGone(BaseException):
    """Nobody reads what is written: the other end of the pipe is closed (`| head -1`)."""


class OutputError(Exception):
    """What was found cannot be written to standard output; the message has the reason."""


def open_all() -> None:
    """Gives each closed stream a place that takes everything, so that no file that is opened later becomes standard output
    or standard error; and no letter is refused.

    Raises:
        OutputError: standard output is closed.
    """
    is_closed = sys.stdout is None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    if is_closed:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        raise OutputError("Standard output is closed, so that there is nowhere to write the results. Give a file or a "
                          "pipe, for example > results.jsonl.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Writes a line of results, at once.

    Raises:
        ReaderGone: as there.
        OutputError: as there.
    """
    try:
        _write(sys.stdout, text)
    except OSError as error:
        raise OutputError(f"Standard output cannot be written ({error.strerror}). Finished points are kept; run the same "
                          "command again when there is room.") from error


def note(text: object) -> None:
    """Writes a line for people to standard error. Where it cannot be written for another reason than a closed pipe, the line
    is lost and the work goes on: results go elsewhere.

    Raises:
        ReaderGone: as there.
    """
    _aside(one_line(text))


def progress(share: float, text: str, left: str) -> None:
    """Writes the share of the work that is done, the present step, and how long the rest takes, as note() does."""
    _aside(f"{share:6.1%} {one_line(text)}, {left}")


def _aside(line: str) -> None:
    try:
        _write(sys.stderr, line)
    except OSError:
        to_nothing(sys.stderr)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error


def flush_all() -> None:
    """Writes what is left, for example the text of --help.

    Raises:
        ReaderGone: as there.
        OutputError: as there.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise OutputError(f"Standard output cannot be written ({error.strerror}).") from error


def discard() -> None:
    """What is still in the buffers goes nowhere: Python would try to write it again when it ends, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            to_nothing(stream)


def to_nothing(stream: TextIO) -> None:
    """From now on the stream, and every library that writes to its number, writes to a place that takes everything."""
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), stream.fileno())
