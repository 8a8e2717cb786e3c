"""What a page shows of pruning is what the networks and their files really are."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers.base import compressed_layers, dense_layers, with_layers
from compress.layers.sparse import Sparse
from compress.methods.prune import Prune
from compress.networks.families import CNN, MLP, Architecture, Logistic, Network, Recurrent, build
from compress.pruning.connectivity import reached
from compress.pruning.mask_view import BINS, PICTURE, histogram, picture
from compress.pruning.view import inputs_read, inside_view, problems
from compress.pruning.weight_pruner import WeightPruner
from tests.compress.helpers import state, toy_data

RESNET = "resnet(channels=8-16,epochs=2)"


def decoded(packed: str) -> np.ndarray:
    rows, columns, text = packed.split(",")
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(int(rows), int(columns))


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (100, 160), (100, 3)])
def test_a_small_layers_picture_is_its_mask(shape: tuple[int, int]) -> None:
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.3
    assert np.array_equal(decoded(picture(mask)), 255 * mask.numpy().astype(np.uint8))


@pytest.mark.parametrize("shape", [(200, 320), (300, 160), (50, 800)])
def test_a_large_layers_picture_has_the_densities_of_its_blocks(shape: tuple[int, int]) -> None:
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < torch.linspace(0, 1, shape[1])
    found = decoded(picture(mask))
    rows, columns = (min(size, most) for size, most in zip(shape, PICTURE, strict=True))
    blocks = mask.float().view(rows, shape[0] // rows, columns, shape[1] // columns).mean((1, 3))
    assert np.abs(found / 255 - blocks.numpy()).max() < 0.51 / 255
    assert len(picture(torch.ones(1000, 1000, dtype=torch.bool))) < 500


def test_a_histogram_counts_every_weight_once() -> None:
    weight = torch.randn(30, 40, generator=torch.Generator().manual_seed(0))
    found = histogram(weight)
    assert len(found["weights"]) == BINS and sum(found["weights"]) == 1200
    assert found["reach"] == pytest.approx(float(weight.abs().max()))
    below = int((weight < 0).sum())
    assert sum(found["weights"][:BINS // 2]) == below
    assert histogram(torch.zeros(3, 4)) == {"reach": 1.0, "weights": [0] * (BINS // 2) + [12] + [0] * (BINS // 2 - 1)}


@pytest.mark.parametrize("text", ["mlp(hidden=48-32,epochs=6)", RESNET, "cnn(epochs=1)", "gru(hidden=24,epochs=2)"])
def test_a_points_layers_are_those_of_its_network(text: str, trained: Callable[[str], Network], digits: Dataset) -> None:
    teacher = trained(text)
    method = Prune(criterion="second_order")
    inside = method.inside(teacher, digits, [0.5, 0.95])
    for candidate in method.curve(teacher, digits, [0.5, 0.95]):
        view = json.loads(json.dumps(candidate.inside))
        assert view["classes_reached"] == int(reached(candidate.network).sum())
        assert [layer["path"] for layer in view["layers"]] == list(dense_layers(teacher)) == [
            layer["path"] for layer in inside["layers"]]
        for layer, before in zip(view["layers"], inside["layers"], strict=True):
            module = candidate.network.get_submodule(layer["path"])
            held = module.weight.detach().flatten(1) != 0
            assert (layer["kept"], layer["total"], layer["outputs"]) == (int(held.sum()), held.numel(), len(held))
            assert layer["form"] == getattr(module, "form", "dense")
            assert layer["silent_outputs"] == int((held.sum(1) == 0).sum())
            assert sum(layer["weights"]) == layer["kept"] and sum(before["weights"]) == layer["total"]
            if all(size <= most for size, most in zip(held.shape, PICTURE, strict=True)):
                assert np.array_equal(decoded(layer["mask"]) > 0, held.numpy())


def test_weights_that_grew_in_a_refit_are_counted_in_the_outermost_bins(mlp: Network, digits: Dataset) -> None:
    candidate = next(Prune(criterion="second_order").curve(mlp, digits, [0.9]))
    weights = candidate.network[3].weight.detach()
    reach = float(mlp[3].weight.detach().abs().max())
    beyond = int((weights > reach * (1 - 2 / BINS)).sum())
    assert float(weights.max()) > reach and candidate.inside["layers"][1]["weights"][-1] == beyond > 0


@pytest.mark.parametrize("text", ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=1)"])
@pytest.mark.parametrize("settings", [{}, {"criterion": "second_order", "allocation": "uniform"}, {"pattern": "n:4"}],
                         ids=str)
def test_sizes_are_those_of_real_files_in_each_form(settings: dict, text: str, trained: Callable[[str], Network],
                                                    digits: Dataset) -> None:
    teacher, values, made_for = trained(text), [0.25, 0.5, 0.75], MadeFor.of(digits)
    method = Prune(**settings)
    view = method.inside(teacher, digits, values)
    assert view["values"] == values and set(view["sizes"]) == set(WeightPruner.forms)
    for place, candidate in enumerate(method.curve(teacher, digits, values)):
        layers = {path: dense_of(candidate.network, teacher, path) for path in dense_layers(teacher)}
        for form in WeightPruner.forms:
            stored = {path: layer if form == "dense" else Sparse.of(layer, form) for path, layer in layers.items()}
            assert view["sizes"][form][place] == len(network_file.to_bytes(with_layers(candidate.network, stored), made_for))
        length = len(network_file.to_bytes(candidate.network, made_for))
        assert length <= min(view["sizes"][form][place] for form in WeightPruner.forms) + 50


def dense_of(network: Network, teacher: Network, path: str) -> nn.Module:
    """A dense layer with the weights of a stored one."""
    layer, stored = with_layers(teacher, {}).get_submodule(path), network.get_submodule(path)
    layer.weight, layer.bias = nn.Parameter(stored.weight.detach().clone()), stored.bias
    return layer


def test_inputs_that_are_read_are_counted(mlp: Network, digits: Dataset) -> None:
    assert inputs_read(mlp).tolist() == [48] * 64
    for candidate in Prune().curve(mlp, digits, [0.5, 0.98]):
        expected = (candidate.network[1].weight != 0).sum(0).tolist()
        assert candidate.inside["inputs"] == inputs_read(candidate.network).tolist() == expected
    assert sum(inputs_read(Prune(pattern="units", sparsity=0.5).compress(mlp, digits))) > 0
    assert inputs_read(build(Architecture(Logistic(), (5,), 3))).tolist() == [3] * 5
    assert inputs_read(build(Architecture(CNN(), (1, 8, 8), 3))) is None
    assert inputs_read(build(Architecture(Recurrent((4,)), (1, 8, 8), 3))) is None


def view_of(kept: dict[str, int], form: str = "csr", classes: int = 4) -> dict:
    return {"classes_reached": classes, "layers": [{"path": path, "kept": left, "total": 20, "form": form}
                                                   for path, left in kept.items()]}


def test_problems_are_named_and_nothing_else() -> None:
    network = build(Architecture(MLP((4,)), (5,), 4))
    assert problems(network, view_of({"1": 7, "3": 16})) == ()
    assert problems(network, view_of({"1": 20}, "dense")) == ()
    assert problems(network, view_of({"1": 19}, "dense")) == ("layer 1 is stored dense: so few zeros save nothing",)
    assert problems(network, view_of({"3": 0})) == ("layer 3 is empty",)
    assert problems(network, view_of({}, classes=1)) == ("3 of 4 class scores are disconnected from the inputs",)
    assert problems(network, view_of({}, classes=0)) == (
        "disconnected: no path of weights leads from the inputs to the class scores, so that the outputs are the same for "
        "all inputs",)
    assert problems(network, {"classes_reached": 4, "layers": [{"path": "1", "kept": 3, "total": 4}]}) == ()


@pytest.mark.parametrize("settings", [{"pattern": "units"}, {"pattern": "n:4"}, {"allocation": "sensitivity"}], ids=str)
def test_the_inside_view_is_plain_data_that_names_every_layer(settings: dict, mlp: Network, digits: Dataset) -> None:
    pruner = Prune(**settings).pruner(mlp, digits)
    view = json.loads(json.dumps(inside_view(pruner, [0.5])))
    titles = {layer["path"]: layer["title"] for layer in view["layers"]}
    units = settings.get("pattern") == "units"
    assert list(titles) == (["1", "3"] if units else ["1", "3", "5"])
    assert titles["1"] == "1 · 48 units" if units else "48" in titles["1"]
    assert ("sizes" in view) == (not units)
    assert view["shape"] == [1, 8, 8] and all(len(layer["accuracy"]) == len(view["levels"]) for layer in view["layers"])


def test_channels_are_called_channels() -> None:
    data = toy_data((1, 8, 8))
    network = build(Architecture(CNN((3, 4), (6,)), data.shape, 3)).eval()
    pruner = Prune(pattern="units").pruner(network, data)
    assert [pruner.title(path) for path in ("0", "3", "7")] == ["0 · 3 channels", "3 · 4 channels", "7 · 6 units"]


def test_making_the_view_changes_no_stored_layer(mlp: Network, digits: Dataset) -> None:
    candidate = next(Prune().curve(mlp, digits, [0.95]))
    before: dict[str, Tensor] = state(candidate.network)
    inputs_read(candidate.network)
    reached(candidate.network)
    assert compressed_layers(candidate.network) and all(torch.equal(tensor, before[name])
                                                        for name, tensor in state(candidate.network).items())
