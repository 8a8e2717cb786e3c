"""Plain data of pruning for a page: of one point, and of the network before pruning."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from torch import nn

from compress.data.pictures import thinned
from compress.layers.sparse import Sparse
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.pruning.connectivity import reached
from compress.pruning.pruner import Pruner


def point_view(dense: Network, network: Network, pruner: Pruner) -> dict[str, Any]:
    """The view of one point: connected classes, weights of each input that is shown (see thinned()), how many of how
    many inputs have none, and for each layer the number, form, image and histogram of its remaining weights.

    Args:
        dense: the pruned network with dense layers; network: the same network as it is stored.
    """
    layers = pruner.layer_summaries(dense, network)
    # Where every row of every linear layer has a weight, every output depends on some input.
    linear = all(isinstance(module, nn.Flatten | nn.Linear | nn.ReLU | nn.Dropout) for module in dense)
    sure = linear and not any(layer.get("silent_outputs") for layer in layers)
    classes = dense.architecture.classes
    view = {"classes_reached": classes if sure else int(reached(dense).sum()), "inputs": None, "layers": layers}
    read, shape = inputs_read(dense), dense.architecture.shape
    if read is None:
        return view
    shown = thinned(read[None], shape) if len(read) == prod(shape) else read
    return {**view, "inputs": shown.ravel().tolist(), "inputs_cut": [int((read == 0).sum()), len(read)]}


def problems(dense: Network, view: dict[str, Any]) -> tuple[str, ...]:
    """Notes for the user: disconnected class scores, empty layers, and layers whose zeros save nothing."""
    sentences = []
    classes = dense.architecture.classes
    if view["classes_reached"] == 0:
        sentences.append("disconnected: no path of weights leads from the inputs to the class scores, so "
                         "that the outputs are the same for all inputs")
    elif view["classes_reached"] < classes:
        sentences.append(f"{classes - view['classes_reached']} of {classes} class scores are disconnected from the inputs")
    for layer in view["layers"]:
        if layer["kept"] == 0:
            sentences.append(f"layer {layer['path']} is empty")
        elif layer.get("form") == "dense" and layer["kept"] < layer["total"]:
            sentences.append(f"layer {layer['path']} is stored dense: so few zeros save nothing")
    return tuple(sentences)


def inputs_read(network: Network) -> np.ndarray | None:
    """The number of non-zero weights of each number of an example; None unless the first layer is linear on all numbers."""
    modules = list(network.children())
    if len(modules) < 2 or not isinstance(modules[0], nn.Flatten) or not isinstance(modules[1], nn.Linear | Sparse):
        return None
    return (modules[1].weight != 0).sum(0).cpu().numpy()


def inside_view(pruner: Pruner, values: list[float], report: Reporter = no_report) -> dict[str, Any]:
    """The view of all points: histograms of the layers' weights, file sizes at each dial value, and sensitivity."""
    measured = pruner.measure_sensitivity(report)
    view: dict[str, Any] = {"levels": list(measured.levels), "shape": list(pruner.network.architecture.shape), "layers": [
        {"path": path, "title": pruner.title(path), "accuracy": measured.accuracies[path], **pruner.layer_view(path)}
        for path in measured.accuracies]}
    sizes = pruner.file_sizes(values)
    return {**view, "sizes": sizes} if sizes else view
