"""torch.export of networks that came as ONNX files: the same scores, or a refusal in a sentence."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.networks.graph.architecture import Own
from compress.points import torch_export, uploaded
from compress.training import own_network
from tests.compress.helpers import ids_data, toy_data
from tests.compress.networks.onnx import graphs
from tests.compress.points.onnx_graph.cases import network_of

pytest.importorskip("onnx", reason="the optional extra for ONNX is not installed")

METHODS = ("", "low_rank(keep=0.4,output_layer=true)", "prune(sparsity=0.5)", "quantize(levels=16,compared=false)")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet", "gru", "lstm", "words"])
def test_the_exported_program_gives_the_same_scores(name: str, method: str, tmp_path: Path) -> None:
    teacher, data = _teacher(name, tmp_path)
    network = network_of(method, teacher, data)[0] if method else teacher
    described = MadeFor.of(data)
    raw = data.normaliser.undo(data.validation.inputs).astype("float32")
    program = torch.export.load(io.BytesIO(torch_export.to_program(network, described))).module()
    with torch.inference_mode():
        found = program(torch.from_numpy(raw))
    assert torch.allclose(found, logits_of(network, torch.from_numpy(described.normaliser.apply(raw))), atol=1e-5)


def test_one_whose_steps_depend_on_the_number_of_examples_is_refused(tmp_path: Path) -> None:
    teacher, data = _teacher("attention", tmp_path)
    with pytest.raises(ValueError, match=r"cannot write this network: .* Export a network of another method\."):
        torch_export.to_program(teacher, MadeFor.of(data))


def _teacher(name: str, folder: Path) -> tuple[Network, Dataset]:
    path = folder / "network.onnx"
    path.write_bytes(graphs.script(name))
    network = network_file.read(uploaded.opened_file(path, "network").path)
    classes, is_words = network.architecture.classes, name == "words"
    data = ids_data() if is_words else toy_data(network.architecture.shape, classes=classes, examples=120)
    own = Own(values="as_stored" if is_words else "normalised", channels="as_stored", layout="channels_first",
              order=tuple(range(classes)))
    return own_network.adopt(network, own, data).network, data
