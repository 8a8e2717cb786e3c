"""Tensors by their names become a network of a family, or it is said which of them do not fit."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.networks.evaluation import logits_of
from compress.points import uploaded
from compress.points.state_dict import network_of
from compress.recipe import Step
from compress.training import teachers
from tests.compress.helpers import ids_data, toy_data

MLP = "mlp(hidden=6-5)"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy_data((1, 8, 8))


def written(tmp_path: Path, tensors: dict[str, Tensor]) -> Path:
    path = tmp_path / "mine.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


@pytest.mark.parametrize(("family", "before"), [(MLP, ""), ("logistic", "module."), ("cnn(channels=3-4,hidden=5)", "net."),
                                                (MLP, "_orig_mod.module.layers."), ("resnet(channels=3-4)", "net."),
                                                ("gru(hidden=5)", ""), ("mlp(hidden=6,dropout=0.5)", "")])
def test_the_network_is_that_of_its_tensors(family: str, before: str, data: Dataset, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    made = teachers.untrained(Step.parse(family), data, 3)
    path = written(tmp_path, {before + name: tensor.double() for name, tensor in made.state_dict().items()})
    one = uploaded.opened_state_dict(path, "mine", family, data)
    inputs = torch.tensor(data.validation.inputs[:7])
    again = network_file.read(one.path)
    assert torch.equal(logits_of(again, inputs), logits_of(made, inputs)) and again.architecture.title() == "mine"
    assert one.about["notes"] == ([f"All names of its tensors begin with '{before}', which was left out."] if before else [])
    assert one.about["compressible"] > 0 and uploaded.tried_on(one.path, data)["tried"]


class Recurrent(nn.Module):
    """As a user would write it: names of torch's GRU and Linear."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.scores = nn.GRU(8, 5, batch_first=True), nn.Linear(40, 3)

    def forward(self, batch: Tensor) -> Tensor:
        return self.scores(self.rnn(batch.squeeze(1))[0].flatten(1))


class Texts(nn.Module):
    """Means of embeddings without padding, and a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.scores = nn.EmbeddingBag(20, 6, mode="mean", padding_idx=0), nn.Linear(6, 3)

    def forward(self, ids: Tensor) -> Tensor:
        return self.scores(torch.relu(self.table(ids.long())))


def texts() -> Dataset:
    """Ids of 20 words."""
    return dataclasses.replace(ids_data(), kind="text", words=tuple(map(str, range(20))))


@pytest.mark.parametrize(("made", "family", "of"), [
    (Recurrent, "gru(hidden=5,both_ways=false)", lambda: toy_data((1, 8, 8))),
    (Texts, "embedding_bag(vocabulary=20,width=6)", texts),
    (lambda: nn.Sequential(OrderedDict(a=nn.Flatten(), fc1=nn.Linear(64, 7), b=nn.ReLU(), fc2=nn.Linear(7, 3))),
     "mlp(hidden=7)", lambda: toy_data((1, 8, 8)))])
def test_names_of_a_users_own_class_are_told_by_shapes(made: Callable[[], nn.Module], family: str,
                                                       of: Callable[[], Dataset], tmp_path: Path) -> None:
    data, theirs = of(), made().eval()
    network, notes = network_of(written(tmp_path, theirs.state_dict()), family, data, "mine")
    inputs = torch.tensor(data.validation.inputs[:7])
    read = inputs if not data.words else torch.tensor(data.normaliser.undo(data.validation.inputs[:7])).round()
    with torch.inference_mode():
        assert torch.allclose(logits_of(network, read), theirs(read), atol=1e-6)
    assert "each was told by its shape" in notes[0]


def test_what_does_not_fit_is_told_by_name(data: Dataset, tmp_path: Path) -> None:
    good = dict(teachers.untrained(Step.parse(MLP), data).state_dict())
    first, last = next(iter(good)), list(good)[-1]
    cases = [({name: good[name] for name in good if name != first}, rf"'{first}' is missing"),
             ({**good, "head.bias": torch.ones(3)}, r"'head\.bias' is not of this network"),
             ({**good, last: torch.ones(4)}, rf"'{last}' has the shape \[4\], not \[3\]"),
             ({**good, last: torch.ones(3, dtype=torch.int64)}, rf"'{last}' holds numbers of the type int64"),
             ({f"fc.{name}.x": tensor for name, tensor in good.items()}, "and 1 more are missing")]
    for tensors, words in cases:
        with pytest.raises(ValueError, match=rf"^mine\.safetensors does not fit .*{words}"):
            network_of(written(tmp_path, tensors), MLP, data, "mine")
    with pytest.raises(ValueError, match="weights that are no numbers"):
        network_of(written(tmp_path, {**good, last: torch.full((3,), torch.nan)}), MLP, data, "mine")


def test_families_and_files_that_cannot_be_used_are_refused(data: Dataset, tmp_path: Path) -> None:
    path = written(tmp_path, teachers.untrained(Step.parse(MLP), data).state_dict())
    with pytest.raises(ValueError, match=r"no network family 'mlpp'.*Did you mean mlp"):
        network_of(path, "mlpp", data, "mine")
    for contents, words in ((b"PK\x03\x04rest", "pickled file"), (b"", "no readable safetensors"),
                            (path.read_bytes()[:-4], "no readable safetensors")):
        path.write_bytes(contents)
        with pytest.raises(ValueError, match=words):
            network_of(path, MLP, data, "mine")
