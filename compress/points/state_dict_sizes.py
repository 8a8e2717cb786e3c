"""Which network of this program a state_dict is of, told by the sizes of its tensors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import prod

from torch import Tensor

from compress.data.datasets import Dataset
from compress.points.state_dict_names import COUNTER
from compress.recipe import Step
from compress.settings import spelled

LISTED = 8
Size = tuple[int, ...]


def proposed(found: Mapping[str, Tensor], data: Dataset) -> Step | None:
    """The family with the settings that the sizes are those of, to be tried on the file; None where they tell none.

    Args:
        found: the tensors by their names, in which torch's nn.GRU is as here (state_dict_names.unwrapped()).
        data: whose kind the family reads.
    """
    weights = weights_of(found)
    loops = [name for name in weights if "state_map" in name or "weight_hh" in name]
    if data.kind == "text":
        return _of_tokens(found, weights, loops)
    if loops:
        return Step.of("gru", {"hidden": str(weights[loops[0]][-1]), "both_ways": len(loops) == 2})
    if any(name.endswith("running_mean") for name in found):
        return _residual(weights)
    convolutions = [size for size in weights.values() if len(size) > 2]
    chain = chained([size for size in weights.values() if len(size) == 2])
    if chain is None:
        return None
    hidden = spelled(chain[1:-1])
    if convolutions:
        return Step.of("cnn", {"channels": spelled(tuple(size[0] for size in convolutions)), "hidden": hidden})
    return Step.of("mlp", {"hidden": hidden}) if len(chain) > 2 else Step("logistic")


def needs_other_data(found: Mapping[str, Tensor], data: Dataset) -> str:
    """A sentence about a perceptron that reads other numbers of an example, or gives other scores, than these data have; ""
    where that is not what its sizes say."""
    weights, biases = weights_of(found), Counter(tuple(tensor.shape) for tensor in found.values() if tensor.dim() == 1)
    chain = None if data.kind == "text" or any(len(size) > 2 for size in weights.values()) else chained([*weights.values()])
    if chain is None or biases != Counter((size,) for size in chain[1:]):
        return ""
    theirs, ours = (chain[0], chain[-1]), (prod(data.shape), len(data.classes))
    if theirs == ours:
        return ""
    return (f"The network in the file reads {theirs[0]} numbers of an example and gives {theirs[1]} scores; {data.title} "
            f"has {ours[0]} numbers and {ours[1]} classes. Choose the data set that it was trained for.")


def in_words(tensors: Mapping[str, Tensor]) -> str:
    """The sizes of the weights, outputs first: 300×64, 100×300, 10×100."""
    sizes = ["×".join(map(str, size)) for size in weights_of(tensors).values()]
    return ", ".join(sizes[:LISTED]) + (f" and {len(sizes) - LISTED} more" if len(sizes) > LISTED else "") or "none"


def weights_of(tensors: Mapping[str, Tensor]) -> dict[str, Size]:
    """The sizes of all tensors of two axes and more, in the order of the numbers in their names."""
    names = [name for name, tensor in tensors.items() if tensor.dim() > 1 and not name.endswith(COUNTER)]
    return {name: tuple(tensors[name].shape) for name in sorted(names, key=_numbered)}


def _numbered(name: str) -> list[tuple[int, str]]:
    """By this key, 2.weight comes before 10.weight."""
    return [(len(part), part) if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def chained(matrices: list[Size]) -> Size | None:
    """The sizes (inputs, hidden, ..., scores) of linear layers (outputs, inputs), each of which reads what another one
    gives; None where that is no single row of layers."""
    if matrices and all(before[0] == after[1] for before, after in pairwise(matrices)):
        return (matrices[0][1], *(size[0] for size in matrices))
    first = [size for size in matrices if size[1] not in [other[0] for other in matrices]]
    if len(first) != 1:
        return None
    chain, left = [first[0][1], first[0][0]], [size for size in matrices if size is not first[0]]
    while left:
        after = [size for size in left if size[1] == chain[-1]]
        if len(after) != 1:
            return None
        chain.append(after[0][0])
        left.remove(after[0])
    return tuple(chain)


def _of_tokens(found: Mapping[str, Tensor], weights: dict[str, Size], loops: list[str]) -> Step | None:
    """A network with a table of embeddings: the matrix without a bias."""
    tables = [name for name, size in weights.items() if len(size) == 2 and f"{name.rpartition('.')[0]}.bias" not in found]
    if len(tables) != 1:
        return None
    size = weights[tables[0]]
    table = {"vocabulary": max(size), "width": str(min(size))}
    convolutions = [size for size in weights.values() if len(size) == 3]
    if convolutions:
        return Step.of("token_cnn", {**table, "channels": spelled(tuple(size[0] for size in convolutions)),
                                     "window": convolutions[0][-1]})
    if loops:
        return Step.of("token_gru", {**table, "hidden": str(weights[loops[0]][-1])})
    chain = chained([size for name, size in weights.items() if name not in tables])
    return Step.of("embedding_bag", {**table, "hidden": spelled(chain[1:-1])}) if chain else None


def _residual(weights: dict[str, Size]) -> Step | None:
    """A residual network: a first convolution, then two for each block; those of one pixel belong to the ways around."""
    outputs = [size[0] for size in weights.values() if len(size) > 2 and size[-1] > 1]
    channels, inner = tuple(outputs[2::2]), tuple(outputs[1::2])
    if not channels or len(channels) != len(inner):
        return None
    return Step.of("resnet", {"channels": spelled(channels), **({} if inner == channels else {"inner": spelled(inner)})})
