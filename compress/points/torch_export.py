"""A network as a program of torch.export, which any torch runs without this package."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import numpy as np
import torch

from compress.data.datasets import Dataset
from compress.files.made_for import MadeFor
from compress.layers.plain_form import plain_form
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.points.onnx_export import WithNormaliser

ABOUT = "about.json"  # the file inside it that names data and classes


@dataclass(frozen=True)
class Agreement:
    """A program against its network on a data set's validation examples as they come, before normalising.

    Attributes:
        examples: how many; agreement: the share that both give the same class.
        largest_difference: of any two logits.
    """

    examples: int
    agreement: float
    largest_difference: float


def to_program(network: Network, described: MadeFor) -> bytes:
    """The contents of a file for torch.export.load(): examples (n, *shape) float32, not normalised -> logits (n, classes).
    Names of data and classes are in its extra file ABOUT. Compressed layers become dense; factors stay two layers each.

    Raises:
        ValueError: a part of the network that cannot be written.
    """
    whole = WithNormaliser(plain_form(network.cpu().eval()), described).eval()
    try:
        with torch.no_grad():
            program = torch.export.export(whole, (torch.zeros(2, *described.shape),),
                                          dynamic_shapes=({0: torch.export.Dim("n")},))
    except RuntimeError as error:  # all that torch raises where operations depend on the examples
        raise ValueError("torch.export cannot write this network: what it computes next depends on an example, or on how "
                         "many there are. Export a network of another method.") from error
    contents, about = io.BytesIO(), {"data": described.data, "classes": described.classes, "shape": described.shape,
                                     "normaliser": "inside", "made_by": "Compression Explorer"}
    torch.export.save(program, contents, extra_files={ABOUT: json.dumps(about)})
    return contents.getvalue()


def agreement(contents: bytes, network: Network, described: MadeFor, data: Dataset) -> Agreement:
    """Runs a program, read from its file, and the network that it was made of on the validation examples. The program must
    be our own: reading one runs what is in it."""
    program = torch.export.load(io.BytesIO(contents)).module()
    examples = torch.from_numpy(data.normaliser.undo(data.validation.inputs).astype(np.float32))
    ours = logits_of(network, torch.from_numpy(described.normaliser.apply(examples.numpy())))
    with torch.no_grad():
        theirs = program(examples)
    same = float((ours.argmax(1) == theirs.argmax(1)).double().mean())
    return Agreement(len(ours), same, float((ours - theirs).abs().max()))
