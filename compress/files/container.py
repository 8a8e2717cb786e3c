"""The container of all networks and compressed data: tensors with a manifest, as bytes, plain or coded.

A plain file is safetensors with the manifest in its metadata; version 1 of it has no checksum, and is still read. A coded
file (coding/coded_file.py) holds the same in fewer bytes. Both give the tensors back bit for bit, and refuse every damage.

What a file declares (the length of its header, the places and shapes of its tensors) is compared with the bytes that are
there before anything of that size is made.
"""

from __future__ import annotations

import errno
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, load_file, save, save_file
from torch import Tensor

from compress.files.coding import coded_file
from compress.files.coding.coded_file import FORMAT as FORMAT
from compress.files.coding.tensors import Hints, words_of
from compress.files.contents import mapped
from compress.files.header import MOST_HEADER as MOST_HEADER
from compress.files.header import of_safetensors, parsed
from compress.stored import NONE

FIRST_FORMAT = "compression-explorer/1"
MOST_AXES = 8  # of a tensor; torch computes with 64 at most
CHECKSUM = "checksum"


def pack(manifest: dict[str, Any], tensors: Mapping[str, Tensor], coding: str = NONE, hints: Hints | None = None) -> bytes:
    """A manifest and tensors as the bytes of a file.

    Args:
        coding: "none" for plain tensors; "entropy" for coded ones, where they are shorter.
        hints: what layers say about their tensors; only of use for coding.

    Raises:
        ValueError: coding is "entropy", and the package constriction is not installed.
    """
    contents = _on_cpu(tensors)
    made = None if coding == NONE else coded_file.pack(manifest, contents, hints or Hints())
    if made and len(made) <= sum(tensor.numel() * tensor.element_size() for tensor in contents.values()):
        return made  # a plain file has a header too
    plain = save(contents, metadata=_metadata(manifest, contents))
    return made if made and len(made) < len(plain) else plain


def write_plain(manifest: dict[str, Any], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Writes the bytes of pack() without a coding into a file, tensor by tensor. Raises OSError where it cannot be
    written."""
    contents = _on_cpu(tensors)
    try:
        save_file(contents, path, metadata=_metadata(manifest, contents))
    except SafetensorError as error:  # with the system's reason in words of its own
        raise OSError(errno.EIO, "the disk is full, or may not be written") from error


def unpack(contents: bytes, name: str = "the file") -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The opposite of pack(). name: the file's, for messages.

    Raises:
        ValueError: the bytes are foreign or damaged, or hold numbers that are NaN or infinite.
    """
    return _unpacked(contents, lambda: load(contents), name)


def unpack_file(path: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The same for a file, whose plain tensors are views of it, so that they take no memory until they are read. The file
    must be one that is replaced rather than written anew, as this program's are. Raises ValueError as unpack(), or where
    there is no such file."""
    return _unpacked(mapped(path).view, lambda: load_file(path), str(path))


def _unpacked(contents: bytes | memoryview, plain: Callable[[], dict[str, Tensor]],
              name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """plain: reads the tensors of a file that is not coded."""
    try:
        header = of_safetensors(contents)
        coded = coded_file.is_coded(header)
        manifest, tensors = coded_file.unpack(bytes(contents)) if coded else (_manifest(header), plain())
    except (SafetensorError, OSError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise unreadable(name, "its header does not describe the bytes after it") from error
    except ValueError as error:
        raise unreadable(name, str(error)) from error
    if not coded:
        _check_plain(manifest, tensors, name)
    _check_numbers(tensors, name)
    return {key: value for key, value in manifest.items() if key not in (CHECKSUM, "format")}, tensors


def unreadable(name: str, reason: str) -> ValueError:
    """The error for a file that is not a container, or does not fit itself."""
    return ValueError(f"{name} is not a readable network file ({reason}). It may be cut short; make it again from its "
                      "recipe.")


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}


def _metadata(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, str]:
    made = {"format": FORMAT, **manifest}
    made[CHECKSUM] = checksum(made, tensors)
    return {"manifest": json.dumps(made, separators=(",", ":"), sort_keys=True)}


def _manifest(header: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a plain file; empty if there is none."""
    metadata = header.get("__metadata__")
    text = metadata.get("manifest", "{}") if isinstance(metadata, dict) else "{}"
    found = parsed(text) if isinstance(text, str) else None
    return found if isinstance(found, dict) else {}


def _check_plain(manifest: dict[str, Any], tensors: dict[str, Tensor], name: str) -> None:
    """Raises ValueError for a file of another program, and for one of this program that was changed."""
    found = manifest.get("format")
    if found not in (FIRST_FORMAT, FORMAT):
        raise ValueError(f"{name} was not written by this program (format {ascii(found)[:60]}, expected {FORMAT!r}).")
    own = {key: value for key, value in manifest.items() if key != CHECKSUM}
    if found == FORMAT and manifest.get(CHECKSUM) != checksum(own, tensors):
        raise unreadable(name, "its checksum is another one, so that some of its bytes were changed")


def checksum(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    """8 hexadecimal digits that depend on every bit of a manifest and of the names, types, shapes and numbers of tensors."""
    table = [[name, str(tensor.dtype), list(tensor.shape)] for name, tensor in sorted(tensors.items())]
    made = zlib.crc32(json.dumps([manifest, table], sort_keys=True).encode())
    for _, tensor in sorted(tensors.items()):
        words = words_of(tensor)
        made = zlib.crc32(words.astype(words.dtype.newbyteorder("<"), copy=False).data, made)
    return f"{made:08x}"


def _check_numbers(tensors: dict[str, Tensor], name: str) -> None:
    """Raises ValueError if a tensor has too many axes, or if a number is NaN or infinite: a network with such a weight has
    no accuracy."""
    for path, tensor in tensors.items():
        if tensor.dim() > MOST_AXES:
            raise unreadable(name, f"a tensor has {tensor.dim()} axes")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{name} holds weights that are no numbers ({path}): NaN or infinity. Its training may have "
                             "diverged, or the file is damaged; make it again, with a lower learning rate if it diverged.")
