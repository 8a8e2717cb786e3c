"""Hidden features in a form in which networks of different sizes can be compared: for hints and for attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.networks.families import Network
from compress.networks.gru import GRU
from compress.training.stack import STAGE_ENDS, leaves
from compress.training.stack_layers import Layout

GRID = 4  # for hints, the positions of a stage are averaged over a grid of at most 4 (x 4) cells


def teacher_stages(network: Network, batch: Tensor) -> tuple[list[tuple[Tensor, Layout]], Tensor]:
    """A network's stages, in the form of a stack of one network, and the input of its last layer (b, units)."""
    stages, activations, last = [], batch, batch
    for _, module in leaves(network):
        last, activations = activations, module(activations)
        if isinstance(module, STAGE_ENDS):
            stages.append(_as_stack_of_one(module, activations))
    return stages, last


def hint_features(stage: Tensor, layout: Layout) -> Tensor:
    """(N, b, features): rows as they are; maps and series averaged over a coarse grid of positions."""
    count = len(layout.places)
    if layout.kind == "rows":
        return stage
    if layout.kind == "series":
        pooled = _pooled(stage.flatten(0, 1).mT, (min(GRID, stage.shape[2]),))
        return pooled.flatten(1).unflatten(0, (count, -1))
    grid = tuple(min(GRID, size) for size in stage.shape[2:])
    return _pooled(stage, grid).reshape(len(stage), count, -1).transpose(0, 1)


def feature_places(layout: Layout, features: int) -> tuple[Tensor, ...]:
    """For each network, the indices of its features in hint_features(); the features of a unit or channel are adjacent."""
    positions = features // layout.size
    return tuple((place[:, None] * positions + torch.arange(positions)).flatten() for place in layout.places)


def attention_map(stage: Tensor, layout: Layout) -> Tensor:
    """(N, b, positions...): the sum of squares over channels or units (Zagoruyko & Komodakis 2017)."""
    if layout.kind == "series":
        return stage.square().sum(-1)
    return stage.unflatten(1, (len(layout.places), layout.size)).square().sum(2).transpose(0, 1)


def on_common_grid(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two attention maps as rows of equal length, averaged to the coarser of their grids. The map of an image that is
    compared with that of a sequence is first averaged over its columns."""
    dims = min(first.dim(), second.dim())
    first, second = _averaged(first, dims), _averaged(second, dims)
    grid = tuple(map(min, first.shape[2:], second.shape[2:]))
    return _on_grid(first, grid), _on_grid(second, grid)


def has_places(layout: Layout) -> bool:
    """Whether a stage has positions, and so an attention map."""
    return layout.kind in ("maps", "series")


def _averaged(maps: Tensor, dims: int) -> Tensor:
    """Maps averaged over their last dimensions until `dims` are left."""
    while maps.dim() > dims:
        maps = maps.mean(-1)
    return maps


def _on_grid(maps: Tensor, grid: tuple[int, ...]) -> Tensor:
    """(N, b, positions...) -> (N, b, cells of the grid)."""
    return _pooled(maps.flatten(0, 1)[:, None], grid).flatten(1).unflatten(0, maps.shape[:2])


def _pooled(maps: Tensor, grid: tuple[int, ...]) -> Tensor:
    """(b, channels, positions...) averaged to a grid."""
    if len(grid) == 1:
        return functional.adaptive_avg_pool1d(maps, grid[0])
    height, width = grid
    return functional.adaptive_avg_pool2d(maps, (height, width))


def _as_stack_of_one(module: nn.Module, output: Tensor) -> tuple[Tensor, Layout]:
    if isinstance(module, GRU):
        return output[None], Layout("series", output.shape[-1], (torch.arange(output.shape[-1]),))
    places = (torch.arange(output.shape[1]),)
    if output.dim() == 2:
        return output[None], Layout("rows", output.shape[1], places)
    return output, Layout("maps", output.shape[1], places)
