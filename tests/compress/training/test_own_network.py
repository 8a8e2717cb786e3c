"""A network of the user as a teacher: kept by its contents, read as the data want it, and compressed like any other."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from compress.curves import sweep
from compress.curves.store import Store
from compress.data.datasets import Dataset
from compress.files import kept_networks, network_file
from compress.layers import input_moments
from compress.layers.base import dense_layers, weight_of
from compress.layers.input_moments import Moments
from compress.method import Method
from compress.methods import method
from compress.networks.evaluation import chunk_of, logits_of
from compress.networks.families import Network
from compress.networks.graph import architecture
from compress.networks.graph.architecture import Own, graph_network
from compress.networks.graph.reading import Reading
from compress.networks.onnx.opening import opened
from compress.recipe import Recipe, Step
from compress.training import own_network, teachers
from compress.training.own_network import adopt, kept
from tests.compress.helpers import identical, ids_data, state, toy_data
from tests.compress.networks.onnx import graphs


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy_data((1, 8, 8), examples=300)


def as_graph(modules: list[nn.Module], shape: tuple[int, ...], classes: int = 3, labels: tuple[str, ...] = ()) -> Network:
    return graph_network("ours", shape, classes, [Reading(shape, shape), *modules], labels)


def trained(data: Dataset) -> Network:
    """A perceptron that reads normalised examples."""
    return teachers.train_teacher(data, Step.parse("mlp(hidden=16,epochs=6)")).network


def reading_raw(network: Network, data: Dataset) -> list[nn.Module]:
    """The parts of a perceptron that computes the same from the stored numbers."""
    flatten, first, *rest = network
    assert isinstance(first, nn.Linear)
    mean, deviation = (torch.tensor(np.broadcast_to(numbers, data.shape).reshape(-1), dtype=torch.float32) for numbers in
                       (data.normaliser.mean, data.normaliser.standard_deviation))
    made = nn.Linear(first.in_features, first.out_features)
    weight = first.weight.detach() / deviation
    made.load_state_dict({"weight": weight, "bias": first.bias.detach() - weight @ mean})
    return [flatten, made, *rest]


def accuracy(network: Network, data: Dataset) -> float:
    scores = logits_of(network, torch.from_numpy(np.array(data.validation.inputs)))
    return float((scores.argmax(1).numpy() == data.validation.labels).mean())


def shifted(data: Dataset) -> Dataset:
    """The same examples, stored with another mean and spread."""
    normaliser = dataclasses.replace(data.normaliser, mean=data.normaliser.mean + 30,
                                     standard_deviation=data.normaliser.standard_deviation * 7)
    return dataclasses.replace(data, normaliser=normaliser)


def test_the_values_that_it_expects_are_found(data: Dataset) -> None:
    data = shifted(data)
    teacher = trained(data)
    for modules, words in ((list(teacher), "mean 0"), (reading_raw(teacher, data), "stored numbers")):
        found = adopt(as_graph(modules, data.shape), Own(), data)
        assert accuracy(found.network, data) == accuracy(teacher, data)
        assert words in found.notes[0] and len(found.tried) == 4
        assert found.tried[0][1] == max(way[1] for way in found.tried)


def test_settings_that_are_not_auto_are_taken_as_they_are(data: Dataset) -> None:
    found = adopt(as_graph(list(trained(data)), data.shape), Own(values="unit", order=(0, 1, 2)), data)
    assert [way.values for way, _ in found.tried] == ["unit"] and not found.notes[:-1]


def test_an_order_of_classes_is_found_and_said(data: Dataset) -> None:
    teacher = trained(data)
    *rest, last = teacher
    assert isinstance(last, nn.Linear)
    turned = nn.Linear(16, 3)
    turned.load_state_dict({"weight": last.weight[[2, 0, 1]], "bias": last.bias[[2, 0, 1]]})
    found = adopt(as_graph([*rest, turned], data.shape), Own(), data)
    assert accuracy(found.network, data) == accuracy(teacher, data) > 0.9
    assert any("order=1-2-0" in note for note in found.notes)
    named = adopt(as_graph([*rest, turned], data.shape, labels=("2", "0", "1")), Own(values="normalised"), data)
    assert accuracy(named.network, data) == accuracy(teacher, data)
    assert any("by their names" in note for note in named.notes)


def test_channels_may_be_the_last_axis() -> None:
    data = toy_data((2, 6, 3), examples=300)
    teacher = teachers.train_teacher(data, Step.parse("cnn(channels=4,hidden=8,epochs=6)")).network

    class First(nn.Module):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return batch.movedim(-1, 1)

    (way,) = own_network._ways(Own(values="normalised"), as_graph([], (6, 3, 2)), data)
    assert way.layout == "channels_last"
    network = own_network._reading(as_graph([], (6, 3, 2)), data, way, ())
    inputs = torch.from_numpy(np.array(data.validation.inputs))
    assert torch.equal(teacher(First()(network(inputs))), teacher(inputs))


def test_what_does_not_fit_is_refused_or_said(data: Dataset) -> None:
    with pytest.raises(ValueError, match="reads examples of 1 x 5 x 5 values"):
        adopt(as_graph([nn.Flatten(), nn.Linear(25, 3)], (1, 5, 5)), Own(), data)
    with pytest.raises(ValueError, match=r"has 4 outputs, but Toy has 3 classes.*order"):
        adopt(as_graph([nn.Flatten(), nn.Linear(64, 4)], data.shape, 4), Own(), data)
    with pytest.raises(ValueError, match="order must name 3 different outputs"):
        adopt(as_graph([nn.Flatten(), nn.Linear(64, 4)], data.shape, 4), Own(order=(0, 1, 7)), data)
    four = adopt(as_graph([nn.Flatten(), nn.Linear(64, 4)], data.shape, 4), Own(order=(0, 3, 1)), data)
    assert four.network.architecture.classes == 3
    blank = nn.Linear(64, 3)
    nn.init.zeros_(blank.weight)
    assert "no more than by chance" in adopt(as_graph([nn.Flatten(), blank], data.shape), Own(), data).notes[-1]


def test_numbers_of_words_beyond_the_table_are_refused() -> None:
    data = shifted(toy_data((7,)))
    with pytest.raises(ValueError, match="a number in them is none that it has a row for"):
        adopt(opened(graphs.script("words"), "words").network, Own(), data)


def added(name: str, network: Network) -> str:
    return kept_networks.add(name, kept_networks.opened(partial(network_file.write_plain, network)))


def test_kept_by_contents_and_removed() -> None:
    network = opened(graphs.branches(), "b").network
    name, contents = added("my net/1", network), network_file.to_bytes(network)
    assert name == added("my net/1", network) and name.startswith("my_net_1-")
    assert kept(name).architecture.title() == "my_net_1"
    (card,) = [card for card in kept_networks.cards() if card.name == name]
    assert (card.shape, card.classes, card.bytes, card.problem) == ((4,), 3, len(contents), "")
    kept_networks.remove(name)
    with pytest.raises(ValueError, match=f"There is no network '{name}'"):
        kept_networks.path_of(name)


FULL = Moments.full
METHODS = ("low_rank(keep=0.4,output_layer=true)", "prune(sparsity=0.5)", "quantize(levels=16,compared=false)",
           "sparse_code(nonzeros=1,atoms=4,block=4,output_layer=true)", "prune(sparsity=0.5,recovery_epochs=1)",
           "distill(width=0.1,epochs=1,seeds=1,temperatures=none)", "activation_codes(nonzeros=1,atoms=4,iterations=1)")


@pytest.mark.parametrize("kind", ["cnn", "attention", "gru", "words"])
def test_methods_act_on_it_as_on_any_network(kind: str, data: Dataset) -> None:
    data = ids_data() if kind == "words" else data
    values = "as_stored" if kind == "words" else "normalised"
    network = adopt(opened(graphs.script(kind), kind).network, Own(values=values, order=(0, 1, 2)), data).network
    before = state(network)
    for text in METHODS:
        made: Method = method(Step.parse(text))
        smaller = made.compress(network, data)
        again = network_file.from_bytes(network_file.to_bytes(smaller, stored=made.stored))
        inputs = torch.from_numpy(np.array(data.validation.inputs[:9]))
        assert torch.equal(logits_of(again, inputs), logits_of(smaller, inputs)), text
    assert identical(state(network), before)


def test_texts_have_one_mean_for_all_of_their_ids() -> None:
    data = ids_data()
    one = dataclasses.replace(data.normaliser, mean=np.zeros(1, np.float32), standard_deviation=np.ones(1, np.float32))
    splits = {name: dataclasses.replace(split, inputs=data.normaliser.undo(split.inputs).round().astype(np.float32))
              for name in ("train", "calibration", "validation") for split in [getattr(data, name)]}
    texts = dataclasses.replace(data, normaliser=one, **splits)
    network, own = opened(graphs.script("words"), "w").network, Own(values="as_stored", order=(0, 1, 2))
    theirs, ours = (logits_of(adopt(network, own, each).network, torch.from_numpy(np.array(each.validation.inputs)))
                    for each in (data, texts))
    assert torch.equal(theirs, ours)


def test_a_large_table_takes_no_moment_of_tokens_times_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """One-hot inputs have a diagonal moment: low rank is that of the whole moment, GPTQ rounds to nearest."""
    data = ids_data()
    network = adopt(opened(graphs.script("words"), "w").network, Own(values="as_stored", order=(0, 1, 2)), data).network
    low: Method = method(Step.parse("low_rank(keep=0.4)"))
    usual = low.compress(network, data)
    monkeypatch.setattr(input_moments, "WIDE", 10)
    again = adopt(opened(graphs.script("words"), "w").network, Own(values="as_stored", order=(0, 1, 2)), data).network
    inputs = torch.from_numpy(np.array(data.validation.inputs))
    assert torch.allclose(logits_of(low.compress(again, data), inputs), logits_of(usual, inputs), atol=1e-5)
    monkeypatch.setattr(Moments, "full", lambda self, path: pytest.fail(path) if path == "1" else FULL(self, path))
    found = [method(Step.parse(f"quantize(levels=8,scheme={scheme})")).compress(again, data) for scheme in
             ("gptq", "nearest")]
    assert torch.equal(*(weight_of(one.get_submodule("1")) for one in found))
    first = method(Step.parse("prune(sparsity=0.5,pattern=inputs)")).compress(again, data)
    assert int((weight_of(first.get_submodule("1")) != 0).any(0).sum()) == 10


def test_the_moments_of_a_large_network_are_gathered_in_turn(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """And give the same factors, and the same inside, bit for bit."""
    made = opened(graphs.script("attention"), "a").network
    own, low = Own(values="normalised", order=(0, 1, 2)), method(Step.parse("low_rank(keep=0.4)"))
    usual = adopt(made, own, data).network
    expected, inside = state(low.compress(usual, data)), low.inside(usual, data, [0.4])
    again = adopt(made, own, data).network
    paths = list(dense_layers(again))
    assert input_moments.in_turn(again, paths) == [paths]
    monkeypatch.setattr(input_moments, "ENOUGH", 0)
    assert len(input_moments.in_turn(again, paths)) > 1
    assert identical(state(low.compress(again, data)), expected) and low.inside(again, data, [0.4]) == inside


def test_a_network_of_large_values_reads_fewer_examples_at_a_time(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    network = adopt(opened(graphs.script("attention"), "a").network, Own(values="normalised", order=(0, 1, 2)), data).network
    inputs = torch.from_numpy(np.array(data.validation.inputs))
    assert chunk_of(network) == 512
    usual = logits_of(network, inputs)
    monkeypatch.setattr(architecture, "AT_ONCE", 1000)
    assert 1 < chunk_of(network) == 1000 // 120 and torch.allclose(logits_of(network, inputs), usual, atol=1e-5)


def test_units_of_a_chain_are_removed(data: Dataset) -> None:
    teacher = as_graph(list(trained(data)), data.shape)
    half = method(Step.parse("prune(sparsity=0.5,pattern=units)")).compress(teacher, data)
    assert [tuple(layer.weight.shape) for layer in half if isinstance(layer, nn.Linear)] == [(8, 64), (3, 8)]
    assert identical(state(network_file.from_bytes(network_file.to_bytes(half))), state(half))


def test_a_curve_of_a_kept_network(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.data.datasets.load", lambda name, seed=0, report=None: data)
    name = added("mine", as_graph(list(trained(data)), data.shape))
    store = Store(tmp_path / "store.sqlite")
    wanted = sweep.sweep_of(Recipe("toy", Step.of("own", {"network": name}), (Step("prune"),)), [0.5, 0.9])
    points = list(sweep.run(wanted, store, latency=False))
    assert len([point for point in points if point.dial in (0.5, 0.9)]) >= 2
    card = store.teacher(wanted.recipe.reference().key(), data.digest)["card"]  # type: ignore[index]
    assert card["accuracy"] > 0.9 and "highest accuracy" in card["notes"][0] and card["history"] == []
    kept_networks.remove(name)
    assert not list(sweep.run(dataclasses.replace(wanted, values=(0.5,)), store, latency=False, checked=([0.5], {})))
