"""Numbers of a large network that are not needed all at once, in a file."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor

from compress.files.store_error import StoreError, of_system
from compress.home import cache_folder


class Scratch:
    """A file in the cache folder without a name: the system removes it when this program no longer has it open, however the
    program ends."""

    def __init__(self) -> None:
        self._folder = cache_folder()
        self._lock = threading.Lock()
        try:
            self._stream = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 it lives as long as this
        except OSError as error:
            raise self._failed(error) from error

    def put(self, rows: Tensor) -> Rows:
        """Writes numbers (groups, count, width) behind all others. Raises StoreError where the disk is full."""
        numbers = np.ascontiguousarray(rows.detach().cpu().numpy())
        with self._lock:
            try:
                place, left = self._stream.seek(0, 2), memoryview(numbers.reshape(-1).view(np.uint8).data)
                while left:
                    left = left[self._stream.write(left):]
            except OSError as error:
                raise self._failed(error) from error
        return Rows(self, place, (len(rows), rows.shape[1], rows.shape[2]), numbers.dtype, rows.device)

    def read(self, place: int, into: np.ndarray) -> None:
        """Fills an array with the numbers from a place on. Raises StoreError where they cannot be read."""
        with self._lock:
            try:
                self._stream.seek(place)
                left = memoryview(into.reshape(-1).view(np.uint8).data)
                while left and (count := self._stream.readinto(left)):
                    left = left[count:]
            except OSError as error:
                raise self._failed(error) from error
        if left:
            raise StoreError(f"A file of numbers in {self._folder} was cut short by another program. Measure the curve "
                             "again.")

    def _failed(self, error: OSError) -> StoreError:
        return StoreError(of_system(f"A file of numbers in {self._folder}", self._folder, error))


@dataclass(frozen=True)
class Rows:
    """Numbers (groups, count, width) in a file, of which the first rows of each group can be read."""

    scratch: Scratch
    place: int
    shape: tuple[int, int, int]
    kind: np.dtype
    device: torch.device

    def first(self, count: int) -> Tensor:
        """(groups, count, width)."""
        groups, every, width = self.shape
        found = np.empty((groups, min(count, every), width), self.kind)
        for group, rows in enumerate(found):
            self.scratch.read(self.place + group * prod(self.shape[1:]) * self.kind.itemsize, rows)
        return torch.from_numpy(found).to(self.device)
