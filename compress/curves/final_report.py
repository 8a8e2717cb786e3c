"""The final report: the only use of the test split. The store counts how often it was used."""

from __future__ import annotations

from typing import Any

import torch

from compress.curves.sink import Sink, opened_counter
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network
from compress.points.measure import evaluate, recalls


def final_report(data_name: str, networks: dict[str, Network], store: Sink,
                 reference: Network | None = None) -> dict[str, Any]:
    """Accuracy of finished networks on the untouched test split; nothing may be chosen by it afterwards.

    Args:
        networks: by name, for messages and in the report's rows: a path, or a file's digest.
        reference: the network to agree with, which must_fit() has accepted; without it, rows have no agreement.

    Returns:
        {"data": the data set's name, "opened": how often its test split has been opened, this time included,
         "examples": n, "rows": [{name, accuracy, accuracy_low, accuracy_high, ..., recall: as recalls() has it}]}.

    Raises:
        ValueError: a network for examples of another shape or other classes; the test split stays closed then.
    """
    data = datasets.load(data_name)
    for name, network in networks.items():
        must_fit(name, network, data)
    opened = store.count(opened_counter(data_name, data.digest))
    split = data.open_test()
    rows = []
    for name, network in networks.items():
        measured = evaluate(network, split, reference)
        recall = recalls(measured.pop("predictions"), split, data.classes)
        if reference is None:
            del measured["agreement"]
        rows.append({"name": name, **measured, "recall": recall})
    return {"data": data_name, "opened": opened, "examples": len(split), "rows": rows}


def must_fit(path: str, network: Network, data: Dataset) -> None:
    """Raises ValueError where a file's network was made for examples of another shape or for other classes, or where its
    parts do not fit each other, which one example shows."""
    wanted, found = network.architecture, (data.shape, len(data.classes))
    if (wanted.shape, wanted.classes) != found:
        raise ValueError(f"{path} expects examples of shape {wanted.shape} in {wanted.classes} classes, but "
                         f"{data.name} has {found[0]} in {found[1]}. Give the data set of its teacher.")
    try:
        outputs = logits_of(network, torch.tensor(data.validation.inputs[:1], device=device_of(network)))
    except (RuntimeError, ValueError, IndexError) as error:
        raise _contradictory(path) from error
    if outputs.shape != (1, wanted.classes):
        raise _contradictory(path)


def _contradictory(path: str) -> ValueError:
    return ValueError(f"{path} holds a network whose parts do not fit each other. The file is damaged; make it again from "
                      "its recipe.")
