"""The container of all networks and compressed data: safetensors with a manifest, as bytes.

What a file declares (the length of its header, the places and shapes of its tensors) is compared with the bytes that are
there before anything of that size is made.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

FORMAT = "compression-explorer/1"
MOST_HEADER = 1 << 22  # bytes; Python's objects for a header of this length take 100 MB at most

MOST_AXES = 8  # of a tensor; torch computes with 64 at most


def pack(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> bytes:
    """A manifest and tensors as the bytes of a file."""
    contents = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    text = json.dumps({"format": FORMAT, **manifest}, separators=(",", ":"), sort_keys=True)
    return save(contents, metadata={"manifest": text})


def unpack(contents: bytes, name: str = "the file") -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The opposite of pack(). name: the file's, for messages.

    Raises:
        ValueError: the bytes are foreign or damaged, or hold numbers that are NaN or infinite.
    """
    try:
        header = _header(contents)
        metadata = header.get("__metadata__")
        text = metadata.get("manifest", "{}") if isinstance(metadata, dict) else "{}"
        manifest = _json(text) if isinstance(text, str) else None
        tensors = load(contents)
    except (SafetensorError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise unreadable(name, "its header does not describe the bytes after it") from error
    except ValueError as error:
        raise unreadable(name, str(error)) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or found != FORMAT:
        raise ValueError(f"{name} was not written by this program (format {ascii(found)[:60]}, expected {FORMAT!r}).")
    _check_numbers(tensors, name)
    return manifest, tensors


def unreadable(name: str, reason: str) -> ValueError:
    """The error for a file that is not a container, or does not fit itself."""
    return ValueError(f"{name} is not a readable network file ({reason}). It may be cut short; make it again from its "
                      "recipe.")


def _header(contents: bytes) -> dict[str, Any]:
    """The header of safetensors, which begins with its length in 8 bytes. Raises ValueError with the reason in words."""
    length = int.from_bytes(contents[:8], "little")
    if len(contents) < 8 or length > len(contents) - 8:
        raise ValueError(f"it has {len(contents)} bytes, fewer than its header")
    if length > MOST_HEADER:
        raise ValueError(f"its header has {length} bytes, more than {MOST_HEADER}")
    header = _json(contents[8:8 + length])
    if not isinstance(header, dict):
        raise ValueError("its header is no object with names")
    return header


def _json(text: bytes | str) -> Any:
    """JSON without NaN, infinity and names that are given twice. Raises ValueError with the reason in words."""
    try:
        return json.loads(text, object_pairs_hook=_named_once, parse_constant=_no_number)
    except (json.JSONDecodeError, UnicodeError) as error:
        raise ValueError("its header is no JSON") from error
    except RecursionError as error:
        raise ValueError("its header is nested too deeply") from error


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header gives a name twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"its header holds {text}, which is no number")


def _check_numbers(tensors: dict[str, Tensor], name: str) -> None:
    """Raises ValueError if a tensor has too many axes, or if a number is NaN or infinite: a network with such a weight has
    no accuracy."""
    for path, tensor in tensors.items():
        if tensor.dim() > MOST_AXES:
            raise unreadable(name, f"a tensor has {tensor.dim()} axes")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{name} holds weights that are no numbers ({path}): NaN or infinity. Its training may have "
                             "diverged, or the file is damaged; make it again, with a lower learning rate if it diverged.")
