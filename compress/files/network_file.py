"""A network is stored as one file (safetensors with a manifest), and the length of this file is its size.

The manifest holds the architecture and the compressed layers as plain data, so that no pickled code runs when a file is
read. Teachers and compressed networks use the same container, so that their lengths can be compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from compress.atomic_file import replacing, write_whole
from compress.files import container, precision
from compress.files.coding.tensors import Hints
from compress.files.contents import contents_of
from compress.files.made_for import MadeFor
from compress.layers import base
from compress.layers.bit_packing import Rows
from compress.networks.composite import Front
from compress.networks.families import Architecture, Network
from compress.networks.graph.architecture import GraphArchitecture as GraphArchitecture  # a file may hold one
from compress.networks.plain_values import mapping
from compress.settings import shown
from compress.stored import FLOAT32, PLAIN, Stored


def to_bytes(network: Network, data: MadeFor | None = None, stored: Stored = PLAIN) -> bytes:
    """The file's contents; their length is the network's size in bytes.

    Args:
        data: what the network was made for; None for one that belongs to no data set.
        stored: the precision of its weights and the coding of its tensors; by default those of a teacher's file.

    Raises:
        ValueError: the coding needs a package that is not installed.
    """
    manifest = _manifest(network, data)
    if stored.precision != FLOAT32:
        manifest["precision"] = stored.precision
    return container.pack(manifest, precision.lowered(_tensors(network), stored.precision), stored.coding, hints(network))


def write_plain(network: Network, path: Path) -> None:
    """Writes the bytes of to_bytes(network), whole or not at all, without having them in memory. Raises OSError where the
    file cannot be written."""
    with replacing(path) as stream:
        container.write_plain(_manifest(network, None), _tensors(network), Path(stream.name))


def _manifest(network: Network, data: MadeFor | None) -> dict[str, Any]:
    compressed = {path: base.layer_plain(layer) for path, layer in base.compressed_layers(network).items()}
    manifest: dict[str, Any] = {"architecture": network.architecture.plain(), "layers": compressed}
    if data is not None:
        manifest["made_for"] = data.plain()
    return manifest


def _tensors(network: Network) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in network.state_dict().items() if not _is_a_counter(name)}


def write(network: Network, path: Path | str, data: MadeFor | None = None, stored: Stored = PLAIN) -> int:
    """Writes the network to the file, whole or not at all, and returns the file's length in bytes. Raises ValueError as
    to_bytes()."""
    return write_bytes(to_bytes(network, data, stored), path)


def write_bytes(contents: bytes, path: Path | str) -> int:
    """Writes whole or not at all, and returns the length."""
    write_whole(contents, Path(path))
    return len(contents)


def read(path: Path | str) -> Network:
    """The network of a file, in evaluation mode on the CPU.

    Raises:
        ValueError: the file is missing or no regular file, was not written by this program, or is damaged.
    """
    return _network(*container.unpack_file(path), str(path))[0]


def unpack(path: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A file's manifest and tensors. Raises ValueError if it is missing, foreign or damaged."""
    return container.unpack(contents_of(path), str(path))


def made_for(path: Path | str) -> MadeFor | None:
    """The description of the data that the network of a file was made for; None for a file without one. Raises ValueError
    as read()."""
    return with_description(contents_of(path), str(path))[1]


def from_bytes(contents: bytes, name: str = "the file") -> Network:
    """The network that these bytes of a file hold, in evaluation mode on the CPU. name: the file's, for messages.

    Raises:
        ValueError: as read().
    """
    return with_description(contents, name)[0]


def with_description(contents: bytes, name: str = "the file") -> tuple[Network, MadeFor | None]:
    """The network that these bytes hold, and the description of the data that it was made for, if there is one.

    Raises:
        ValueError: as read().
    """
    return _network(*container.unpack(contents, name), name)


def _network(manifest: dict[str, Any], tensors: dict[str, Tensor], name: str) -> tuple[Network, MadeFor | None]:
    """As with_description(), of a manifest and tensors, which are taken out of their dict."""
    if "architecture" not in manifest:
        raise ValueError(f"{name} holds compressed data, not a network. Choose a file of a network method.")
    try:
        structure = _structure(manifest)
        kinds = {path: tensor.dtype for path, tensor in structure.state_dict().items()}
        raised = precision.raised(tensors, manifest.get("precision", FLOAT32), kinds)
        tensors.clear()
        network = _filled(structure, raised)
        described = MadeFor.from_plain(manifest["made_for"]) if "made_for" in manifest else None
    except (KeyError, TypeError, AttributeError, RuntimeError, IndexError, OverflowError) as error:
        raise _misfit(name, "its sizes make no network") from error
    except ValueError as error:
        raise _misfit(name, str(error).rstrip(".")) from error
    made = network.architecture
    if described and (described.shape, len(described.classes)) != (made.shape, made.classes):
        raise _misfit(name, "its description of data has another shape or other classes than its architecture")
    return network, described


def nonzeros(network: nn.Module) -> int:
    """Parameters that are not exactly zero."""
    return sum(int(torch.count_nonzero(parameter)) for parameter in network.parameters())


def hints(network: Network) -> Hints:
    """What all compressed layers say about their tensors, with the tensors' full names."""
    layers = [(f"{path}.", layer) for path, layer in network.named_modules() if isinstance(layer, base.Compressed)]
    return Hints({path + name: own for path, layer in layers for name, own in layer.symbols().items()},
                 {path + name: Rows(path + own.counts, own.width) for path, layer in layers
                  for name, own in layer.listed_rows().items()})


def _structure(manifest: dict[str, Any]) -> Network:
    """The network of a manifest on torch's device "meta": of its sizes, but without memory for weights, so that it costs
    nothing to declare large sizes. Raises ValueError if a compressed layer does not fit its place."""
    with torch.device("meta"):
        network = Architecture.from_plain(manifest["architecture"]).fresh()
        layers = {path: base.layer_rebuild(plain) for path, plain in mapping(manifest.get("layers"), "layers").items()}
    for path, layer in layers.items():
        wanted, found = base.place_of(network.get_submodule(path)), base.place_of(layer)
        if {**wanted, "bias": None} != {**found, "bias": None}:  # a centred factorisation adds a bias
            raise ValueError(f"the compressed layer {shown(path)} does not fit its place in the architecture")
    return base.with_layers(network, layers)


def _filled(network: Network, tensors: dict[str, Tensor]) -> Network:
    """The network of a structure and a file's tensors. Memory is taken only for what the file holds, after names, shapes
    and types were compared. Raises ValueError where they differ, or where the numbers contradict each other."""
    stored = {path: tensor for path, tensor in network.state_dict().items() if not _is_a_counter(path)}
    missing, unexpected = sorted(stored.keys() - tensors.keys()), sorted(tensors.keys() - stored.keys())
    if missing or unexpected or not stored:
        raise ValueError(f"missing {_listed(missing)}, unexpected {_listed(unexpected)}")
    for path, tensor in stored.items():
        if (tensors[path].shape, tensors[path].dtype) != (tensor.shape, tensor.dtype):
            raise ValueError(f"{path} has another shape or another type of numbers than the manifest says")
    # Copies lie in memory as torch's own tensors do. What was copied is given back: a network is never there twice.
    network.load_state_dict({path: tensors.pop(path).clone() for path in stored}, strict=False, assign=True)
    for module in network.modules():
        problem = _contradiction(module)
        if problem:
            raise ValueError(problem)
    return network.eval()


def _contradiction(module: nn.Module) -> str:
    """What is wrong with the numbers of a module, in words; else "". Step counters of batch-norm, which are not stored,
    start anew."""
    if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.num_batches_tracked is not None:
        module.num_batches_tracked = torch.zeros((), dtype=torch.int64)
        variances = module.running_var
        return "" if variances is None or not bool(variances.lt(0).any()) else "a variance of batch-norm is negative"
    return module.contradiction() if isinstance(module, base.Compressed | Front) else ""


def _misfit(name: str, reason: str) -> ValueError:
    return ValueError(f"{name} does not fit its own manifest: {reason}. The file is damaged; make it again from its recipe.")


def _listed(names: list[str]) -> str:
    return ", ".join(map(shown, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "none"


def _is_a_counter(name: str) -> bool:
    """Whether a tensor is batch-norm's step counter, which has no effect on predictions and is not stored."""
    return name.endswith("num_batches_tracked")
