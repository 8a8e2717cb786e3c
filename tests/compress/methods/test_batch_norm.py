"""Batch normalisation is measured anew after every cut, on calibration examples and on nothing else."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from torch import nn

from compress.data.datasets import Dataset
from compress.layers.input_moments import recalibrated
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from tests.compress.helpers import identical, poisoned, state


def statistics(network: Network) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in state(network).items() if "running" in name}


def test_running_statistics_change_with_the_weights(resnet: Network, digits: Dataset) -> None:
    before, after = statistics(resnet), statistics(LowRank(keep=0.2).compress(resnet, digits))
    assert before.keys() == after.keys() and before
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_the_statistics_are_those_of_the_calibration_examples(resnet: Network, digits: Dataset) -> None:
    small = LowRank(keep=0.2).compress(resnet, digits)
    inputs = torch.tensor(digits.calibration.inputs)
    with torch.inference_mode():
        first = small[0](inputs)
        second = small[3].body[0](small[:3](inputs))
    assert torch.allclose(small[1].running_mean, first.mean((0, 2, 3)), atol=1e-4)
    assert torch.allclose(small[1].running_var, first.var((0, 2, 3)), rtol=1e-2)
    # The second norm was measured while the first still used its batch's own statistics: nearly, not exactly equal.
    assert torch.allclose(small[3].body[1].running_mean, second.mean((0, 2, 3)), atol=0.05)


def test_no_other_split_is_read(resnet: Network, digits: Dataset) -> None:
    """Every other example is NaN; train keeps its calibration rows only."""
    alone = dataclasses.replace(digits, train=poisoned(digits.train), validation=poisoned(digits.validation),
                                _test=poisoned(digits.open_test()))
    for scheme in ("plain", "whitened", "centred"):
        method = LowRank(keep=0.2, scheme=scheme)
        assert identical(state(method.compress(resnet, digits)), state(method.compress(resnet, alone)))


def test_recalibration_ends_in_evaluation_mode_with_the_old_momentum(resnet: Network, digits: Dataset) -> None:
    network = copy.deepcopy(resnet)
    again = recalibrated(network, torch.tensor(digits.calibration.inputs))
    norms = [module for module in again.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms and not any(module.training for module in again.modules())
    assert {norm.momentum for norm in norms} == {0.1}


def test_recalibration_repeats_itself(resnet: Network, digits: Dataset) -> None:
    inputs = torch.tensor(digits.calibration.inputs)
    once = recalibrated(copy.deepcopy(resnet), inputs)
    assert identical(state(once), state(recalibrated(copy.deepcopy(once), inputs)))


@pytest.mark.parametrize("count", [257, 300])
def test_an_uneven_last_chunk_weighs_no_more_than_its_examples(resnet: Network, digits: Dataset, count: int) -> None:
    inputs = torch.tensor(digits.calibration.inputs[:count])
    again = recalibrated(copy.deepcopy(resnet), inputs)
    with torch.inference_mode():
        first = resnet[0](inputs)
    assert torch.allclose(again[1].running_mean, first.mean((0, 2, 3)), atol=2e-4)


def test_a_network_without_batch_norm_is_given_back_untouched(mlp: Network, digits: Dataset) -> None:
    before = state(mlp)
    assert recalibrated(mlp, torch.tensor(digits.calibration.inputs)) is mlp
    assert identical(before, state(mlp))
