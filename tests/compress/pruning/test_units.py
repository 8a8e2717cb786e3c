"""Every row of a hidden layer makes one unit, every column behind it reads one, and nothing else belongs to any."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from compress.layers.base import dense_layers, with_layers
from compress.layers.factors import Factors
from compress.layers.matrix_view import factorised
from compress.networks import families
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
from compress.networks.modules import AsSequence, Residual
from compress.pruning.units import Group, bundles_of, groups_of
from tests.compress.helpers import identical, state

IMAGE, COLOURS, SEQUENCE, TABLE = (1, 12, 14), (3, 8, 8), (2, 21), (13,)
CASES: list[tuple[str, Family, tuple[int, ...]]] = [
    ("logistic", Logistic(), TABLE), ("mlp", MLP((11, 7, 5), 0.3), TABLE), ("mlp, image", MLP((9,)), IMAGE),
    ("mlp, no layer", MLP(()), TABLE), ("cnn", CNN((5, 7), (13, 6)), IMAGE), ("cnn, colours", CNN((4, 6, 3)), COLOURS),
    ("cnn, sequence", CNN((5, 4, 6)), SEQUENCE), ("cnn, sequence, layers", CNN((6, 5), (9, 8)), SEQUENCE),
    ("resnet", ResNet((6, 9, 7)), COLOURS), ("resnet, inner", ResNet((6, 4, 6), (5, 8, 3)), COLOURS),
    ("resnet, one block", ResNet((5,)), IMAGE), ("resnet, sequence", ResNet((4, 4, 7)), SEQUENCE),
    ("gru", Recurrent((7,)), SEQUENCE), ("gru, one way", Recurrent((6,), False), SEQUENCE),
    ("gru, image", Recurrent((5,)), COLOURS), ("embedding bag", EmbeddingBag(15, (9,), (11,)), (3,)),
    ("tokens", TokenGRU(15, (6,), (5,)), TABLE), ("token windows", TokenCNN(15, (6,), (5, 4)), TABLE)]
every_case = pytest.mark.parametrize(("family", "shape"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
RESNET_PATHS = ["0", "3.body.0", "4.body.0", "4.body.3", "5.body.0", "5.body.3"]


def network_of(family: Family, shape: tuple[int, ...], seed: int = 0, classes: int = 4) -> Network:
    """Random weights of a size at which few units are silent, and batch-norms that have seen something: none of their
    parameters and statistics is one or zero."""
    network = build(Architecture(family, shape, classes), seed)
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        drawn = torch.randn(tensor.shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            tensor.fill_(3)
        elif name.endswith("running_var"):
            tensor.copy_(drawn.abs() + 0.2)
        elif tensor.dim() > 1:
            tensor.copy_(drawn * (2 / tensor[0].numel()) ** 0.5)
        else:
            tensor.copy_(0.4 + 0.4 * drawn)
    return network.eval()


def by_path(network: Network) -> dict[str, Group]:
    return {group.path: group for group in groups_of(network)}


def tensors_of(group: Group) -> tuple[set[str], set[str]]:
    return {member.tensor for member in group.producers}, {member.tensor for member in group.consumers}


@every_case
def test_every_entry_of_a_hidden_layer_belongs_to_exactly_one_unit(family: Family, shape: tuple[int, ...]) -> None:
    """Rows of all layers but the last, columns of all that read units: all but those of the layers on raw inputs."""
    network = network_of(family, shape)
    found: dict[tuple[str, int], list[Tensor]] = {}
    for group in groups_of(network):
        for member in group.members:
            assert member.places.dtype == torch.int64 and len(member.places) == group.units
            found.setdefault((member.tensor, member.axis), []).append(member.places.flatten())
    tensors = {name: tensor for name, tensor in network.state_dict().items() if tensor.dim()}
    paths = list(dense_layers(network))
    reads_tokens = family.reads == "tokens"
    raw = paths[:1] if reads_tokens else [path for path in paths if path.endswith(".input_map")] or paths[:1]
    expected = {(name, 0) for name in tensors if not name.startswith(f"{paths[-1]}.")}
    expected |= {(f"{path}.weight", 1) for path in paths if path not in raw}
    assert found.keys() == expected
    for (name, axis), places in found.items():
        assert torch.equal(torch.cat(places).sort().values, torch.arange(tensors[name].shape[axis]))


@every_case
def test_looking_for_units_changes_nothing(family: Family, shape: tuple[int, ...]) -> None:
    network = network_of(family, shape).train()
    before = state(network)
    groups_of(network)
    assert identical(state(network), before) and network.training


@pytest.mark.parametrize(("family", "shape", "expected"), [
    (Logistic(), TABLE, {}), (MLP((11, 7), 0.3), TABLE, {"1": 11, "4": 7}), (MLP((11, 7)), IMAGE, {"1": 11, "3": 7}),
    (CNN(), (1, 28, 28), {"0": 6, "3": 16, "7": 120, "9": 84}), (CNN((6, 5), (9,)), SEQUENCE, {"0": 6, "2": 5, "5": 9}),
    (ResNet((6, 9, 7)), COLOURS, dict(zip(RESNET_PATHS, (6, 6, 9, 9, 7, 7), strict=True))),
    (ResNet((6, 4, 6), (5, 8, 3)), SEQUENCE, dict(zip(RESNET_PATHS, (6, 5, 8, 4, 3, 6), strict=True))),
    (Recurrent((7,)), SEQUENCE, {"1.forwards": 7, "1.backwards": 7}), (Recurrent((6,), False), IMAGE, {"1.forwards": 6})])
def test_groups_come_in_forward_order(family: Family, shape: tuple[int, ...], expected: dict[str, int]) -> None:
    found = [(group.path, group.units) for group in groups_of(network_of(family, shape))]
    assert found == list(expected.items())


def test_the_channels_behind_an_identity_shortcut_are_those_before_it() -> None:
    makes, reads = tensors_of(by_path(network_of(ResNet((6, 9)), COLOURS))["0"])
    norms = {f"{path}.{name}" for path in ("1", "3.body.4") for name in ("weight", "bias", "running_mean", "running_var")}
    assert makes == {"0.weight", "3.body.3.weight", *norms}
    assert reads == {"3.body.0.weight", "4.body.0.weight", "4.shortcut.0.weight"}


def test_a_shortcuts_convolution_makes_the_same_channels_as_the_body() -> None:
    makes, reads = tensors_of(by_path(network_of(ResNet((6, 9)), COLOURS))["4.body.3"])
    norms = {f"4.{path}.{name}" for path in ("body.4", "shortcut.1")
             for name in ("weight", "bias", "running_mean", "running_var")}
    assert makes == {"4.body.3.weight", "4.shortcut.0.weight", *norms} and reads == {"7.weight"}


def test_channels_are_blocks_of_columns_behind_flatten_and_states_are_not() -> None:
    convolutional, recurrent = network_of(CNN((5, 4)), SEQUENCE), network_of(Recurrent((3,)), (2, 5))
    columns = by_path(convolutional)["2"].consumers[0].places
    assert torch.equal(columns, torch.arange(convolutional[5].in_features).view(4, -1))
    ahead, back = (by_path(recurrent)[f"1.{name}"].consumers[-1] for name in ("forwards", "backwards"))
    assert ahead.tensor == back.tensor == "3.weight"
    assert ahead.places.tolist() == [[unit + 6 * step for step in range(5)] for unit in range(3)]
    assert torch.equal(back.places, ahead.places + 3)


def test_a_recurrent_unit_is_a_row_of_each_gate_and_a_column_of_its_own_states() -> None:
    group = by_path(network_of(Recurrent((3,)), SEQUENCE))["1.backwards"]
    maps = [f"1.backwards.{name}" for name in ("input_map", "state_map")]
    assert tensors_of(group) == ({f"{path}.{name}" for path in maps for name in ("weight", "bias")},
                                 {"1.backwards.state_map.weight", "3.weight"})
    assert all(member.places.tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]] for member in group.producers)
    assert group.consumers[0].places.tolist() == [[0], [1], [2]]


def test_only_the_two_directions_of_a_gru_are_bound_to_each_other() -> None:
    bundles = bundles_of(groups_of(network_of(Recurrent((7,)), SEQUENCE)))
    assert [[group.path for group in bundle] for bundle in bundles] == [["1.forwards", "1.backwards"]]
    for family in (Recurrent((7,), False), ResNet((6, 9, 7)), CNN((5, 4))):
        groups = groups_of(network_of(family, SEQUENCE))
        assert bundles_of(groups) == [(group,) for group in groups]


def small(*modules: nn.Module) -> Network:
    """A network that no family makes."""
    return Network(*modules)


def test_what_is_added_to_raw_inputs_or_gives_the_scores_is_no_unit() -> None:
    first, second = (Residual(nn.Conv1d, nn.BatchNorm1d, 3, 5, 3, 1) for _ in range(2))
    assert [group.path for group in groups_of(small(first, nn.Flatten(), nn.Linear(24, 2)))] == ["0.body.0"]
    network = small(nn.Conv1d(2, 3, 1), first, second)
    assert [group.path for group in groups_of(network)] == ["1.body.0", "2.body.0"]


@pytest.mark.parametrize(("modules", "message"), [
    ([nn.Linear(4, 3), nn.GELU(), nn.Linear(3, 2)], r"layer 1 is GELU.* Choose another pattern"),
    ([nn.Linear(4, 3), nn.BatchNorm1d(3, affine=False), nn.Linear(3, 2)], r"layer 1 is BatchNorm1d.* Choose another"),
    ([nn.Conv1d(2, 3, 1), AsSequence(), nn.Linear(3, 2)], r"layer 1 is AsSequence.* Choose another pattern"),
    ([nn.Conv1d(2, 4, 1), nn.Conv1d(4, 4, 1, groups=2)], r"one group.*layer 1 has 2 groups.* Choose another pattern"),
    ([nn.Conv1d(2, 4, 1), nn.Flatten(), nn.Linear(14, 2)], r"4 units in front of layer 2, which reads 14 values.* Choose")])
def test_what_it_cannot_follow_is_refused(modules: list[nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=f"Prune: the pattern units .*{message}"):
        groups_of(small(*modules))


def test_a_compressed_layer_is_refused() -> None:
    network = network_of(MLP((9, 8)), TABLE)
    factors = factorised(network[3], torch.linalg.qr(torch.randn(8, 2)).Q[None])
    assert isinstance(factors, Factors)
    with pytest.raises(ValueError, match=r"Prune: the pattern units needs dense layers, but layer 3 is already compressed "
                                         r"\(kind factors\)\. Put prune before"):
        groups_of(with_layers(network, {"3": factors}))


def test_every_family_is_among_the_cases() -> None:
    assert {family.name for _, family, _ in CASES} == set(families.FAMILIES)
