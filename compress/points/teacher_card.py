"""The card of a teacher: all that a page shows of it, as plain data."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.pictures import as_shown
from compress.data.tensors import on_device
from compress.layers.base import DENSE
from compress.layers.titles import layer_title
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network
from compress.points.latency import one_thread
from compress.points.measure import counts, scores
from compress.settings import shown as quoted
from compress.training.loop import Trained

WRONG_EXAMPLES = 24


def teacher_card(trained: Trained, data: Dataset, size: int) -> dict[str, Any]:
    """Title, scores with intervals on validation, size in bytes, layers, confusion matrix, wrong examples, history."""
    network = trained.network
    inputs, labels = on_device(data.validation, device_of(network))
    logits = logits_of(network, inputs)
    measured = scores(logits, labels, None)
    del measured["predictions"], measured["agreement"]
    return {
        "title": network.architecture.title(), "data": data.title, "kind": data.kind, "classes": list(data.classes),
        "notes": [*data.notes, *trained.notes], "doubt": doubt(measured, labels, data),
        "shape": list(data.shape), "train_examples": len(data.train), "bytes": size, **measured,
        **counts(network, inputs[:1]), "latency_ms": latency_ms(network, inputs[:1]),
        "layers": layer_table(network, inputs[:1]), "confusion": confusion(logits, labels, len(data.classes)),
        "wrong": wrong_examples(logits, labels, data), "history": list(trained.history),
        "labels": labels.tolist(), "best_epoch": trained.best_epoch, "cancelled": trained.cancelled,
    }


def doubt(measured: dict[str, Any], labels: Tensor, data: Dataset) -> str:
    """A sentence where the accuracy may be that of a network which always names the largest class; "" otherwise."""
    sizes = torch.bincount(labels, minlength=len(data.classes))
    largest = float(sizes.max()) / len(labels)
    if measured["accuracy_low"] > largest:
        return ""
    name = quoted(data.classes[int(sizes.argmax())])
    return (f"The teacher's accuracy on validation, {100 * measured['accuracy']:.1f} %, is not significantly above the "
            f"{100 * largest:.1f} % of always naming the largest class, {name}: what is measured of it says little. Train "
            "it for more epochs or choose another family; and see whether the labels are the right ones.")


def confusion(logits: Tensor, labels: Tensor, classes: int) -> list[list[int]]:
    """The confusion matrix: counts by true class (rows) and predicted class (columns)."""
    pairs = labels * classes + logits.argmax(1)
    return torch.bincount(pairs, minlength=classes * classes).view(classes, classes).tolist()


def wrong_examples(logits: Tensor, labels: Tensor, data: Dataset) -> list[dict[str, Any]]:
    """The most confidently wrong validation examples: values (0..255, or a text), true and predicted class, confidence."""
    confidence, predicted = logits.softmax(1).max(1)
    wrong = torch.nonzero(predicted != labels).flatten()
    chosen = wrong[confidence[wrong].argsort(descending=True)][:WRONG_EXAMPLES].tolist()
    shown = []
    for row in chosen:
        values = as_shown(data.validation.inputs[row], data)
        shown.append({"values": values if isinstance(values, str) else values.tolist(), "row": row,
                      "label": data.classes[int(labels[row])], "predicted": data.classes[int(predicted[row])],
                      "confidence": float(confidence[row])})
    return shown


def layer_table(network: Network, example: Tensor) -> list[dict[str, Any]]:
    """One dict for each layer with weights: title, output shape, parameters, macs."""
    rows: dict[str, dict[str, Any]] = {}
    hooks = []
    for path, layer in network.named_modules():
        own = sum(parameter.numel() for parameter in layer.parameters(recurse=False))
        if not own:
            continue
        dense = type(layer) in DENSE.values()
        rows[path] = {"layer": layer_title(path, layer) if dense else f"{path} · {type(layer).__name__}",
                      "output": "", "parameters": own, "macs": 0}
        hooks.append(layer.register_forward_hook(_watcher(rows[path], dense)))
    try:
        with torch.inference_mode():
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return list(rows.values())


def latency_ms(network: Network, example: Tensor, seconds: float = 0.1) -> float:
    """The median milliseconds for one example on one core of this machine, or on its GPU. For comparisons, see
    latency.py."""
    times: list[float] = []
    with torch.inference_mode(), one_thread():
        began = time.perf_counter()
        while len(times) < 10 or time.perf_counter() - began < seconds:
            start = time.perf_counter()
            network(example)
            if example.is_cuda:
                torch.cuda.synchronize(example.device)
            times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1000


def _watcher(row: dict[str, Any], dense: bool) -> Any:
    def watch(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        row["output"] = "×".join(str(size) for size in output.shape[1:])
        row["macs"] += output.numel() * layer.get_parameter("weight")[0].numel() if dense else 0

    return watch
