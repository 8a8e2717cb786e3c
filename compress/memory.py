"""How much memory this process may still take, so that what would not fit is refused with its size before it starts; and
giving back what it no longer needs.

Imports nothing heavy. Only memory of the processor is known here; a GPU reports its own shortage (see failures.py).
"""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress
from pathlib import Path

VARIABLE = "COMPRESS_MEMORY"
GB = 10**9
LARGE = 64_000_000  # bytes of weights above which memory is spared at the cost of some time
_CGROUPS = (("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))


class MemoryShort(ValueError):
    """Work that would not fit into memory; the message has its size, the limit and a remedy."""


def require(needed: int, what: str, remedy: str) -> None:
    """Raises MemoryShort if this many more bytes would not fit. what, remedy: as for shortage()."""
    sentence = shortage(needed, what, remedy)
    if sentence:
        raise MemoryShort(sentence)


def shortage(needed: int, what: str, remedy: str) -> str:
    """Why this many more bytes would not fit, in a sentence; "" if they do.

    Args:
        what: what takes the memory, the beginning of the sentence; remedy: a sentence.

    Raises:
        ValueError: COMPRESS_MEMORY is no positive number.
    """
    free = spare()
    if free is None or needed <= free:
        return ""
    return (f"{what} needs about {_readable(needed)} of memory, but this program may use {_readable(max(0, free))} more. "
            f"{remedy} {VARIABLE} sets the limit of the whole program in GB.")


def spare() -> int | None:
    """Bytes that this process may still take; None if nothing is known.

    COMPRESS_MEMORY (GB) less what is taken already; else the least of: the memory that is free on this machine, what the
    process's control group (a container's limit) leaves, and the limit of the address space (ulimit -v).

    Raises:
        ValueError: COMPRESS_MEMORY is no positive number.
    """
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen:
        return round(_gigabytes(chosen) * GB) - _pages(1)
    known = [free for free in (_free_on_machine(), _left_in_group(), _left_of_addresses()) if free is not None]
    return min(known, default=None)


def give_back() -> None:
    """Frees what nobody refers to, and returns free memory to the system: the C library keeps it otherwise, for each thread
    that has ever run."""
    gc.collect()
    _trim()


def is_large(size: int) -> bool:
    """Whether so many bytes of weights are too many to be in memory several times."""
    return size > LARGE


def give_back_of(size: int) -> None:
    """Returns to the system what is free already, where work was done with a network of so many bytes; nothing if it is not
    large. It takes milliseconds, and the next work asks for memory again."""
    if is_large(size):
        _trim()


def _trim() -> None:
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _gigabytes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e9:
        raise ValueError(f"{VARIABLE} must be a positive number of GB, but got {text!r}. For example: {VARIABLE}=4.")
    return number


def _free_on_machine() -> int | None:
    """Memory that can be had without swapping."""
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" in names and "SC_PAGE_SIZE" in names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _left_in_group() -> int | None:
    """What the limits of the process's control groups leave, from its own group up to the root."""
    own = [line.strip().split(":", 2)[-1] for line in _lines(Path("/proc/self/cgroup"))
           if ":memory:" in line or "::" in line]
    left = []
    for root, limit, usage, cached in _CGROUPS:
        for group in own:
            for folder in (Path(root, group.strip("/")), *Path(root, group.strip("/")).parents):
                if not folder.is_relative_to(root):
                    break
                most, used = _number(folder / limit), _number(folder / usage)
                if most is not None and used is not None and most < 1 << 60:
                    freed = next((int(line.split()[1]) for line in _lines(folder / "memory.stat")
                                  if line.split()[0] == cached), 0)
                    left.append(most - used + freed)
    return min(left, default=None)


def _left_of_addresses() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit - _pages(0)


def _pages(column: int) -> int:
    """Bytes of /proc/self/statm: 0 the address space, 1 what is in memory; 0 where the system does not say."""
    fields = " ".join(_lines(Path("/proc/self/statm"))).split()
    return int(fields[column]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdigit() else None


def _lines(path: Path) -> list[str]:
    """The lines of a file of the system; none where this system does not have it."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _readable(size: int) -> str:
    return f"{size / GB:.1f} GB" if size >= GB / 10 else f"{size / 1e6:.0f} MB"
