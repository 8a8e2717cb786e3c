"""Networks that came as a graph, for example in an ONNX file: their architecture as plain data, and their place among the
families.

A graph becomes a sequence of parts: wherever the graph has a single value on its way, one part ends and the next begins. A
part is a usual module (a linear layer, an activation, a pool) where it is one operator, and a Region where it has branches.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from compress.networks.evaluation import CHUNK
from compress.networks.families import MOST_CLASSES, Architecture, Family, Network
from compress.networks.graph.parts import fitted, part_of, plain_of
from compress.networks.graph.refused import Refused
from compress.networks.graph.region import Region
from compress.networks.graph.shapes import of_layer
from compress.networks.graph.shaping import MOST_NUMBERS
from compress.networks.plain_values import whole, wholes
from compress.settings import setting, shown

VALUES = ("auto", "normalised", "as_stored", "unit", "centred", "imagenet")
CHANNELS = ("auto", "as_stored", "reversed")
LAYOUT = ("auto", "channels_first", "channels_last")
MOST_PARTS = 20_000
AT_ONCE = 1 << 20  # numbers of a value of all examples that are computed with at a time: 4 MB, and several are needed
LONGEST_NAME = 80


@dataclass(frozen=True)
class Own(Family):
    """A trained network of yours, from an ONNX file or a state_dict. It is not trained again. How it reads the examples is
    found out on the training split, where a setting says auto."""

    name, title, is_built = "own", "Your network", False
    network: str = setting("", help="Its name, as python -m compress networks list shows it.")
    values: str = setting("auto", choices=VALUES, help="What the network expects of each value: mean 0 and standard "
                          "deviation 1 (normalised), the stored numbers, 0 to 1 (unit), -1 to 1 (centred), or ImageNet's "
                          "statistics.")
    channels: str = setting("auto", choices=CHANNELS, help="Whether colours are read in the stored order, or reversed "
                                                           "(BGR).")
    layout: str = setting("auto", choices=LAYOUT, help="Whether channels (of sequences: features) are the first or the last "
                          "axis.")
    order: tuple[int, ...] = setting((), low=0, high=MOST_CLASSES - 1, label="Order of its classes",
                                     help="For each class of the data, its place among the network's outputs, joined by "
                                          "'-'; none: found out.")

    def sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {}

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return self.network or self.title


@dataclass(frozen=True)
class GraphArchitecture(Architecture):
    """A sequence of parts.

    Attributes:
        called: its name for people.
        parts: the plain data of each part as JSON.
        labels: the names of its classes as its file has them; () where it has none.
    """

    kind = "graph"
    called: str
    parts: tuple[str, ...]
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, called: str, shape: tuple[int, ...], classes: int, modules: list[nn.Module],
           labels: tuple[str, ...] = ()) -> GraphArchitecture:
        """The architecture of these modules."""
        parts = tuple(json.dumps(plain_of(module), sort_keys=True) for module in modules)
        return cls(Own(network=called), shape, classes, called, parts, labels if len(labels) == classes else ())

    def plain(self) -> dict[str, Any]:
        return {"kind": self.kind, "called": self.called, "shape": list(self.shape), "classes": self.classes,
                "parts": [json.loads(part) for part in self.parts], "labels": list(self.labels)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> GraphArchitecture:
        """Raises ValueError for parts that are not known, or that together make no scores of classes."""
        called, parts = plain.get("called"), plain.get("parts")
        if not isinstance(called, str) or len(called) > LONGEST_NAME:
            raise ValueError(f"the name of a graph is a text of at most {LONGEST_NAME} signs, but got {shown(called)}")
        if not isinstance(parts, list) or not 1 <= len(parts) <= MOST_PARTS:
            raise ValueError(f"a graph has 1 to {MOST_PARTS:,} parts, but got {shown(parts)}")
        labels = plain.get("labels")
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"the names of a graph's classes are texts, but got {shown(labels)}")
        texts = tuple(json.dumps(part, sort_keys=True) for part in parts)
        shape, classes = wholes(plain, "shape", 1, (1, 2, 3)), whole(plain, "classes", 1, MOST_CLASSES)
        found = cls(Own(network=called), shape, classes, called, texts, tuple(labels))
        problem = _tried(found)[0]
        if problem:
            raise ValueError(problem)
        return found

    def fresh(self) -> Network:
        network = Network(*(part_of(json.loads(part)) for part in self.parts))
        network.architecture = self
        return network

    def title(self) -> str:
        return self.called

    @property
    def reads_whole(self) -> bool:
        """Whether it reads whole numbers, such as the numbers of words."""
        return bool(json.loads(self.parts[0]).get("whole"))

    @property
    def most_at_once(self) -> int:
        """How many examples are computed with at a time, so that none of their values has more than AT_ONCE numbers."""
        return max(1, min(CHUNK, AT_ONCE // max(1, _tried(self)[1])))

    def fitting(self, tensors: Mapping[str, Tensor]) -> GraphArchitecture:
        """The architecture with the sizes of these tensors, named as in a network's state_dict: of a sequence of linear and
        convolutional layers in one group, batch normalisation, residual blocks and GRUs."""
        parts = [fitted(json.loads(part), f"{place}.", tensors) for place, part in enumerate(self.parts)]
        return replace(self, parts=tuple(json.dumps(part, sort_keys=True) for part in parts))


def graph_network(called: str, shape: tuple[int, ...], classes: int, modules: list[nn.Module],
                  labels: tuple[str, ...] = ()) -> Network:
    """These modules, with their weights, as a network in evaluation mode."""
    network = Network(*modules)
    network.architecture = GraphArchitecture.of(called, shape, classes, modules, labels)
    network.eval()
    return network


@lru_cache(maxsize=64)
def _tried(architecture: GraphArchitecture) -> tuple[str, int]:
    """Why the parts make no scores of classes, "" if they do, and the most numbers that a value has for one example: found
    out on torch's device "meta", where no memory is taken."""
    most = 0

    def watch(operator: str, made: Tensor) -> None:
        nonlocal most
        _watch(operator, made)
        most = max(most, made.numel() // 2)

    try:
        with torch.device("meta"), torch.inference_mode():
            value = torch.zeros(2, *architecture.shape)
            for module in architecture.fresh().eval():
                shape = of_layer(module, [value])
                value = (shape if shape is not None else module.run(value, watch) if isinstance(module, Region) else
                         module(value))
                watch(type(module).__name__, value)
    except Refused as error:
        return str(error), most
    except (RuntimeError, IndexError, TypeError, KeyError, NotImplementedError, OverflowError, ValueError, AttributeError,
            ZeroDivisionError):
        return "the operators of its graph do not fit each other", most
    return "" if value.shape == (2, architecture.classes) else (
        f"its graph makes values of the shape {list(value.shape)} for two examples, not {[2, architecture.classes]}"), most


def _watch(operator: str, made: Tensor) -> None:
    if made.numel() > MOST_NUMBERS:
        raise Refused(f"the operator {operator} makes {made.numel():,} numbers for two examples; at most {MOST_NUMBERS:,} "
                        "are possible")
