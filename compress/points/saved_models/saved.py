"""The folder of a saved model: where it is on this machine, what is in it, and how its network becomes an ONNX file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from compress.networks.onnx import wire
from compress.settings import shown

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
MOST_CONFIG = 10_000_000  # bytes
OPSET = 17
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS")


def folder_of(name: str, package: str) -> Path:
    """The folder of this name, or that of a model in the cache that packages of this kind share. Raises ValueError if there
    is neither."""
    if Path(name).is_dir():
        return Path(name)
    try:
        from huggingface_hub import snapshot_download

        if not NAME.fullmatch(name):
            raise ValueError(name)
        return Path(snapshot_download(name, local_files_only=True))
    except (ImportError, OSError, ValueError, KeyError) as error:
        raise ValueError(f"There is no folder {shown(name)}, and no model of this name in the cache of {package} on this "
                         "machine. Nothing is downloaded here: fetch it yourself, for example with: hf download "
                         f"{name if NAME.fullmatch(name) else 'NAME'}") from error


def config_of(folder: Path, maker: str) -> dict[str, Any]:
    """What config.json says. maker: the function that writes such folders. Raises ValueError if there is none that can be
    read."""
    try:
        with (folder / "config.json").open("rb") as stream:
            config = json.loads(stream.read(MOST_CONFIG))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{folder.name} has no config.json that can be read: it is no folder that {maker} made.") from error
    return config if isinstance(config, dict) else {}


def demand_weights(folder: Path, remedy: str) -> None:
    """Raises ValueError for a folder without weights in safetensors; remedy: the line that saves them so."""
    if not any((folder / one).is_file() for one in WEIGHTS):
        raise ValueError(f"{folder.name} has no weights in safetensors, and pickled ones (.bin, .pth), which could run "
                         f"code, are not read. Save it again: {remedy}.")


def size_of(value: Any, otherwise: int) -> int:
    """A size that a configuration names, or the other where it names none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else otherwise


def export(called: str, network: nn.Module, example: Tensor, labels: Sequence[str], path: Path) -> None:
    """Writes the ONNX file of a network.

    Args:
        called: the model's name for people; example: two of them, as the network reads them; labels: the names of classes.

    Raises:
        ValueError: torch cannot trace the network with such examples.
    """
    try:
        with warnings.catch_warnings(), torch.no_grad(), open(os.devnull, "w") as nowhere, \
                contextlib.redirect_stdout(nowhere):
            warnings.simplefilter("ignore")
            torch.onnx.export(network, (example,), str(path), dynamo=False, input_names=["examples"],
                              output_names=["scores"], dynamic_axes={"examples": {0: "n"}}, opset_version=OPSET)
    except Exception as error:  # whatever the model's own code does while it is traced
        raise ValueError(f"{called} cannot be written as an ONNX file of examples of the shape "
                         f"{'-'.join(map(str, example.shape[1:]))}. Give another --shape, or export it yourself and give "
                         "the ONNX file.") from error
    with path.open("ab") as stream:  # in protobuf, fields may come in any order
        stream.write(wire.entry(14, wire.entry(1, b"classes") + wire.entry(2, "\n".join(labels).encode())))


@contextmanager
def offline() -> Iterator[None]:
    """Without the network, and without progress bars on the error output."""
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
