"""Progress of a command on standard error, with the time that is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from compress.home import cache_folder
from compress.progress import Progress, Reporter
from compress.service import kept_paces, time_left
from compress.shell import streams
from compress.workload import Workload


@contextmanager
def reporter(where: object) -> Iterator[Reporter]:
    """A Reporter whose estimates begin with what earlier work on this machine took; what this work takes is kept.

    Args:
        where: the device, whose paces are its own.
    """
    home = cache_folder()
    work = Workload(kept_paces.load(home), name=str(where))

    def write(progress: Progress) -> None:
        ahead = work.outlook()
        streams.progress(ahead.share, progress.text, time_left.in_words(ahead.left))

    try:
        yield Reporter(write, task=work.root)
    finally:
        kept_paces.keep(home, work.measured())
