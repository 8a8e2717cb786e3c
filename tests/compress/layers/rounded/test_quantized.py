"""A layer of few values: what a file gives back, what a mask saves, values that are trained while their numbers stay."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from compress.files import container, network_file
from compress.layers.base import bytes_of_weight, compressed_layers, layer_plain, layer_rebuild, macs, with_layers
from compress.layers.bit_packing import Symbols, bits_for, unpacked
from compress.layers.matrix_view import matrix_of
from compress.layers.opening import merged, opened
from compress.layers.rounded.half import FORMATS, Half
from compress.layers.rounded.levels import Levels
from compress.layers.rounded.quantized import Quantized
from compress.networks.families import MLP, Architecture, Network, build
from compress.networks.gru import GRU
from compress.solvers.uniform_grid import Grid, fitted
from tests.compress.helpers import identical, state
from tests.compress.layers.test_sparse import CONVOLUTIONS, LINEAR, answers, examples, reloaded, thin

every_layer = pytest.mark.parametrize("layer", [*LINEAR[:5], *CONVOLUTIONS], ids=str)
MEANINGS = ("tensor", "row", "group", "shifted", "codebook", "codebooks")
every_meaning = pytest.mark.parametrize("meaning", MEANINGS)


def numbers_and_values(layer: nn.Module, meaning: str, levels: int) -> tuple[Tensor, Grid | Tensor]:
    matrix = matrix_of(layer).flatten(0, 1)
    if meaning.startswith("codebook"):
        generator = torch.Generator().manual_seed(2)
        count = len(matrix) if meaning == "codebooks" else 1
        return (torch.randint(0, levels, matrix.shape, generator=generator, dtype=torch.int32),
                torch.randn(count, levels, generator=generator))
    per = meaning if meaning in ("tensor", "row", "group") else "row"
    grid = fitted(matrix, levels, per, group=4, symmetric=meaning != "shifted")
    return grid.nearest(matrix), grid


def quantized(layer: nn.Module, meaning: str = "tensor", levels: int = 5, masked: bool = False) -> Quantized:
    numbers, values = numbers_and_values(layer, meaning, levels)
    return Quantized.of(layer, numbers, values, (layer.weight != 0).flatten(1) if masked else None)


@every_meaning
@every_layer
@pytest.mark.parametrize(("levels", "masked"), [(2, False), (5, True), (256, False), (300, True)])
def test_a_file_gives_back_equal_weights_and_bit_identical_answers(layer: nn.Module, meaning: str, levels: int, masked: bool,
                                                                   tmp_path: Path) -> None:
    dense = thin(layer, 0.4)
    made = quantized(dense, meaning, levels, masked)
    again = reloaded(made, tmp_path / "net")
    assert torch.equal(made.weight, again.weight) and again.contradiction() == ""
    assert torch.equal(answers(made, examples(layer)), answers(again, examples(layer)))
    assert torch.equal(answers(made, examples(layer)), answers(made.merged(), examples(layer)))
    assert layer_plain(again) == layer_plain(made) and identical(state(made), state(again))
    if masked:
        assert torch.equal(made.weight == 0, (dense.weight == 0) | (made.weight == 0))
        assert bool((made.weight[dense.weight == 0] == 0).all())


@every_meaning
def test_the_weights_are_the_values_of_the_stored_numbers(meaning: str) -> None:
    layer = thin(nn.Linear(13, 6), 1.0)
    numbers, values = numbers_and_values(layer, meaning, 7)
    made = Quantized.of(layer, numbers, values)
    stored = unpacked(made.levels.numbers.numpy(), 78, 3)
    assert stored.tolist() == numbers.flatten().tolist()
    expected = values.values(numbers) if isinstance(values, Grid) else values.gather(1, numbers.long()) if len(
        values) > 1 else values[0][numbers]
    assert torch.equal(made.weight, expected)


def test_the_packed_tensors_are_named_as_symbols_for_the_files_coder() -> None:
    made = quantized(thin(nn.Linear(13, 6), 0.5), "tensor", 5, masked=True)
    held = int((made.weight != 0).sum())
    tensors, found = made.state_dict(), made.symbols()
    assert found == {"levels.numbers": Symbols(39, 3), "levels.mask": Symbols(78, 1)}
    assert all(len(tensors[name]) == -(-own.count * own.bits // 8) for name, own in found.items())
    assert set(quantized(nn.Linear(3, 2)).symbols()) == {"levels.numbers"} and held <= 39


@pytest.mark.parametrize(("levels", "bits"), [(2, 1), (3, 2), (4, 2), (5, 3), (16, 4), (17, 5), (256, 8)])
def test_a_weight_takes_as_many_bits_as_its_levels_need(levels: int, bits: int) -> None:
    layer = thin(nn.Linear(64, 50), 1.0)
    assert bytes_of_weight(quantized(layer, levels=levels)) == 400 * bits + 4
    assert bytes_of_weight(quantized(layer, "row", levels)) == 400 * bits + 4 * 50
    assert bytes_of_weight(quantized(layer, "codebook", levels)) == 400 * bits + 4 * levels


def test_a_mask_stores_the_numbers_of_the_kept_weights_only() -> None:
    layer = thin(nn.Linear(64, 50), 0.1)
    made = quantized(layer, levels=16, masked=True)
    assert bytes_of_weight(made) == 400 + 160 + 4 and made.macs_per_position == 320
    network = nn.Sequential(made)
    assert macs(network, torch.zeros(1, 64)) == 320


@every_meaning
def test_values_are_trained_by_the_sum_of_their_weights_gradients(meaning: str) -> None:
    layer = thin(nn.Linear(13, 6), 1.0).double()
    made = quantized(layer.float(), meaning, 5)
    made.train()
    gradient = torch.randn(6, 13, generator=torch.Generator().manual_seed(3))
    made.weight.backward(gradient)
    for name, parameter in made.levels.named_parameters():
        change = torch.zeros_like(parameter)
        change.view(-1)[-1] = 1e-2
        moved = copy.deepcopy(made)
        with torch.no_grad():
            getattr(moved.levels, name).add_(change)
            measured = ((moved.levels.matrix() - made.levels.matrix()) * gradient).sum() / 1e-2
        assert float(parameter.grad.view(-1)[-1]) == pytest.approx(float(measured), rel=1e-3, abs=1e-4)


def test_after_training_the_layer_computes_with_the_new_values_and_the_same_numbers() -> None:
    made = quantized(thin(nn.Linear(13, 6), 0.5), "codebook", 5, masked=True)
    before, numbers = made.weight.clone(), made.levels.numbers.clone()
    made.train()
    optimizer = torch.optim.SGD(made.parameters(), 0.1)
    made(examples(nn.Linear(13, 6))).square().mean().backward()
    optimizer.step()
    made.eval()
    assert torch.equal(made.levels.numbers, numbers) and not torch.equal(made.weight, before)
    assert torch.equal(made.weight == 0, before == 0) and len(made.weight.unique()) <= 6


def test_loading_tensors_into_a_layer_in_use_changes_what_it_computes() -> None:
    first, second = (quantized(thin(nn.Linear(13, 6), share)) for share in (0.5, 0.9))
    assert not torch.equal(first.weight, second.weight)
    first.load_state_dict(second.state_dict())
    with torch.no_grad():
        assert torch.equal(first.weight, second.weight)


def damaged(**change: object) -> str:
    made = quantized(thin(nn.Linear(13, 6), 0.5), "tensor", 5, masked=True)
    for name, value in change.items():
        getattr(made.levels, name).data = value(getattr(made.levels, name).data)
    made.levels._places = None
    return made.contradiction()


def test_numbers_that_contradict_the_plain_data_are_named() -> None:
    assert "a level is not between 0 and 4" in damaged(numbers=lambda stored: torch.full_like(stored, 255))
    assert "another number of weights" in damaged(mask=lambda stored: torch.full_like(stored, 255))
    assert "too large" in damaged(step=lambda stored: torch.full_like(stored, 3e38))
    assert damaged() == ""


PLAIN = {"kind": "quantized", "dense": {"type": "Linear", "sizes": [13, 6], "bias": True}, "levels": 5, "steps": [1, 1],
         "shifted": False}


@pytest.mark.parametrize("change", [
    {"levels": 1}, {"levels": 2**40}, {"levels": 2.5}, {"levels": None}, {"steps": [4, 1]}, {"steps": [1, 14]},
    {"steps": [0, 1]}, {"steps": [7, 1]}, {"steps": "1"}, {"shifted": 1}, {"kept": 79}, {"kept": -1}, {"dense": None},
    {"dense": 3}, {"codebooks": 4}, {"codebooks": 0}, {"codebooks": 7}])
def test_sizes_that_no_such_layer_has_are_refused(change: dict[str, object]) -> None:
    assert isinstance(layer_rebuild(PLAIN), Quantized)
    with pytest.raises(ValueError):
        layer_rebuild({**PLAIN, **change})


def test_declared_sizes_take_no_memory_before_they_are_compared_with_the_file() -> None:
    with torch.device("meta"):
        made = layer_rebuild({**PLAIN, "dense": {"type": "Linear", "sizes": [2**20, 2**20], "bias": True}})
    assert made.levels.numbers.is_meta


@pytest.fixture
def network() -> Network:
    return build(Architecture(MLP((12, 9)), (1, 4, 4), 3)).eval()


def test_a_network_with_such_layers_is_written_read_merged_and_opened(network: Network) -> None:
    made = with_layers(network, {path: quantized(network.get_submodule(path)) for path in ("1", "3")})
    batch = torch.randn(5, 1, 4, 4)
    contents = network_file.to_bytes(made)
    for other in (network_file.from_bytes(contents), merged(made), opened(made), opened(made, codes=True)):
        assert torch.equal(answers(other, batch), answers(made, batch))
    assert list(compressed_layers(made)) == ["1", "3"] and not compressed_layers(opened(made))
    assert network_file.to_bytes(network_file.from_bytes(contents)) == contents


def test_the_fused_kernel_of_a_gru_uses_the_dense_weight() -> None:
    gru = GRU(5, 7, True).eval()
    plain = copy.deepcopy(gru)
    for path in ("forwards.input_map", "backwards.state_map"):
        layer = quantized(gru.get_submodule(path), "row", 9)
        gru, plain = with_layers(gru, {path: layer}), with_layers(plain, {path: layer.merged()})
    batch = torch.randn(3, 6, 5)
    torch.testing.assert_close(answers(gru, batch), answers(plain, batch), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("form", FORMATS)
@every_layer
def test_sixteen_bits_are_half_the_bytes_and_come_back_from_a_file(layer: nn.Module, form: str, tmp_path: Path) -> None:
    dense = thin(layer, 1.0)
    made = Half.of(dense, form)
    again = reloaded(made, tmp_path / "net")
    assert bytes_of_weight(made) == dense.weight.numel() * 2
    assert torch.equal(made.weight, dense.weight.to(FORMATS[form]).float()) and torch.equal(again.weight, made.weight)
    assert torch.equal(answers(made, examples(layer)), answers(again.merged(), examples(layer)))


def test_a_weight_beyond_the_largest_float16_becomes_the_largest() -> None:
    layer = nn.Linear(2, 1)
    layer.weight = nn.Parameter(torch.tensor([[1e9, -1e9]]))
    assert Half.of(layer, "float16").weight.tolist() == [[65504.0, -65504.0]]
    with pytest.raises(ValueError, match="form must be one of float16, bfloat16, but got 'float8'"):
        layer_rebuild({**layer_plain(Half.of(layer, "float16")), "form": "float8"})


def test_the_levels_of_a_matrix_without_a_kept_weight_take_no_numbers() -> None:
    made = Levels.of(torch.zeros(3, 4, dtype=torch.int32), torch.ones(1, 2), torch.zeros(3, 4, dtype=torch.bool))
    assert len(made.numbers) == 0 and not made.matrix().any() and made.contradiction() == ""
    assert container.unpack(container.pack({}, made.state_dict()))[1].keys() == {"numbers", "mask", "codebook"}
    assert bits_for(2) == 1
