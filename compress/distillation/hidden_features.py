"""What a hidden stage says, in a form that two unlike networks share: features for hints, maps for attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.networks.families import Network
from compress.networks.gru import GRU
from compress.training.stack import STAGE_ENDS, leaves
from compress.training.stack_layers import Layout

GRID = 4  # a stage's places are averaged over a grid of at most so many a side before a hint is read from them


def teacher_stages(network: Network, batch: Tensor) -> tuple[list[tuple[Tensor, Layout]], Tensor]:
    """A network's stages as those of a stack of one, and the input of its last layer (b, units)."""
    stages, activations, last = [], batch, batch
    for _, module in leaves(network):
        last, activations = activations, module(activations)
        if isinstance(module, STAGE_ENDS):
            stages.append(_as_stack_of_one(module, activations))
    return stages, last


def hint_features(stage: Tensor, layout: Layout) -> Tensor:
    """(N, b, features): rows as they are; maps and series averaged over a coarse grid of places."""
    count = len(layout.places)
    if layout.kind == "rows":
        return stage
    if layout.kind == "series":
        pooled = _pooled(stage.flatten(0, 1).mT, (min(GRID, stage.shape[2]),))
        return pooled.flatten(1).unflatten(0, (count, -1))
    grid = tuple(min(GRID, size) for size in stage.shape[2:])
    return _pooled(stage, grid).reshape(len(stage), count, -1).transpose(0, 1)


def feature_places(layout: Layout, features: int) -> tuple[Tensor, ...]:
    """Where each network's own features stand among hint_features(): those of a unit or channel stand together."""
    spots = features // layout.size
    return tuple((place[:, None] * spots + torch.arange(spots)).flatten() for place in layout.places)


def attention_map(stage: Tensor, layout: Layout) -> Tensor:
    """(N, b, places...): the sum of squares over channels or units (Zagoruyko & Komodakis 2017)."""
    if layout.kind == "series":
        return stage.square().sum(-1)
    return stage.unflatten(1, (len(layout.places), layout.size)).square().sum(2).transpose(0, 1)


def on_common_grid(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two attention maps as rows of equal length: averaged to the coarser grid; a picture beside a series becomes the
    means of its lines."""
    dims = min(first.dim(), second.dim())
    first, second = (_fewer(one, dims) for one in (first, second))
    grid = tuple(map(min, zip(first.shape[2:], second.shape[2:], strict=True)))
    return tuple(_pooled(one.flatten(0, 1)[:, None], grid).flatten(1).unflatten(0, one.shape[:2])
                 for one in (first, second))


def has_places(layout: Layout) -> bool:
    """Whether a stage has an attention map at all."""
    return layout.kind in ("maps", "series")


def _fewer(one: Tensor, dims: int) -> Tensor:
    while one.dim() > dims:
        one = one.mean(-1)
    return one


def _pooled(maps: Tensor, grid: tuple[int, ...]) -> Tensor:
    """(b, channels, places...) averaged to a grid."""
    return functional.adaptive_avg_pool1d(maps, grid) if len(grid) == 1 else functional.adaptive_avg_pool2d(maps, grid)


def _as_stack_of_one(module: nn.Module, output: Tensor) -> tuple[Tensor, Layout]:
    if isinstance(module, GRU):
        return output[None], Layout("series", output.shape[-1], (torch.arange(output.shape[-1]),))
    own = (torch.arange(output.shape[1]),)
    if output.dim() == 2:
        return output[None], Layout("rows", output.shape[1], own)
    return output, Layout("maps", output.shape[1], own)
