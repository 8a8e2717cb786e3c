"""Architectures as plain data: sizes that the literature knows, shapes that fit, weights that follow a seed."""

from __future__ import annotations

import json

import pytest
import torch

from compress.networks.families import CNN, FAMILIES, MLP, Architecture, Recurrent, ResNet, build, family
from tests.compress.helpers import identical, state

SHAPES = {"image": (1, 8, 8), "large image": (3, 32, 32), "sequence": (1, 40), "table": (13,)}


def parameters(architecture: Architecture) -> int:
    return sum(parameter.numel() for parameter in build(architecture).parameters())


def test_lenet_300_100_has_266610_parameters_of_which_266200_are_weights() -> None:
    network = build(Architecture(MLP(), (1, 28, 28), 10))
    assert sum(parameter.numel() for parameter in network.parameters()) == 266_610
    assert sum(parameter.numel() for parameter in network.parameters() if parameter.dim() == 2) == 266_200


def shape_for(name: str) -> tuple[int, ...]:
    return (12,) if FAMILIES[name].reads == "tokens" else (1, 8, 8)


def test_lenet_5_on_mnist_has_61706_parameters() -> None:
    assert parameters(Architecture(CNN(), (1, 28, 28), 10)) == 61_706


def test_the_gru_of_mnist_1d_reads_one_number_a_step() -> None:
    """Two directions of 3 x 64 x (1 + 64) weights and twice 3 x 64 biases, and 40 x 128 states into 10 classes."""
    assert parameters(Architecture(Recurrent(), (1, 40), 10)) == 2 * (192 * 65 + 2 * 192) + 40 * 128 * 10 + 10


@pytest.mark.parametrize("name", list(FAMILIES))
@pytest.mark.parametrize("kind", list(SHAPES))
def test_every_family_maps_a_batch_to_logits_or_has_a_remedy(name: str, kind: str) -> None:
    architecture = Architecture(family(name), SHAPES[kind], 7)
    if FAMILIES[name].reads == "tokens" and kind != "table":
        with pytest.raises(ValueError, match=r"needs texts as token ids, but an example is .*Choose mlp"):
            build(architecture)
        return
    if kind == "table" and name in ("cnn", "resnet", "gru"):
        with pytest.raises(ValueError, match=r"needs images or sequences.*Choose mlp"):
            build(architecture)
        return
    assert build(architecture).eval()(torch.randn(3, *SHAPES[kind])).shape == (3, 7)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_state_alone(name: str) -> None:
    architecture = Architecture(family(name), shape_for(name), 10)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = build(architecture, 1), build(architecture, 1), build(architecture, 2)
    assert torch.equal(torch.rand(1), expected)
    assert identical(state(first), state(again))
    assert not identical(state(first), state(other))


@pytest.mark.parametrize("name", list(FAMILIES))
def test_an_architecture_comes_back_from_plain_data(name: str) -> None:
    architecture = Architecture(family(name), shape_for(name), 10)
    assert Architecture.from_plain(json.loads(json.dumps(architecture.plain()))) == architecture
    assert architecture.title()


def test_titles_are_those_that_papers_use() -> None:
    assert Architecture(MLP(), (1, 28, 28), 10).title() == "784-300-100-10"
    assert Architecture(family("logistic"), (64,), 3).title() == "64-3"


def test_an_unknown_family_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no network family 'vgg'; choose one of logistic, mlp, cnn, resnet, gru"):
        family("vgg")


@pytest.mark.parametrize(("shape", "most"), [((1, 8, 8), 3), ((1, 3, 40), 1), ((1, 28, 28), 4)])
def test_too_many_convolutions_for_a_small_picture_are_refused_with_the_number_that_fits(shape: tuple[int, ...],
                                                                                         most: int) -> None:
    for count in (most + 1, 9):
        with pytest.raises(ValueError, match=rf"CNN: channels has {count} convolutions, but .* Use {most} or fewer"):
            build(Architecture(CNN(channels=(2,) * count), shape, 10))
    assert build(Architecture(CNN(channels=(2,) * most), shape, 10))


@pytest.mark.parametrize("shape", [(1, 1, 50), (3, 50, 1), (1, 1, 1), (1, 2), (4, 1)])
def test_examples_that_no_convolution_can_read_are_answered_with_families_that_can(shape: tuple[int, ...]) -> None:
    for channels in ((), (4,)):
        with pytest.raises(ValueError, match="No CNN can read such examples: choose mlp, resnet or gru"):
            build(Architecture(CNN(channels=channels), shape, 3))
    for other in ("mlp", "resnet", "gru"):
        network = build(Architecture(family(other), shape, 3)).eval()
        assert network(torch.zeros(2, *shape)).shape == (2, 3)


def test_a_gru_has_one_layer() -> None:
    with pytest.raises(ValueError, match=r"GRU: hidden must be one number of units, but got '32-32'"):
        build(Architecture(Recurrent(hidden=(32, 32)), (1, 40), 10))


def test_the_channels_inside_a_block_are_its_own_where_none_are_given() -> None:
    plain, spelled = (build(Architecture(ResNet((4, 8), inner), (3, 8, 8), 10), 1) for inner in ((), (4, 8)))
    assert identical(state(plain), state(spelled))
    assert plain.architecture.title() == "ResNet 4-8"


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 40)])
def test_each_block_of_a_resnet_has_its_own_width_inside(shape: tuple[int, ...]) -> None:
    network = build(Architecture(family("resnet", {"channels": "4-8", "inner": "5-2"}), shape, 10)).eval()
    assert [tuple(network[3 + block].body[place].weight.shape[:2]) for block in (0, 1) for place in (0, 3)] == [
        (5, 4), (4, 5), (2, 4), (8, 2)]
    assert network(torch.zeros(2, *shape)).shape == (2, 10)


@pytest.mark.parametrize("inner", [(3,), (3, 3, 3)])
def test_a_resnet_needs_one_inner_width_a_block(inner: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"ResNet: inner must be one number for each of the 2 blocks or 'none', but got "
                                         r"'3.*'\. For example: inner=4-8"):
        build(Architecture(ResNet((4, 8), inner), (3, 8, 8), 10))


def test_a_resnet_without_channels_is_answered_with_an_example():
    with pytest.raises(ValueError, match=r"ResNet: channels must be at least one number, but got 'none'\. For example"):
        build(Architecture(ResNet(channels=()), (1, 8, 8), 10))
