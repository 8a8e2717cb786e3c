"""A classifier of the package transformers, an optional extra, as an ONNX file: from a folder, or from the user's own cache.

Nothing is downloaded, no code that comes with a model is run, and pickled weights are not read.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from compress.networks.onnx import wire
from compress.settings import shown

PACKAGE = "transformers"
TASKS = {"ForSequenceClassification": "AutoModelForSequenceClassification",
         "ForImageClassification": "AutoModelForImageClassification"}
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
MOST_CONFIG = 10_000_000  # bytes
LONGEST, SIDE = 64, 224  # tokens of a text, and pixels, where neither data nor configuration say how many
OPSET = 17
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS")


@dataclass(frozen=True)
class Saved:
    """A model's folder. task: the class of transformers that reads it; labels: the names of its classes."""

    folder: Path
    config: dict[str, Any]
    task: str
    labels: tuple[str, ...]

    @property
    def reads_texts(self) -> bool:
        """Whether it reads the ids of tokens."""
        return self.task == TASKS["ForSequenceClassification"]


class _OfTexts(nn.Module):
    """Ids (n, length) -> scores. Padding is masked."""

    def __init__(self, model: nn.Module, padding: int | None) -> None:
        super().__init__()
        self.model, self.padding = model, padding

    def forward(self, ids: Tensor) -> Tensor:
        mask = torch.ones_like(ids) if self.padding is None else (ids != self.padding).long()
        scores: Tensor = self.model(input_ids=ids, attention_mask=mask).logits
        return scores


class _OfImages(nn.Module):
    """Images (n, channels, height, width) -> scores."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.model(pixel_values=images).logits
        return scores


def missing() -> str:
    """A sentence with the line that installs the package; "" where it is there."""
    return "" if find_spec(PACKAGE) is not None else (
        f"Models of transformers need that package, an optional extra. Install it with: pip install {PACKAGE}")


def write(name: str, path: Path, shape: tuple[int, ...] = ()) -> None:
    """Writes the ONNX file of a model.

    Args:
        name: of its folder, or of a model in the cache of transformers, such as google-bert/bert-base-uncased.
        path: of the ONNX file; shape: of an example, by default what the configuration says.

    Raises:
        ValueError: the package is missing, there is no such model on this machine, or it cannot be used, in a sentence.
    """
    if sentence := missing():
        raise ValueError(sentence)
    with _offline():
        saved = read(_folder(name))
        network, example = _network(saved), _example(saved, shape)
        _export(saved, network, example, path)
    with path.open("ab") as stream:  # in protobuf, fields may come in any order
        stream.write(wire.entry(14, wire.entry(1, b"classes") + wire.entry(2, "\n".join(saved.labels).encode())))


def read(folder: Path) -> Saved:
    """What a folder's configuration says. Raises ValueError for a folder without one, a model that is no classifier of texts
    or images, needs code of its own, or has no weights in safetensors."""
    path = folder / "config.json"
    try:
        with path.open("rb") as stream:
            config = json.loads(stream.read(MOST_CONFIG))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{folder.name} has no config.json that can be read: it is no folder that save_pretrained of "
                         "transformers made.") from error
    listed = config.get("architectures") if isinstance(config, dict) else None
    kind = str(listed[0]) if isinstance(listed, list) and len(listed) == 1 else ""
    task = next((found for ending, found in TASKS.items() if kind.endswith(ending)), "")
    if not task:
        raise ValueError(f"{folder.name} is {shown(kind) if kind else 'a model of no single kind'}; a model that ends with "
                         f"{' or '.join(TASKS)} is needed, one that was trained to classify.")
    if config.get("auto_map"):
        raise ValueError(f"{folder.name} needs code of its own, which is not run here. Export it with torch.onnx.export "
                         "where you trust its code, and give the ONNX file.")
    if not any((folder / one).is_file() for one in WEIGHTS):
        raise ValueError(f"{folder.name} has no weights in safetensors, and pickled ones (.bin), which could run code, are "
                         "not read. Save it again: model.save_pretrained(folder, safe_serialization=True).")
    names = config.get("id2label")
    labels = tuple(str(label) for label in names.values()) if isinstance(names, dict) else ()
    return Saved(folder, config, task, labels)


def _folder(name: str) -> Path:
    """The folder, or that of the cache. Raises ValueError if there is neither."""
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        if not NAME.fullmatch(name):
            raise ValueError(name)
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"There is no folder {shown(name)}, and no model of this name in the cache of transformers on this "
                         "machine. Nothing is downloaded here: fetch it yourself, for example with: hf download "
                         f"{name if NAME.fullmatch(name) else 'NAME'}") from error


def _network(saved: Saved) -> nn.Module:
    """The model in evaluation mode. Raises ValueError if it cannot be read, or lacks weights, which would be random."""
    import transformers

    maker = getattr(transformers, saved.task)
    try:
        model, found = maker.from_pretrained(
            str(saved.folder), local_files_only=True, trust_remote_code=False, use_safetensors=True,
            attn_implementation="eager", output_loading_info=True)
    except Exception as error:  # of the package and of the libraries below it, each with classes of its own
        raise ValueError(f"{saved.folder.name} cannot be read by transformers {transformers.__version__}: its files are "
                         "damaged or incomplete, or a newer version is needed.") from error
    lacking = sorted(found["missing_keys"]) + sorted(str(one) for one in found.get("mismatched_keys", ()))
    if lacking:
        raise ValueError(f"{saved.folder.name} lacks weights of its classifier ({', '.join(map(shown, lacking[:3]))}): it "
                         "was not trained to classify yet.")
    model = model.float().eval()
    return (_OfTexts(model, saved.config.get("pad_token_id")) if saved.reads_texts else _OfImages(model)).eval()


def _example(saved: Saved, shape: tuple[int, ...]) -> Tensor:
    """Two examples. Raises ValueError for a shape that the model does not read."""
    config, generator = saved.config, torch.Generator().manual_seed(0)
    if saved.reads_texts:
        most = _size(config.get("max_position_embeddings"), LONGEST)
        shape = shape or (min(LONGEST, most),)
        if len(shape) != 1 or shape[0] > most:
            raise ValueError(f"{saved.folder.name} reads rows of up to {most} ids, but --shape is "
                             f"{'-'.join(map(str, shape))}. For example --shape {min(LONGEST, most)}.")
        return torch.randint(0, _size(config.get("vocab_size"), 2), (2, *shape), generator=generator)
    side = _size(config.get("image_size"), SIDE)
    return torch.randn(2, *(shape or (_size(config.get("num_channels"), 3), side, side)), generator=generator)


def _size(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else otherwise


def _export(saved: Saved, network: nn.Module, example: Tensor, path: Path) -> None:
    try:
        with warnings.catch_warnings(), torch.no_grad(), open(os.devnull, "w") as nowhere, \
                contextlib.redirect_stdout(nowhere):
            warnings.simplefilter("ignore")
            torch.onnx.export(network, (example,), str(path), dynamo=False, input_names=["examples"],
                              output_names=["scores"], dynamic_axes={"examples": {0: "n"}}, opset_version=OPSET)
    except Exception as error:  # whatever the model's own code does while it is traced
        raise ValueError(f"{saved.folder.name} cannot be written as an ONNX file of examples of the shape "
                         f"{'-'.join(map(str, example.shape[1:]))}. Give another --shape, or export it yourself and give "
                         "the ONNX file.") from error


@contextmanager
def _offline() -> Iterator[None]:
    """Without the network, and without progress bars on the error output."""
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
