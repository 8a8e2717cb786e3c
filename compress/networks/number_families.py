"""Families of networks that read numbers: images, sequences and tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

from torch import nn

from compress.networks.architecture import Family
from compress.networks.feed_forward import image_convolutions, perceptron, sequence_convolutions
from compress.networks.gru import GRU
from compress.networks.modules import AsSequence, Residual
from compress.settings import setting, spelled


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
