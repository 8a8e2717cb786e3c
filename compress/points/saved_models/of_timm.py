"""A classifier of the package timm as an ONNX file: from a folder, or from the user's own cache."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from compress.points.saved_models import saved
from compress.settings import shown

PACKAGE = "timm"
OWNER = "timm"  # whose models the package names without it
INPUT = (3, 224, 224)  # of a model whose configuration names no size
ELSEWHERE = ("timm brings torchvision, which must fit the installed torch. Export the model in an environment of its own, "
             "by the line in the README, and give the ONNX file.")


def missing() -> str:
    """A sentence that says what to do where the package is not installed; "" where it is."""
    return "" if find_spec(PACKAGE) is not None else f"Models of timm need that package, an optional extra. {ELSEWHERE}"


def write(name: str, path: Path, shape: tuple[int, ...] = ()) -> None:
    """Writes the ONNX file of a model, which reads images that are normalised as its configuration says.

    Args:
        name: of its folder, as timm's save_for_hf writes it, or of a model in the cache, such as
            vit_tiny_patch16_224.augreg_in21k_ft_in1k; path: of the ONNX file; shape: of an image, by default its own.

    Raises:
        ValueError: the package is missing or cannot be imported, there is no such model on this machine, or it cannot be
            used, in a sentence.
    """
    if sentence := missing():
        raise ValueError(sentence)
    with saved.offline():
        folder = saved.folder_of(name if "/" in name or Path(name).is_dir() else f"{OWNER}/{name}", PACKAGE)
        config = read(folder)
        network = _network(folder)
        example = torch.randn(2, *(shape or _shape(config)), generator=torch.Generator().manual_seed(0))
        saved.export(folder.name, network, example, _labels(config), path)


def read(folder: Path) -> dict[str, Any]:
    """What a folder's configuration says. Raises ValueError for a folder without one, a model that is no classifier, or
    weights that are not in safetensors."""
    config = saved.config_of(folder, "save_for_hf of timm")
    if not isinstance(config.get("architecture"), str):
        raise ValueError(f"{folder.name} is no model of timm: its config.json names no architecture.")
    classes = config.get("num_classes", _pretrained(config).get("num_classes"))
    if saved.size_of(classes, 0) < 2:
        raise ValueError(f"{folder.name} has {shown(classes)} classes: it was not trained to classify.")
    saved.demand_weights(folder, "timm.models.save_for_hf(model, folder, safe_serialization=True)")
    return config


def _network(folder: Path) -> nn.Module:
    """In evaluation mode, with the weights of the folder. Raises ValueError if it cannot be read."""
    try:
        import timm
    except Exception as error:  # torchvision fails in ways of its own where it does not fit torch
        raise ValueError(f"timm cannot be imported here. {ELSEWHERE}") from error
    logging.getLogger(PACKAGE).setLevel(logging.ERROR)
    try:
        network: nn.Module = timm.create_model(f"local-dir:{folder}", pretrained=True, exportable=True)
    except Exception as error:  # of the package and of the libraries below it, each with classes of its own
        raise ValueError(f"{folder.name} cannot be read by timm {timm.__version__}: its files are damaged, incomplete or of "
                         "another model, or a newer version is needed.") from error
    return network.float().eval()


def _pretrained(config: dict[str, Any]) -> dict[str, Any]:
    found = config.get("pretrained_cfg", config)
    return found if isinstance(found, dict) else {}


def _shape(config: dict[str, Any]) -> tuple[int, ...]:
    sizes = _pretrained(config).get("input_size")
    is_known = isinstance(sizes, list) and len(sizes) == len(INPUT) and all(saved.size_of(size, 0) for size in sizes)
    return tuple(sizes) if is_known and isinstance(sizes, list) else INPUT


def _labels(config: dict[str, Any]) -> tuple[str, ...]:
    names = config.get("label_names", _pretrained(config).get("label_names"))
    return tuple(map(str, names)) if isinstance(names, list) else ()
