"""How much the kept files may take: COMPRESS_DISK_GB, for apps that many people share."""

from __future__ import annotations

import math
import os
from pathlib import Path

GIGABYTE = 1e9


def check(folder: Path, refusal: str = "No new run begins") -> None:
    """Does nothing while the files of a folder take less than COMPRESS_DISK_GB, or where that is not set.

    Args:
        refusal: the beginning of the sentence if the folder is full.

    Raises:
        ValueError: the folder is full, or the variable is not a number above 0.
    """
    limit = _limit()
    used = _bytes_in(folder) / GIGABYTE if math.isfinite(limit) else 0.0
    if used >= limit:
        raise ValueError(f"{refusal}: the files in {folder} take {used:.3g} GB, and COMPRESS_DISK_GB allows "
                         f"{limit:g}. Whoever started this app can raise it, or stop the app and remove files there.")


def _limit() -> float:
    text = os.environ.get("COMPRESS_DISK_GB", "")
    if not text.strip():
        return math.inf
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise ValueError(f"COMPRESS_DISK_GB must be a number of gigabytes above 0, but got {text!r}. Unset it for no limit.")
    return limit


def _bytes_in(folder: Path) -> int:
    """The length of all files; those that vanish meanwhile do not count."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    total += entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue
    except FileNotFoundError:
        return 0
    return total
