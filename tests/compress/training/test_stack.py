"""Many networks in one tensor program: each answers, learns and comes out as if it were alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.methods.low_rank import LowRank
from compress.networks.families import (
    CNN,
    MLP,
    Architecture,
    EmbeddingBag,
    Family,
    Logistic,
    Network,
    Recurrent,
    ResNet,
    TokenCNN,
    TokenGRU,
    build,
)
from compress.training.stack import Stack, structure
from tests.compress.helpers import identical, state

IMAGE, SMALL, SEQUENCE, TABLE, TEXT = (1, 28, 28), (3, 8, 8), (2, 40), (12,), (9,)
CASES: list[tuple[str, list[Family], tuple[int, ...]]] = [
    ("mlp", [MLP((20, 7)), MLP((3, 30)), MLP((20, 7))], IMAGE), ("mlp, equal", [MLP((9,)), MLP((9,))], TABLE),
    ("logistic", [Logistic(), Logistic()], TABLE),
    ("cnn", [CNN((3, 8), (60, 42)), CNN((6, 2), (10, 50))], IMAGE), ("cnn, small", [CNN(), CNN((2, 3), (4, 5))], SMALL),
    ("cnn, sequence", [CNN((3, 8, 4)), CNN((6, 2, 9))], SEQUENCE),
    ("gru", [Recurrent((5,)), Recurrent((9,))], SEQUENCE), ("gru, rows", [Recurrent((4,), False), Recurrent((6,), False)],
                                                            SMALL),
    ("resnet", [ResNet((4, 9, 5)), ResNet((8, 3, 3))], SMALL),
    ("resnet, inner", [ResNet((4, 9), (7, 2)), ResNet((8, 3), (3, 5)), ResNet((5, 5))], SMALL),
    ("resnet, sequence", [ResNet((4, 9)), ResNet((8, 3))], SEQUENCE),
    ("embedding bag", [EmbeddingBag(15, (4,), (6,)), EmbeddingBag(15, (7,), (3,))], TEXT),
    ("tokens", [TokenGRU(15, (4,), (3,)), TokenGRU(15, (6,), (5,))], TEXT),
    ("token windows", [TokenCNN(15, (4,), (3, 7)), TokenCNN(15, (6,), (5, 2))], TEXT)]
every_case = pytest.mark.parametrize(("families", "shape"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])


def networks(families: list[Family], shape: tuple[int, ...]) -> list[Network]:
    """In double precision, so that rounding hides nothing."""
    return [build(Architecture(family, shape, 4), seed).double() for seed, family in enumerate(families)]


def batch(shape: tuple[int, ...], examples: int = 12) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    if shape == TEXT:
        return torch.randint(0, 17, (examples, *shape), generator=generator).double(), torch.arange(examples) % 4
    return torch.randn(examples, *shape, generator=generator, dtype=torch.float64), torch.arange(examples) % 4


def close(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.allclose(first[name].double(), second[name].double(), atol=1e-8) for name in first
               if not name.endswith("num_batches_tracked"))


@every_case
def test_a_stack_answers_as_its_networks_do(families, shape):
    alone = networks(families, shape)
    stack, (inputs, _) = Stack(alone), batch(shape)
    for network, found in zip(alone, stack.logits_of(inputs), strict=True):
        with torch.inference_mode():
            assert torch.allclose(found, network.eval()(inputs), atol=1e-10)


@every_case
def test_what_goes_in_comes_out_bit_for_bit(families, shape):
    alone = networks(families, shape)
    stack = Stack(alone)
    for number, network in enumerate(alone):
        assert identical(state(stack.network(number)), state(network))


@every_case
@pytest.mark.parametrize("optimizer", [lambda tensors: torch.optim.AdamW(tensors, 1e-2, weight_decay=0.05),
                                       lambda tensors: torch.optim.SGD(tensors, 1e-2, momentum=0.9, nesterov=True)],
                         ids=["adam", "sgd"])
def test_networks_learn_together_as_alone(families, shape, optimizer):
    alone = [network.train() for network in networks(families, shape)]
    stack, (inputs, labels) = Stack(alone), batch(shape)
    before = [state(network) for network in alone]
    together = optimizer([tensor.data for tensor in stack.parameters.values()])
    apart = [optimizer(network.parameters()) for network in alone]
    for step in range(4):
        for network, own in zip(alone, apart, strict=True):
            own.zero_grad()
            functional.cross_entropy(network(inputs), labels).backward()
            own.step()
        together.zero_grad()
        sum(functional.cross_entropy(logits, labels) for logits in stack.forward(inputs, True, step).logits).backward()
        together.step()
    for number, network in enumerate(alone):
        assert close(state(stack.network(number)), state(network))
        assert not close(state(network), before[number])


@every_case
def test_padding_stays_zero_while_it_trains(families, shape):
    stack, (inputs, labels) = Stack(networks(families, shape)), batch(shape)
    optimizer = torch.optim.AdamW([tensor.data for tensor in stack.parameters.values()], 0.1, weight_decay=0.1)
    for step in range(3):
        optimizer.zero_grad()
        sum(functional.cross_entropy(logits, labels) for logits in stack.forward(inputs, True, step).logits).backward()
        optimizer.step()
    for tensor in stack.parameters.values():
        unpadded = sum(tensor.extract(number).count_nonzero() for number in range(len(stack)))
        assert tensor.data.count_nonzero() == unpadded


def test_the_given_networks_stay_as_they_are():
    alone = networks([ResNet((4, 8)), ResNet((3, 5))], SMALL)
    before = [state(network) for network in alone]
    stack, (inputs, labels) = Stack(alone), batch(SMALL)
    functional.cross_entropy(stack.forward(inputs, True).logits[0], labels).backward()
    with torch.no_grad():
        for tensor in stack.parameters.values():
            tensor.data.add_(1.0)
    assert all(identical(first, state(network)) for first, network in zip(before, alone, strict=True))


def test_a_snapshot_keeps_the_chosen_networks_only():
    stack = Stack(networks([MLP((6, 5)), MLP((2, 9)), MLP((4, 4))], TABLE))
    snapshot, first = stack.snapshot(), [state(stack.network(number)) for number in range(3)]
    with torch.no_grad():
        for tensor in stack.parameters.values():
            tensor.data.add_(tensor.data)
    stack.keep(snapshot, torch.tensor([False, True, False]))
    for number, old in enumerate(first):
        expected = {name: 2 * tensor for name, tensor in old.items()} if number == 1 else old
        assert identical(state(stack.network(number, snapshot)), expected)


def test_a_network_with_nan_weights_does_not_change_the_others():
    alone = networks([MLP((6, 5)), MLP((8, 3)), MLP((4, 4))], TABLE)
    with torch.no_grad():
        alone[1][1].weight.fill_(float("nan"))
    stack, (inputs, labels) = Stack(alone), batch(TABLE)
    outputs = stack.forward(inputs, True).logits
    sum(functional.cross_entropy(logits, labels) for logits in outputs).backward()
    for number in (0, 2):
        assert outputs[number].isfinite().all()
        network = copy.deepcopy(alone[number])
        functional.cross_entropy(network(inputs), labels).backward()
    for tensor in stack.parameters.values():
        tensor.data.data = tensor.data.grad.clone()
    for number in (0, 2):
        assert all(tensor.isfinite().all() for tensor in state(stack.network(number)).values())


@pytest.mark.parametrize("wider", [MLP((5, 5), 0.5), MLP((40, 30), 0.5)])
def test_dropout_drops_the_same_units_whatever_the_other_networks(wider):
    mine = build(Architecture(MLP((5, 4), 0.5), TABLE, 4), 0).double()
    inputs, _ = batch(TABLE)
    alone = Stack([mine]).forward(inputs, True, 7).logits[0]
    company = Stack([build(Architecture(wider, TABLE, 4), 1).double(), mine]).forward(inputs, True, 7).logits[1]
    assert torch.allclose(alone, company)
    assert not torch.allclose(alone, Stack([mine]).forward(inputs, True, 8).logits[0])


def test_dropout_keeps_the_mean():
    network = build(Architecture(MLP((400,), 0.3), TABLE, 4), 0)
    stack = Stack([network])
    hidden = torch.ones(1, 64, 400)
    dropped = stack.layers["3"].forward(hidden, True, 0)
    assert abs(float(dropped.mean()) - 1) < 0.05 and float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert torch.equal(stack.layers["3"].forward(hidden, False, 0), hidden)


def test_what_cannot_be_stacked_is_named(mlp: Network, digits):
    with pytest.raises(TypeError, match=r"compressed layer \(factors\)"):
        Stack([LowRank(keep=0.2).compress(mlp, digits)])
    network = build(Architecture(MLP((3,)), TABLE, 4))
    network.append(nn.Softplus())
    with pytest.raises(TypeError, match="Softplus"):
        Stack([network])


def test_structures_differ_for_networks_that_cannot_be_stacked():
    first, wider, deeper = (build(Architecture(MLP(sizes), TABLE, 4)) for sizes in ((3,), (9,), (3, 3)))
    assert structure(first) == structure(wider) != structure(deeper)
