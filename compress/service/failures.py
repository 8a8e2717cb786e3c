"""What went wrong, as one sentence for a user: shared by jobs and by the command line. Imports nothing heavy."""

from __future__ import annotations

import linecache
import re
from pathlib import Path

from compress import error_log
from compress.memory import VARIABLE

_OURS = str(Path(__file__).resolve().parents[1])
_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory",
              "unable to allocate", "failed to allocate", "std::bad_alloc")
_TRIED = re.compile(r"(?:tried to allocate|allocate) (\d+(?:\.\d+)?) ?(bytes|[KMGT]i?B)\b", re.IGNORECASE)


def sentence_of(problem: BaseException, while_doing: str = "a job") -> str:
    """The message of an error that this program raised on purpose, or of the operating system; for a failed allocation of
    Python, numpy or torch how much was asked for, and a remedy. Words of a library are none for a user: any other error is
    told by its type, and its whole report goes to the log.

    Args:
        while_doing: for the log.
    """
    if is_of_memory(problem):
        size = _TRIED.search(str(problem))
        asked = f" ({size[1]} {size[2]} were asked for at once)" if size else ""
        return (f"There is not enough memory for this{asked}. Choose a smaller network, data set or batch, or close other "
                f"programs; {VARIABLE}, in GB, refuses what would not fit before it starts.")
    return str(problem) if is_expected(problem) else _unexpected(problem, while_doing)


def is_expected(problem: BaseException) -> bool:
    """Whether this program raised the error on purpose, with a sentence for its user, or the operating system did."""
    if isinstance(problem, UnicodeError):
        return False
    if type(problem).__module__.partition(".")[0] == "compress" or isinstance(problem, OSError):
        return True
    return isinstance(problem, ValueError) and _raised_by_us(problem)


def _unexpected(problem: BaseException, while_doing: str) -> str:
    try:
        where = f"The full {error_log.record(problem, while_doing)}"
    except OSError as other:
        where = f"Its report could not be written ({other.strerror})"
    return f"An unexpected {type(problem).__name__} ended this; finished points are kept. {where}."


def _raised_by_us(problem: BaseException) -> bool:
    """Whether a statement `raise` of this program is where the error comes from. A library in C leaves no trace of its own:
    its errors come from a line of ours that computes something."""
    trace = problem.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return True
    file = trace.tb_frame.f_code.co_filename
    return file.startswith(_OURS) and "raise" in linecache.getline(file, trace.tb_lineno)


def is_of_memory(problem: BaseException) -> bool:
    """Whether an allocation failed: MemoryError of Python and numpy, and torch's RuntimeErrors, on a CPU and on a GPU."""
    text = str(problem).lower()
    return isinstance(problem, MemoryError) or (isinstance(problem, RuntimeError)
                                                and any(part in text for part in _OF_MEMORY))
