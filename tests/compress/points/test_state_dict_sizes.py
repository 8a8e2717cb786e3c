"""The sizes of tensors tell the family of a state_dict, or what it would need."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from compress.data.datasets import Dataset
from compress.points import state_dict_sizes, uploaded
from compress.points.state_dict import network_of
from compress.recipe import Step
from compress.shell import of_networks
from compress.training import teachers
from tests.compress.helpers import toy_data
from tests.compress.points.test_state_dict import Recurrent, Texts, texts, written


def images() -> Dataset:
    return toy_data((1, 28, 28))


def small() -> Dataset:
    return toy_data((1, 8, 8))


def sequences() -> Dataset:
    return toy_data((1, 40))


def layers(*sizes: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(before, after) for before, after in pairwise(sizes)))


@pytest.mark.parametrize(("family", "of"), [
    ("logistic", small), ("mlp(hidden=7)", small), ("mlp(hidden=9-9-9-9-9-9-9-9-9-9-9-9)", small),
    ("mlp(hidden=64-64)", small), ("cnn", images), ("cnn(channels=3-4,hidden=5)", images),
    ("cnn(channels=4-5-6,hidden=7)", sequences), ("cnn", sequences), ("resnet", images),
    ("resnet(channels=4-4-8)", sequences), ("resnet(channels=4-6,inner=3-5)", images), ("gru(hidden=5)", small),
    ("gru(both_ways=false,hidden=6)", sequences),
    ("embedding_bag(vocabulary=20,width=6)", texts), ("embedding_bag(hidden=9-4,vocabulary=20,width=6)", texts),
    ("token_gru(hidden=5,vocabulary=20,width=4)", texts), ("token_cnn(channels=5-6,vocabulary=20,width=4,window=5)", texts)])
def test_every_family_is_told_with_its_settings(family: str, of: Callable[[], Dataset], tmp_path: Path) -> None:
    data = of()
    made = teachers.untrained(Step.parse(family), data, 3)
    network, notes = network_of(written(tmp_path, made.state_dict()), "", data, "mine")
    inputs = torch.tensor(data.validation.inputs[:5] if not data.words else
                          data.normaliser.undo(data.validation.inputs[:5]).round())
    with torch.inference_mode():
        assert torch.equal(network(inputs), made(inputs))
    assert notes[0].startswith(f"The sizes of its tensors are those of {family.partition('(')[0]}")


def test_names_and_order_of_a_users_own_class_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    one, two = layers(64, 7, 3)
    tensors = {"trunk.weight": one.weight.data, "trunk.bias": one.bias.data, "head.weight": two.weight.data,
               "head.bias": two.bias.data}  # "head" comes before "trunk"
    about = uploaded.opened_state_dict(written(tmp_path, tensors), "mine", "", small()).about
    assert about["notes"][0] == "The sizes of its tensors are those of mlp(hidden=7)." and about["producer"] == "torch"
    for made, data, family in ((Recurrent(), small(), "gru"), (Texts(), texts(), "embedding_bag")):
        assert f"those of {family}(" in network_of(written(tmp_path, made.state_dict()), "", data, "mine")[1][0]


def test_a_family_of_other_sizes_is_refused_with_both_sizes_and_the_one_that_fits(tmp_path: Path) -> None:
    path = written(tmp_path, layers(64, 7, 3).state_dict())
    with pytest.raises(ValueError, match=r"^mine\.safetensors does not fit 64-300-100-3 .*: its weights have the sizes "
                                         r"7×64, 3×7, the network's 300×64, 100×300, 3×100\. These are the sizes of "
                                         r"mlp\(hidden=7\): choose that family\.$"):
        network_of(path, "mlp(hidden=300-100)", small(), "mine")


@pytest.mark.parametrize("family", ["", "mlp(hidden=7)"])
def test_data_of_other_sizes_are_named(family: str, tmp_path: Path) -> None:
    path = written(tmp_path, layers(784, 7, 10).state_dict())
    with pytest.raises(ValueError, match=r"he network in the file reads 784 numbers of an example and gives 10 scores; .* "
                                         r"has 64 numbers and 3 classes\. Choose the data set"):
        network_of(path, family, small(), "mine")


def test_what_is_no_family_is_refused_with_its_sizes_and_what_can_be_done(tmp_path: Path) -> None:
    for tensors in (layers(64, 7, 9, 3).requires_grad_(False).state_dict() | {"2.weight": torch.ones(3, 8)},
                    nn.MultiheadAttention(8, 2).state_dict(), nn.LSTM(8, 5).state_dict(), nn.Conv3d(1, 2, 3).state_dict(),
                    {"a": torch.ones(3)}, layers(64, 9000, 3).state_dict()):
        for data in (small(), sequences(), texts()):
            with pytest.raises(ValueError, match=r"cannot be opened as a network: its weights have the sizes .*export the "
                                                 r"network as ONNX|Choose the data set"):
                network_of(written(tmp_path, dict(tensors)), "", data, "mine")


def test_layers_are_chained_where_only_one_row_is_possible() -> None:
    assert state_dict_sizes.chained([(3, 7), (7, 64)]) == (64, 7, 3)
    assert state_dict_sizes.chained([(7, 64), (7, 7), (3, 7)]) == (64, 7, 7, 3)
    for sizes in ([], [(3, 7), (7, 64), (7, 7)], [(3, 7), (4, 7), (7, 64)], [(3, 8), (7, 64)]):
        assert state_dict_sizes.chained(sizes) is None


def test_the_command_asks_for_the_data_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    asked = {"action": "show", "file": str(written(tmp_path, layers(30, 7, 2).state_dict())), "name": None, "shape": "",
             "family": None, "package": None, "hold": False}
    with pytest.raises(ValueError, match=r"mine\.safetensors holds tensors without a graph\. Say with --data"):
        list(of_networks.run(argparse.Namespace(**asked, data=None)))
    (found,) = of_networks.run(argparse.Namespace(**asked, data="breast_cancer"))
    assert found["notes"][0] == "The sizes of its tensors are those of mlp(hidden=7)." and found["tried"]
