"""Running sums over ranks: every rank's outputs for the price of one, and the same outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.artefacts import Artefacts
from compress.layers.base import with_layers
from compress.low_rank.prefix_sums import PrefixSums
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.points.measure import Reference, measure


@pytest.mark.parametrize("scheme", ["plain", "whitened", "centred", "sequential", "randomized"])
@pytest.mark.parametrize("order", ["rising", "falling", "mixed", "repeated"])
def test_the_outputs_at_every_rank_are_the_networks_own_in_any_order(scheme: str, order: str, mlp: Network,
                                                                    digits: Dataset) -> None:
    pieces = LowRank(scheme=scheme).factorised(mlp, digits)
    inputs = torch.tensor(digits.validation.inputs)
    every = list(range(1, pieces["1"].useful))
    ranks = {"rising": every, "falling": every[::-1], "mixed": every[::3] + every[1::3], "repeated": [5, 5, 2]}[order]
    sums = PrefixSums.over(mlp, pieces, inputs)
    for rank in ranks:
        chosen = {"1": rank, "3": 1 + rank % 10}
        network = with_layers(mlp, {path: pieces[path].layer(rank) for path, rank in chosen.items()})
        with torch.inference_mode():
            own = network(inputs)
        found = sums.logits(network, chosen)
        assert torch.allclose(found, own, atol=1e-4)
        assert torch.equal(found.argmax(1), own.argmax(1))


@pytest.mark.parametrize("before", ["", "pruned"])
@pytest.mark.parametrize("scheme", ["plain", "whitened", "centred", "sequential", "randomized"])
def test_points_predict_what_the_networks_read_back_from_their_files_predict(scheme: str, before: str, mlp: Network,
                                                                            digits: Dataset, tmp_path: Path) -> None:
    """Running sums spare the evaluation of the network, at every rank of a curve."""
    start = Prune(sparsity=0.3).compress(mlp, digits) if before else mlp
    files, inputs = Artefacts(tmp_path), torch.tensor(digits.validation.inputs)
    shared = 0
    for candidate in LowRank(scheme=scheme).curve(start, digits, LowRank.values):
        shared += candidate.logits is not None
        point = measure(candidate, digits, Reference.of(mlp, digits), files, latency=False)
        predicted = logits_of(network_file.read(files.path(point.digest)), inputs).argmax(1)
        assert np.frombuffer(point.predictions, "<u2").tolist() == predicted.tolist()
    assert shared > 10


def test_near_ties_are_decided_as_the_network_decides_them(digits: Dataset) -> None:
    """Two classes with almost the same weights: another order of summation would tip some examples."""
    from compress.networks.families import MLP, Architecture, build

    network = build(Architecture(MLP(hidden=(48, 32)), digits.shape, 10)).eval()
    with torch.no_grad():
        network[5].weight[1] = network[5].weight[0] * (1 + 1e-7)
        network[5].bias[:2] = 3.0
    pieces = LowRank(scheme="plain").factorised(network, digits)
    inputs = torch.tensor(digits.validation.inputs)
    sums = PrefixSums.over(network, pieces, inputs)
    for rank in range(1, pieces["1"].useful):
        small = with_layers(network, {"1": pieces["1"].layer(rank)})
        with torch.inference_mode():
            assert torch.equal(sums.logits(small, {"1": rank}).argmax(1), small(inputs).argmax(1))


def test_a_dense_first_layer_has_no_running_sums(mlp: Network, digits: Dataset) -> None:
    pieces = LowRank(scheme="plain").factorised(mlp, digits)
    sums = PrefixSums.over(mlp, pieces, torch.tensor(digits.validation.inputs))
    assert sums.logits(mlp, {"1": 48, "3": 32}) is None


@pytest.mark.parametrize("text", ["cnn(epochs=1)", "gru(hidden=24,epochs=2)", "resnet(channels=8-16,epochs=2)"])
def test_networks_that_do_not_begin_with_a_linear_layer_go_the_usual_way(text: str, digits: Dataset,
                                                                        trained: Callable[[str], Network]) -> None:
    network = trained(text)
    pieces = LowRank(scheme="plain").factorised(network, digits)
    assert PrefixSums.over(network, pieces, torch.tensor(digits.validation.inputs)) is None
