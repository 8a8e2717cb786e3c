"""Hidden features of a stage are the same from one network alone and from many in one stack, whatever their sizes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.distillation.hidden_features import (
    attention_map,
    feature_places,
    has_places,
    hint_features,
    on_common_grid,
    teacher_stages,
)
from compress.distillation.objective import TeacherTargets, middle
from compress.methods.low_rank import LowRank
from compress.networks.families import CNN, MLP, Architecture, Family, Logistic, Network, Recurrent, ResNet, build
from compress.training.stack import Stack
from compress.training.stack_layers import Layout

IMAGE, SMALL, SEQUENCE, TABLE = (1, 28, 28), (3, 8, 8), (2, 40), (12,)
CASES: dict[str, tuple[list[Family], tuple[int, ...]]] = {
    "mlp": ([MLP((20, 7)), MLP((3, 30)), MLP((9, 9))], TABLE), "mlp, one wide": ([MLP((5,)), MLP((40,))], IMAGE),
    "cnn": ([CNN((3, 8), (60, 42)), CNN((6, 2), (10, 50))], IMAGE),
    "cnn, equal": ([CNN((2, 3), (4, 5)), CNN((2, 3), (4, 5))], SMALL),
    "cnn, sequence": ([CNN((3, 8, 4)), CNN((6, 2, 9))], SEQUENCE), "gru": ([Recurrent((5,)), Recurrent((9,))], SEQUENCE),
    "gru, rows": ([Recurrent((4,), False), Recurrent((6,), False)], SMALL),
    "resnet": ([ResNet((4, 9, 5)), ResNet((8, 3, 3))], SMALL),
    "resnet, sequence": ([ResNet((4, 9)), ResNet((8, 3))], SEQUENCE)}
every_case = pytest.mark.parametrize(("families", "shape"), CASES.values(), ids=CASES)


def networks(families: list[Family], shape: tuple[int, ...]) -> list[Network]:
    return [build(Architecture(family, shape, 4), seed).double().eval() for seed, family in enumerate(families)]


def batch(shape: tuple[int, ...], examples: int = 5) -> Tensor:
    return torch.randn(examples, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def maps_layout(count: int, channels: int) -> Layout:
    return Layout("maps", channels, tuple(torch.arange(channels) for _ in range(count)))


@every_case
@torch.no_grad()
def test_each_networks_features_are_at_its_places(families, shape):
    alone, inputs = networks(families, shape), batch(shape)
    stack = Stack(alone)
    stages, layouts = stack.forward(inputs).stages, stack.stages
    single = [teacher_stages(network, inputs)[0] for network in alone]
    assert all(len(own) == len(stages) > 0 for own in single)
    for depth, (stage, layout) in enumerate(zip(stages, layouts, strict=True)):
        together = hint_features(stage, layout)
        places = feature_places(layout, together.shape[2])
        for number, own in enumerate(single):
            expected = hint_features(*own[depth])[0]
            assert torch.allclose(together[number][:, places[number]], expected, atol=1e-10)
            assert expected.abs().max() > 0
            others = torch.ones(together.shape[2], dtype=torch.bool).index_fill(0, places[number], False)
            assert together[number][:, others].count_nonzero() == 0


@every_case
@torch.no_grad()
def test_attention_maps_of_a_stack_are_those_of_its_networks(families, shape):
    alone, inputs = networks(families, shape), batch(shape)
    stack = Stack(alone)
    single = [teacher_stages(network, inputs)[0] for network in alone]
    for depth, (stage, layout) in enumerate(zip(stack.forward(inputs).stages, stack.stages, strict=True)):
        assert all(own[depth][1].kind == layout.kind for own in single)
        if has_places(layout):
            for number, found in enumerate(attention_map(stage, layout)):
                assert torch.allclose(found, attention_map(*single[number][depth])[0], atol=1e-10)


@every_case
@torch.no_grad()
def test_the_last_layer_turns_the_embedding_into_the_logits(families, shape):
    for network in networks(families, shape):
        _, last = teacher_stages(network, batch(shape))
        final = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
        assert last.shape[1] == final.in_features
        assert torch.allclose(final(last), network(batch(shape)), atol=1e-10)


@torch.no_grad()
def test_stages_of_a_perceptron_are_its_activations():
    (network,) = networks([MLP((6, 3))], TABLE)
    stages, last = teacher_stages(network, batch(TABLE))
    first = network[1](batch(TABLE)).relu()
    assert [layout.kind for _, layout in stages] == ["rows", "rows"]
    assert torch.equal(stages[0][0], first[None]) and torch.equal(stages[1][0][0], network[3](first).relu())
    assert torch.equal(last, stages[1][0][0])


@torch.no_grad()
def test_a_perceptron_without_hidden_layers_has_no_stage():
    (network,) = networks([Logistic()], TABLE)
    stages, last = teacher_stages(network, batch(TABLE))
    assert stages == [] and torch.equal(last, batch(TABLE))


@torch.no_grad()
def test_a_compressed_network_can_be_a_teacher_too(mlp, digits):
    small = LowRank(keep=0.3).compress(mlp, digits)
    inputs = torch.tensor(digits.validation.inputs[:9])
    stages, last = teacher_stages(small, inputs)
    assert [stage.shape[-1] for stage, _ in stages] == [48, 32]
    targets = TeacherTargets(small, inputs, "hints")
    assert torch.equal(targets.hints, stages[0][0][0]) and torch.equal(last, stages[1][0][0])


@pytest.mark.parametrize(("places", "kept"), [((8, 8), (4, 4)), ((2, 3), (2, 3)), ((12, 2), (4, 2)), ((1, 1), (1, 1))])
def test_maps_are_averaged_over_at_most_four_by_four_places(places, kept):
    stage, layout = numbers(3, 2 * 5, *places), maps_layout(2, 5)
    found = hint_features(stage, layout)
    assert found.shape == (2, 3, 5 * kept[0] * kept[1])
    expected = stage.view(3, 2, 5, kept[0], places[0] // kept[0], kept[1], places[1] // kept[1]).mean((4, 6))
    assert torch.allclose(found, expected.flatten(2).transpose(0, 1))
    assert torch.equal(feature_places(layout, found.shape[2])[1], torch.arange(found.shape[2]))


@pytest.mark.parametrize(("steps", "kept"), [(8, 4), (3, 3), (1, 1)])
def test_series_are_averaged_over_at_most_four_stretches(steps, kept):
    stage = numbers(2, 3, steps, 5)
    found = hint_features(stage, Layout("series", 5, (torch.arange(5),) * 2))
    expected = stage.view(2, 3, kept, steps // kept, 5).mean(3).transpose(2, 3)
    assert torch.allclose(found, expected.flatten(2))


def test_one_dimensional_maps_are_averaged_over_stretches():
    stage = numbers(3, 2 * 5, 8)
    expected = stage.view(3, 2, 5, 4, 2).mean(4).flatten(2).transpose(0, 1)
    assert torch.allclose(hint_features(stage, maps_layout(2, 5)), expected)


def test_rows_are_features_as_they_are():
    stage = numbers(2, 3, 7)
    layout = Layout("rows", 7, (torch.tensor([0, 1, 2]), torch.arange(7)))
    assert torch.equal(hint_features(stage, layout), stage)
    assert [place.tolist() for place in feature_places(layout, 7)] == [[0, 1, 2], [0, 1, 2, 3, 4, 5, 6]]


def test_features_of_a_channel_are_adjacent():
    layout = Layout("maps", 3, (torch.tensor([0, 2]), torch.tensor([1])))
    assert [place.tolist() for place in feature_places(layout, 12)] == [[0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7]]


def test_attention_is_the_sum_of_squares_over_channels_or_units():
    stage = numbers(3, 2 * 5, 4, 6)
    found = attention_map(stage, maps_layout(2, 5))
    assert found.shape == (2, 3, 4, 6)
    assert torch.allclose(found[1, 2], stage[2, 5:].square().sum(0))
    states = numbers(2, 3, 4, 5)
    found = attention_map(states, Layout("series", 5, (torch.arange(5),) * 2))
    assert found.shape == (2, 3, 4) and torch.allclose(found[1, 2, 3], states[1, 2, 3].square().sum())


@pytest.mark.parametrize(("form", "placed"), [("rows", False), ("maps", True), ("series", True), ("shared", False)])
def test_only_maps_and_series_have_places(form, placed):
    assert has_places(Layout(form, 3, ())) is placed


def test_maps_of_one_size_stay_as_they_are():
    first, second = numbers(2, 3, 4, 6), numbers(1, 3, 4, 6, seed=1)
    for found, given in zip(on_common_grid(first, second), (first, second), strict=True):
        assert torch.allclose(found, given.flatten(2))


@pytest.mark.parametrize("swapped", [False, True])
def test_the_finer_map_is_averaged_to_the_coarser_grid(swapped):
    fine, coarse = numbers(2, 3, 8, 8), numbers(2, 3, 4, 2, seed=1)
    found = on_common_grid(coarse, fine)[::-1] if swapped else on_common_grid(fine, coarse)
    assert torch.allclose(found[0], functional.avg_pool2d(fine, (2, 4)).flatten(2))
    assert torch.allclose(found[1], coarse.flatten(2))


def test_each_axis_takes_the_coarser_of_the_two():
    found = on_common_grid(numbers(2, 3, 8, 2), numbers(2, 3, 4, 6, seed=1))
    assert [one.shape for one in found] == [(2, 3, 8), (2, 3, 8)]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_picture_beside_a_series_becomes_the_means_of_its_lines(swapped):
    picture, series = numbers(2, 3, 8, 5), numbers(1, 3, 4, seed=1)
    found = on_common_grid(series, picture)[::-1] if swapped else on_common_grid(picture, series)
    assert torch.allclose(found[0], picture.mean(-1).view(2, 3, 4, 2).mean(-1))
    assert torch.allclose(found[1], series)


@torch.no_grad()
def test_a_recurrent_student_looks_at_the_lines_that_a_convolutional_teacher_sees():
    """A bright line is where both look: the reading direction of the states is that of the picture's lines."""
    inputs = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    inputs[:, :, 5] = 9.0
    (cnn,), stack = networks([CNN((4,), (5,))], (1, 8, 8)), Stack(networks([Recurrent((6,), False)], (1, 8, 8)))
    seen = attention_map(*teacher_stages(cnn, inputs)[0][0])
    found = on_common_grid(attention_map(stack.forward(inputs).stages[0], stack.stages[0]), seen)
    assert found[0].shape == found[1].shape == (1, 1, 8)
    assert found[1][0, 0].argmax() in range(3, 8)
    assert found[0][0, 0, 5:].mean() > found[0][0, 0, :5].mean()


@pytest.mark.parametrize(("stages", "place"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2)])
def test_a_hint_is_read_from_the_middle(stages, place):
    assert middle([(torch.tensor(number), None) for number in range(stages)])[0] == place
