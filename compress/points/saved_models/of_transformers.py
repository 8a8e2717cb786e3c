"""A classifier of the package transformers as an ONNX file: from a folder, or from the user's own cache."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from compress.points.saved_models import saved
from compress.settings import shown

PACKAGE = "transformers"
TASKS = {"ForSequenceClassification": "AutoModelForSequenceClassification",
         "ForImageClassification": "AutoModelForImageClassification"}
LONGEST, SIDE = 64, 224  # tokens of a text, and pixels, where neither data nor configuration say how many


@dataclass(frozen=True)
class Saved:
    """A model's folder. task: the class of transformers that reads it; labels: the names of its classes."""

    folder: Path
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
    with saved.offline():
        found = read(saved.folder_of(name, PACKAGE))
        model = _model(found)
        padding = getattr(model.config, "pad_token_id", None)
        network = _OfTexts(model, padding) if found.reads_texts else _OfImages(model)
        saved.export(found.folder.name, network.eval(), _example(found, model, shape), found.labels, path)


def read(folder: Path) -> Saved:
    """What a folder's configuration says. Raises ValueError for a folder without one, a model that is no classifier of texts
    or images, needs code of its own, or has no weights in safetensors."""
    config = saved.config_of(folder, "save_pretrained of transformers")
    listed = config.get("architectures")
    kind = str(listed[0]) if isinstance(listed, list) and len(listed) == 1 else ""
    task = next((found for ending, found in TASKS.items() if kind.endswith(ending)), "")
    if not task:
        raise ValueError(f"{folder.name} is {shown(kind) if kind else 'a model of no single kind'}; a model that ends with "
                         f"{' or '.join(TASKS)} is needed, one that was trained to classify.")
    if config.get("auto_map"):
        raise ValueError(f"{folder.name} needs code of its own, which is not run here. Export it with torch.onnx.export "
                         "where you trust its code, and give the ONNX file.")
    saved.demand_weights(folder, "model.save_pretrained(folder, safe_serialization=True)")
    names = config.get("id2label")
    return Saved(folder, task, tuple(map(str, names.values())) if isinstance(names, dict) else ())


def _model(found: Saved) -> nn.Module:
    """The model in evaluation mode. Raises ValueError if it cannot be read, or lacks weights, which would be random."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    maker = getattr(transformers, found.task)
    try:
        model, told = maker.from_pretrained(
            str(found.folder), local_files_only=True, trust_remote_code=False, use_safetensors=True,
            attn_implementation="eager", output_loading_info=True)
    except Exception as error:  # of the package and of the libraries below it, each with classes of its own
        raise ValueError(f"{found.folder.name} cannot be read by transformers {transformers.__version__}: its files are "
                         "damaged or incomplete, or a newer version is needed.") from error
    lacking = sorted(told["missing_keys"]) + sorted(str(one) for one in told.get("mismatched_keys", ()))
    if lacking:
        raise ValueError(f"{found.folder.name} lacks weights of its classifier ({', '.join(map(shown, lacking[:3]))}): it "
                         "was not trained to classify yet.")
    read_model: nn.Module = model.float().eval()
    return read_model


def _example(found: Saved, model: Any, shape: tuple[int, ...]) -> Tensor:
    """Two examples. Raises ValueError for a shape that the model does not read."""
    config, generator = model.config, torch.Generator().manual_seed(0)
    if found.reads_texts:
        most = _positions(model, saved.size_of(getattr(config, "max_position_embeddings", None), LONGEST))
        shape = shape or (min(LONGEST, most),)
        if len(shape) != 1 or shape[0] > most:
            raise ValueError(f"{found.folder.name} reads rows of up to {most} ids, but --shape is "
                             f"{'-'.join(map(str, shape))}. For example --shape {min(LONGEST, most)}.")
        return torch.randint(0, saved.size_of(getattr(config, "vocab_size", None), 2), (2, *shape), generator=generator)
    side = saved.size_of(getattr(config, "image_size", None), SIDE)
    channels = saved.size_of(getattr(config, "num_channels", None), 3)
    return torch.randn(2, *(shape or (channels, side, side)), generator=generator)


def _positions(model: nn.Module, most: int) -> int:
    """For how many tokens the model has positions: RoBERTa and its kind count them from behind the id of padding."""
    tables = (part for name, part in model.named_modules() if name.endswith("position_embeddings") and
              isinstance(part, nn.Embedding) and part.padding_idx is not None)
    return min([most, *(table.num_embeddings - 1 - int(table.padding_idx or 0) for table in tables)])
