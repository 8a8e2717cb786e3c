"""Networks in stages: fronts that turn examples into features, and a classifier of these features.

The architecture of a composite is read from its stages, so that it is always true. Methods that compress a network are
given the classifier of a composite and the features that its fronts compute.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset, Split
from compress.data.tensors import on_device, with_inputs
from compress.networks import plain_values
from compress.networks.evaluation import CHUNK, device_of, evaluating
from compress.networks.families import Architecture, Network
from compress.settings import shown

FRONTS: dict[str, type[Front]] = {}
MOST_STAGES = 64  # a file with more of them would take long to read; a chain of methods adds two stages at most
KINDS = {1: "tabular", 2: "sequence", 3: "image"}
_features: weakref.WeakKeyDictionary[Composite, list[tuple[Dataset, Dataset]]] = weakref.WeakKeyDictionary()


class Front(nn.Module):
    """Base of modules before a classifier that belong to no network family; found by their `kind` when a file is read.

    Attributes:
        shape: of an example, for a front that reads examples; () for a front that reads the outputs of another stage.
    """

    kind: ClassVar[str]
    shape: tuple[int, ...] = ()

    def __init_subclass__(cls) -> None:
        FRONTS[cls.kind] = cls

    def plain(self) -> dict[str, Any]:
        """Sizes and options as JSON-able data."""
        raise NotImplementedError

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Front:
        """A front of the same sizes with arbitrary numbers, into which the file's tensors are loaded."""
        raise NotImplementedError

    def contradiction(self) -> str:
        """How the stored numbers contradict the plain data or each other, in words; "" where they do not."""
        return ""

    def extra_repr(self) -> str:
        """The plain data, so that networks whose fronts differ in options have different texts, also with equal tensors."""
        return json.dumps(self.plain())


@dataclass(frozen=True)
class Piece(Architecture):
    """The modules first, ..., last - 1 of a network.

    Attributes:
        shape: of the inputs of the first module.
        whole: the architecture of the network.
    """

    kind = "piece"
    whole: Architecture
    first: int
    last: int

    @classmethod
    def of(cls, whole: Architecture, shape: tuple[int, ...], first: int, last: int) -> Piece:
        """A part of a network of this architecture."""
        return cls(whole.family, shape, whole.classes, whole, first, last)

    def plain(self) -> dict[str, Any]:
        return {"kind": self.kind, "of": self.whole.plain(), "shape": list(self.shape), "first": self.first,
                "last": self.last}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Piece:
        """Raises ValueError where the numbers are no part of a network."""
        whole = Architecture.from_plain(plain.get("of", {}))
        first = plain_values.whole(plain, "first")
        return cls.of(whole, plain_values.wholes(plain, "shape", 1, (1, 2, 3)), first,
                      plain_values.whole(plain, "last", first + 1))

    def title(self) -> str:
        return f"a part of {self.whole.title()}"

    def fresh(self) -> Network:
        modules = list(self.whole.fresh())
        if self.last > len(modules):
            raise ValueError(f"last must be at most {len(modules)}, the modules of {self.whole.title()}, but got "
                             f"{self.last}.")
        network = Network(*modules[self.first:self.last])
        network.architecture = self
        return network


@dataclass(frozen=True)
class CompositeArchitecture(Architecture):
    """A sequence of stages; family and classes are those of the last stage, the classifier.

    Attributes:
        stages: the plain data of each stage as JSON.
    """

    kind = "composite"
    stages: tuple[str, ...]

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> CompositeArchitecture:
        """Raises ValueError for an unknown front or network, or if the stages are no classifier of examples."""
        stages: list[dict[str, Any]] = plain.get("stages", [])
        if not isinstance(stages, list) or not 1 <= len(stages) <= MOST_STAGES:
            raise ValueError(f"A composite has 1 to {MOST_STAGES} stages, but got {shown(stages)}. Chain fewer "
                             "methods that add stages.")
        if "front" in plain_values.mapping(stages[-1], "the last stage"):
            raise ValueError("A composite ends with a network, but its last stage is a front: "
                             f"{shown(stages[-1]['front'])}.")
        first, last = plain_values.mapping(stages[0], "the first stage"), Architecture.from_plain(stages[-1])
        shape = _front(first).shape if "front" in first else Architecture.from_plain(first).shape
        if not shape:
            raise ValueError(f"A front of kind {first['front']!r} reads no examples, so it cannot be the first stage.")
        return cls(last.family, shape, last.classes, tuple(json.dumps(stage, sort_keys=True) for stage in stages))

    def plain(self) -> dict[str, Any]:
        return {"kind": self.kind, "stages": [json.loads(stage) for stage in self.stages]}

    def title(self) -> str:
        fronts = [stage["front"].replace("_", " ") for stage in self.plain()["stages"] if "front" in stage]
        return f"{' and '.join(fronts)}, then {Architecture.from_plain(self.plain()['stages'][-1]).title()}"

    def fresh(self) -> Network:
        return Composite(*(_front(stage) if "front" in stage else Architecture.from_plain(stage).fresh()
                           for stage in self.plain()["stages"]))


class Composite(Network):
    """A sequence of stages: fronts and parts of networks, and the classifier as the last one. The stages of a composite
    among them are inserted one by one."""

    def __init__(self, *stages: nn.Module) -> None:
        every = [part for stage in stages for part in (stage if isinstance(stage, Composite) else [stage])]
        super().__init__(*every)
        self.architecture = CompositeArchitecture.from_plain({"stages": [_plain(stage) for stage in every]})

    @property
    def fronts(self) -> list[nn.Module]:
        """All stages but the classifier."""
        return list(self)[:-1]

    @property
    def classifier(self) -> Network:
        """The last stage."""
        last = self[len(self) - 1]
        if not isinstance(last, Network):
            raise TypeError("a composite ends with a network")
        return last

    def around(self, classifier: Network) -> Composite:
        """A NEW composite with the same fronts and another classifier, in evaluation mode."""
        made = Composite(*copy.deepcopy(self.fronts), classifier)
        made.eval()
        return made

    def features(self, data: Dataset) -> Dataset:
        """The data set of the classifier: the features that the fronts compute from these examples; cached while the
        composite exists. Its test split is empty, because no method may read the test split."""
        kept = _features.setdefault(self, [])
        known = next((features for seen, features in kept if seen is data), None)
        if known is None:
            known = self._features_of(data)
            kept.append((data, known))
        return known

    def feature_shapes(self, data: Dataset) -> Dataset:
        """A data set with the shapes of features() and zeros: enough for Method.invalid_reason()."""
        first = self._coded(torch.tensor(data.train.inputs[:1], device=device_of(self)))

        def shaped(split: Split) -> Split:
            return Split(np.broadcast_to(np.float32(0), (len(split), *first.shape[1:])), split.labels)

        return _with_splits(data, shaped)

    def _features_of(self, data: Dataset) -> Dataset:
        device = device_of(self)
        return _with_splits(data, lambda split: with_inputs(split, self._coded(on_device(split, device)[0])))

    def _coded(self, inputs: Tensor) -> Tensor:
        front = nn.Sequential(*self.fronts)
        with evaluating(front):
            return torch.cat([front(chunk) for chunk in inputs.split(CHUNK)])


def acted_on(network: Network, data: Dataset, shapes_only: bool = False) -> tuple[Network, Dataset]:
    """The network and the data that a method is given: of a composite, its classifier and the classifier's features.

    Args:
        shapes_only: whether zeros of the right shapes are enough, to find out if a method is possible.
    """
    if not isinstance(network, Composite):
        return network, data
    return network.classifier, network.feature_shapes(data) if shapes_only else network.features(data)


def put_back(network: Network, classifier: Network) -> Network:
    """The classifier that a method made from acted_on(), with the fronts of the original network before it."""
    return network.around(classifier) if isinstance(network, Composite) else classifier


def _with_splits(data: Dataset, changed: Callable[[Split], Split]) -> Dataset:
    train, calibration, validation = (changed(split) for split in (data.train, data.calibration, data.validation))
    nothing = Split(train.inputs[:0], train.labels[:0])
    return dataclasses.replace(data, kind=KINDS[train.inputs.ndim - 1], train=train, calibration=calibration,
                               validation=validation, _test=nothing)


def _plain(stage: nn.Module) -> dict[str, Any]:
    if isinstance(stage, Front):
        return {"front": stage.kind, **stage.plain()}
    if not isinstance(stage, Network):
        raise TypeError(f"a stage of type {type(stage).__name__} cannot be described")
    return stage.architecture.plain()


def _front(plain: dict[str, Any]) -> Front:
    if plain["front"] not in list(FRONTS):
        raise ValueError(f"The file holds a front of kind {shown(plain['front'])}; known are "
                         f"{', '.join(FRONTS)}. Read it with the version that wrote it, or a newer one.")
    return FRONTS[plain["front"]].rebuild({name: value for name, value in plain.items() if name != "front"})
