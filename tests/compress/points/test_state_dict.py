"""Tensors by their names become a network of a family, or it is said which of them do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.networks.evaluation import logits_of
from compress.points import uploaded
from compress.points.state_dict import network_of
from compress.recipe import Step
from compress.training import teachers
from tests.compress.helpers import toy_data

MLP = "mlp(hidden=6-5)"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy_data((1, 8, 8))


def written(tmp_path: Path, tensors: dict[str, Tensor]) -> Path:
    path = tmp_path / "mine.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


@pytest.mark.parametrize(("family", "before"), [(MLP, ""), ("logistic", "module."), ("cnn(channels=3-4,hidden=5)", "net."),
                                                (MLP, "_orig_mod.module.layers.")])
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
    path = written(tmp_path, teachers.untrained(Step.parse("resnet(channels=3-4)"), data).state_dict())
    with pytest.raises(ValueError, match="family resnet are read from ONNX files only"):
        network_of(path, "resnet(channels=3-4)", data, "mine")
    with pytest.raises(ValueError, match=r"no network family 'mlpp'.*Did you mean mlp"):
        network_of(path, "mlpp", data, "mine")
    for contents, words in ((b"PK\x03\x04rest", "pickled file"), (b"", "no readable safetensors"),
                            (path.read_bytes()[:-4], "no readable safetensors")):
        path.write_bytes(contents)
        with pytest.raises(ValueError, match=words):
            network_of(path, MLP, data, "mine")
