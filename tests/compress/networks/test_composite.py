"""Composites: stages that describe themselves, come back from files, and of which methods change the classifier alone."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import compressed_layers, macs
from compress.layers.fronts import Coder, PCABottleneck, Projection, Scale, SparseBottleneck
from compress.layers.tiling import Tiling
from compress.methods.activation_codes import ActivationCodes
from compress.methods.data_codes import DataCodes
from compress.methods.data_svd import DataSVD
from compress.methods.distill import Distill
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.networks.composite import Composite, CompositeArchitecture, Piece, acted_on, put_back
from compress.networks.evaluation import logits_of
from compress.networks.families import MLP, Architecture, Logistic, Network, build
from compress.solvers.dictionary import initial
from compress.solvers.pursuit import SparseCoder
from tests.compress.helpers import identical, poisoned, state

SHAPE = (1, 8, 8)
WHOLE = Architecture(MLP(hidden=(12, 8)), SHAPE, 10)


def classifier(features: int) -> Network:
    return build(Architecture(MLP(hidden=(7,)), (features,), 10)).eval()


def piece(first: int, last: int, shape: tuple[int, ...] = SHAPE) -> Network:
    return build(Piece.of(WHOLE, shape, first, last), 3).eval()


def composites() -> dict[str, Composite]:
    tiling, atoms = Tiling(SHAPE, 4), initial(torch.zeros(1, 16), 6, "random")
    pursuit = SparseCoder(2, 0.25, True)
    hidden = initial(torch.zeros(1, 12), 5, "random")
    middle = SparseBottleneck(torch.randn(12), hidden, torch.tensor(0.1), SparseCoder(3))
    return {"coder": Composite(Coder(tiling, torch.randn(16), atoms, pursuit), Scale(torch.tensor(2.0)), classifier(24)),
            "projection": Composite(Projection(tiling, torch.randn(16), torch.randn(16, 3)), classifier(12)),
            "sparse bottleneck": Composite(piece(0, 3), middle, piece(3, 6, (12,))),
            "pca bottleneck": Composite(piece(0, 3), PCABottleneck(torch.randn(12), hidden, torch.rand(5)),
                                        piece(3, 6, (12,)))}


every_composite = pytest.mark.parametrize("name", composites())


@every_composite
def test_it_comes_back_from_its_file_and_is_what_it_says(name: str, tmp_path: Path) -> None:
    network, batch = composites()[name].eval(), torch.randn(5, *SHAPE)
    network_file.write(network, tmp_path / "net")
    again = network_file.read(tmp_path / "net")
    assert isinstance(again, Composite) and again.architecture == network.architecture
    assert again.architecture.shape == SHAPE and again.architecture.classes == 10
    assert identical(state(again), state(network)) and str(again) == str(network)
    assert torch.equal(logits_of(again, batch), logits_of(network, batch))
    assert network_file.to_bytes(again) == network_file.to_bytes(network)


@every_composite
def test_its_architecture_builds_one_of_the_same_structure(name: str) -> None:
    network = composites()[name]
    plain = json.loads(json.dumps(network.architecture.plain()))
    architecture = Architecture.from_plain(plain)
    assert architecture == network.architecture and hash(architecture) == hash(network.architecture)
    fresh = build(architecture)
    assert type(fresh) is Composite and str(fresh) == str(network)
    assert {key: value.shape for key, value in state(fresh).items()} == {
        key: value.shape for key, value in state(network).items()}
    assert architecture.title() and architecture.family == network.classifier.architecture.family


def test_another_pursuit_is_another_architecture() -> None:
    network = composites()["coder"]
    other = copy.deepcopy(network)
    front = other.fronts[0]
    front.pursuit = dataclasses.replace(front.pursuit, nonzeros=1)
    changed = Composite(*other)
    assert changed.architecture != network.architecture and str(changed) != str(network)


def test_copies_are_their_own() -> None:
    network, batch = composites()["sparse bottleneck"].eval(), torch.randn(5, *SHAPE)
    for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(logits_of(again, batch), logits_of(network, batch))
        assert again.architecture == network.architecture
        assert {one.data_ptr() for one in again.parameters()}.isdisjoint(one.data_ptr() for one in network.parameters())


def test_a_composite_among_the_stages_is_taken_apart() -> None:
    inner = composites()["sparse bottleneck"]
    network = inner.around(Composite(piece(3, 5, (12,)), PCABottleneck(torch.zeros(8), torch.zeros(2, 8), torch.ones(2)),
                                     piece(5, 6, (8,))))
    assert [type(stage).__name__ for stage in network] == [
        "Network", "SparseBottleneck", "Network", "PCABottleneck", "Network"]
    assert network_file.from_bytes(network_file.to_bytes(network)).architecture == network.architecture


def test_a_piece_is_a_part_of_the_network_that_was_built_from_the_same_seed() -> None:
    whole, head, tail = build(WHOLE, 3), piece(0, 3), piece(3, 6, (12,))
    assert torch.equal(head[1].weight, whole[1].weight) and torch.equal(tail[2].weight, whole[5].weight)
    batch = torch.randn(4, *SHAPE)
    torch.testing.assert_close(tail(head(batch)), whole(batch))
    assert Architecture.from_plain(head.architecture.plain()) == head.architecture
    assert head.architecture.title() == "a part of 64-12-8-10"


def test_building_and_describing_leave_the_random_state_alone() -> None:
    architecture = composites()["pca bottleneck"].architecture
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    build(Architecture.from_plain(architecture.plain()))
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(("stages", "answer"), [
    ([nn.Linear(3, 3), classifier(3)], "a stage of type Linear cannot be described"),
    ([Scale(torch.ones(()))], "ends with a network, but its last stage is a front: 'scale'"),
    ([Scale(torch.ones(())), classifier(3)], "reads no examples, so it cannot be the first stage")], ids=str)
def test_stages_that_make_no_composite_are_answered(stages: list[nn.Module], answer: str) -> None:
    with pytest.raises((TypeError, ValueError), match=answer):
        Composite(*stages)


def test_unknown_kinds_are_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"architecture of kind 'magic'; known are piece, composite"):
        Architecture.from_plain({"kind": "magic"})
    stages = [{"front": "magic"}, Architecture(Logistic(), (3,), 2).plain()]
    with pytest.raises(ValueError, match=r"front of kind 'magic'; known are coder, projection"):
        Architecture.from_plain({"kind": "composite", "stages": stages})


def test_what_a_front_stores_and_multiplies_is_counted() -> None:
    network = composites()["projection"]
    assert sum(one.numel() for one in network.parameters()) == 16 * 3 + 12 * 7 + 7 + 7 * 10 + 10
    assert macs(network, torch.zeros(1, *SHAPE)) == 4 * 16 * 3 + 12 * 7 + 7 * 10
    assert not any(one.requires_grad for stage in network.fronts for one in stage.parameters())


@every_composite
def test_the_classifier_reads_what_the_fronts_make_of_the_data(name: str, digits: Dataset) -> None:
    network = composites()[name].eval()
    part, features = acted_on(network, digits)
    inputs = torch.tensor(digits.validation.inputs)
    torch.testing.assert_close(logits_of(part, torch.tensor(features.validation.inputs)), logits_of(network, inputs))
    assert features.train.labels.tolist() == digits.train.labels.tolist() and len(features.open_test()) == 0
    assert acted_on(network, digits)[1] is features, "found once"
    shapes = acted_on(network, digits, shapes_only=True)[1]
    for one, other in ((shapes.train, features.train), (shapes.validation, features.validation)):
        assert one.inputs.shape == other.inputs.shape and not one.inputs.any()
    back = put_back(network, part)
    assert identical(state(back), state(network)) and back.architecture == network.architecture
    assert put_back(part, part) is part and acted_on(part, digits) == (part, digits)


def test_the_test_split_is_not_read(digits: Dataset) -> None:
    blind = dataclasses.replace(digits, _test=poisoned(digits.open_test()))
    for name, network in composites().items():
        ours, theirs = (acted_on(network.eval(), data)[1] for data in (digits, blind))
        assert ours.validation.inputs.tobytes() == theirs.validation.inputs.tobytes(), name


STARTS = {"data_svd": DataSVD(components=6, epochs=1),
          "data_codes": DataCodes(nonzeros=2, atoms=12, iterations=1, epochs=1, classify="codes"),
          "activation_codes": ActivationCodes(nonzeros=2, atoms=12, iterations=1, cut=1)}


@pytest.fixture(scope="module")
def start(trained: Callable[[str], Network], digits: Dataset) -> Callable[[str], Network]:
    made = {name: method.compress(trained("mlp(hidden=48-32,epochs=6)"), digits) for name, method in STARTS.items()}
    return made.__getitem__


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("method", [LowRank(keep=0.3, output_layer=True), Prune(sparsity=0.5),
                                    Prune(sparsity=0.5, recovery_epochs=1), Distill(width=0.5, epochs=1)],
                         ids=lambda one: one.text() if hasattr(one, "text") else one.name)
def test_methods_change_the_classifier_and_keep_the_fronts(name: str, method: LowRank | Prune | Distill,
                                                           start: Callable[[str], Network], digits: Dataset) -> None:
    network = start(name)
    before = state(network)
    small = method.compress(network, digits)
    assert isinstance(small, Composite) and isinstance(network, Composite) and identical(state(network), before)
    for own, other in zip(small.fronts, network.fronts, strict=True):
        assert identical(state(own), state(other))
    assert not identical(state(small.classifier), state(network.classifier))
    assert len(network_file.to_bytes(small)) < len(network_file.to_bytes(network))
    assert all(path.startswith(f"{len(small) - 1}.") for path in compressed_layers(small))
    preview = put_back(network, method.preview(*acted_on(network, digits, shapes_only=True)))
    assert preview.architecture == small.architecture


def test_training_after_a_data_method_reads_the_features_and_helps(start: Callable[[str], Network], digits: Dataset) -> None:
    network, inputs = start("data_svd"), torch.tensor(digits.validation.inputs)
    labels = torch.tensor(digits.validation.labels)
    losses = [float(nn.functional.cross_entropy(logits_of(Prune(sparsity=0.7, recovery_epochs=epochs).compress(
        network, digits), inputs), labels)) for epochs in (0, 4)]
    assert losses[1] < losses[0]


def test_whole_units_of_a_part_of_a_network_are_refused(start: Callable[[str], Network], digits: Dataset) -> None:
    with pytest.raises(ValueError, match=r"pattern units .* but this one is a part of 64-48-32-10\. Choose the pattern "):
        Prune(sparsity=0.5, pattern="units").compress(start("activation_codes"), digits)
    small = Prune(sparsity=0.5, pattern="units").compress(start("data_svd"), digits)
    assert small.classifier.architecture.family == MLP(hidden=(50,))


@pytest.mark.parametrize("settings", [{}, {"dictionary": "components"}, {"classify": "projections"},
                                      {"classify": "reconstructions"}], ids=str)
def test_a_preview_of_coded_data_has_the_structure_of_what_is_made(settings: dict, mlp: Network, digits: Dataset) -> None:
    method = dataclasses.replace(STARTS["data_codes"], **settings)
    made, preview = method.compress(mlp, digits), method.preview(mlp, digits)
    assert type(made) is type(preview)
    if isinstance(made, Composite) and isinstance(made.architecture, CompositeArchitecture):
        assert [stage.split(",")[0] for stage in made.architecture.stages][:-1] == [
            stage.split(",")[0] for stage in preview.architecture.stages][:-1]
    assert logits_of(preview, torch.tensor(digits.validation.inputs[:3])).shape == (3, 10)


@pytest.mark.parametrize("method", [*STARTS.values(), DataSVD(components=6, epochs=1, classifier="linear"),
                                    dataclasses.replace(STARTS["activation_codes"], dictionary="components")],
                         ids=lambda one: one.name)
def test_a_preview_is_made_without_training_and_has_the_same_tensors(method: DataSVD, mlp: Network, digits: Dataset,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    made = method.compress(mlp, digits)
    monkeypatch.setattr(torch.Tensor, "backward", lambda *_: pytest.fail("trained"))
    preview = method.preview(mlp, digits)
    shapes = [{key: value.shape for key, value in state(one).items()} for one in (made, preview)]
    assert shapes[0] == shapes[1] or getattr(method, "dictionary", "") == "components"
