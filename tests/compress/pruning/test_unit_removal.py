"""A network without some units has the outputs of the network with zeros in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from compress.files import network_file
from compress.networks.embedding import Embedding
from compress.networks.families import CNN, MLP, Architecture, Family, Logistic, Network, Recurrent, ResNet, TokenGRU, build
from compress.networks.graph.architecture import graph_network
from compress.networks.graph.reading import Reading
from compress.networks.gru import Direction
from compress.pruning.unit_removal import masked, without_units
from compress.pruning.units import bundles_of, groups_of
from tests.compress.helpers import identical, state
from tests.compress.pruning.test_units import COLOURS, IMAGE, SEQUENCE, TABLE, every_case, network_of

every_seed = pytest.mark.parametrize("seed", range(3))


def some(network: Network, seed: int) -> dict[str, Tensor]:
    """Random units of every group, as many of all that must keep equally many: half of them or more, or one (seed 0)."""
    generator = torch.Generator().manual_seed(seed)
    kept = {}
    for bundle in bundles_of(groups_of(network)):
        units = bundle[0].units
        count = int(torch.randint(units // 2, units, (), generator=generator)) if seed else 1
        kept |= {group.path: torch.randperm(group.units, generator=generator)[:count].sort().values for group in bundle}
    return kept


def logits(network: Network, examples: int = 9) -> Tensor:
    shape = network.architecture.shape
    inputs = torch.randn(examples, *shape, generator=torch.Generator().manual_seed(1)).to(next(network.parameters()).dtype)
    if network.architecture.family.reads == "tokens":
        inputs = (inputs * 5).abs().floor()
    with torch.inference_mode():
        return network(inputs)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@every_case
@every_seed
def test_thinned_and_masked_networks_agree(family: Family, shape: tuple[int, ...], seed: int) -> None:
    network = network_of(family, shape, seed)
    kept = some(network, seed)
    torch.testing.assert_close(logits(without_units(network, kept)), logits(masked(network, kept)), atol=1e-5, rtol=1e-4)
    exact = [logits(one(network.double(), kept)) for one in (without_units, masked)]
    torch.testing.assert_close(*exact, atol=1e-12, rtol=1e-10)
    assert seed == 0 or exact[0].std(0).min() > 2e-4, "the units that are left say too little for this comparison"


UPLOADED: dict[str, tuple[Callable[[], list[nn.Module]], tuple[int, ...]]] = {
    "resnet": (lambda: list(network_of(ResNet(channels=(4, 6)), (2, 8, 8), 1)), (2, 8, 8)),
    "gru": (lambda: list(network_of(Recurrent(hidden=(6,)), (2, 8, 8), 1)), (2, 8, 8)),
    "token_gru": (lambda: list(network_of(TokenGRU(9, (5,), (6,)), (7,), 1)), (7,)),
    "table, joined": (lambda: [Embedding(9, 6, False, padded=False), nn.Flatten(), nn.Linear(42, 8), nn.ReLU(),
                               nn.Linear(8, 3)], (7,)),
    "layers over steps": (lambda: [nn.Linear(6, 8), nn.ReLU(), nn.Flatten(), nn.Linear(32, 8), nn.BatchNorm1d(8), nn.Tanh(),
                                   nn.Linear(8, 3)], (4, 6))}


@pytest.mark.parametrize("name", UPLOADED)
def test_units_of_uploaded_networks_are_removed(name: str) -> None:
    """Where layers act on the last axis, the units of each step are the columns that are removed behind it."""
    made, shape = UPLOADED[name]
    torch.manual_seed(1)
    modules, whole = made(), "table" in name or "token" in name
    network = graph_network("ours", shape, modules[-1].out_features, [Reading(shape, shape, whole=whole), *modules]).double()
    inputs = torch.rand(9, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * (8 if whole else 1)
    kept = some(network, 2)
    with torch.inference_mode():
        thin, zeros = (one(network, kept).double() for one in (without_units, masked))
        torch.testing.assert_close(thin(inputs), zeros(inputs), atol=1e-12, rtol=1e-10)
        assert zeros(inputs).std(0).min() > 1e-6 and count(thin) < count(network)
        again = network_file.from_bytes(network_file.to_bytes(thin.float()))
        torch.testing.assert_close(again(inputs.float()), thin(inputs.float()), atol=0, rtol=0)


def test_pools_over_the_axis_of_units_are_refused() -> None:
    modules = [Reading((4, 6), (4, 6)), nn.Linear(6, 8), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(16, 3)]
    with pytest.raises(ValueError, match=r"needs channels on the second axis, but layer 2 is MaxPool1d"):
        groups_of(graph_network("ours", (4, 6), 3, modules))


@every_case
@every_seed
def test_a_thinned_network_is_one_of_its_own_architecture(family: Family, shape: tuple[int, ...], seed: int) -> None:
    network = network_of(family, shape, seed)
    kept = some(network, seed)
    small = without_units(network, kept)
    assert {group.path: group.units for group in groups_of(small)} == {path: len(units) for path, units in kept.items()}
    assert {name: tensor.shape for name, tensor in state(small).items()} == {
        name: tensor.shape for name, tensor in state(build(small.architecture)).items()}
    assert not kept or count(small) < count(network)
    assert all(parameter.requires_grad and parameter.is_contiguous() for parameter in small.parameters())


@every_case
def test_each_group_can_be_thinned_alone(family: Family, shape: tuple[int, ...]) -> None:
    """Every other group keeps all of its units, and the answers do change."""
    network = network_of(family, shape)
    kept = some(network, 0)
    for bundle in bundles_of(groups_of(network)):
        alone = {group.path: kept[group.path] for group in bundle}
        found = logits(without_units(network, alone))
        torch.testing.assert_close(found, logits(masked(network, alone)), atol=1e-5, rtol=1e-4)
        assert not torch.allclose(found, logits(network), atol=1e-3)


@every_case
def test_what_a_removed_unit_gives_out_is_zero(family: Family, shape: tuple[int, ...]) -> None:
    """Seen from outside: the outputs of the module that ends a group are zero at its removed units, but not all are."""
    network = network_of(family, shape)
    kept, seen = some(network, 2), {}
    silent = masked(network, kept)
    ends = {"0": "3"} if isinstance(family, ResNet) else {}
    for group in groups_of(network):
        def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, path: str = group.path) -> None:
            is_by_step = isinstance(module, Embedding | Direction)  # (n, steps, units)
            axis = 2 if is_by_step and output.dim() == 3 else 1
            seen[path] = output.abs().movedim(axis, 0).flatten(1).sum(1) > 0

        end = ends.get(group.path, group.path.removesuffix(".body.3"))
        silent.get_submodule(end.replace(".body.0", ".body.1")).register_forward_hook(note)
    logits(silent, 30)
    assert seen.keys() == kept.keys()
    for path, units in kept.items():
        alive = set(seen[path].nonzero()[:, 0].tolist())
        assert alive and alive <= set(units.tolist())


@pytest.mark.parametrize(("family", "shape", "counts", "expected"), [
    (MLP((11, 7), 0.3), TABLE, (4, 3), MLP((4, 3), 0.3)), (MLP((11, 7)), IMAGE, (11, 2), MLP((11, 2))),
    (CNN(), (1, 28, 28), (2, 9, 50, 84), CNN((2, 9), (50, 84))), (CNN(), SEQUENCE, (25, 4, 25), CNN((25, 4, 25))),
    (CNN((6, 5), (9,)), SEQUENCE, (2, 3, 4), CNN((2, 3), (4,))),
    (ResNet((6, 9, 7)), COLOURS, (4, 5, 3, 8, 7, 2), ResNet((4, 8, 2), (5, 3, 7))),
    (ResNet((6, 9), (2, 3)), SEQUENCE, (2, 2, 3, 3), ResNet((2, 3))),
    (ResNet((6, 9)), SEQUENCE, (6, 5, 9, 9), ResNet((6, 9), (5, 9))),
    (Recurrent((7,)), SEQUENCE, (3, 3), Recurrent((3,))), (Recurrent((7,), False), IMAGE, (2,), Recurrent((2,), False)),
    (CNN(), COLOURS, (6, 16, 120, 84), CNN()), (ResNet(), COLOURS, (16, 16, 32, 32, 64, 64), ResNet()),
    (Logistic(), TABLE, (), Logistic())])
def test_the_family_has_the_remaining_sizes(family: Family, shape: tuple[int, ...], counts: tuple[int, ...],
                                                 expected: Family) -> None:
    network = network_of(family, shape)
    kept = {group.path: torch.arange(group.units - number, group.units)
            for group, number in zip(groups_of(network), counts, strict=True)}
    small = without_units(network, kept)
    assert small.architecture == Architecture(expected, shape, 4)
    assert count(small) == count(build(small.architecture))


def test_the_tensors_are_those_that_one_would_cut_by_hand() -> None:
    network, kept = network_of(CNN((5, 4), (6,)), SEQUENCE), {"0": torch.tensor([1, 4]), "2": torch.tensor([0, 3])}
    small = without_units(network, kept)
    first, second, third, last = (layer for layer in network if list(layer.parameters()))
    columns = third.weight.view(6, 4, -1)[:, [0, 3]].flatten(1)
    by_hand = (first.weight[[1, 4]], first.bias[[1, 4]], second.weight[[0, 3]][:, [1, 4]], second.bias[[0, 3]],
               columns, third.bias, last.weight, last.bias)
    assert all(torch.equal(one, other) for one, other in zip(small.parameters(), by_hand, strict=True))


def test_the_gates_are_those_that_one_would_cut_by_hand() -> None:
    network = network_of(Recurrent((4,)), (2, 5))
    small = without_units(network, {"1.forwards": torch.tensor([0, 2]), "1.backwards": torch.tensor([1, 3])})
    for name, units in (("forwards", [0, 2]), ("backwards", [1, 3])):
        whole, cut = network[1].get_submodule(name), small[1].get_submodule(name)
        assert cut.units == 2
        assert torch.equal(cut.input_map.weight, whole.input_map.weight.view(3, 4, -1)[:, units].flatten(0, 1))
        assert torch.equal(cut.state_map.weight, whole.state_map.weight.view(3, 4, 4)[:, units][:, :, units].flatten(0, 1))
        assert torch.equal(cut.state_map.bias, whole.state_map.bias.view(3, 4)[:, units].flatten())
    assert torch.equal(small[3].weight, network[3].weight.view(4, 5, 8)[:, :, [0, 2, 5, 7]].flatten(1))


def test_batch_norm_keeps_its_statistics_and_its_counter() -> None:
    network = network_of(ResNet((6, 9)), COLOURS)
    small = without_units(network, {"4.body.3": torch.tensor([2, 8])})
    for old, new in ((network[4].body[4], small[4].body[4]), (network[4].shortcut[1], small[4].shortcut[1])):
        for name in ("weight", "bias", "running_mean", "running_var"):
            assert torch.equal(getattr(new, name), getattr(old, name)[[2, 8]])
        assert int(new.num_batches_tracked) == 3


@every_case
def test_a_mask_changes_nothing_but_what_makes_the_removed_units(family: Family, shape: tuple[int, ...]) -> None:
    """Statistics, columns and all other rows stay as they are, bit for bit."""
    network = network_of(family, shape)
    kept = some(network, 1)
    expected, found = state(network), state(masked(network, kept))
    for group in groups_of(network):
        gone = [unit for unit in range(group.units) if unit not in kept[group.path]]
        for member in group.producers:
            if "running" not in member.tensor:
                expected[member.tensor][member.places[gone].flatten()] = 0
    assert identical(found, expected)


@every_case
@pytest.mark.parametrize("change", [without_units, masked])
def test_where_nothing_is_removed_the_outputs_are_the_same_bit_for_bit(family, shape, change) -> None:
    network = network_of(family, shape)
    everything = {group.path: torch.arange(group.units) for group in groups_of(network)}
    for kept in ({}, everything):
        same = change(network, kept)
        assert identical(state(same), state(network)) and torch.equal(logits(same), logits(network))
        assert same.architecture.shape == shape and same.architecture.title() == network.architecture.title()


@every_case
@pytest.mark.parametrize("change", [without_units, masked])
def test_the_given_network_stays_as_it_is_and_shares_nothing(family, shape, change) -> None:
    network = network_of(family, shape).train()
    before, architecture = state(network), network.architecture
    for kept in ({}, some(network, 1)):
        made = change(network, kept)
        assert not made.training and network.training
        for tensor in made.state_dict().values():
            tensor.fill_(7)
    assert identical(state(network), before) and network.architecture == architecture


@every_case
def test_a_thinned_network_is_read_back_from_its_file(family: Family, shape: tuple[int, ...], tmp_path: Path) -> None:
    network = network_of(family, shape)
    small = without_units(network, some(network, 1))
    length = network_file.write(small, tmp_path / "net")
    again = network_file.read(tmp_path / "net")
    assert again.architecture == small.architecture and torch.equal(logits(again), logits(small))
    assert not groups_of(network) or length < len(network_file.to_bytes(network))


def test_the_global_random_state_is_left_alone() -> None:
    network = network_of(MLP((9,)), TABLE)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    without_units(network, some(network, 1)), masked(network, some(network, 1))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("change", [without_units, masked])
@pytest.mark.parametrize(("kept", "message"), [
    ({"1": torch.arange(0)}, r"1 must keep between 1 and 9 units, but got none\. Keep at least one"),
    ({"1": torch.tensor([3, 9])}, r"units of 1 are .* between 0 and 8, but got \[3, 9\]\. Give the indices"),
    ({"3": torch.tensor([-1, 2])}, r"units of 3 are .* between 0 and 4, but got \[-1, 2\]\. Give the indices"),
    ({"3": torch.tensor([True, False, True, False, True])}, r"units of 3 are whole numbers \(int64\)"),
    ({"3": torch.tensor([0.0, 2.0])}, r"units of 3 are whole numbers \(int64\)"),
    ({"5": torch.tensor([0])}, r"units are kept of one of 1, 3, but got '5'\. Name one")])
def test_impossible_units_are_refused(change, kept: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=f"Prune: {message}"):
        change(network_of(MLP((9, 5)), TABLE), kept)


@pytest.mark.parametrize("kept", [{"1.forwards": torch.tensor([0, 1])},
                                  {"1.forwards": torch.tensor([0, 1]), "1.backwards": torch.tensor([4, 5, 6])}])
def test_both_directions_of_a_gru_keep_equally_many_units(kept: dict[str, Tensor]) -> None:
    network = network_of(Recurrent((7,)), SEQUENCE)
    with pytest.raises(ValueError, match=r"1\.forwards and 1\.backwards must keep equally many units, but got 2 and [37]\. "
                                         r"Keep as many of both"):
        without_units(network, kept)
    assert logits(masked(network, kept)).isfinite().all()
