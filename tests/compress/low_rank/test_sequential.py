"""Factors fitted layer by layer: the same alone and on a curve, and nearer to the teacher than those of each layer alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.layers.base import compressed_layers
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from tests.compress.helpers import identical, state

FAMILIES = ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=2)", "resnet(channels=8-16,epochs=2)", "gru(epochs=2)"]
METHOD = LowRank(scheme="sequential")


def outputs(network: Network, path: str, inputs: Tensor) -> Tensor:
    """A layer's outputs on these examples."""
    found: list[Tensor] = []
    hook = network.get_submodule(path).register_forward_hook(lambda layer, given, output: found.append(output))
    logits_of(network, inputs)
    hook.remove()
    return torch.cat(found)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_point_alone_is_that_of_the_curve_bit_for_bit(name: str, trained: Callable[[str], Network],
                                                        digits: Dataset) -> None:
    teacher = trained(name)
    before = state(teacher)
    curve = {one.value: one.network for one in METHOD.curve(teacher, digits, [0.4, 0.1, 0.2])}
    for keep in (0.1, 0.4):
        assert identical(state(replace(METHOD, keep=keep).compress(teacher, digits)), state(curve[keep]))
    assert identical(state(teacher), before) and len(compressed_layers(curve[0.1])) > 1
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in teacher.modules())


@pytest.mark.parametrize("name", FAMILIES)
def test_the_first_layer_is_that_of_centred_and_later_ones_are_nearer_to_the_teachers(
        name: str, trained: Callable[[str], Network], digits: Dataset) -> None:
    teacher, inputs = trained(name), torch.tensor(digits.calibration.inputs)
    found = {scheme: LowRank(scheme=scheme, keep=0.15).compress(teacher, digits) for scheme in ("centred", "sequential")}
    first, *_, last = compressed_layers(found["sequential"])
    assert identical(*(state(network.get_submodule(first)) for network in found.values()))
    errors = {scheme: float((outputs(network, last, inputs) - outputs(teacher, last, inputs)).square().mean())
              for scheme, network in found.items()}
    assert errors["sequential"] < errors["centred"]


def test_layers_that_are_compressed_already_can_stand_between(mlp: Network, digits: Dataset) -> None:
    pruned = Prune(sparsity=0.9, densities=(2, 9, 9)).compress(mlp, digits)
    small = replace(METHOD, keep=0.3).compress(pruned, digits)
    assert logits_of(small, torch.tensor(digits.validation.inputs)).isfinite().all()
