"""How a command ends: its exit code, and one line on standard error where it did not do what was asked.

    0 done    1 an unexpected error, or output that cannot be written    2 a wrong name or value
    130 Ctrl-C    141 nobody reads the output    143 SIGTERM
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from compress.service.failures import is_expected, is_of_memory, sentence_of
from compress.shell import stopping, streams

DONE, FAILED, REFUSED = 0, 1, 2
READER_GONE = 128 + getattr(signal, "SIGPIPE", 13)


def program(command: Callable[[], int]) -> int:
    """Runs the whole program; returns its exit code, with nothing left in a buffer. Nothing is raised."""

    def whole() -> int:
        streams.open_all()
        try:
            return command()
        finally:
            streams.flush_all()  # --help ends by an exception

    code = outcome(whole)
    stopping.stop_listening()
    streams.discard()
    return code


def outcome(command: Callable[[], int]) -> int:
    """The command's exit code, or the one of its error, which is told in one line."""
    try:
        return command()
    except streams.ReaderGone:
        return stopping.code() or READER_GONE
    except BaseException as error:
        if isinstance(error, SystemExit) and stopping.code() is None:
            return error.code if isinstance(error.code, int) else DONE if error.code is None else REFUSED
        return _told(error)


def _told(error: BaseException) -> int:
    code, sentence = _judged(error)
    try:
        streams.note(sentence)
    except streams.ReaderGone:
        return READER_GONE
    return code


def _judged(error: BaseException) -> tuple[int, str]:
    """The exit code and the sentence of an error."""
    stopped = stopping.code()
    if stopped is not None or isinstance(error, KeyboardInterrupt):
        return stopped or 128 + signal.SIGINT, stopping.sentence()
    if isinstance(error, streams.OutputError):
        return FAILED, str(error)
    if is_of_memory(error) or is_expected(error):
        return REFUSED, _with_file(error) if isinstance(error, OSError) else sentence_of(error)
    return FAILED, sentence_of(error, " ".join(sys.argv[1:]))


def _with_file(error: OSError) -> str:
    """The system's words with the file's name, without error numbers."""
    if error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
    return error.strerror or str(error)
