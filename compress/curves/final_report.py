"""The test split is opened here and nowhere else, and the store counts how often."""

from __future__ import annotations

from typing import Any

import torch

from compress.curves.store import Store
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.files import network_file
from compress.networks.families import Network
from compress.points.measure import evaluate


def final_report(data_name: str, paths: list[str], store: Store,
                 device: torch.device | str = "cpu") -> dict[str, Any]:
    """Accuracy of finished network files on the untouched test split; nothing may be chosen by it afterwards.

    Args:
        paths: network files (data files of compressed data hold no network to test and raise ValueError).

    Returns:
        {"opened": how often this data set's test split has been opened, this time included,
         "examples": n, "rows": [{file, accuracy, accuracy_low, accuracy_high, ...}]}.
    """
    data = datasets.load(data_name)
    networks = [network_file.read(path).to(device) for path in paths]
    for path, network in zip(paths, networks, strict=True):
        must_fit(path, network, data)
    opened = store.count(f"test split of {data_name}")
    split = data.open_test()
    rows = []
    for path, network in zip(paths, networks, strict=True):
        measured = evaluate(network, split)
        del measured["predictions"], measured["agreement"]
        rows.append({"file": path, **measured})
    return {"data": data_name, "opened": opened, "examples": len(split), "rows": rows}


def must_fit(path: str, network: Network, data: Dataset) -> None:
    """Raises ValueError where a file's network was made for examples of another shape or for other classes."""
    wanted, found = network.architecture, (data.shape, len(data.classes))
    if (wanted.shape, wanted.classes) != found:
        raise ValueError(f"{path} expects examples of shape {wanted.shape} in {wanted.classes} classes, but "
                         f"{data.name} has {found[0]} in {found[1]}. Give the data set of its teacher.")
