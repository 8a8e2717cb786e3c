"""A network looked into, beside its teacher: calibration, its layers, and how far each layer's weights and outputs changed.

All of it is plain data, so that a page can draw it without torch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files.waterfall import sizes
from compress.layers.base import Compressed, dense_layers, is_dense, macs_of_call, merged_layer, substitutes
from compress.layers.titles import layer_title
from compress.networks.evaluation import device_of, evaluating, logits_of
from compress.networks.families import Network

EXAMPLES = 256  # whose outputs are compared: the work of a layer grows with their square
CALIBRATION_BINS = 10
BARS = 41  # of a histogram of weights
VALUES = 64  # singular values that are kept
LARGEST = 4_000_000  # weights of a layer whose spectrum is computed


def inspection(network: Network, teacher: Network, contents: bytes, data: Dataset) -> dict[str, Any]:
    """Looks into a network.

    Args:
        network, teacher: on one device; contents: of the network's file.

    Returns:
        {"calibration": as calibration() has it, "confidence": of each validation example's predicted class in percent,
         "layers": as layer_rows() has them, "changes": as changes() has them}.
    """
    inputs, labels = on_device(data.validation, device_of(network))
    logits = logits_of(network, inputs)
    confidence = (100 * logits.double().softmax(1).max(1).values).round().long().tolist()
    return {"calibration": calibration(logits, labels), "confidence": confidence,
            "layers": layer_rows(network, contents, inputs[:1]),
            "changes": changes(network, teacher, inputs[:EXAMPLES])}


def calibration(logits: Tensor, labels: Tensor) -> list[dict[str, Any]]:
    """How often a network is right where it is so and so sure: for each of ten equal bins of confidence that has examples
    their number, how many of them are right, and the mean confidence."""
    confidence, predicted = logits.double().softmax(1).max(1)
    places = (confidence * CALIBRATION_BINS).long().clamp_max(CALIBRATION_BINS - 1)
    found = []
    for number in range(CALIBRATION_BINS):
        own = places == number
        if examples := int(own.sum()):
            found.append({"bin": number, "examples": examples, "right": int((predicted[own] == labels[own]).sum()),
                          "confidence": float(confidence[own].mean())})
    return found


def layer_rows(network: Network, contents: bytes, example: Tensor) -> list[dict[str, Any]]:
    """For each layer that stores something its path, title, parameters, multiply-adds for one example (1, *shape), and the
    bytes of its tensors in the file."""
    stored, counted = sizes(contents), _macs(network, example)
    layers = {path: layer for path, layer in network.named_modules() if _is_outermost(path, layer, network)}
    return [{"path": path, "layer": _title(path, layer), "macs": _under(path, counted), "bytes": _under(path, stored),
             "parameters": sum(parameter.numel() for parameter in layer.parameters())}
            for path, layer in layers.items() if _under(path, stored)]


def changes(network: Network, teacher: Network, examples: Tensor) -> list[dict[str, Any]]:
    """How far each layer of a teacher is changed where a network has one at the same place.

    Returns:
        For each layer its path and title; "cka", the similarity of both outputs (linear centred kernel alignment, Kornblith
        et al. 2019; 1 for outputs that a rotation and one factor make equal); and where both weights have one shape,
        "cosine" of the weights as vectors, "error" (Frobenius norm of the difference by that of the teacher's), "histogram"
        {edges, before, after} and "spectrum" {before, after}, singular values by the teacher's largest, or None for a large
        layer.
    """
    theirs = {path: layer for path, layer in dense_layers(teacher).items() if path in dict(network.named_modules())}
    ours = {path: network.get_submodule(path) for path in theirs}
    ours = {path: layer for path, layer in ours.items() if is_dense(layer) or path in substitutes(network)}
    before, after = _outputs(teacher, list(ours), examples), _outputs(network, list(ours), examples)
    found = []
    for path, layer in ours.items():
        weight, changed = theirs[path].weight.detach(), merged_layer(layer).weight.detach()
        similar = linear_cka(before[path], after[path]) if path in before and path in after else None
        row = {"path": path, "layer": layer_title(path, theirs[path]), "cka": similar}
        found.append({**row, **_of_weights(weight, changed)} if weight.shape == changed.shape else row)
    return found


def linear_cka(one: Tensor, other: Tensor) -> float | None:
    """Linear centred kernel alignment of two sets of outputs (n, ...) of the same n examples; None where one of them is the
    same for all examples."""
    first, second = (_gram(outputs) for outputs in (one, other))
    norm = float(first.norm() * second.norm())
    return float((first * second).sum()) / norm if norm > 0 else None


def _gram(outputs: Tensor) -> Tensor:
    centred = outputs.flatten(1).double()
    centred = centred - centred.mean(0)
    return centred @ centred.T


def _of_weights(before: Tensor, after: Tensor) -> dict[str, Any]:
    one, other = before.flatten().double(), after.flatten().double()
    norm, norms = float(one.norm()), float(one.norm() * other.norm())
    most = float(torch.cat([one, other]).abs().max()) or 1.0
    step = 2 * most / BARS
    counts = [torch.histc(values, BARS, -most, most).long().tolist() for values in (one, other)]
    return {"cosine": float(one @ other) / norms if norms else None,
            "error": float((one - other).norm()) / norm if norm else None,
            "histogram": {"edges": [-most + number * step for number in range(BARS + 1)], "before": counts[0],
                          "after": counts[1]},
            "spectrum": _spectra(before, after) if before.numel() <= LARGEST else None}


def _spectra(before: Tensor, after: Tensor) -> dict[str, list[float]]:
    values = [torch.linalg.svdvals(weight.flatten(1).double()) for weight in (before, after)]
    largest = float(values[0][0]) or 1.0
    return {name: (own[:VALUES] / largest).tolist() for name, own in zip(("before", "after"), values, strict=True)}


def _outputs(network: Network, paths: list[str], examples: Tensor) -> dict[str, Tensor]:
    """Path -> a layer's outputs (n, ...) in one pass; of a layer that runs several times, the last ones."""
    found: dict[str, Tensor] = {}

    def keep(path: str) -> Any:
        return lambda layer, inputs, output: found.__setitem__(path, output.detach())

    _run(network, examples, {path: keep(path) for path in paths})
    return found


def _run(network: Network, examples: Tensor, watching: dict[str, Any]) -> None:
    """One forward pass in which these functions (path -> layer, inputs, output -> None) are called after their layers."""
    hooks = [network.get_submodule(path).register_forward_hook(watch) for path, watch in watching.items()]
    try:
        with evaluating(network):
            network(examples)
    finally:
        for hook in hooks:
            hook.remove()


def _macs(network: Network, example: Tensor) -> dict[str, int]:
    """Path -> multiply-adds, counted as layers.base.macs() counts them."""
    found: dict[str, int] = {}

    def count(path: str) -> Any:
        def counted(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found[path] = found.get(path, 0) + macs_of_call(layer, output)
        return counted

    _run(network, example, {path: count(path) for path, layer in network.named_modules()
                            if is_dense(layer) or hasattr(layer, "macs_per_position")})
    return found


def _is_outermost(path: str, layer: nn.Module, network: Network) -> bool:
    """Whether a module stores tensors, or is in the place of a dense layer, and is no part of a module in such a place."""
    within = [one for one in substitutes(network) if path.startswith(f"{one}.")]
    own = bool(layer._parameters or layer._buffers)
    return bool(path) and not within and (own or path in substitutes(network))


def _under(path: str, numbers: dict[str, int]) -> int:
    return sum(number for name, number in numbers.items() if name == path or name.startswith(f"{path}."))


def _title(path: str, layer: nn.Module) -> str:
    """As layer_title() has it; of a compressed layer what it is, and the sizes of the dense layer in whose place it is."""
    if is_dense(layer) or not isinstance(layer, Compressed):
        return layer_title(path, layer) if is_dense(layer) else f"{path} · {type(layer).__name__}"
    return f"{path} · {type(layer).__name__.lower()} {'→'.join(map(str, layer.place()['sizes']))}"
