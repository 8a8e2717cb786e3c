"""What went wrong, as one sentence for a user: shared by jobs and by the command line. Imports nothing heavy."""

from __future__ import annotations

import re

from compress.memory import VARIABLE

_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory",
              "unable to allocate", "failed to allocate", "std::bad_alloc")
_TRIED = re.compile(r"(?:tried to allocate|allocate) (\d+(?:\.\d+)?) ?(bytes|[KMGT]i?B)\b", re.IGNORECASE)


def sentence_of(problem: BaseException) -> str:
    """The message of an error that this program raised on purpose, or of the operating system; for a failed allocation of
    Python, numpy or torch how much was asked for, and a remedy; for other errors that they are unexpected."""
    if is_of_memory(problem):
        size = _TRIED.search(str(problem))
        asked = f" ({size[1]} {size[2]} were asked for at once)" if size else ""
        return (f"There is not enough memory for this{asked}. Choose a smaller network, data set or batch, or close other "
                f"programs; {VARIABLE}, in GB, refuses what would not fit before it starts.")
    ours = type(problem).__module__.partition(".")[0] == "compress"
    if ours or isinstance(problem, ValueError | OSError):
        return str(problem)
    return f"{type(problem).__name__}: {problem}"


def is_of_memory(problem: BaseException) -> bool:
    """Whether an allocation failed: MemoryError of Python and numpy, and torch's RuntimeErrors, on a CPU and on a GPU."""
    text = str(problem).lower()
    return isinstance(problem, MemoryError) or (isinstance(problem, RuntimeError)
                                                and any(part in text for part in _OF_MEMORY))
