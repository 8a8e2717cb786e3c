"""Compressed layers are open: later methods act on their parts, gradients reach these, and files keep what came of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from compress.files import network_file
from compress.layers.base import Compressed, compressed_layers, dense_layers, layer_plain, layer_rebuild, with_layers
from compress.layers.blocks import Blocks
from compress.layers.coded import Coded, closed, stored_bytes
from compress.layers.factors import Factors
from compress.layers.matrix_view import factorised, matrix_of
from compress.layers.open_codes import Coefficients, OpenCodes
from compress.layers.opening import leave_out_zeros_only, merged, opened, outer_path, parts_of, recoded
from compress.layers.sparse import Sparse
from compress.layers.titles import layer_title
from compress.networks.families import CNN, MLP, Architecture, Network, Recurrent, build
from compress.networks.gru import GRU
from tests.compress.helpers import identical, state

SETTINGS = {"linear": nn.Linear(20, 12), "no bias": nn.Linear(9, 10, bias=False),
            "image": nn.Conv2d(4, 8, (3, 2), padding=(1, 0), stride=(2, 1), dilation=(1, 2)),
            "groups": nn.Conv2d(4, 6, 3, groups=2), "sequence": nn.Conv1d(4, 6, 3, padding=2, stride=2, groups=2)}
BATCHES = {"linear": (9, 20), "no bias": (2, 3, 9), "image": (2, 4, 9, 8), "groups": (2, 4, 6, 7), "sequence": (2, 4, 11)}


def thinned(layer: nn.Module, left: float = 0.3) -> nn.Module:
    made = copy.deepcopy(layer).eval()
    with torch.no_grad():
        made.weight[torch.rand(made.weight.shape, generator=torch.Generator().manual_seed(0)) > left] = 0.0
    return made


def coded(layer: nn.Module, storage: str = "int8", nonzeros: int = 3) -> Coded:
    generator = torch.Generator().manual_seed(0)
    blocks = Blocks(len(layer.weight), layer.weight[0].numel(), 4)
    chosen = torch.stack([torch.randperm(6, generator=generator)[:nonzeros] for _ in range(blocks.count)])
    values = torch.randn(blocks.count, nonzeros, generator=generator)
    return Coded.of(layer.eval(), 4, torch.randn(6, 4, generator=generator), chosen, values, storage)


def pair(layer: nn.Module, view: str, rank: int = 2) -> Factors:
    matrix = matrix_of(layer, view)
    return factorised(layer.eval(), torch.linalg.svd(matrix, full_matrices=False).U[..., :rank], view).eval()


def answers(module: nn.Module, batch: Tensor) -> Tensor:
    with torch.inference_mode():
        return module(batch)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", ["channel", "spatial", "sparse", "coded", "sparse factors", "coded factors"])
def test_the_merged_and_the_open_layer_have_equal_outputs(name: str, kind: str) -> None:
    layer, batch = SETTINGS[name], torch.randn(BATCHES[name], generator=torch.Generator().manual_seed(1))
    two = pair(layer, "spatial" if kind == "spatial" else "channel")
    made = {"sparse": lambda: Sparse.of(thinned(layer)), "coded": lambda: coded(layer),
            "sparse factors": lambda: Factors(Sparse.of(thinned(two[0])), Sparse.of(thinned(two[1]))).eval(),
            "coded factors": lambda: Factors(two[0], coded(two[1])).eval()}.get(kind, lambda: two)()
    wanted = answers(made, batch)
    one = made.merged()
    assert type(one) is type(layer) and one.weight.shape == layer.weight.shape and not one.training
    for again in (one, made.opened(), made.opened(codes=True)):
        torch.testing.assert_close(answers(again, batch), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("settings", [MLP(hidden=(16, 12)), CNN(), Recurrent((6,))], ids=lambda one: one.name)
def test_a_network_of_nested_layers_comes_back_from_its_file(settings: MLP | CNN | Recurrent, tmp_path: Path) -> None:
    network = build(Architecture(settings, (1, 8, 8), 10)).eval()
    first, second, *_ = dense_layers(network).items()
    two, other = pair(first[1], "channel"), pair(second[1], "channel", 3)
    small = with_layers(network, {first[0]: Factors(Sparse.of(thinned(two[0])), two[1]).eval(),
                                  second[0]: Factors(other[0], coded(other[1], nonzeros=2)).eval()})
    network_file.write(small, tmp_path / "net")
    again, batch = network_file.read(tmp_path / "net"), torch.randn(5, 1, 8, 8)
    assert torch.equal(answers(again, batch), answers(small, batch)) and identical(state(again), state(small))
    assert list(compressed_layers(again)) == [first[0], second[0]]


def test_files_of_unchanged_layers_have_the_form_that_they_always_had() -> None:
    two, layer = pair(nn.Linear(20, 12), "channel"), nn.Linear(20, 12).eval()
    assert layer_plain(two) == {"kind": "factors", "first": {"type": "Linear", "sizes": [20, 2], "bias": False},
                                "second": {"type": "Linear", "sizes": [2, 12], "bias": True}}
    dense = {"type": "Linear", "sizes": [20, 12], "bias": True}
    assert layer_plain(coded(layer)) == {"kind": "coded", "dense": dense, "height": 4, "atoms": 6, "nonzeros": 3,
                                         "storage": "int8"}
    assert layer_plain(Sparse.of(thinned(layer), "csr")).keys() == {"kind", "dense", "form", "nonzeros"}


def test_nested_layers_come_back_from_plain_data() -> None:
    two = pair(nn.Linear(20, 12), "channel")
    nested = Factors(Factors(nn.Linear(20, 1, bias=False), nn.Linear(1, 2, bias=False)), Sparse.of(thinned(two[1])))
    again = layer_rebuild(json.loads(json.dumps(layer_plain(nested))))
    assert isinstance(again, Compressed) and layer_plain(again) == layer_plain(nested)
    again.load_state_dict(nested.state_dict())
    batch = torch.randn(3, 20)
    torch.testing.assert_close(answers(again.eval(), batch), answers(nested.eval(), batch))


def compressed_network() -> Network:
    """Layer 1 factorised and one factor pruned, layer 3 coded, layer 5 pruned."""
    network = build(Architecture(MLP(hidden=(16, 12)), (20,), 10)).eval()
    two = pair(network[1], "channel")
    return with_layers(network, {"1": Factors(Sparse.of(thinned(two[0])), two[1]).eval(), "3": coded(network[3]),
                                 "5": Sparse.of(thinned(network[5]))})


def test_a_method_is_given_every_part_of_every_layer() -> None:
    network = compressed_network()
    before = state(network)
    assert list(parts_of(opened(network), "X")) == ["1.0", "1.1", "3", "5"]
    parts = parts_of(opened(network, codes=True), "X")
    assert list(parts) == ["1.0", "1.1", "3.coefficients", "5"] and isinstance(parts["3.coefficients"], Coefficients)
    assert list(parts_of(opened(network), "X", output_layer=False)) == ["1.0", "1.1", "3"]
    assert list(parts_of(merged(network), "X")) == ["1", "3", "5"]
    assert [outer_path(opened(network, codes=True), path) for path in parts] == ["1", "1", "3", "5"]
    assert layer_title("3.coefficients", parts["3.coefficients"]) == f"3 · {3 * 16 * 3} coefficients"
    assert identical(before, state(network)) and not leave_out_zeros_only(network)


def test_all_parts_of_the_last_layer_belong_to_it() -> None:
    network = build(Architecture(MLP(hidden=(16,)), (20,), 10)).eval()
    factorised_last = with_layers(network, {"3": pair(network[3], "channel")})
    assert list(parts_of(factorised_last, "X", output_layer=False)) == ["1"]
    only = with_layers(build(Architecture(MLP(hidden=()), (20,), 10)), {"1": pair(network[3], "channel")})
    assert list(parts_of(only, "X", output_layer=False)) == ["1.0", "1.1"]


def test_a_network_that_is_open_already_is_given_back_itself_and_others_share_nothing_with_theirs() -> None:
    network = build(Architecture(MLP(hidden=(16,)), (20,), 10)).eval()
    two = with_layers(network, {"1": pair(network[1], "channel")})
    for one in (network, two):
        assert opened(one) is one and opened(one, codes=True) is one and recoded(one) is one
    assert merged(network) is network and leave_out_zeros_only(network) and not leave_out_zeros_only(two)
    small = compressed_network()
    ours = {tensor.data_ptr() for tensor in small.state_dict().values()}
    for one in (opened(small), opened(small, codes=True), merged(small)):
        assert ours.isdisjoint(tensor.data_ptr() for tensor in one.state_dict().values())


def test_a_network_without_any_layer_is_answered_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^Magic: this network has no linear or convolutional layer .*Choose another"):
        parts_of(Network(nn.Flatten(), nn.ReLU()), "Magic")


@pytest.mark.parametrize("training", [False, True])
def test_gradients_reach_the_parts_in_training_and_in_evaluation(training: bool) -> None:
    network = compressed_network().train(training)
    with torch.enable_grad():
        network(torch.randn(8, 20)).square().sum().backward()
    wanted = {"1.0.values", "1.1.weight", "1.1.bias", "3.atoms", "3.bias", "5.values", "5.bias"}
    assert wanted <= {name for name, weight in network.named_parameters() if float(weight.grad.abs().sum()) > 0}
    open_one = opened(compressed_network(), codes=True).train(training)
    open_one(torch.randn(8, 20)).square().sum().backward()
    assert float(open_one.get_submodule("3.coefficients").weight.grad.abs().sum()) > 0


def test_gradients_of_coefficients_are_those_of_the_dense_weight() -> None:
    opened_codes = coded(nn.Linear(20, 12)).opened(codes=True)
    assert isinstance(opened_codes, OpenCodes)
    dense, batch = opened_codes.merged(), torch.randn(8, 20)
    for one in (opened_codes, dense):
        one(batch).square().sum().backward()
    signals = opened_codes.blocks.signals(dense.weight.grad)
    wanted = (opened_codes.atoms[opened_codes.chosen] * signals[:, None]).sum(2)
    found = opened_codes.coefficients.weight.grad.view(wanted.shape)
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=1e-4)


def test_in_double_precision_layers_compute_in_it() -> None:
    network, batch = compressed_network(), torch.randn(5, 20)
    wanted = answers(network, batch)
    for one in (network, opened(network, codes=True)):
        found = answers(copy.deepcopy(one).double(), batch.double())
        assert found.dtype == torch.float64
        torch.testing.assert_close(found.float(), wanted, atol=1e-5, rtol=1e-5)


def test_a_gru_with_open_and_nested_maps_has_equal_outputs() -> None:
    unit = GRU(5, 8, both_ways=True).eval()
    layers = dense_layers(unit)
    made = with_layers(unit, {"forwards.input_map": coded(layers["forwards.input_map"]),
                              "forwards.state_map": pair(layers["forwards.state_map"], "channel"),
                              "backwards.input_map": Sparse.of(thinned(layers["backwards.input_map"]))})
    batch = torch.randn(4, 7, 5, generator=torch.Generator().manual_seed(3))
    wanted = answers(made, batch)
    for one in (merged(made), opened(made), opened(made, codes=True)):
        torch.testing.assert_close(answers(one, batch), wanted, atol=1e-5, rtol=1e-5)


def test_open_codes_are_stored_as_they_were_where_nothing_changed() -> None:
    made = coded(nn.Linear(20, 12), "float32")
    again = closed(made.opened(codes=True))
    assert layer_plain(again) == layer_plain(made) and identical(state(again), state(made))
    whole = coded(nn.Linear(20, 12), "int8")
    again = closed(whole.opened(codes=True))
    torch.testing.assert_close(again.weight, whole.weight, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("left", "form", "nonzeros"), [
    ((3, 3), "even", 3), ((3, 1), "ragged", 3), ((1, 1), "even", 1), ((0, 0), "ragged", 1)])
def test_coefficients_that_are_zero_are_not_stored(left: tuple[int, int], form: str, nonzeros: int, tmp_path: Path) -> None:
    """left: how many coefficients every other block has, and how many those between them."""
    network = build(Architecture(MLP(hidden=(64,)), (40,), 10)).eval()
    small = with_layers(network, {"1": coded(network[1], "float32")})
    pruned = opened(small, codes=True)
    values = pruned[1].coefficients.weight
    with torch.no_grad():
        for first, own in enumerate(left):
            values.view(-1, 3)[first::2, own:] = 0.0
    stored = recoded(pruned)
    assert (stored[1].form, stored[1].nonzeros, layer_plain(stored[1]).get("places")) == (
        form, nonzeros, 320 * sum(left) if form == "ragged" else None)
    torch.testing.assert_close(stored[1].weight, pruned[1].weight.detach())
    length = network_file.write(stored, tmp_path / "net")
    assert (length < len(network_file.to_bytes(small))) == (left != (3, 3))
    again, batch = network_file.read(tmp_path / "net"), torch.randn(3, 40)
    assert torch.equal(answers(again, batch), answers(stored, batch))
    estimate = stored_bytes(network[1], 4, stored[1].count, stored[1].nonzeros, "float32", stored[1].places)
    assert abs(length - (len(network_file.to_bytes(network)) - 4 * 64 * 40) - estimate) < 100


def test_unused_atoms_are_not_stored() -> None:
    layer = nn.Linear(20, 12)
    opened_codes = coded(layer).opened(codes=True)
    with torch.no_grad():
        gone = opened_codes.chosen >= 3
        opened_codes.coefficients.weight.view(gone.shape)[gone] = 0.0
    stored = closed(opened_codes)
    assert stored.count == 3 and torch.equal(stored.atoms, opened_codes.atoms[:3])


def test_what_a_coefficient_does_is_what_the_weight_loses_without_it() -> None:
    opened_codes = coded(nn.Linear(20, 12), "float32").opened(codes=True)
    before, effects = opened_codes.weight.detach().clone(), opened_codes.effects
    for place in (0, 7, 100):
        without = copy.deepcopy(opened_codes)
        with torch.no_grad():
            without.coefficients.weight.view(-1)[place] = 0.0
        loss = float((without.weight.detach() - before).norm())
        assert loss == pytest.approx(float(effects.view(-1)[place]), rel=1e-4)
