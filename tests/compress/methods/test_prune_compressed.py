"""Pruning a network that another method made smaller before: its parts are pruned, and the file shrinks by what goes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers.base import compressed_layers
from compress.layers.coded import Coded
from compress.layers.opening import opened, parts_of
from compress.layers.sparse import Sparse
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.sparse_code import SparseCode
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.pruning.connectivity import reached
from compress.pruning.ranking import kept_of
from compress.pruning.saliency import CRITERIA, REFITTED
from tests.compress.helpers import agreement, identical, state

GRU, CNN = "gru(hidden=24,epochs=2)", "cnn(epochs=1)"
CODES = SparseCode(nonzeros=3, atoms=16, block=8, iterations=2, output_layer=True)
every_teacher = pytest.mark.parametrize("text", ["mlp(hidden=48-32,epochs=6)", CNN, GRU])


def left(network: Network) -> dict[str, int]:
    """Weights and coefficients of every part that are not zero."""
    return {path: int(torch.count_nonzero(part.weight)) for path, part in parts_of(opened(network, codes=True), "X").items()}


def shrinks(small: Network, smaller: Network, data: Dataset, path: Path) -> None:
    """The file is smaller, and gives back the network."""
    assert network_file.write(smaller, path) < len(network_file.to_bytes(small))
    inputs = torch.tensor(data.validation.inputs)
    assert torch.equal(logits_of(network_file.read(path), inputs), logits_of(smaller, inputs))


@every_teacher
@pytest.mark.parametrize("criterion", ["magnitude", "taylor", "wanda", "second_order"])
def test_both_factors_of_every_layer_are_pruned(text: str, criterion: str, trained: Callable[[str], Network],
                                                digits: Dataset, tmp_path: Path) -> None:
    small = LowRank(keep=0.3, output_layer=True).compress(trained(text), digits)
    before = state(small)
    candidate = next(Prune(criterion=criterion).curve(small, digits, [0.6]))
    sizes = {path: part.weight.numel() for path, part in parts_of(small, "X").items()}
    assert sum(left(candidate.network).values()) == kept_of(sum(sizes.values()), 0.6)
    assert any(path.endswith(".0") for path in sizes) and any(path.endswith(".1") for path in sizes)
    assert [layer["path"] for layer in candidate.inside["layers"]] == list(sizes)
    assert {layer["path"]: layer["kept"] for layer in candidate.inside["layers"]} == left(candidate.network)
    assert identical(before, state(small))
    shrinks(small, candidate.network, digits, tmp_path / "net")


@every_teacher
@pytest.mark.parametrize("criterion", ["magnitude", "taylor", "random"])
def test_fewer_coefficients_are_stored(text: str, criterion: str, trained: Callable[[str], Network], digits: Dataset,
                                       tmp_path: Path) -> None:
    small = CODES.compress(trained(text), digits)
    before, held = state(small), left(small)
    sizes = {path: part.weight.numel() for path, part in parts_of(opened(small, codes=True), "X").items()}
    candidate = next(Prune(criterion=criterion).curve(small, digits, [0.5]))
    found = left(candidate.network)
    assert any(path.endswith(".coefficients") for path in sizes)
    kept = kept_of(sum(sizes.values()), 0.5)
    assert kept * 0.98 <= sum(found.values()) <= kept, "a coefficient that is small for a byte may be rounded to zero"
    assert all(found[path] <= count for path, count in held.items())
    stored = {path: layer for path, layer in compressed_layers(candidate.network).items() if isinstance(layer, Coded)}
    assert sum(layer.values.numel() for layer in stored.values()) < 0.8 * sum(
        layer.values.numel() for layer in compressed_layers(small).values())
    assert {layer["form"] for layer in candidate.inside["layers"]} <= {"dense", "csr", "bitmask", "even", "ragged"}
    assert identical(before, state(small))
    shrinks(small, candidate.network, digits, tmp_path / "net")


def test_the_smallest_coefficients_go_first(mlp: Network, digits: Dataset) -> None:
    small = SparseCode(nonzeros=3, atoms=16, block=8, iterations=2, storage="float32").compress(mlp, digits)
    effects = opened(small, codes=True)[1].effects.flatten()
    pruned = opened(Prune(sparsity=0.4, allocation="uniform").compress(small, digits), codes=True)
    kept = opened(small, codes=True)[1].coefficients.weight.numel() * 0.6
    threshold = effects.sort(descending=True).values[round(kept) - 1]
    assert sorted(pruned[1].effects[pruned[1].effects > 0].tolist()) == pytest.approx(
        sorted(effects[effects >= threshold].tolist()), rel=1e-5)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_weights_that_were_pruned_stay_zero_and_go_first(criterion: str, mlp: Network, digits: Dataset) -> None:
    once = Prune(sparsity=0.5).compress(mlp, digits)
    total = sum(part.weight.numel() for part in parts_of(opened(once), "X").values())
    for sparsity in (0.3, 0.5, 0.8):
        twice = Prune(sparsity=sparsity, criterion=criterion, recovery_epochs=int(sparsity == 0.8)).compress(once, digits)
        for path, part in parts_of(opened(once), "X").items():
            again = opened(twice).get_submodule(path).weight
            assert not again[part.weight == 0].any()
        assert sum(left(twice).values()) == min(kept_of(total, 0.5), kept_of(total, sparsity)) or criterion in (
            "wanda", *REFITTED), "these take each layer's number from magnitudes"
    if criterion == "magnitude":
        alone = Prune(sparsity=0.8).compress(mlp, digits)
        assert identical(state(Prune(sparsity=0.8).compress(once, digits)), state(alone))


@pytest.mark.parametrize("settings", [{"schedule": "gradual", "recovery_epochs": 2}, {"rounds": 2, "recovery_epochs": 1},
                                      {"recovery_epochs": 1, "recovery_loss": "teacher"}, {"allocation": "sensitivity"},
                                      {"allocation": "uniform"}], ids=str)
@pytest.mark.parametrize("method", [LowRank(keep=0.4, output_layer=True), CODES, Prune(sparsity=0.5)],
                         ids=lambda one: one.name)
def test_every_schedule_and_allocation_acts_on_parts(method: LowRank | SparseCode | Prune, settings: dict, mlp: Network,
                                                     digits: Dataset, tmp_path: Path) -> None:
    small = method.compress(mlp, digits)
    smaller = Prune(sparsity=0.7, **settings).compress(small, digits)
    sizes = [part.weight.numel() for part in parts_of(opened(small, codes=True), "X").values()]
    kept = kept_of(sum(sizes), 0.7)
    rounded = len(sizes) if settings.get("allocation") == "uniform" else 0  # each layer's own number is a whole one
    assert 0.9 * kept <= sum(left(smaller).values()) <= kept + rounded
    shrinks(small, smaller, digits, tmp_path / "net")


@pytest.mark.parametrize("schedule", ["rewind", "redraw"])
def test_a_network_that_was_only_pruned_can_go_back_to_its_initial_weights(schedule: str, mlp: Network,
                                                                         digits: Dataset) -> None:
    once = Prune(sparsity=0.5).compress(mlp, digits)
    candidate = next(Prune(schedule=schedule, recovery_epochs=1).curve(once, digits, [0.8]))
    assert not candidate.notes
    zeros = {path: part.weight == 0 for path, part in parts_of(opened(once), "X").items()}
    assert all(not opened(candidate.network).get_submodule(path).weight[gone].any() for path, gone in zeros.items())


@every_teacher
def test_whole_units_of_a_pruned_network_go_and_the_rest_keeps_its_zeros(text: str, trained: Callable[[str], Network],
                                                                       digits: Dataset, tmp_path: Path) -> None:
    once = Prune(sparsity=0.6).compress(trained(text), digits)
    smaller = Prune(sparsity=0.3, pattern="units").compress(once, digits)
    assert smaller.architecture != once.architecture
    assert any(isinstance(layer, Sparse) for layer in compressed_layers(smaller).values())
    shrinks(once, smaller, digits, tmp_path / "net")


@pytest.mark.parametrize(("method", "settings", "answer"), [
    (CODES, {"criterion": "wanda"}, r"criterion wanda needs .* layer 1 has sparse codes\. Choose the criterion magnitude"),
    (CODES, {"criterion": "second_order"}, r"criterion second_order needs .* or put prune before sparse_code"),
    (CODES, {"pattern": "n:4"}, r"pattern n:4 needs weights of consecutive inputs, but layer 1 has sparse codes"),
    (CODES, {"pattern": "units"}, r"pattern units needs dense layers, but layer 1 is already compressed"),
    (LowRank(keep=0.3), {"pattern": "units"}, r"layer 1 is already compressed \(kind factors\)\. Put prune before"),
    (LowRank(keep=0.3), {"criterion": "snip"}, r"initial weights, but some of its layers are compressed already")],
    ids=str)
def test_what_cannot_be_pruned_is_answered_with_a_sentence(method: LowRank | SparseCode, settings: dict, answer: str,
                                                           mlp: Network, digits: Dataset) -> None:
    small = method.compress(mlp, digits)
    with pytest.raises(ValueError, match=f"^Prune: .*{answer}"):
        Prune(sparsity=0.5, **settings).compress(small, digits)


@every_teacher
def test_classes_are_reached_by_way_of_parts(text: str, trained: Callable[[str], Network], digits: Dataset) -> None:
    """The probe runs in double precision, whatever its layers store."""
    for method in (LowRank(keep=0.4, output_layer=True), CODES, Prune(sparsity=0.5)):
        small = method.compress(trained(text), digits)
        assert reached(small).all() and reached(opened(small, codes=True)).all()
        empty = opened(small, codes=True)
        with torch.no_grad():
            list(parts_of(empty, "X").values())[-1].weight.zero_()
        assert not reached(empty).any()


def test_a_page_is_shown_the_parts_of_a_compressed_network(mlp: Network, digits: Dataset) -> None:
    for method in (LowRank(keep=0.4, output_layer=True), CODES):
        small = method.compress(mlp, digits)
        view = Prune().inside(small, digits, [0.5, 0.9])
        parts = parts_of(opened(small, codes=True), "X")
        assert [layer["path"] for layer in view["layers"]] == list(parts)
        assert all(sum(layer["weights"]) == parts[layer["path"]].weight.numel() for layer in view["layers"])
        candidates = list(Prune().curve(small, digits, [0.5, 0.9]))
        lengths = [len(network_file.to_bytes(one.network, MadeFor.of(digits))) for one in candidates]
        assert all(length <= min(view["sizes"][form][place] for form in view["sizes"]) + 50
                   for place, length in enumerate(lengths))


def test_little_is_lost_where_little_is_pruned(mlp: Network, digits: Dataset) -> None:
    for method in (LowRank(keep=0.4, output_layer=True), CODES, Prune(sparsity=0.3)):
        small = method.compress(mlp, digits)
        assert agreement(Prune(sparsity=0.3).compress(small, digits), small, digits) > 0.8


UNITS = Prune(sparsity=0.5, pattern="units", allocation="uniform")
METHODS = [Prune(sparsity=0.5), LowRank(keep=0.3), LowRank(keep=0.9, allocation="energy"), CODES]


@pytest.mark.parametrize(("before", "method"), [
    *product([None, Prune(sparsity=0.4), LowRank(keep=0.4), CODES], METHODS), (None, UNITS), (Prune(sparsity=0.4), UNITS)],
    ids=lambda one: one.name if one else "dense")
def test_a_preview_has_compressed_layers_of_the_same_kinds(before: Prune | None, method: Prune, mlp: Network,
                                                           digits: Dataset) -> None:
    """So that the next method of a chain is refused, or not, for the same reason."""
    network = before.compress(mlp, digits) if before else mlp
    was = state(network)
    made, preview = method.compress(network, digits), method.preview(network, digits)
    kinds = [{path: layer.kind for path, layer in compressed_layers(one).items() if path in ("1", "3")}
             for one in (made, preview)]
    assert kinds[0] == kinds[1] and made.architecture == preview.architecture and identical(state(network), was)
