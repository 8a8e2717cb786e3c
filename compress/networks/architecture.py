"""Architectures are plain data; build() makes a torch module with initial weights from an architecture.

From an architecture and a file of tensors a network is rebuilt without pickled code (see files/network_file.py). Shapes of
examples: images (channels, height, width), sequences (features, length), tables (features,), texts (tokens,). Every network
maps a batch (n, *shape) to logits (n, classes). The families themselves are in number_families.py and
token_families.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from compress.networks.plain_values import mapping, whole, wholes
from compress.settings import Settings, shown, spelled

FAMILIES: dict[str, type[Family]] = {}
ARCHITECTURES: dict[str, type[Architecture]] = {}
MOST_CLASSES = 65536  # predictions are stored as uint16


@dataclass(frozen=True)
class Family(Settings):
    """Base of the families of architectures: the settings that a user can choose, without the shape of the data.

    Class attributes:
        is_built: whether new networks can be made of the settings; such families are in FAMILIES.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    reads: ClassVar[str] = "numbers"  # or "tokens": the ids of a text's words
    is_built: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        if cls.is_built:
            FAMILIES[cls.name] = cls

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        """Modules with initial weights for examples of this shape, drawn from torch's present random state."""
        raise NotImplementedError

    def sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The settings that are layer sizes, with the sizes used for examples of this shape; empty for a single layer."""
        return {name: value for name, value in vars(self).items() if isinstance(value, tuple)}

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        """A short name for people, for data of this shape."""
        sizes = [spelled(value) for value in vars(self).values() if isinstance(value, tuple) and value]
        return " ".join([self.title, *sizes])


@dataclass(frozen=True)
class Architecture:
    """A family's settings together with the data's shape: all that is needed to build the network. Networks that are no
    whole member of a family have architectures of other kinds."""

    kind: ClassVar[str] = ""
    family: Family
    shape: tuple[int, ...]
    classes: int

    def __init_subclass__(cls) -> None:
        ARCHITECTURES[cls.kind] = cls

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of from_plain()."""
        return {"family": self.family.name, **self.family.plain(), "shape": list(self.shape), "classes": self.classes}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Architecture:
        """Raises ValueError for an unknown kind, family or setting, or sizes that are no positive whole numbers."""
        if "kind" in mapping(plain, "architecture"):
            if plain["kind"] not in list(ARCHITECTURES):
                raise ValueError(f"The file holds an architecture of kind {shown(plain['kind'])}; known are "
                                 f"{', '.join(ARCHITECTURES)}. Read it with the version that wrote it, or a newer one.")
            return ARCHITECTURES[plain["kind"]].from_plain(plain)
        settings = {name: value for name, value in plain.items() if name not in ("family", "shape", "classes")}
        return Architecture(family(str(plain.get("family")), settings), wholes(plain, "shape", 1, (1, 2, 3)),
                            whole(plain, "classes", 1, MOST_CLASSES))

    def fresh(self) -> Network:
        """A network whose weights are drawn from torch's current random state. Raises ValueError as build()."""
        network = Network(*self.family.layers(self.shape, self.classes))
        network.architecture = self
        return network

    def title(self) -> str:
        """A name for people: '784-300-100-10' for an MLP; 'LeNet-5' or 'GRU 64' for other families."""
        return self.family.title_for(self.shape, self.classes)


def family(name: str, settings: dict[str, Any] | None = None) -> Family:
    """The family of this name with these settings. Raises ValueError for an unknown name, with the list of names."""
    if name not in FAMILIES:
        raise ValueError(f"There is no network family {shown(name)}; choose one of {', '.join(FAMILIES)}.")
    return FAMILIES[name].from_plain(settings or {})


class Network(nn.Sequential):
    """A sequence of modules with its architecture; logits = network(batch)."""

    architecture: Architecture


def build(architecture: Architecture, seed: int = 0) -> Network:
    """A network with initial weights. The same seed gives the same weights; the global random state is not changed.

    Raises:
        ValueError: the family has no network for examples of this shape.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return architecture.fresh()
