"""The method low rank: when it helps, when it does not, and its notes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import compressed_layers
from compress.low_rank.factorisation import factorise
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.networks.evaluation import logits_of
from compress.networks.families import MLP, Architecture, Network, build
from tests.compress.helpers import identical, state, toy_data


def squares(side: int) -> tuple[Network, Dataset]:
    """A perceptron whose hidden layers are all side x side."""
    data = toy_data((side,))
    return build(Architecture(MLP(hidden=(side, side)), (side,), 3)).eval(), data


def accuracy(network: Network, data: Dataset) -> float:
    outputs = logits_of(network, torch.tensor(data.validation.inputs)).argmax(1)
    return float((outputs == torch.tensor(data.validation.labels)).float().mean())


@pytest.mark.parametrize("scheme", ["plain", "whitened", "centred", "sequential", "randomized"])
def test_a_rank_past_break_even_stays_dense_with_a_note(scheme: str, mlp: Network, digits: Dataset) -> None:
    """64 x 48 breaks even at 27.4, 48 x 32 at 19.2."""
    method = LowRank(keep=0.6, scheme=scheme)
    candidate = next(method.curve(mlp, digits, [0.6]))
    assert candidate.inside["ranks"] == {"1": 29, "3": 19}
    assert set(compressed_layers(candidate.network)) == {"3"}
    assert len(candidate.notes) == 1
    assert "layer 1" in candidate.notes[0] and "27.4" in candidate.notes[0] and "no gain" in candidate.notes[0]


def test_where_no_layer_gains_the_file_is_the_dense_one(mlp: Network, digits: Dataset) -> None:
    candidate = next(LowRank().curve(mlp, digits, [1.0]))
    assert network_file.to_bytes(candidate.network) == network_file.to_bytes(mlp)
    assert len(candidate.notes) == 2


@pytest.mark.parametrize("side", [16, 17, 32])
def test_half_the_rank_of_a_square_layer_saves_nothing(side: int) -> None:
    network, data = squares(side)
    candidate = next(LowRank(scheme="plain").curve(network, data, [0.5 if side % 2 == 0 else (side // 2 + 1) / side]))
    assert len(network_file.to_bytes(candidate.network)) == len(network_file.to_bytes(network))
    assert all("no gain" in note for note in candidate.notes) and len(candidate.notes) == 2


def test_one_rank_below_break_even_is_factorised_and_smaller() -> None:
    network, data = squares(32)
    small = LowRank(keep=15 / 32, scheme="plain").compress(network, data)
    assert {layer.rank for layer in compressed_layers(small).values()} == {15}
    assert sum(weight.numel() for weight in small.parameters()) < sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("scheme", ["plain", "whitened", "centred", "sequential", "randomized"])
def test_most_of_the_accuracy_is_left_at_a_quarter_of_the_ranks(scheme: str, mlp: Network, digits: Dataset) -> None:
    small = LowRank(keep=0.25, scheme=scheme).compress(mlp, digits)
    assert accuracy(small, digits) > 0.8 * accuracy(mlp, digits)


@pytest.mark.parametrize("scheme", ["plain", "randomized"])
def test_spatial_pairs_split_a_convolution_into_columns_and_rows(scheme: str, trained: Callable[[str], Network],
                                                                digits: Dataset) -> None:
    small = LowRank(keep=0.3, scheme=scheme, convolution="spatial").compress(trained("cnn(epochs=3)"), digits)
    pair = compressed_layers(small)["3"]
    assert pair[0].kernel_size == (5, 1) and pair[1].kernel_size == (1, 5)


@pytest.mark.parametrize("scheme", ["whitened", "centred", "sequential"])
def test_schemes_that_need_outputs_refuse_the_spatial_view_with_a_remedy(scheme: str) -> None:
    with pytest.raises(ValueError, match=r"LowRank: A spatial convolution goes with .*Choose the scheme plain"):
        LowRank(scheme=scheme, convolution="spatial")


def test_the_output_layer_is_not_factorised_by_default(mlp: Network, digits: Dataset) -> None:
    """10 x 32 breaks even at 7.6."""
    assert "5" not in compressed_layers(LowRank(keep=0.2).compress(mlp, digits))
    assert "5" in compressed_layers(LowRank(keep=0.2, output_layer=True).compress(mlp, digits))


def test_a_network_of_one_layer_is_factorised_although_it_is_the_output_layer(trained: Callable[[str], Network],
                                                                             digits: Dataset) -> None:
    small = LowRank(keep=0.3).compress(trained("logistic(epochs=1)"), digits)
    assert set(compressed_layers(small)) == {"1"}


def test_twice_in_a_row_lowers_the_rank_and_past_the_rank_there_is_stays_and_says_so(mlp: Network,
                                                                                   digits: Dataset) -> None:
    """Of nested subspaces (plain SVD) the second step finds what one step would have found."""
    at = {keep: LowRank(keep=keep, scheme="plain") for keep in (0.1, 0.2)}
    once = at[0.2].compress(mlp, digits)
    twice, alone = at[0.1].compress(once, digits), at[0.1].compress(mlp, digits)
    assert len(network_file.to_bytes(twice)) == len(network_file.to_bytes(alone)) < len(network_file.to_bytes(once))
    for path in ("1", "3"):
        assert twice.get_submodule(path).rank == alone.get_submodule(path).rank
        torch.testing.assert_close(twice.get_submodule(path).merged().weight, alone.get_submodule(path).merged().weight,
                                   atol=1e-5, rtol=1e-4)
    candidate = next(at[0.2].curve(once, digits, [0.2]))
    assert network_file.to_bytes(candidate.network) == network_file.to_bytes(once)
    assert candidate.notes[0] == "layer 1 stays as it is: rank 10 is at or past its break-even 10.0, no gain"


@pytest.mark.parametrize("scheme", ["plain", "whitened", "centred", "sequential", "randomized"])
def test_a_pruned_layer_is_factorised_where_factors_take_less(scheme: str, mlp: Network, digits: Dataset) -> None:
    pruned = Prune(sparsity=0.5).compress(mlp, digits)
    candidate = next(LowRank(scheme=scheme).curve(pruned, digits, [0.1]))
    assert {path: layer.kind for path, layer in compressed_layers(candidate.network).items()} == {
        "1": "factors", "3": "factors", "5": "sparse"}
    assert torch.equal(candidate.network[5].weight, pruned[5].weight)
    assert len(network_file.to_bytes(candidate.network)) < len(network_file.to_bytes(pruned))
    merged = candidate.network[1].merged().weight
    assert float((merged - pruned[1].weight).norm() / pruned[1].weight.norm()) < 0.9
    thin = Prune(sparsity=0.97).compress(mlp, digits)
    candidate = next(LowRank(scheme=scheme).curve(thin, digits, [0.1]))
    assert network_file.to_bytes(candidate.network) == network_file.to_bytes(thin)
    assert all("stays as it is" in note and "no gain" in note for note in candidate.notes) and len(candidate.notes) == 2


def test_what_a_page_shows_of_a_compressed_network_is_of_its_dense_weights(mlp: Network, digits: Dataset) -> None:
    once = LowRank(keep=0.2, scheme="plain").compress(mlp, digits)
    layers = LowRank().inside(once, digits, [0.1])["layers"]
    assert [layer["shape"] for layer in layers] == [[1, 48, 64], [1, 32, 48]]
    assert all(value < 1e-5 for value in layers[0]["sigma"][10:]) and layers[0]["break_even"] == 10.0


def test_recovery_changes_the_weights_and_not_the_sizes(mlp: Network, digits: Dataset) -> None:
    cut = LowRank(keep=0.08).compress(mlp, digits)
    recovered = LowRank(keep=0.08, recovery_steps=40, recovery_rate=0.002).compress(mlp, digits)
    assert {name: tensor.shape for name, tensor in state(cut).items()} == {
        name: tensor.shape for name, tensor in state(recovered).items()}
    assert not identical(state(cut), state(recovered))
    assert accuracy(recovered, digits) > accuracy(cut, digits)


def test_a_layer_of_zeros_is_no_obstacle(digits: Dataset) -> None:
    network = build(Architecture(MLP(hidden=(16, 16)), digits.shape, 10)).eval()
    nn.init.zeros_(network[3].weight)
    for scheme in ("plain", "whitened", "centred", "sequential", "randomized"):
        for allocation in ("uniform", "energy", "greedy"):
            method = LowRank(keep=0.3, scheme=scheme, allocation=allocation)
            assert torch.isfinite(logits_of(method.compress(network, digits),
                                            torch.tensor(digits.validation.inputs))).all()
        view = LowRank(scheme=scheme).inside(network, digits, [0.1, 0.5])
        numbers = [number for layer in view["layers"] for value in layer.values() if isinstance(value, list)
                   for number in value]
        assert all(number == number for number in numbers), "NaN cannot be shown on a chart"


def test_its_error_predicts_the_output_error_on_calibration(mlp: Network, digits: Dataset) -> None:
    """The whitened tail is the mean squared error of the layer's outputs on the examples that it was fitted to."""
    inputs = torch.tensor(digits.calibration.inputs).flatten(1)
    pieces = LowRank(scheme="whitened").factorised(mlp, digits)
    with torch.inference_mode():
        for rank in (3, 10, 20):
            gap = pieces["1"].layer(rank)(inputs) - mlp[1](inputs)
            predicted = float(pieces["1"].subspace.tail()[0, rank])
            assert float(gap.square().sum(1).mean()) == pytest.approx(predicted, rel=1e-3)


def test_only_the_weights_count_for_plain_svd(mlp: Network, digits: Dataset) -> None:
    pieces = LowRank(scheme="plain").factorised(mlp, digits)
    alone = factorise(mlp[1], "plain")
    assert torch.equal(pieces["1"].layer(5)[0].weight, alone.layer(5)[0].weight)
