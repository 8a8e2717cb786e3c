"""A network is one file (safetensors and a manifest), and the length of that file IS its size.

The manifest holds the architecture and the compressed layers as plain data, so reading a file runs no pickled code.
Teacher and students use the same container: a ratio of two lengths compares like with like.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from compress.layers import base
from compress.networks.families import Architecture, Network, build

FORMAT = "compression-explorer/1"


def to_bytes(network: Network) -> bytes:
    """The file's contents; their length is the network's size in bytes."""
    compressed = {path: {"kind": layer.kind, **layer.plain()}
                  for path, layer in base.compressed_layers(network).items()}
    tensors = {name: tensor for name, tensor in network.state_dict().items() if not _is_a_counter(name)}
    return pack({"architecture": network.architecture.plain(), "layers": compressed}, tensors)


def write(network: Network, path: Path | str) -> int:
    """Writes the network to the file, whole or not at all, and returns the file's length in bytes."""
    return write_bytes(to_bytes(network), path)


def read(path: Path | str) -> Network:
    """The network of a file, in evaluation mode on the CPU.

    Raises:
        ValueError: the file is missing, is not one of ours, or is damaged; says which.
    """
    manifest, tensors = unpack(path)
    if "architecture" not in manifest:
        raise ValueError(f"{path} holds compressed data, not a network. Choose a file of a network method.")
    try:
        network = build(Architecture.from_plain(manifest["architecture"]))
        replaced = {name: base.rebuild(plain) for name, plain in manifest["layers"].items()}
        network = base.with_layers(network, replaced)
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{path} does not fit its own manifest ({error}). The file is damaged; make it again from "
                         "its recipe.") from error
    missing = [name for name in missing if not _is_a_counter(name)]
    if missing or unexpected:
        raise ValueError(f"{path} does not fit its own manifest: missing {missing}, unexpected {unexpected}. "
                         "The file is damaged; make it again from its recipe.")
    return network.eval()


def pack(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> bytes:
    """One container for everything that is measured in bytes: a manifest and tensors."""
    contents = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    text = json.dumps({"format": FORMAT, **manifest}, separators=(",", ":"), sort_keys=True)
    return save(contents, metadata={"manifest": text})


def unpack(path: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The opposite of pack(), from a file. Raises ValueError if it is missing, foreign or damaged."""
    if not Path(path).is_file():
        raise ValueError(f"There is no file {path}. Give the path of a file that 'curve --save' or a download wrote.")
    try:
        with safe_open(str(path), framework="pt") as file:
            manifest = json.loads((file.metadata() or {}).get("manifest", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a readable network file ({error}). It may be cut short; make it again "
                         "from its recipe.") from error
    if not isinstance(manifest, dict):
        manifest = {}
    if manifest.get("format") != FORMAT:
        raise ValueError(f"{path} was not written by this program (format {manifest.get('format')!r}, expected "
                         f"{FORMAT!r}).")
    return manifest, tensors


def write_bytes(contents: bytes, path: Path | str) -> int:
    """Writes to a temporary neighbour and renames it: a reader never sees half a file. Returns the length."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(contents)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path.stat().st_size


def nonzeros(network: nn.Module) -> int:
    """Parameters that are not exactly zero."""
    return sum(int(torch.count_nonzero(parameter)) for parameter in network.parameters())


def _is_a_counter(name: str) -> bool:
    """Batch-norm's step counter takes no part in a prediction and is not stored."""
    return name.endswith("num_batches_tracked")
