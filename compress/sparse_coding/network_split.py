"""Splits of a network after its hidden layers, and composites with a bottleneck between the two parts."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from compress.layers.base import Substitute
from compress.layers.titles import layer_title
from compress.networks.composite import Composite, Front, Piece
from compress.networks.evaluation import CHUNK
from compress.networks.families import Network
from compress.networks.gru import GRU

MOST_FEATURES = 4096  # of a signal: larger outputs with channels are coded channel by channel


@dataclass(frozen=True, eq=False)
class SplitNetwork:
    """A network in two parts: the head computes hidden outputs (n, *shape), the tail computes logits from them.

    Attributes:
        title: of the hidden outputs, for people.
    """

    head: Network
    tail: Network
    shape: tuple[int, ...]
    title: str

    @property
    def features(self) -> int:
        """Numbers of a signal: all outputs; those of one channel if there are channels and more than MOST_FEATURES
        outputs."""
        whole = prod(self.shape)
        return whole if whole <= MOST_FEATURES or len(self.shape) == 1 else whole // self.shape[0]

    @property
    def signal_shape(self) -> tuple[int, ...]:
        """The shape of a signal before it is flattened (see dictionary.dct_atoms)."""
        return self.shape if self.features == prod(self.shape) else (1, *self.shape[1:])

    def signals(self, batch: Tensor) -> Tensor:
        """The hidden outputs of examples as signals (n x signals of an example, features)."""
        with torch.inference_mode():
            hidden = torch.cat([self.head(chunk) for chunk in batch.split(CHUNK)])
        return hidden.reshape(-1, self.features).clone()


def splits_of(network: Network, example: Tensor) -> list[SplitNetwork]:
    """All splits of a copy of the network, the last one first: before each module with weights except the first.

    Args:
        example: (1, *shape) of the data, for the shapes of the outputs.
    """
    modules = list(copy.deepcopy(network).eval())
    places = [place for place, module in enumerate(modules) if _weighs(module)]
    found = []
    for before, place in pairwise(places):
        head = _piece(network, modules, network.architecture.shape, 0, place)
        with torch.inference_mode():
            shape = tuple(head(example).shape[1:])
        tail = _piece(network, modules, shape, place, len(modules))
        size = "×".join(map(str, shape))
        found.append(SplitNetwork(head, tail, shape, f"{size} outputs after {_named(str(before), modules[before])}"))
    return found[::-1]


def rejoined(split: SplitNetwork, between: Front) -> Composite:
    """Head, bottleneck and tail as one network."""
    whole = Composite(split.head, between, split.tail)
    whole.eval()
    return whole


def _piece(network: Network, modules: list[nn.Module], shape: tuple[int, ...], first: int, last: int) -> Network:
    piece = Network(*modules[first:last])
    piece.architecture = Piece.of(network.architecture, shape, first, last)
    return piece


def _weighs(module: nn.Module) -> bool:
    norms = isinstance(module, nn.modules.batchnorm._NormBase)
    return not norms and (isinstance(module, Substitute) or any(True for _ in module.parameters()))


def _named(path: str, module: nn.Module) -> str:
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
        return f"layer {layer_title(path, module)}"
    return "the GRU" if isinstance(module, GRU) else f"block {path}"
