"""Plain arrays from an .npz file, which is a zip archive of .npy files. Nothing pickled is ever run.

numpy.load believes what a header declares. Here the declared sizes are compared with the bytes that are there, and with the
memory, before an array is made.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from compress.data.declared_sizes import check_declared
from compress.memory import VARIABLE

_ENDING = ".npy"
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LONGEST_HEADER = 65_536
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}  # of the header's length, by version of the format
# All exceptions of zipfile and of its decompressors for damaged or foreign files, apart from those of the operating system.
_DAMAGED = (EOFError, ValueError, AttributeError, TypeError, KeyError, IndexError, RuntimeError, OverflowError,
            NotImplementedError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Header:
    """What an array declares, and where its numbers begin in its member of the archive."""

    shape: tuple[int, ...]
    columns_first: bool
    dtype: np.dtype
    start: int

    @property
    def bytes(self) -> int:
        """Of its numbers."""
        return prod(self.shape) * self.dtype.itemsize


class Archive:
    """An open .npz file.

    Attributes:
        names: of the arrays.
    """

    def __init__(self, path: Path, contents: zipfile.ZipFile) -> None:
        self.path, self._zip = path, contents
        self.names = [name.removesuffix(_ENDING) for name in contents.namelist() if name.endswith(_ENDING)]

    def header(self, name: str) -> Header:
        """What an array declares, without its numbers. Raises ValueError as opened()."""
        with self._member(name) as stream:
            return self._header(name, stream)

    def read(self, name: str) -> np.ndarray:
        """An array. Raises ValueError as opened()."""
        member = self._zip.getinfo(name + _ENDING)
        with self._member(name) as stream:
            header = self._header(name, stream)
            if member.compress_size > self.path.stat().st_size or header.start + header.bytes != member.file_size:
                raise _Refused(f"{name} declares {header.bytes} bytes for its shape {header.shape}, but the archive has "
                               f"{max(0, member.file_size - header.start)}")
            check_declared(f"{self.path}: {name}", header.bytes, member.compress_size)
            return _filled(stream, header)

    def _member(self, name: str) -> IO[bytes]:
        member = self._zip.getinfo(name + _ENDING)
        if member.compress_type not in _PACKINGS:  # zipfile unpacks the others without a limit
            raise _Refused(f"{name} is packed in a way that numpy does not write; save it with np.savez_compressed")
        return self._zip.open(member)

    def _header(self, name: str, stream: IO[bytes]) -> Header:
        magic = stream.read(8)
        width = _LENGTH_BYTES.get((magic[6], magic[7])) if magic[:6] == b"\x93NUMPY" and len(magic) == 8 else None
        if width is None:
            raise _Refused(f"{name} is no array of numpy's formats 1 to 3")
        length = stream.read(width)
        if int.from_bytes(length, "little") > _LONGEST_HEADER:
            raise _Refused(f"{name} declares a header of {int.from_bytes(length, 'little')} bytes, but at most "
                           f"{_LONGEST_HEADER} are read")
        text = stream.read(int.from_bytes(length, "little"))
        shape, columns_first, dtype = _parsed(name, magic[6], length + text)
        if dtype.hasobject:
            raise _Refused(f"{name} holds Python objects, which are never read; save it as numbers or texts, for example "
                           f"{name}.astype(float) or {name}.astype(str)")
        if any(length < 0 for length in shape) or (not dtype.itemsize and prod(shape) > 0):
            raise _Refused(f"{name} declares the shape {shape} of {dtype}, which no array has")
        return Header(shape, columns_first, dtype, 8 + width + len(text))


class _Refused(Exception):
    """A reason, without the name of the file."""


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """An .npz file to read arrays from.

    Raises:
        ValueError: not an .npz file, cut short, holding pickled objects, or declaring sizes that it does not have or that
            do not fit into memory; names the file.
    """
    try:
        with path.open("rb") as stream:
            if not path.stat().st_size:
                raise _Refused("it is empty")
            with zipfile.ZipFile(stream) as contents:
                yield Archive(path, contents)
    except _Refused as error:
        raise ValueError(f"{path} is not a valid .npz file of plain arrays: {error}.") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror or 'it is damaged'}). Let this user read it, or save it "
                         "again.") from error
    except ValueError as error:
        if str(path) in str(error) or VARIABLE in str(error):  # a sentence of this program
            raise
        raise ValueError(_DAMAGE.format(path)) from error
    except _DAMAGED as error:
        raise ValueError(_DAMAGE.format(path)) from error


_DAMAGE = ("{} is not a valid .npz file of plain arrays: it is no zip archive, or it is damaged. Save it again, for example "
           "with np.savez(path, x=x, y=y).")


def _parsed(name: str, version: int, header: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type from a header. numpy evaluates it as a literal, which a damaged one fails in many ways: in the
    parser of Python, in the tokenizer, in the reader of types."""
    read = np.lib.format.read_array_header_1_0 if version == 1 else np.lib.format.read_array_header_2_0
    try:
        shape, columns_first, dtype = read(BytesIO(header), max_header_size=_LONGEST_HEADER)
    except Exception as error:
        raise _Refused(f"{name} has a damaged header") from error
    return tuple(int(length) for length in shape), columns_first, dtype


def _filled(stream: IO[bytes], header: Header) -> np.ndarray:
    """The array of exactly the declared numbers; one byte more is read, so that the archive's checksum is compared."""
    flat = np.empty(prod(header.shape), dtype=header.dtype)
    left = flat.view(np.uint8).data
    while len(left):
        part = stream.read(min(len(left), 2 ** 22))
        if not part:
            raise EOFError
        left[:len(part)], left = part, left[len(part):]
    stream.read(1)
    return flat.reshape(header.shape[::-1]).T if header.columns_first else flat.reshape(header.shape)
