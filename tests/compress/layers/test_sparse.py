"""A layer without its zeros: the same answers, the smaller of two forms, and CSR kernels only where they win."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.files import container, network_file
from compress.layers.base import compressed_layers, dense_layers, layer_plain, layer_rebuild, macs, with_layers
from compress.layers.sparse import Sparse, force_csr, smallest_form, stored_bytes
from compress.networks.embedding import Embedding
from compress.networks.families import MLP, Architecture, Network, build
from compress.networks.gru import GRU
from tests.compress.helpers import state

HEADER = 16  # bytes by which numbers of more digits and alignment move a file's header
FORMS = ("bitmask", "csr", "columns")
every_form = pytest.mark.parametrize("form", FORMS)
LINEAR = [nn.Linear(13, 7), nn.Linear(13, 7, bias=False), nn.Linear(9, 1), nn.Linear(1, 5), nn.Linear(255, 3),
          nn.Linear(256, 3), nn.Linear(257, 3), nn.Linear(65_536, 2), nn.Linear(65_537, 2)]
CONVOLUTIONS = [nn.Conv1d(3, 5, 4), nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False),
                nn.Conv2d(2, 5, 3), nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(0, 1), dilation=(1, 2), groups=2),
                nn.Conv2d(1, 3, 5, padding=2, bias=False)]
every_layer = pytest.mark.parametrize("layer", LINEAR + CONVOLUTIONS, ids=str)


def thin(layer: nn.Module, left: float | int) -> nn.Module:
    """A copy with random weights of which this share (or number) is not zero, in evaluation mode."""
    generator = torch.Generator().manual_seed(0)
    layer, size = copy.deepcopy(layer).eval(), layer.weight.numel()
    places = torch.randperm(size, generator=generator)[:left if isinstance(left, int) else round(left * size)]
    drawn = torch.randn(size, generator=generator).abs() + 0.01
    layer.weight = nn.Parameter(torch.zeros(size).index_put((places,), drawn[places]).view(layer.weight.shape))
    return layer


def examples(layer: nn.Module, count: int = 9) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    if isinstance(layer, nn.Linear):
        return torch.randn(count, layer.in_features, generator=generator)
    return torch.randn(count, layer.in_channels, *[11, 12][:layer.weight.dim() - 2], generator=generator)


def answers(layer: nn.Module, batch: Tensor) -> Tensor:
    with torch.inference_mode():
        return layer(batch)


def reloaded(layer: nn.Module, path: Path) -> nn.Module:
    """The layer again from its plain data and its tensors, as they come back from a file."""
    network_file.write_bytes(container.pack({"layer": layer_plain(layer)}, layer.state_dict()), path)
    manifest, tensors = network_file.unpack(path)
    again = layer_rebuild(manifest["layer"])
    again.load_state_dict(tensors)
    return again.eval()


@every_form
@every_layer
@pytest.mark.parametrize("left", [0.0, 0.2, 1.0])
def test_a_file_gives_back_equal_weights_and_bit_identical_answers(layer: nn.Module, form: str, left: float,
                                                                   tmp_path: Path) -> None:
    dense = thin(layer, left)
    made = Sparse.of(dense, form)
    again = reloaded(made, tmp_path / "net")
    assert made.form == again.form == form
    for one in (made, again):
        assert torch.equal(one.weight, dense.weight) and (one.bias is None or torch.equal(one.bias, dense.bias))
    batch = examples(layer)
    assert torch.equal(answers(made, batch), answers(again, batch))
    torch.testing.assert_close(answers(made, batch), answers(dense, batch), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("columns", "indices", "counts"), [
    (255, torch.uint8, torch.uint8), (256, torch.uint8, torch.uint16), (257, torch.uint16, torch.uint16),
    (65_536, torch.uint16, torch.int32), (65_537, torch.int32, torch.int32)])
def test_indices_are_as_small_as_they_can_be(columns: int, indices: torch.dtype, counts: torch.dtype) -> None:
    made = Sparse.of(thin(nn.Linear(columns, 2), 1.0), "csr")
    assert (made.columns.dtype, made.counts.dtype) == (indices, counts)
    assert made.counts.long().tolist() == [columns, columns] and int(made.columns.long().max()) == columns - 1


@pytest.mark.parametrize("share", [0.0, 0.02, 0.025, 0.035, 0.04, 0.3, 0.7, 0.92, 0.935, 0.94, 0.945, 0.96, 0.99, 1.0])
@pytest.mark.parametrize("sizes", [(300, 100), (64, 48), (20, 16), (9, 5)])
def test_the_form_that_is_chosen_makes_the_smallest_file(sizes: tuple[int, int], share: float) -> None:
    """Break-evens: a bitmask pays from 1 / 32 zeros on; indices of a byte below a density of 1 / 8, of two below 1 / 16."""
    layer = thin(nn.Linear(*sizes), 1 - share)
    network = build(Architecture(MLP(hidden=(sizes[1],)), (sizes[0],), 10))
    lengths = {form: len(network_file.to_bytes(with_layers(network, {"1": one}))) for form, one in
               (("dense", layer), *((form, Sparse.of(layer, form)) for form in ("bitmask", "csr")))}
    chosen = smallest_form(layer)
    assert lengths[getattr(chosen, "form", "dense")] <= min(lengths.values()) + HEADER
    assert type(chosen) is Sparse or chosen is layer


@pytest.mark.parametrize("sizes", [(784, 300), (200, 100)])
def test_without_a_choice_the_smaller_form_is_taken(sizes: tuple[int, int]) -> None:
    width = 16 if sizes[0] > 256 else 8
    assert Sparse.of(thin(nn.Linear(*sizes), 1.1 / width)).form == "bitmask"
    assert Sparse.of(thin(nn.Linear(*sizes), 0.9 / width)).form == "csr"


def test_a_table_without_the_rows_of_some_tokens_stores_the_others_alone() -> None:
    table = Embedding(500, 32, mean=True).eval()
    with torch.no_grad():
        table.weight[:, torch.randperm(500, generator=torch.manual_seed(0))[:400]] = 0
    made, batch = smallest_form(table, True), torch.randint(0, 600, (7, 9), generator=torch.manual_seed(1))
    assert (made.form, len(made.values), len(made.mask)) == ("columns", 100 * 32, 63)
    assert torch.equal(answers(made, batch), answers(table, batch)) and torch.equal(made.merged().weight, table.weight)


def test_a_single_zero_among_the_inputs_that_stay_is_never_stored_as_a_value() -> None:
    layer = thin(nn.Linear(50, 40), 1.0)
    with torch.no_grad():
        layer.weight[:, :25] = 0
    assert (smallest_form(layer, True).form, smallest_form(layer).form) == ("columns", "bitmask")
    with torch.no_grad():
        layer.weight[3, 30] = 0
    assert smallest_form(layer, True).form == "bitmask"


def test_a_few_zeros_save_nothing() -> None:
    network = build(Architecture(MLP(hidden=(100,)), (300,), 10))
    layers = {path: thin(layer, 0.98) for path, layer in dense_layers(network).items()}
    with_zeros = with_layers(network, {path: smallest_form(layer) for path, layer in layers.items()})
    assert not compressed_layers(with_zeros) and network_file.nonzeros(with_zeros) < network_file.nonzeros(network)
    assert len(network_file.to_bytes(with_zeros)) == len(network_file.to_bytes(network))


@pytest.mark.parametrize("layer", [LINEAR[0], LINEAR[6], CONVOLUTIONS[3]], ids=str)
@pytest.mark.parametrize("left", [0, 5, 25])
def test_stored_bytes_are_those_of_the_tensors_up_to_the_header(layer: nn.Module, left: int) -> None:
    dense = thin(layer, left)
    sizes = stored_bytes(dense, left)
    for form, one in {"dense": dense, "csr": Sparse.of(dense, "csr"), "bitmask": Sparse.of(dense, "bitmask")}.items():
        held = sum(tensor.numel() * tensor.element_size() for name, tensor in one.state_dict().items() if name != "bias")
        assert 0 <= sizes[form] - held < 400


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("left", [0, 1, 40, 300])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (8,), (200,), (2, 3), (6, 11)])
def test_csr_kernels_give_the_dense_answers(shape: tuple[int, ...], left: int, bias: bool) -> None:
    dense = thin(nn.Linear(50, 40, bias=bias), left)
    batch = torch.randn(*shape, 50, generator=torch.Generator().manual_seed(2))
    for made in (Sparse.of(dense), force_csr(dense)):
        found = answers(made, batch)
        torch.testing.assert_close(found, answers(dense, batch), atol=1e-5, rtol=1e-5)
        assert found.shape == (*shape, 40)


@pytest.mark.parametrize(("left", "shape", "by_rows"), [
    (600, (8,), True), (601, (8,), False), (600, (2, 4), True), (600, (7,), False), (200, (7,), True), (201, (7,), False),
    (200, (1,), True), (3000, (500,), False)])
def test_csr_kernels_run_only_at_densities_at_which_they_win(left: int, shape: tuple[int, ...], by_rows: bool,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4000 weights 600 are 15 %, the limit for a batch, and 200 are 5 %, the limit for fewer than 8 examples."""
    made, batch = Sparse.of(thin(nn.Linear(100, 40), left)), torch.randn(*shape, 100)
    calls: list[Tensor] = []
    dense_product = functional.linear
    monkeypatch.setattr(functional, "linear", lambda *parts: calls.append(parts[0]) or dense_product(*parts))
    answers(made, batch)
    assert (not calls) == by_rows


@every_form
@pytest.mark.parametrize("layer", [LINEAR[0], CONVOLUTIONS[1], CONVOLUTIONS[3]], ids=str)
def test_training_passes_the_dense_gradients_on_to_the_values(layer: nn.Module, form: str) -> None:
    dense = thin(layer, 0.3).train()
    made = Sparse.of(dense, form)
    assert made.training
    for one in (dense, made):
        one(examples(layer)).square().sum().backward()
    held = dense.weight != 0 if form != "columns" else (dense.weight != 0).any(0).expand_as(dense.weight)
    torch.testing.assert_close(made.values.grad, dense.weight.grad[held], atol=1e-4, rtol=1e-5)


@every_form
def test_after_training_the_new_values_count(form: str) -> None:
    made, batch = Sparse.of(thin(nn.Linear(50, 40), 0.1), form), examples(nn.Linear(50, 40), 20)
    before, zeros = answers(made, batch), made.weight == 0
    zeros = zeros if form != "columns" else zeros.all(0).expand_as(zeros)
    made.train()
    made(batch).square().sum().backward()
    torch.optim.SGD(made.parameters(), 0.01, momentum=0.9).step()
    expected = answers(made, batch)
    torch.testing.assert_close(answers(made.eval(), batch), expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(expected, before, atol=1e-3)
    assert torch.equal(made.weight == 0, zeros)


@every_form
@pytest.mark.parametrize("training", [False, True])
def test_loaded_tensors_count_at_once(form: str, training: bool) -> None:
    made, batch = Sparse.of(thin(nn.Linear(50, 40, bias=False), 200), form), torch.randn(20, 50)
    before = answers(made, batch)
    made.train(training)
    made.load_state_dict({**state(made), "values": -made.values.detach()})
    torch.testing.assert_close(answers(made, batch), -before, atol=1e-5, rtol=1e-5)


@every_form
def test_a_copy_has_equal_outputs_and_shares_no_tensor(form: str) -> None:
    made, batch = Sparse.of(thin(nn.Linear(50, 40), 0.1), form), torch.randn(20, 50)
    again = copy.deepcopy(made)
    assert torch.equal(answers(again, batch), answers(made, batch))
    before = answers(made, batch)
    again.load_state_dict({name: torch.zeros_like(tensor) if tensor.is_floating_point() else tensor
                           for name, tensor in state(made).items()})
    assert torch.equal(answers(made, batch), before) and not answers(again, batch).any()


@every_form
@pytest.mark.parametrize("layer", [nn.Linear(50, 40), CONVOLUTIONS[3]], ids=str)
def test_another_precision_and_back_changes_nothing(layer: nn.Module, form: str) -> None:
    made, batch = Sparse.of(thin(layer, 0.1), form), examples(layer, 20)
    before, kept = answers(made, batch), state(made)
    wide = answers(made.double(), batch.double())
    assert wide.dtype == torch.float64 and torch.allclose(wide.float(), before, atol=1e-5)
    assert {name: tensor.dtype for name, tensor in state(made).items() if not tensor.is_floating_point()} == {
        name: tensor.dtype for name, tensor in kept.items() if not tensor.is_floating_point()}
    assert torch.equal(answers(made.float(), batch), before)


def test_multiplications_are_those_with_weights_that_are_left() -> None:
    network = Network(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), nn.Flatten(), nn.Linear(200, 10)).eval()
    layers = {path: Sparse.of(thin(layer, 30)) for path, layer in dense_layers(network).items()}
    assert macs(with_layers(network, layers), torch.zeros(1, 4, 10, 10)) == 5 * 5 * 30 + 30


def test_parameters_that_are_not_zero_are_those_of_the_dense_network_with_zeros() -> None:
    network = build(Architecture(MLP(hidden=(40,)), (50,), 3)).eval()
    dense = with_layers(network, {path: thin(layer, 60) for path, layer in dense_layers(network).items()})
    made = with_layers(dense, {path: Sparse.of(layer) for path, layer in dense_layers(dense).items()})
    assert network_file.nonzeros(made) == network_file.nonzeros(dense) == 2 * 60 + 40 + 3
    assert sum(parameter.numel() for parameter in made.parameters()) == 2 * 60 + 40 + 3
    with torch.no_grad():
        made[1].values[:7] = 0.0
    assert network_file.nonzeros(made) == 2 * 60 + 40 + 3 - 7


@every_form
def test_a_gru_with_sparse_maps_runs_fused_and_answers_as_with_zeros(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = GRU(5, 7, both_ways=True).eval()
    dense = with_layers(unit, {path: thin(layer, 0.3) for path, layer in dense_layers(unit).items()})
    made = with_layers(dense, {path: Sparse.of(layer, form) for path, layer in dense_layers(dense).items()})
    batch = torch.randn(4, 11, 5, generator=torch.Generator().manual_seed(3))
    steps = macs(Network(made), batch[:1])
    assert steps == 11 * sum(len(layer.values) for layer in compressed_layers(made).values())
    monkeypatch.setattr(Sparse, "forward", lambda *_: pytest.fail("called step by step"))
    assert torch.equal(answers(made, batch), answers(dense, batch))


def test_a_gru_with_sparse_maps_learns_the_same_fused_and_step_by_step() -> None:
    unit = GRU(5, 7, both_ways=False).eval()
    dense = with_layers(unit, {path: thin(layer, 0.3) for path, layer in dense_layers(unit).items()}).train()
    made = with_layers(dense, {path: Sparse.of(layer) for path, layer in dense_layers(dense).items()})
    fused = copy.deepcopy(made).eval().train()
    batch = torch.randn(4, 11, 5, generator=torch.Generator().manual_seed(3))
    for one in (dense, made, fused):
        one(batch).square().sum().backward()
    for path, layer in dense_layers(dense).items():
        expected = layer.weight.grad[layer.weight != 0]
        for one in (made, fused):
            torch.testing.assert_close(one.get_submodule(path).values.grad, expected, atol=1e-4, rtol=1e-4)
