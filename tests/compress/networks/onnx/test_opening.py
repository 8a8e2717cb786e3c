"""ONNX files of four styles become networks that compute what ONNX Runtime computes, and survive their own file."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from compress.files import network_file
from compress.layers.base import dense_layers
from compress.networks.embedding import Embedding
from compress.networks.graph.architecture import GraphArchitecture
from compress.networks.graph.recurrent import Recurrence
from compress.networks.onnx.opening import opened
from compress.points import uploaded
from tests.compress.helpers import identical, python
from tests.compress.networks.onnx import graphs

pytest.importorskip("onnxruntime")
FILES: dict[str, Callable[[], bytes]] = {
    **{f"script {name}": partial(graphs.script, name)
       for name in ("mlp", "cnn", "resnet", "gru", "lstm", "attention", "words")},
    **{f"fixed {name}": partial(graphs.script, name, True) for name in ("mlp", "resnet", "gru", "lstm")},
    **{f"dynamo {name}": partial(graphs.dynamo, name) for name in ("gru", "attention")},
    "channels last": graphs.channels_last, "branches": graphs.branches,
    "scikit, 2 classes": partial(graphs.scikit, 2), "scikit, 5 classes": partial(graphs.scikit, 5)}
ROUNDING = 1e-5  # of the largest score


def example(found: GraphArchitecture, count: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    numbers = torch.randn(count, *found.shape, generator=generator)
    return (10 * numbers.abs()).floor().clamp(max=19) if found.reads_whole else numbers


@pytest.mark.parametrize("name", FILES)
def test_scores_are_those_of_onnx_runtime_and_survive_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(FILES[name]())
    one = uploaded.opened_file(path, "network")
    assert one.about["largest_difference"] < ROUNDING
    network = opened(path.read_bytes(), "network").network
    again, batch = network_file.read(one.path), example(network.architecture)
    assert one.path.read_bytes() == network_file.to_bytes(network)
    one.path.unlink()
    with torch.inference_mode():
        scores = network(batch)
        alone = torch.cat([network(row[None]) for row in batch])
        assert torch.equal(again(batch), scores)
    assert torch.allclose(alone, scores, atol=1e-5)  # no example has an effect on another one's scores
    assert identical(dict(again.state_dict()), dict(network.state_dict()))


def test_layers_are_modules_that_methods_know() -> None:
    chain = opened(graphs.script("cnn"), "chain").network
    assert [type(part).__name__ for part in chain][1:] == ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "Tanh", "Region",
                                                           "Flatten", "Linear"]
    table, *others = dense_layers(opened(graphs.script("words"), "words").network).values()
    assert isinstance(table, Embedding) and not table.padded and table.weight.shape == (6, 20) and len(others) == 3
    assert len(dense_layers(opened(graphs.script("resnet"), "blocks").network)) == 5
    recurrent = opened(graphs.script("gru"), "steps").network
    assert len(dense_layers(recurrent)) == 5  # two maps of each direction, and the scores
    assert [module.direction for module in recurrent.modules() if isinstance(module, Recurrence)] == ["bidirectional"]


def test_names_of_classes_are_read() -> None:
    assert opened(graphs.scikit(2), "two").classes == ("kind 0", "kind 1")
    assert opened(graphs.scikit(2), "two").source.is_one_score


def test_a_fresh_process_predicts_the_same(tmp_path: Path) -> None:
    """And reads the files without torch's compiler, which would take seconds."""
    inputs = {"attention": torch.linspace(-1, 1, 128).reshape(2, 1, 8, 8), "words": torch.arange(14.0).reshape(2, 7)}
    script = ("import sys, json, torch; from compress.files import network_file; from compress.networks.onnx import opening;"
              "a, w = (network_file.read(path) for path in sys.argv[1:3]);"
              "opening.opened(open(sys.argv[3], 'rb').read(), '');"
              "assert 'sympy' not in sys.modules; x = torch.linspace(-1, 1, 128).reshape(2, 1, 8, 8);"
              "sys.stdout.write(json.dumps([a(x).tolist(), w(torch.arange(14.).reshape(2, 7)).tolist()]))")
    networks = {name: opened(graphs.script(name), name).network for name in inputs}
    for name, network in networks.items():
        network_file.write(network, tmp_path / f"{name}.safetensors")
    (tmp_path / "words.onnx").write_bytes(graphs.script("words"))
    paths = [str(tmp_path / name) for name in ("attention.safetensors", "words.safetensors", "words.onnx")]
    found = json.loads(python("-c", script, *paths, check=True).stdout)
    for (name, network), theirs in zip(networks.items(), found, strict=True):
        with torch.inference_mode():
            assert torch.allclose(torch.tensor(theirs), network(inputs[name]), rtol=0, atol=1e-6)
