"""Pruning of whole inputs: tokens of an embedding table, numbers of a table; the file holds the columns that stay."""

from __future__ import annotations

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import dense_layers
from compress.layers.factors import Factors
from compress.layers.sparse import Sparse
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.networks.families import CNN, MLP, Architecture, Network, Recurrent, build
from compress.pruning.input_pruner import first_layer
from compress.recipe import Step
from compress.solvers.brain_surgeon import damped
from compress.training.teachers import untrained
from tests.compress.helpers import toy_data
from tests.compress.texts import toy_texts

CRITERIA = ["magnitude", "random", "taylor", "snip", "wanda", "second_order"]


@pytest.fixture(scope="module")
def texts() -> Dataset:
    return toy_texts()


@pytest.fixture
def reader(texts: Dataset) -> Network:
    return untrained(Step.parse("embedding_bag(width=16,hidden=8)"), texts).eval()


def inputs_left(network: Network) -> list[int]:
    """The inputs whose weights are not all zero."""
    layer = next(module for module in network.modules() if hasattr(module, "weight"))
    return (layer.weight != 0).any(0).nonzero().flatten().tolist()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_share_of_the_inputs_goes_and_the_other_layers_stay(criterion: str, mlp: Network, digits: Dataset) -> None:
    for sparsity in (0.25, 0.9, 0.999):
        small = Prune(sparsity=sparsity, criterion=criterion, pattern="inputs").compress(mlp, digits)
        assert len(inputs_left(small)) == max(1, 64 - round(sparsity * 64))
        for path, layer in list(dense_layers(mlp).items())[1:]:
            assert torch.equal(small.get_parameter(f"{path}.weight"), layer.weight)


def test_the_largest_embeddings_stay_and_a_removed_token_is_zero(reader: Network, texts: Dataset) -> None:
    small = Prune(sparsity=0.5, pattern="inputs").compress(reader, texts)
    norms = reader[0].weight.norm(dim=0)
    assert inputs_left(small) == sorted(norms.argsort(descending=True)[:len(norms) - round(len(norms) / 2)].tolist())
    gone = next(place for place in range(2, len(norms)) if place not in inputs_left(small))
    assert not small[0](torch.tensor([[0, gone]])).any() and reader[0](torch.tensor([[0, gone]])).any()


def test_half_of_the_tokens_take_half_of_the_bytes_of_the_table(reader: Network, texts: Dataset) -> None:
    small = Prune(sparsity=0.5, pattern="inputs").compress(reader, texts)
    tokens = reader[0].in_features
    assert isinstance(small[0], Sparse) and small[0].form == "columns"
    saved = len(network_file.to_bytes(reader)) - len(network_file.to_bytes(small))
    assert saved == pytest.approx(4 * 16 * round(tokens / 2) - tokens / 8, abs=300)


def test_the_columns_that_stay_are_refitted(mlp: Network, digits: Dataset) -> None:
    small = Prune(sparsity=0.5, pattern="inputs", criterion="second_order").compress(mlp, digits)
    left, before = inputs_left(small), mlp[1].weight.detach().double()
    inputs = torch.tensor(digits.calibration.inputs).flatten(1).double()
    moment = damped(inputs.T @ inputs / len(inputs))
    wanted = torch.linalg.solve(moment[left][:, left], (before @ moment[:, left]).T).T
    torch.testing.assert_close(small[1].weight[:, left].double(), wanted, atol=1e-4, rtol=1e-4)


def test_a_weight_that_is_zero_stays_zero(mlp: Network, digits: Dataset) -> None:
    once = Prune(sparsity=0.5).compress(mlp, digits)
    twice = Prune(sparsity=0.4, pattern="inputs", criterion="second_order").compress(once, digits)
    assert not bool(((once[1].weight == 0) & (twice[1].weight != 0)).any()) and len(inputs_left(twice)) == 64 - 26


def test_the_narrow_table_of_a_low_rank_is_pruned(reader: Network, texts: Dataset) -> None:
    once = LowRank(keep=0.3).compress(reader, texts)
    twice = Prune(sparsity=0.5, pattern="inputs").compress(once, texts)
    tokens = reader[0].in_features
    assert isinstance(twice[0], Factors) and len(inputs_left(twice)) == tokens - round(tokens / 2)


def test_the_view_names_the_words_that_count_most_and_the_file_in_four_forms(reader: Network, texts: Dataset) -> None:
    method = Prune(pattern="inputs", criterion="wanda", sparsity=0.5)
    view = method.inside(reader, texts, [0.5, 0.9])
    (layer,) = view["layers"]
    assert set(layer["first_inputs"]) <= set(texts.words[2:]) and len(layer["first_inputs"]) == 24
    sizes = view["sizes"]
    assert set(sizes) == {"dense", "csr", "bitmask", "columns"}
    assert all(sizes["columns"][place] < min(sizes[form][place] for form in ("dense", "csr", "bitmask")) for place in (0, 1))
    (candidate,) = method.curve(reader, texts, [0.5])
    (summary,) = candidate.inside["layers"]
    tokens = reader[0].in_features
    assert (summary["inputs_kept"], summary["inputs"], summary["form"]) == (tokens - round(tokens / 2), tokens, "columns")


@pytest.mark.parametrize("family", [CNN(), Recurrent((4,))], ids=str)
def test_networks_that_share_weights_between_inputs_are_refused(family: CNN | Recurrent, digits: Dataset) -> None:
    network = build(Architecture(family, (1, 8, 8), 10)).eval()
    assert not first_layer(network)
    with pytest.raises(ValueError, match=r"reads its examples in another way\. Choose the pattern unstructured or units"):
        Prune(pattern="inputs", sparsity=0.5).compress(network, digits)


def test_surgeon_does_not_go_with_whole_inputs() -> None:
    with pytest.raises(ValueError, match=r"the pattern is inputs\. Choose the criterion second_order"):
        Prune(pattern="inputs", criterion="surgeon")


def test_a_wide_table_needs_no_moment_for_magnitude_and_wanda() -> None:
    data = toy_data((3000,), examples=60)
    network = build(Architecture(MLP((4,)), (3000,), 3)).eval()
    for criterion in ("magnitude", "wanda"):
        assert len(inputs_left(Prune(pattern="inputs", criterion=criterion, sparsity=0.9).compress(network, data))) == 300
