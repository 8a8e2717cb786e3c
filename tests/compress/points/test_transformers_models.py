"""A model of transformers becomes a network without a download, without code of its own and without pickled weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from compress.networks.onnx import wire
from compress.points import transformers_models, uploaded

CONFIG: dict[str, Any] = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "bad", "1": "good"}}


def folder_of(folder: Path, config: object, weights: str = "model.safetensors") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / weights).write_bytes(b"")
    return folder


def test_a_configuration_says_what_a_model_is(tmp_path: Path) -> None:
    saved = transformers_models.read(folder_of(tmp_path / "m", CONFIG))
    assert saved.labels == ("bad", "good") and saved.reads_texts
    images = transformers_models.read(folder_of(tmp_path / "v", {"architectures": ["ViTForImageClassification"]}))
    assert images.labels == () and not images.reads_texts


@pytest.mark.parametrize(("config", "weights", "words"), [
    ({**CONFIG, "architectures": ["BertForMaskedLM"]}, "model.safetensors", "is 'BertForMaskedLM'; a model that ends with"),
    ({**CONFIG, "architectures": 3}, "model.safetensors", "is a model of no single kind"),
    ([1], "model.safetensors", "is a model of no single kind"),
    ({**CONFIG, "auto_map": {"AutoModel": "mine.Model"}}, "model.safetensors", "needs code of its own, which is not run"),
    (CONFIG, "pytorch_model.bin", "no weights in safetensors, and pickled ones")])
def test_models_that_are_not_used_are_refused(config: object, weights: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        transformers_models.read(folder_of(tmp_path / "m", config, weights))


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no config\.json that can be read"):
        transformers_models.read(tmp_path)
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"has no config\.json that can be read"):
        transformers_models.read(tmp_path)


def test_without_the_package_its_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers_models, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"an optional extra\. Install it with: pip install transformers$"):
        uploaded.opened_model("mine", "mine")


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
    one = uploaded.opened_model(str(bert), "bert")
    assert one.about["labels"] == ["bad", "good"] and one.about["shape"] == [9] and one.about["largest_difference"] < 1e-5
    assert one.about["compressible"] > 0.6 * one.about["parameters"]
    from compress.files import network_file

    ids = torch.tensor([[2, 7, 49, 0, 0, 0, 0, 0, 0], [1] * 9])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(bert).eval()
    with torch.inference_mode():
        theirs = model(input_ids=ids, attention_mask=(ids != 0).long()).logits
        assert torch.allclose(network_file.read(one.path)(ids.float()), theirs, atol=1e-6)
    with pytest.raises(ValueError, match="reads rows of up to 9 ids"):
        uploaded.opened_model(str(bert), "bert", (10,))


def test_a_model_that_was_not_trained_to_classify_is_refused(bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = folder_of(tmp_path / "m", json.loads((bert / "config.json").read_text()))
    tensors = {name: tensor for name, tensor in load_file(bert / "model.safetensors").items() if "classifier" not in name}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks weights of its classifier \('classifier\.bias', 'classifier\.weight'\)"):
        uploaded.opened_model(str(folder), "m")
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="cannot be read by transformers"):
        uploaded.opened_model(str(folder), "m")
