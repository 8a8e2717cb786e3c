"""Architectures are plain data; build() makes a torch module with initial weights from an architecture.

From an architecture and a file of tensors a network is rebuilt without pickled code (see files/network_file.py). Shapes of
examples: images (channels, height, width), sequences (features, length), tables
(features,). Every network maps a batch (n, *shape) to logits (n, classes).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, ClassVar

import torch
from torch import nn

from compress.networks.embedding import Embedding, LastState
from compress.networks.feed_forward import image_convolutions, perceptron, sequence_convolutions
from compress.networks.gru import GRU
from compress.networks.modules import AsSequence, Residual
from compress.networks.plain_values import mapping, whole, wholes
from compress.settings import Settings, setting, shown, spelled

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


VOCABULARY: int = setting(4000, low=3, high=65536,
                          help="Rows of the embedding table: padding, the unknown token, then the most frequent tokens of "
                               "the training texts. All others are unknown.")
WIDTH: tuple[int, ...] = setting((32,), low=1, high=4096, help="Numbers in a token's embedding (one number).")


@dataclass(frozen=True)
class Logistic(Family):
    """Multinomial logistic regression: one linear layer."""

    name, title = "logistic", "Logistic regression"

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), classes))

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return f"{prod(shape)}-{classes}"


@dataclass(frozen=True)
class MLP(Family):
    """Multilayer perceptron: linear layers with ReLU between them."""

    name, title = "mlp", "MLP"
    hidden: tuple[int, ...] = setting((300, 100), low=1, high=8192, help="Units of each hidden layer, joined by '-'.")
    dropout: float = setting(0.0, low=0.0, high=0.9, help="Share of hidden units that are dropped at each training step.")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        return nn.Sequential(nn.Flatten(), *perceptron(prod(shape), self.hidden, classes, self.dropout))

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return "-".join(str(size) for size in (prod(shape), *self.hidden, classes))


@dataclass(frozen=True)
class CNN(Family):
    """LeNet-5 with ReLU and max pooling (LeCun et al. 1998) on images; three strided convolutions of 25
    channels on sequences, as in MNIST-1D (Greydanus & Kobak 2020)."""

    name, title = "cnn", "CNN"
    channels: tuple[int, ...] = setting(
        (), low=1, high=1024, help="Channels of each convolution; 'none' means 6-16 (images), 25-25-25 (sequences).")
    hidden: tuple[int, ...] = setting(
        (), low=1, high=8192,
        help="Units of each layer after the convolutions; 'none' means 120-84 (images), no layer (sequences).")

    def sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        if len(shape) == 3:
            return {"channels": self.channels or (6, 16), "hidden": self.hidden or (120, 84)}
        return {"channels": self.channels or (25, 25, 25), "hidden": self.hidden}

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        sizes = self.sizes(shape)
        if len(shape) == 3:
            return image_convolutions(shape, sizes["channels"], sizes["hidden"], classes)
        if len(shape) == 2:
            return sequence_convolutions(shape, sizes["channels"], sizes["hidden"], classes)
        raise ValueError(f"CNN: needs images or sequences, but an example has shape {shape}. Choose mlp for tables.")

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        if self.channels or self.hidden:
            return super().title_for(shape, classes)
        return "LeNet-5" if len(shape) == 3 else "CNN 25-25-25"


@dataclass(frozen=True)
class ResNet(Family):
    """A small residual network with batch normalisation (He et al. 2016): a convolution, one block for each
    width (each after the first halves the image), global average pooling, a linear layer."""

    name, title = "resnet", "ResNet"
    channels: tuple[int, ...] = setting((16, 32, 64), low=1, high=1024, help="Channels of each residual block.")
    inner: tuple[int, ...] = setting(
        (), low=1, high=1024, help="Channels between the two convolutions of each block; 'none' means the block's channels.")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        if len(shape) not in (2, 3):
            raise ValueError(f"ResNet: needs images or sequences, but an example has shape {shape}. "
                             "Choose mlp for tables.")
        if not self.channels:
            raise ValueError("ResNet: channels must be at least one number, but got 'none'. For example: channels=16-32-64.")
        inner = self.inner or self.channels
        if len(inner) != len(self.channels):
            raise ValueError(f"ResNet: inner must be one number for each of the {len(self.channels)} blocks or 'none', "
                             f"but got {spelled(inner)!r}. For example: inner={spelled(self.channels)}.")
        flat = len(shape) == 2
        convolution, norm, pool = ((nn.Conv1d, nn.BatchNorm1d, nn.AdaptiveAvgPool1d) if flat else
                                   (nn.Conv2d, nn.BatchNorm2d, nn.AdaptiveAvgPool2d))
        widths = (self.channels[0], *self.channels)
        blocks = [Residual(convolution, norm, before, inside, after, 1 if index == 0 else 2)
                  for index, ((before, after), inside) in enumerate(zip(pairwise(widths), inner, strict=True))]
        return nn.Sequential(convolution(shape[0], widths[0], 3, padding=1, bias=False), norm(widths[0]), nn.ReLU(),
                             *blocks, pool(1), nn.Flatten(), nn.Linear(widths[-1], classes))


@dataclass(frozen=True)
class Recurrent(Family):
    """A gated recurrent unit (Cho et al. 2014) that reads a sequence step by step or an image row by row. One linear
    layer reads the states of all steps, as in MNIST-1D (Greydanus & Kobak 2020)."""

    name, title = "gru", "GRU"
    hidden: tuple[int, ...] = setting((64,), low=1, high=2048, help="Units of the recurrent layer (one number).")
    both_ways: bool = setting(True, help="Read the sequence forwards and backwards.")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        if len(shape) not in (2, 3):
            raise ValueError(f"GRU: needs images or sequences, but an example has shape {shape}. "
                             "Choose mlp for tables.")
        if len(self.hidden) != 1:
            raise ValueError(f"GRU: hidden must be one number of units, but got {spelled(self.hidden)!r}. "
                             "For example: hidden=64.")
        steps, features = (shape[1], shape[0] * shape[2]) if len(shape) == 3 else (shape[1], shape[0])
        outputs = steps * self.hidden[0] * (2 if self.both_ways else 1)
        return nn.Sequential(AsSequence(), GRU(features, self.hidden[0], self.both_ways), nn.Flatten(),
                             nn.Linear(outputs, classes))


@dataclass(frozen=True)
class EmbeddingBag(Family):
    """The mean of the embeddings of a text's tokens, ReLU, and linear layers: a deep averaging network (Iyyer et al. 2015).
    The order of the words does not matter. Almost all weights are in the embedding table."""

    name, title, reads = "embedding_bag", "Embedding bag", "tokens"
    vocabulary: int = VOCABULARY
    width: tuple[int, ...] = WIDTH
    hidden: tuple[int, ...] = setting((), low=1, high=8192, help="Units of each layer after the mean; 'none' for no layer.")
    dropout: float = setting(0.0, low=0.0, high=0.9, help="Share of hidden units that are dropped at each training step.")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        width = one_width(self, shape)
        return nn.Sequential(Embedding(self.vocabulary, width, mean=True), nn.ReLU(),
                             *perceptron(width, self.hidden, classes, self.dropout))

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return "-".join(str(size) for size in (self.vocabulary, *self.width, *self.hidden, classes))


@dataclass(frozen=True)
class TokenGRU(Family):
    """A GRU (Cho et al. 2014) over the embeddings of a text's tokens; a linear layer reads the last state."""

    name, title, reads = "token_gru", "GRU over tokens", "tokens"
    vocabulary: int = VOCABULARY
    width: tuple[int, ...] = WIDTH
    hidden: tuple[int, ...] = setting((32,), low=1, high=2048, help="Units of the recurrent layer (one number).")

    def layers(self, shape: tuple[int, ...], classes: int) -> nn.Sequential:
        width = one_width(self, shape)
        if len(self.hidden) != 1:
            raise ValueError(f"TokenGRU: hidden must be one number of units, but got {spelled(self.hidden)!r}. "
                             "For example: hidden=32.")
        return nn.Sequential(Embedding(self.vocabulary, width, mean=False), GRU(width, self.hidden[0], False), LastState(),
                             nn.Linear(self.hidden[0], classes))

    def title_for(self, shape: tuple[int, ...], classes: int) -> str:
        return f"{self.vocabulary}-{spelled(self.width)}-GRU {spelled(self.hidden)}-{classes}"


def one_width(family: EmbeddingBag | TokenGRU, shape: tuple[int, ...]) -> int:
    """The width of an embedding. Raises ValueError for several, or examples that are no rows of tokens."""
    if len(shape) != 1:
        raise ValueError(f"{type(family).__name__}: needs texts as token ids, but an example is {shape}. Choose mlp.")
    if len(family.width) != 1:
        raise ValueError(f"{type(family).__name__}: width must be one number, but got {spelled(family.width)!r}. For "
                         "example: width=32.")
    return family.width[0]
