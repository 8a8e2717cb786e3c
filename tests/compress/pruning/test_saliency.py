"""The scores of each criterion follow its formula, and computing them changes nothing."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.networks.families import Architecture, Network, Recurrent, build
from compress.pruning.ranking import Ranking
from compress.pruning.saliency import CRITERIA, saliencies
from compress.solvers.brain_surgeon import DAMPING, removal_losses
from tests.compress.helpers import identical, state, toy_data

PATHS = ["0", "3", "6"]


@pytest.fixture(scope="module")
def data(prepared: None) -> Dataset:
    """Small pictures; calibration is two whole minibatches and a shorter one."""
    made = toy_data((2, 6, 6), examples=250)
    assert len(made.calibration) % 64 and 128 < len(made.calibration) < 192
    return made


@pytest.fixture
def network() -> Network:
    """A strided convolution, a grouped one, a linear layer, and a dropout that shows whether training mode is on."""
    torch.manual_seed(1)
    return Network(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Dropout(0.5),
                   nn.Conv2d(4, 6, 2, padding=1, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3)).eval()


@pytest.fixture
def initial(network: Network) -> Network:
    """The same network with other weights."""
    other = copy.deepcopy(network)
    with torch.no_grad():
        for weight in other.parameters():
            weight.mul_(0.3).add_(0.01)
    return other


def calibration(data: Dataset) -> tuple[Tensor, Tensor]:
    return on_device(data.calibration, torch.device("cpu"))


def inputs_of(network: Network, path: str, data: Dataset) -> Tensor:
    """What a layer reads on calibration."""
    seen = []
    hook = network.get_submodule(path).register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    with torch.no_grad():
        network(calibration(data)[0])
    hook.remove()
    return torch.cat(seen)


def mean_squares(layer: nn.Module, inputs: Tensor) -> Tensor:
    """(rows, columns): mean of x^2 over all that each weight multiplies: the gradient of the summed outputs for x^2."""
    outputs = layer.double()(inputs.double().square())
    squares, = torch.autograd.grad(outputs.sum(), layer.weight)
    return squares.flatten(1) / (outputs.numel() / len(squares))


def product(network: Network, path: str, data: Dataset, rows: slice) -> Tensor:
    """Gradient times weight by a plain backward pass on a copy."""
    copied, (inputs, labels) = copy.deepcopy(network), calibration(data)
    cross_entropy(copied(inputs[rows]), labels[rows]).backward()
    weight = copied.get_submodule(path).weight
    return (weight.grad * weight).detach().flatten(1)


def close(found: Tensor, expected: Tensor) -> bool:
    return found.shape == expected.shape and bool(
        ((found.double() - expected.double()).abs() <= 1e-5 * expected.double().abs().max()).all())


@pytest.mark.parametrize("path", PATHS)
def test_magnitude_is_the_absolute_weight(network: Network, data: Dataset, path: str) -> None:
    found = saliencies(network, PATHS, "magnitude", data)[path]
    assert torch.equal(found, network.get_submodule(path).weight.detach().flatten(1).abs())


@pytest.mark.parametrize("path", PATHS)
def test_wanda_is_the_weight_times_the_norm_of_what_it_multiplies(network: Network, data: Dataset, path: str) -> None:
    layer, inputs = copy.deepcopy(network.get_submodule(path)), inputs_of(network, path, data)
    expected = layer.weight.detach().flatten(1).abs() * mean_squares(layer, inputs).sqrt()
    assert close(saliencies(network, PATHS, "wanda", data)[path], expected)


def test_where_all_inputs_are_equally_strong_wanda_is_magnitude_within_each_row(data: Dataset) -> None:
    signs = dataclasses.replace(data.calibration, inputs=torch.tensor(data.calibration.inputs).sign().numpy())
    torch.manual_seed(2)
    network = Network(nn.Flatten(), nn.Linear(72, 3))
    wanda, magnitude = (Ranking.of(saliencies(network, ["1"], criterion, dataclasses.replace(data, calibration=signs)),
                                   "row") for criterion in ("wanda", "magnitude"))
    for kept in (3, 50, 100, 200):
        assert torch.equal(wanda.of_layer("1", kept), magnitude.of_layer("1", kept))


@pytest.mark.parametrize("path", PATHS)
def test_taylor_sums_squared_products_over_minibatches(network: Network, data: Dataset, path: str) -> None:
    batches = [slice(start, start + 64) for start in range(0, len(data.calibration), 64)]
    expected = sum(product(network, path, data, rows).square() for rows in batches)
    assert close(saliencies(network, PATHS, "taylor", data)[path], expected)


@pytest.mark.parametrize("path", PATHS)
def test_snip_is_the_product_at_the_initial_weights_over_one_batch(network: Network, initial: Network, data: Dataset,
                                                                        path: str) -> None:
    found = saliencies(network, PATHS, "snip", data, initial=initial)[path]
    assert close(found, product(initial, path, data, slice(None)).abs())
    assert torch.equal(found, saliencies(initial, PATHS, "snip", data)[path])


@pytest.mark.parametrize("path", PATHS)
def test_second_order_is_half_the_square_over_the_inverses_diagonal(network: Network, data: Dataset, path: str) -> None:
    layer = network.get_submodule(path)
    inputs = inputs_of(network, path, data).double()
    if path == "6":
        groups = [inputs]
    else:
        patches = [nn.functional.unfold(part, layer.kernel_size, 1, layer.padding, layer.stride)
                   for part in inputs.chunk(layer.groups, 1)]
        groups = [part.transpose(1, 2).flatten(0, 1) for part in patches]
    expected = []
    for weights, rows in zip(layer.weight.detach().double().flatten(1).chunk(len(groups)), groups, strict=True):
        moment = rows.mT @ rows / len(rows)
        moment += DAMPING * moment.diagonal().mean() * torch.eye(len(moment))
        expected.append(weights.square() / (2 * torch.linalg.inv(moment).diagonal()))
    assert close(saliencies(network, PATHS, "second_order", data)[path], torch.cat(expected))


@given(st.integers(1, 9), st.integers(1, 30), st.integers(0, 99))
def test_uncorrelated_inputs_make_second_order_rank_each_row_as_wanda_does(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(rows, columns, generator=generator)
    squares = torch.rand(columns, generator=generator, dtype=torch.float64) + 0.01
    found = Ranking.of({"1": removal_losses(matrix, torch.diag(1 / squares))}, "row").places["1"]
    assert torch.equal(found, Ranking.of({"1": matrix.abs() * squares.sqrt()}, "row").places["1"])


def test_random_scores_repeat_with_the_seed_and_differ_without(network: Network, data: Dataset) -> None:
    first, again, other = (saliencies(network, PATHS, "random", data, seed) for seed in (3, 3, 4))
    assert identical(first, again)
    for path in PATHS:
        assert not torch.equal(first[path], other[path]) and 0 <= float(first[path].min()) < float(first[path].max()) < 1
    assert len(set(torch.cat([score.flatten() for score in first.values()]).tolist())) > 350


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_asking_changes_nothing_and_works_in_evaluation_mode(network: Network, initial: Network, data: Dataset,
                                                             criterion: str, training: bool) -> None:
    """Neither weights nor mode nor .grad nor the global random state; with dropout on, scores would be others."""
    expected = saliencies(network, PATHS, criterion, data, initial=initial)
    for one in (network, initial):
        one.train(training)
        one[0].weight.grad = torch.ones_like(one[0].weight)
    before, drawn = [state(network), state(initial)], torch.random.get_rng_state()
    found = saliencies(network, PATHS, criterion, data, initial=initial)
    assert identical(found, expected) and torch.equal(torch.random.get_rng_state(), drawn)
    assert all(identical(state(one), old) for one, old in zip((network, initial), before, strict=True))
    for one in (network, initial):
        assert all(module.training is training for module in one.modules())
        assert torch.equal(one[0].weight.grad, torch.ones_like(one[0].weight))
        assert all(weight.grad is None for weight in list(one.parameters())[1:])
        assert not any(module._forward_pre_hooks for module in one.modules())


@pytest.mark.parametrize("criterion", CRITERIA)
def test_scores_are_those_of_the_given_layers_and_never_negative(network: Network, data: Dataset,
                                                                     criterion: str) -> None:
    found = saliencies(network, iter(PATHS[::-2]), criterion, data)
    assert list(found) == ["6", "0"]
    for path, score in found.items():
        assert score.shape == network.get_submodule(path).weight.flatten(1).shape and score.dtype == torch.float32
        assert not score.requires_grad and bool(score.isfinite().all()) and bool((score >= 0).all())


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_grus_matrices_have_scores_too(data: Dataset, criterion: str) -> None:
    network = build(Architecture(Recurrent((4,)), (2, 6, 6), 3))
    found = saliencies(network, ["1.forwards.input_map", "1.backwards.state_map"], criterion, data)
    assert [tuple(score.shape) for score in found.values()] == [(12, 12), (12, 4)]
    assert all(bool((score > 0).all()) for score in found.values())
