"""The bytes of a file are where the waterfall says, and add up to its length."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch import nn

from compress.files import container, network_file
from compress.files.waterfall import waterfall
from compress.layers.base import with_layers
from compress.layers.coded import Coded
from compress.layers.sparse import Sparse
from compress.networks.families import MLP, Architecture, Network, build
from compress.stored import CODINGS, PRECISIONS, Stored

ARCHITECTURE = Architecture(MLP((40,)), (60,), 5)


def pruned(form: str) -> Network:
    network = build(ARCHITECTURE)
    with torch.no_grad():
        network[1].weight[torch.rand(40, 60, generator=torch.manual_seed(0)) < 0.9] = 0
    return with_layers(network, {"1": Sparse.of(network[1], form)})


def codes() -> Network:
    torch.manual_seed(0)
    layer = Coded.of(nn.Linear(60, 40), 4, torch.randn(20, 4), torch.randint(0, 20, (600, 2)), torch.randn(600, 2), "int8")
    return with_layers(build(ARCHITECTURE), {"1": layer})


NETWORKS = {"dense": lambda: build(ARCHITECTURE), "csr": lambda: pruned("csr"), "bitmask": lambda: pruned("bitmask"),
            "codes": codes}


def fall(network: Network, stored: Stored) -> tuple[bytes, dict]:
    contents = network_file.to_bytes(network, stored=stored)
    return contents, json.loads(json.dumps(waterfall(contents, 4 * 2645, network_file.hints(network)), allow_nan=False))


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", NETWORKS)
def test_parts_add_up_to_the_file(name: str, precision: str, coding: str) -> None:
    contents, found = fall(NETWORKS[name](), Stored(precision, coding))
    assert sum(part["coded"] for part in found["parts"].values()) == len(contents)
    assert found["steps"][0] == {"name": "parameters in float32", "bytes": 4 * 2645, "entropy": None}
    assert (found["steps"][-1]["name"], found["steps"][-1]["bytes"]) == ("file", len(contents))
    names = [step["name"] for step in found["steps"]]
    assert ("entropy coding" in names) == (coding == "entropy")
    assert ("with indices" in names) == ("indices" in found["parts"]) == (name != "dense")
    assert ("levels" in found["parts"]) == (name == "codes" or precision == "int8")


def test_the_bytes_are_those_of_the_stored_tensors() -> None:
    plain = load(network_file.to_bytes(pruned("csr"), stored=Stored("int8")))
    for coding in CODINGS:
        _, found = fall(pruned("csr"), Stored("int8", coding))
        parts, steps = found["parts"], {step["name"]: step["bytes"] for step in found["steps"]}
        kept = len(plain["1.values"]) + 200
        assert parts["indices"]["stored"] == plain["1.columns"].nbytes + plain["1.counts"].nbytes
        assert (parts["levels"]["stored"], parts["bias"]["stored"]) == (kept, 4 * 45)
        assert parts["scales"]["stored"] == 4 * (1 + 5)
        assert steps["after mask or rank"] == 4 * (kept + 45)
        assert steps["levels and precision"] == sum(tensor.nbytes for tensor in plain.values())


def test_the_entropy_of_a_mask_is_that_of_its_weights() -> None:
    network = pruned("csr")
    kept = int((network[1].weight != 0).sum()) / 2400
    wanted = -2400 / 8 * (kept * np.log2(kept) + (1 - kept) * np.log2(1 - kept))
    for name in ("csr", "bitmask"):
        _, found = fall(NETWORKS[name](), Stored(coding="entropy"))
        assert found["parts"]["indices"]["entropy"] == pytest.approx(wanted)
        assert wanted < found["parts"]["indices"]["coded"] < wanted + 30
    assert fall(pruned("bitmask"), Stored())[1]["parts"]["indices"]["entropy"] == pytest.approx(wanted)


def test_packed_indices_count_as_numbers_with_coding_and_without() -> None:
    indices = codes()[1].chosen().flatten()
    wanted = -sum(count * np.log2(count / 1200) for count in torch.bincount(indices).tolist()) / 8
    for coding in CODINGS:
        assert fall(codes(), Stored(coding=coding))[1]["parts"]["indices"]["entropy"] == pytest.approx(wanted)


def test_compressed_data_begin_with_what_is_stored() -> None:
    tensors = {"codes": torch.arange(1000) % 3, "labels": torch.zeros(50, dtype=torch.uint8), "mean": torch.randn(40)}
    found = waterfall(container.pack({"compressed_data": "toy"}, tensors, "entropy"))
    assert [step["name"] for step in found["steps"]] == ["stored numbers", "entropy coding", "file"]
    assert found["steps"][0]["bytes"] == 8000 + 50 + 160 and set(found["parts"]) == {"levels", "labels", "values", "header"}
