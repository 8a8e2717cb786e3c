"""What a page shows of pruning: plain data for one point, and for the teacher that all points begin with."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import torch
from torch import Tensor, nn

from compress.files import network_file as files
from compress.layers.base import with_layers
from compress.layers.sparse import Sparse
from compress.networks.families import Network
from compress.progress import Tell, silent
from compress.pruning.connectivity import reached
from compress.pruning.unit_pruner import UnitCutter
from compress.pruning.weight_pruner import WeightCutter

BINS = 60
PICTURE = (100, 160)  # the most rows and columns of a mask's picture
FORMS = ("dense", "csr", "bitmask")
Cutter = WeightCutter | UnitCutter


def of_point(dense: Network, network: Network, cutter: Cutter) -> dict[str, Any]:
    """What is left of one network: for each layer how much, in which form, a picture of where, and its weights.

    Args:
        dense: the pruned network with dense layers; network: the one that is stored.
    """
    if isinstance(cutter, UnitCutter):
        layers = [{"path": path, "kept": left, "total": before} for path, before, left in cutter.widths(dense)]
    else:
        layers = [_layer(path, dense.get_submodule(path), network.get_submodule(path), cutter) for path in cutter.layers]
    # Where every row of every linear layer has a weight, every output hears some input.
    linear = all(isinstance(module, nn.Flatten | nn.Linear | nn.ReLU | nn.Dropout) for module in dense)
    sure = linear and not any(layer.get("silent_outputs") for layer in layers)
    classes = dense.architecture.classes
    return {"classes_reached": classes if sure else int(reached(dense).sum()), "inputs": inputs_read(dense),
            "layers": layers}


def problems(dense: Network, view: dict[str, Any]) -> tuple[str, ...]:
    """Sentences about what does not work any more, or saves nothing."""
    sentences = []
    classes = dense.architecture.classes
    if view["classes_reached"] == 0:
        sentences.append("disconnected: no path of weights leads from the inputs to the class scores, so it answers the "
                         "same to everything")
    elif view["classes_reached"] < classes:
        sentences.append(f"{classes - view['classes_reached']} of {classes} class scores hear nothing of the inputs any "
                         "more")
    for layer in view["layers"]:
        if layer["kept"] == 0:
            sentences.append(f"layer {layer['path']} is empty")
        elif layer.get("form") == "dense" and layer["kept"] < layer["total"]:
            sentences.append(f"layer {layer['path']} is stored dense: so few zeros save nothing")
    return tuple(sentences)


def inputs_read(network: Network) -> list[int] | None:
    """How many weights read each number of an example; None where the first layer is not a linear one on all of them."""
    modules = list(network.children())
    if len(modules) < 2 or not isinstance(modules[0], nn.Flatten) or not isinstance(modules[1], nn.Linear | Sparse):
        return None
    return (modules[1].weight != 0).sum(0).tolist()


def inside_view(cutter: Cutter, values: list[float], tell: Tell = silent) -> dict[str, Any]:
    """Layers with the histogram of their weights, sizes of the files at each dial value, and sensitivity."""
    measured = cutter.sensitivity_told(tell)
    view: dict[str, Any] = {"levels": list(measured.levels), "shape": list(cutter.network.architecture.shape), "layers": [
        {"path": path, "title": cutter.title(path), "accuracy": measured.accuracies[path]} for path in measured.accuracies]}
    if isinstance(cutter, WeightCutter):
        for layer in view["layers"]:
            layer.update(histogram(cutter.layers[layer["path"]].weight))
        view["sizes"] = file_sizes(cutter, values)
    return view


def histogram(weight: Tensor) -> dict[str, Any]:
    """Counts of a layer's weights in BINS equal bins around zero."""
    reach = reach_of(weight)
    return {"reach": reach, "weights": _counts(weight, reach)}


def file_sizes(cutter: WeightCutter, values: list[float]) -> dict[str, list[int]]:
    """Form -> length of the file at each sparsity if every layer were stored in it. A length depends only on how many
    weights are left."""
    sizes: dict[str, list[int]] = {form: [] for form in FORMS}
    for value in values:
        network = cutter.masked(cutter.masks(value), refit=False)
        sizes["dense"].append(len(files.to_bytes(network)))
        for form in FORMS[1:]:
            stored = {path: Sparse.of(network.get_submodule(path), form) for path in cutter.layers}
            sizes[form].append(len(files.to_bytes(with_layers(network, stored))))
    return sizes


def picture(mask: Tensor) -> str:
    """A mask (rows, columns) as density of its blocks in bytes, packed for transport: 'rows,columns,base64'."""
    rows, columns = (min(size, most) for size, most in zip(mask.shape, PICTURE, strict=True))
    shares = nn.functional.adaptive_avg_pool2d(mask[None].float(), (rows, columns))[0]
    levels = (255 * shares).round().to(torch.uint8).cpu().numpy().tobytes()
    return f"{rows},{columns},{base64.b64encode(zlib.compress(levels, 1)).decode()}"


def _layer(path: str, dense: nn.Module, stored: nn.Module, cutter: WeightCutter) -> dict[str, Any]:
    matrix = dense.weight.detach().flatten(1).cpu().numpy()
    held = matrix != 0
    left = torch.from_numpy(matrix.ravel().compress(held.ravel()))
    return {"path": path, "threshold": float(left.abs().min()) if len(left) else None, "kept": len(left),
            "total": held.size, "form": getattr(stored, "form", "dense"),
            "silent_outputs": int((~held.any(1)).sum()), "outputs": len(held),
            "weights": _counts(left, reach_of(cutter.layers[path].weight)), "mask": picture(torch.from_numpy(held))}


def reach_of(weight: Tensor) -> float:
    """Size of the largest weight; 1 where all are zero."""
    return float(weight.detach().abs().max()) or 1.0


def _counts(weights: Tensor, reach: float) -> list[int]:
    return torch.histc(weights.detach().float().cpu().clamp(-reach, reach), BINS, -reach, reach).int().tolist()
