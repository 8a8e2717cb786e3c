"""A network is stored as one file (safetensors with a manifest), and the length of this file is its size.

The manifest holds the architecture and the compressed layers as plain data, so that no pickled code runs when a file is
read. Teachers and compressed networks use the same container, so that their lengths can be compared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from compress.atomic_file import write_whole
from compress.files.made_for import MadeFor
from compress.layers import base
from compress.networks.families import Architecture, Network, build

FORMAT = "compression-explorer/1"


def to_bytes(network: Network, data: MadeFor | None = None) -> bytes:
    """The file's contents; their length is the network's size in bytes. data: what the network was made for; None for one
    that belongs to no data set."""
    compressed = {path: base.layer_plain(layer) for path, layer in base.compressed_layers(network).items()}
    tensors = {name: tensor for name, tensor in network.state_dict().items() if not _is_a_counter(name)}
    made_for = {} if data is None else {"made_for": data.plain()}
    return pack({"architecture": network.architecture.plain(), "layers": compressed, **made_for}, tensors)


def write(network: Network, path: Path | str, data: MadeFor | None = None) -> int:
    """Writes the network to the file, whole or not at all, and returns the file's length in bytes."""
    return write_bytes(to_bytes(network, data), path)


def read(path: Path | str) -> Network:
    """The network of a file, in evaluation mode on the CPU.

    Raises:
        ValueError: the file is missing, was not written by this program, or is damaged.
    """
    return from_bytes(_contents(path), str(path))


def made_for(path: Path | str) -> MadeFor | None:
    """The description of the data that the network of a file was made for; None for a file without one. Raises ValueError
    as read(), or if the description is damaged."""
    plain = unpack(path)[0].get("made_for")
    try:
        return None if plain is None else MadeFor.from_plain(plain)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"The description of data in {path} is damaged ({error}). Make the file again from its "
                         "recipe.") from error


def from_bytes(contents: bytes, name: str = "the file") -> Network:
    """The network that these bytes of a file hold, in evaluation mode on the CPU. name: the file's, for messages.

    Raises:
        ValueError: as read().
    """
    manifest, tensors = unpack_bytes(contents, name)
    if "architecture" not in manifest:
        raise ValueError(f"{name} holds compressed data, not a network. Choose a file of a network method.")
    try:
        network = build(Architecture.from_plain(manifest["architecture"]))
        replaced = {path: base.layer_rebuild(plain) for path, plain in manifest["layers"].items()}
        network = base.with_layers(network, replaced)
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{name} does not fit its own manifest ({error}). The file is damaged; make it again from "
                         "its recipe.") from error
    missing = [path for path in missing if not _is_a_counter(path)]
    if missing or unexpected:
        raise ValueError(f"{name} does not fit its own manifest: missing {missing}, unexpected {unexpected}. "
                         "The file is damaged; make it again from its recipe.")
    return network.eval()


def pack(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> bytes:
    """A manifest and tensors as the bytes of a file: the container of all networks and compressed data."""
    contents = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    text = json.dumps({"format": FORMAT, **manifest}, separators=(",", ":"), sort_keys=True)
    return save(contents, metadata={"manifest": text})


def unpack(path: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The opposite of pack(), from a file. Raises ValueError if it is missing, foreign or damaged."""
    return unpack_bytes(_contents(path), str(path))


def unpack_bytes(contents: bytes, name: str = "the file") -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The opposite of pack(). Raises ValueError if the bytes are foreign or damaged."""
    try:
        tensors = load(contents)
        length = int.from_bytes(contents[:8], "little")
        manifest = json.loads(json.loads(contents[8:8 + length]).get("__metadata__", {}).get("manifest", "{}"))
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{name} is not a readable network file ({error}). It may be cut short; make it again "
                         "from its recipe.") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ValueError(f"{name} was not written by this program (format {found!r}, expected {FORMAT!r}).")
    return manifest, tensors


def _contents(path: Path | str) -> bytes:
    if not Path(path).is_file():
        raise ValueError(f"There is no file {path}. Give the path of a file that 'curve --save' or a download wrote.")
    return Path(path).read_bytes()


def write_bytes(contents: bytes, path: Path | str) -> int:
    """Writes whole or not at all, and returns the length."""
    write_whole(contents, Path(path))
    return len(contents)


def nonzeros(network: nn.Module) -> int:
    """Parameters that are not exactly zero."""
    return sum(int(torch.count_nonzero(parameter)) for parameter in network.parameters())


def _is_a_counter(name: str) -> bool:
    """Whether a tensor is batch-norm's step counter, which has no effect on predictions and is not stored."""
    return name.endswith("num_batches_tracked")
