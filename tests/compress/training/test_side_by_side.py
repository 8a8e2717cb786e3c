"""Gradients that are propagated by hand are those of autograd, for every kind of layer."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from compress.networks.evaluation import logits_of
from compress.networks.families import CNN, MLP, Architecture, Family, Logistic, Network, Recurrent, ResNet, build
from compress.training.side_by_side import ALIGNMENT, SideBySide
from tests.compress.helpers import identical, state

KINDS: tuple[tuple[Family, tuple[int, ...]], ...] = (
    (Logistic(), (9,)), (MLP((7, 5)), (1, 8, 8)), (CNN((3, 4), (9,)), (1, 12, 12)), (CNN((3, 4)), (2, 30)),
    (ResNet((3, 5)), (1, 8, 8)), (ResNet((3, 5)), (2, 16)), (Recurrent((6,)), (1, 8, 8)), (Recurrent((6,), False), (2, 11)))


def made(family: Family, shape: tuple[int, ...], seed: int) -> Network:
    return build(Architecture(family, shape, 4), seed)


@pytest.mark.parametrize(("family", "shape"), KINDS, ids=str)
def test_gradients_are_those_of_autograd(family: Family, shape: tuple[int, ...]) -> None:
    networks = [made(family, shape, seed) for seed in range(3)]
    batch, labels = torch.randn(10, *shape, generator=torch.Generator().manual_seed(0)), torch.arange(10) % 4
    side_by_side = SideBySide(networks)
    for _ in range(2):  # the second gradient replaces the first
        logits = side_by_side.forward(batch)
        side_by_side.backward(logits.softmax(-1) - functional.one_hot(labels, 4))
    for network, own, ours in zip(networks, side_by_side.networks, logits, strict=True):
        expected = copy.deepcopy(network).train()
        functional.cross_entropy(expected(batch), labels, reduction="sum").backward()
        assert torch.allclose(ours, copy.deepcopy(network).train()(batch), atol=1e-5)
        for found, wanted in zip(own.parameters(), expected.parameters(), strict=True):
            assert found.grad is not None and wanted.grad is not None
            assert torch.allclose(found.grad, wanted.grad, atol=1e-4)


def test_dropout_depends_on_the_seed_alone_and_its_gradient_is_of_the_units_that_are_left() -> None:
    networks = [made(MLP((40,), 0.5), (6,), 0), made(MLP((90,), 0.5), (6,), 0)]
    batch = torch.ones(4, 6)
    side_by_side = SideBySide(networks)
    first, second, other = (side_by_side.forward(batch, seed) for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)
    side_by_side.forward(batch[:1], 1)
    side_by_side.backward(torch.ones(2, 1, 4))
    dead = (side_by_side.networks[0].get_parameter("1.weight").grad == 0).all(1)
    assert 8 <= int(dead.sum()) < 40


def test_parameters_are_aligned_views_of_one_tensor_and_the_given_networks_stay() -> None:
    given = made(MLP((7, 5)), (9,), 0)
    before = state(given)
    side_by_side = SideBySide([given])
    (flat,) = side_by_side.trained
    with torch.no_grad():
        flat.fill_(1.0)
    assert all(bool((parameter == 1).all()) for parameter in side_by_side.networks[0].parameters())
    assert all((parameter.data_ptr() - flat.data_ptr()) % (4 * ALIGNMENT) == 0
               for parameter in side_by_side.networks[0].parameters())
    assert identical(before, state(given))


def test_a_snapshot_keeps_what_is_chosen_with_the_statistics_of_batches() -> None:
    networks = [made(ResNet((3,)), (1, 8, 8), seed) for seed in range(2)]
    side_by_side = SideBySide(networks)
    kept = side_by_side.snapshot()
    batch = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    side_by_side.forward(batch)
    side_by_side.keep(kept, torch.tensor([False, True]))
    first, second = (side_by_side.network(number, kept) for number in range(2))
    norm = next(name for name, module in first.named_modules() if isinstance(module, nn.BatchNorm2d))
    assert first.get_buffer(f"{norm}.running_mean").abs().sum() == 0
    assert second.get_buffer(f"{norm}.running_mean").abs().sum() > 0
    assert not first.training and torch.equal(logits_of(second, batch), side_by_side.logits_of(batch)[1])
