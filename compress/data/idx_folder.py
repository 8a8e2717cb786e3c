"""Reads a folder of IDX files, the format of https://yann.lecun.com/exdb/mnist: a header, then bytes."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from math import prod
from pathlib import Path

import numpy as np

from compress.data.declared_sizes import check_declared

_AT_A_TIME = 2 ** 22  # bytes
_BYTES = 0x08  # the header's code for unsigned bytes, the only type of images and labels
_STEMS = {("inputs", False): ("train-images-idx3-ubyte", 3), ("inputs", True): ("t10k-images-idx3-ubyte", 3),
          ("labels", False): ("train-labels-idx1-ubyte", 1), ("labels", True): ("t10k-labels-idx1-ubyte", 1)}
FILES = tuple(stem + ending for stem, _ in _STEMS.values() for ending in ("", ".gz"))


@dataclass(frozen=True)
class IdxFolder:
    """train-images-idx3-ubyte and train-labels-idx1-ubyte, optionally t10k-... for the test part; each may be .gz.

    Every method raises ValueError with the name of the file if a file is missing, damaged or of another type.
    """

    path: Path

    def kind(self) -> str | None:
        """The kind of the examples: always images."""
        return "image"

    def missing_allowed(self) -> bool:
        """Whether values may be missing: bytes are all there."""
        return False

    def words(self) -> tuple[str, ...]:
        """None: IDX files hold no texts."""
        return ()

    def notes(self) -> tuple[str, ...]:
        """What is not used of the source: nothing is known here."""
        return ()

    def names(self) -> tuple[str, ...]:
        """None: images have no columns."""
        return ()

    def has_test(self) -> bool:
        """Whether there is an official test part. Raises ValueError if only its images or labels are there."""
        found = {what: self._find(what, test=True) for what in ("inputs", "labels")}
        if (found["inputs"] is None) != (found["labels"] is None):
            here = found["inputs"] or found["labels"]
            raise ValueError(f"{here} is alone: t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte must "
                             "come together. Add the other file or remove this one.")
        return found["inputs"] is not None

    def shape(self, test: bool = False) -> tuple[int, ...]:
        """(n, height, width) from the header alone."""
        path, axes = self._path("inputs", test)
        with _opened(path) as stream:
            return _header(path, stream, axes)

    def inputs(self, test: bool = False) -> np.ndarray:
        """Images uint8 (n, height, width)."""
        return self._array("inputs", test)

    def labels(self, test: bool = False) -> np.ndarray:
        """Labels uint8 (n,)."""
        return self._array("labels", test)

    def _array(self, what: str, test: bool) -> np.ndarray:
        path, axes = self._path(what, test)
        with _opened(path) as stream:
            return _body(path, stream, axes)

    def _path(self, what: str, test: bool) -> tuple[Path, int]:
        stem, axes = _STEMS[what, test]
        path = self._find(what, test)
        if path is None:
            raise ValueError(f"{self.path} has no file {stem} or {stem}.gz. A folder in COMPRESS_DATA must "
                             "hold both train-images-idx3-ubyte and train-labels-idx1-ubyte. Add this file.")
        return path, axes

    def _find(self, what: str, test: bool) -> Path | None:
        stem, _ = _STEMS[what, test]
        return next((path for path in (self.path / stem, self.path / f"{stem}.gz") if path.is_file()), None)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as stream:
            yield stream
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise ValueError(f"{path} cannot be read to its end ({reason}). Let this user read it, or download it again."
                         ) from error
    except (EOFError, zlib.error, struct.error) as error:
        raise ValueError(f"{path} cannot be read to its end (it is damaged). Download it again.") from error


def _header(path: Path, stream: BufferedIOBase, axes: int) -> tuple[int, ...]:
    head = stream.read(4 + 4 * axes)
    wanted = bytes([0, 0, _BYTES, axes])
    if head[:4] != wanted:
        raise ValueError(f"{path} must begin with the magic number {wanted.hex()} (unsigned bytes, {axes} "
                         f"axes), but begins with {head[:4].hex() or 'nothing'}. It is not such an IDX file.")
    if len(head) < 4 + 4 * axes:
        raise ValueError(f"{path} ends within its header. Download the file again.")
    return struct.unpack(f">{axes}I", head[4:])


def _body(path: Path, stream: BufferedIOBase, axes: int) -> np.ndarray:
    """The declared numbers, read into one array: never more bytes than that are kept."""
    shape = _header(path, stream, axes)
    stored, head = path.stat().st_size, 4 + 4 * axes
    if path.suffix != ".gz" and stored != head + prod(shape):
        raise _wrong_length(path, shape, str(stored - head))
    check_declared(str(path), prod(shape), stored)
    body = np.empty(prod(shape), dtype=np.uint8)
    left = body.data
    while len(left) and (count := stream.readinto(left[:_AT_A_TIME])):
        left = left[count:]
    if len(left):
        raise _wrong_length(path, shape, str(len(body) - len(left)))
    if stream.read(1):
        raise _wrong_length(path, shape, "more")
    return body.reshape(shape)


def _wrong_length(path: Path, shape: tuple[int, ...], found: str) -> ValueError:
    return ValueError(f"{path} must hold {prod(shape)} bytes after its header, for the shape {shape}, but holds {found}. "
                      "Download the file again.")
