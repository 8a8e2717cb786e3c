"""The device for all computations and the number of threads, chosen once for each process."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

import torch

from compress.settings import shown

_DEVICE = re.compile(r"cpu|cuda(:\d{1,3})?", re.ASCII)


@lru_cache(maxsize=1)
def prepare() -> torch.device:
    """Sets torch's number of threads to the cores that this process may use, and returns the device; once for each process.

    COMPRESS_DEVICE (cpu, cuda, cuda:1) overrides the choice; otherwise a GPU is used if there is one.

    Raises:
        ValueError: COMPRESS_DEVICE names a device that this machine does not have, or on which this program does not
            compute; as usable_cores().
    """
    torch.set_num_threads(usable_cores())
    wanted = os.environ.get("COMPRESS_DEVICE", "").strip() or ("cuda" if torch.cuda.is_available() else "cpu")
    if not _DEVICE.fullmatch(wanted):  # torch knows others too (meta, xla, mps), which cannot do all that is needed
        raise ValueError(_refusal(wanted))
    try:
        return torch.zeros(1, device=wanted).device
    except (RuntimeError, AssertionError) as error:
        raise ValueError(_refusal(wanted)) from error


def _refusal(wanted: str) -> str:
    count = torch.cuda.device_count()
    gpus = " or ".join(["cuda", *(f"cuda:{number}" for number in range(count))])
    there = f"cpu or a GPU of this machine ({gpus})" if count else "cpu (this machine has no GPU that torch can use)"
    return f"COMPRESS_DEVICE must be {there}, but got {shown(wanted)}. Unset it to let the program choose."


def usable_cores() -> int:
    """The number of cores by affinity or by the container's quota, whichever is smaller: more threads make work 10 times
    slower.

    COMPRESS_CORES is an upper limit.

    Raises:
        ValueError: COMPRESS_CORES is not a whole number of at least 1.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = Path("/sys/fs/cgroup/cpu.max")
    if limit.exists():
        quota, period = limit.read_text().split()[:2]
        if quota != "max":
            cores = min(cores, max(1, round(int(quota) / int(period))))
    wanted = os.environ.get("COMPRESS_CORES", "").strip() or str(cores)
    if not re.fullmatch(r"\d{1,9}", wanted, re.ASCII) or int(wanted) < 1:
        raise ValueError(f"COMPRESS_CORES must be a whole number from 1, but got {shown(wanted)}. "
                         "Unset it to let the program use all cores.")
    return max(1, min(cores, int(wanted)))


def title(device: torch.device) -> str:
    """The device's name for people: 'CPU, 2 cores' or the GPU's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cores = usable_cores()
    return f"CPU, {cores} core{'s' if cores > 1 else ''}"
