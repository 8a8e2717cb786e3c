"""A model of transformers or timm becomes a network without a download, code of its own, or pickled weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from compress.networks.onnx import wire
from compress.points import uploaded
from compress.points.saved_models import of_timm, of_transformers

CONFIG: dict[str, Any] = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "bad", "1": "good"}}


def folder_of(folder: Path, config: object, weights: str = "model.safetensors") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / weights).write_bytes(b"")
    return folder


def test_a_configuration_says_what_a_model_is(tmp_path: Path) -> None:
    saved = of_transformers.read(folder_of(tmp_path / "m", CONFIG))
    assert saved.labels == ("bad", "good") and saved.reads_texts
    images = of_transformers.read(folder_of(tmp_path / "v", {"architectures": ["ViTForImageClassification"]}))
    assert images.labels == () and not images.reads_texts


@pytest.mark.parametrize(("config", "weights", "words"), [
    ({**CONFIG, "architectures": ["BertForMaskedLM"]}, "model.safetensors", "is 'BertForMaskedLM'; a model that ends with"),
    ({**CONFIG, "architectures": 3}, "model.safetensors", "is a model of no single kind"),
    ([1], "model.safetensors", "is a model of no single kind"),
    ({**CONFIG, "auto_map": {"AutoModel": "mine.Model"}}, "model.safetensors", "needs code of its own, which is not run"),
    (CONFIG, "pytorch_model.bin", "no weights in safetensors, and pickled ones")])
def test_models_that_are_not_used_are_refused(config: object, weights: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        of_transformers.read(folder_of(tmp_path / "m", config, weights))


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no config\.json that can be read"):
        of_transformers.read(tmp_path)
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"has no config\.json that can be read"):
        of_transformers.read(tmp_path)


def test_without_the_package_its_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_transformers, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"an optional extra\. Install it with: pip install transformers$"):
        uploaded.opened_model("mine", "transformers", "mine")


def test_fields_are_written_as_they_are_read() -> None:
    for length in (0, 5, 200, 70_000):
        ((number, value),) = wire.Fields().of(memoryview(wire.entry(14, b"x" * length)))
        assert isinstance(value, memoryview) and (number, bytes(value)) == (14, b"x" * length)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers", reason="the optional extra transformers is not installed")
    config = transformers.BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                                     intermediate_size=12, max_position_embeddings=9, id2label={0: "bad", 1: "good"})
    folder = tmp_path_factory.mktemp("models") / "bert"
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return folder


def test_a_model_computes_what_it_computes_there(bert: Path, tmp_path: Path) -> None:
    import transformers

    pytest.importorskip("onnxruntime", reason="the optional extra for ONNX is not installed")
    one = uploaded.opened_model(str(bert), "transformers", "bert")
    assert one.about["labels"] == ["bad", "good"] and one.about["shape"] == [9] and one.about["largest_difference"] < 1e-5
    assert one.about["compressible"] > 0.6 * one.about["parameters"]
    from compress.files import network_file

    ids = torch.tensor([[2, 7, 49, 0, 0, 0, 0, 0, 0], [1] * 9])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(bert).eval()
    with torch.inference_mode():
        theirs = model(input_ids=ids, attention_mask=(ids != 0).long()).logits
        assert torch.allclose(network_file.read(one.path)(ids.float()), theirs, atol=1e-6)
    with pytest.raises(ValueError, match="reads rows of up to 9 ids"):
        uploaded.opened_model(str(bert), "transformers", "bert", (10,))


def test_a_model_that_was_not_trained_to_classify_is_refused(bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = folder_of(tmp_path / "m", json.loads((bert / "config.json").read_text()))
    tensors = {name: tensor for name, tensor in load_file(bert / "model.safetensors").items() if "classifier" not in name}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks weights of its classifier \('classifier\.bias', 'classifier\.weight'\)"):
        uploaded.opened_model(str(folder), "transformers", "m")
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="cannot be read by transformers"):
        uploaded.opened_model(str(folder), "transformers", "m")


@pytest.mark.parametrize("kind", ["Roberta", "DebertaV2", "Funnel", "GPT2"])
def test_models_of_other_kinds_compute_what_they_compute_there(kind: str, tmp_path: Path) -> None:
    """Positions behind the id of padding, gathered relative positions, a product over several axes, the last token."""
    transformers = pytest.importorskip("transformers", reason="the optional extra transformers is not installed")
    pytest.importorskip("onnxruntime", reason="the optional extra for ONNX is not installed")
    usual = {"vocab_size": 50, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 12,
             "max_position_embeddings": 12}
    settings = {"Roberta": {**usual, "pad_token_id": 1}, "DebertaV2": {
        **usual, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": 12,
        "position_biased_input": False}, "Funnel": {"vocab_size": 50, "d_model": 8, "n_head": 2, "d_head": 4, "d_inner": 12,
                                                    "block_sizes": [1, 1]},
        "GPT2": {"vocab_size": 50, "n_positions": 12, "n_embd": 8, "n_layer": 1, "n_head": 2, "pad_token_id": 0}}[kind]
    config = getattr(transformers, f"{kind}Config")(**settings)
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path / kind)
    about = uploaded.opened_model(str(tmp_path / kind), "transformers", kind).about
    assert about["largest_difference"] < 1e-5
    assert about["shape"] == {"Roberta": [10], "Funnel": [64]}.get(kind, [12])


TIMM = """
import json, torch
from pathlib import Path
from safetensors.torch import load_file
__version__ = "0"

def create_model(name, pretrained, exportable):
    folder = Path(name.removeprefix("local-dir:"))
    config = json.loads((folder / "config.json").read_text())
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, config["num_classes"]))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model
"""
OF_TIMM: dict[str, Any] = {"architecture": "small", "num_classes": 3, "label_names": ["a", "b", "c"],
                           "pretrained_cfg": {"input_size": [3, 8, 8]}}


@pytest.fixture
def timm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, and a package that reads it as timm does."""
    from safetensors.torch import save_file

    (tmp_path / "timm.py").write_text(TIMM)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    folder = folder_of(tmp_path / "small", OF_TIMM)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 3))
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


def test_a_model_of_timm_computes_what_it_computes_there(timm: Path) -> None:
    from safetensors.torch import load_file

    from compress.files import network_file

    pytest.importorskip("onnx", reason="the optional extra for ONNX is not installed")
    one = uploaded.opened_model(str(timm), "timm", "small")
    assert (one.about["labels"], one.about["shape"]) == (["a", "b", "c"], [3, 8, 8])
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 3))
    model.load_state_dict(load_file(timm / "model.safetensors"))
    images = torch.randn(4, 3, 8, 8)
    with torch.inference_mode():
        assert torch.allclose(network_file.read(one.path)(images), model(images), atol=1e-6)


def test_models_of_timm_that_are_not_used_are_refused(timm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_config(folder: Path, config: object) -> Path:
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    def said(name: str) -> str:
        with pytest.raises(ValueError) as told:
            uploaded.opened_model(name, "timm", "m")
        return str(told.value)

    assert "no model of this name in the cache of timm" in said("vit_that_nobody_has")
    assert said(str(with_config(timm, {**OF_TIMM, "num_classes": 0}))).endswith("0 classes: it was not trained to classify.")
    assert "names no architecture" in said(str(folder_of(timm, CONFIG)))
    assert "cannot be read by timm 0" in said(str(with_config(timm, {**OF_TIMM, "num_classes": 9})))
    (timm / "model.safetensors").unlink()
    assert "no weights in safetensors" in said(str(folder_of(timm, OF_TIMM, "pytorch_model.bin")))
    monkeypatch.setattr(of_timm, "find_spec", lambda name: None)
    assert "timm brings torchvision, which must fit the installed torch" in said(str(timm))


def test_a_timm_that_cannot_be_imported_is_said(timm: Path) -> None:
    (timm.parent / "timm.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    with pytest.raises(ValueError, match=r"^timm cannot be imported here\. timm brings torchvision, which must fit"):
        uploaded.opened_model(str(timm), "timm", "m")
