"""What a page shows of coded data: atoms as pictures, examples rebuilt, and a pursuit step by step; plain data."""

from __future__ import annotations

import base64
import zlib
from math import log10
from typing import Any

import torch
from torch import Tensor

from compress.compressed_data import EXAMPLES, shown
from compress.datasets import Dataset
from compress.dictionary import coherence, tropp_bound
from compress.omp import Codes, omp, omp_path
from compress.tiling import Tiling

SHOWN_ATOMS = 64


def view_of(data: Dataset, tiling: Tiling, mean: Tensor, atoms: Tensor, codes: Codes, nonzeros: int) -> dict[str, Any]:
    """One point: atoms by use, how well validation examples are rebuilt, what coherence promises, and pursuits.

    Args:
        mean: (features,) of a tile; atoms: (count, features); codes: of the training tiles.
    """
    usage = torch.bincount(codes.atoms[codes.atoms >= 0], minlength=len(atoms))
    held = torch.tensor(data.validation.inputs, device=atoms.device)
    tiles = tiling.cut(held)
    rebuilt = tiling.joined(omp(tiles - mean, atoms, nonzeros).sums(atoms) + mean)
    gap = (rebuilt - held).double().square()
    mu = coherence(atoms)
    return {"atoms": pictures_of(atoms, usage), "usage": usage.sort(descending=True).values.tolist(),
            "mean_nonzeros": float(codes.counts.float().mean()), "coherence": mu, "bound": tropp_bound(mu),
            "error": float(gap.sum() / (tiles - mean).double().square().sum().clamp_min(1e-30)),
            "psnr": 10 * log10(float(held.max() - held.min()) ** 2 / max(float(gap.mean()), 1e-30)),
            "rebuilt": shown(data, rebuilt[:EXAMPLES]),
            "paths": [path_of(tile, mean, atoms, nonzeros) for tile in middle_tiles(tiling, held[:EXAMPLES])]}


def middle_tiles(tiling: Tiling, examples: Tensor) -> Tensor:
    """(n, features): of each example the tile in which most happens."""
    tiles = tiling.cut(examples).view(len(examples), tiling.count, -1)
    return tiles[torch.arange(len(examples)), tiles.var(2).argmax(1)]


def path_of(tile: Tensor, mean: Tensor, atoms: Tensor, nonzeros: int) -> dict[str, Any]:
    """A tile's pursuit: at each step the chosen atom, its coefficients and error, and pictures of what is rebuilt and of
    what is left, after each step (the first before any)."""
    signal = tile - mean
    steps = omp_path(signal, atoms, nonzeros)
    left = torch.stack([signal, *(torch.tensor(step.residual).to(signal) for step in steps)])
    return {"tile": in_grey(tile[None], tile), "atoms": [step.atom for step in steps],
            "coefficients": [step.coefficients for step in steps], "errors": [1.0, *(step.error for step in steps)],
            "rebuilt": in_grey(tile - left, tile),
            "left": in_grey(left), "chosen": in_grey(atoms[[step.atom for step in steps]]) if steps else ""}


def pictures_of(atoms: Tensor, usage: Tensor) -> str:
    """The most used atoms, each in its own range around grey."""
    return in_grey(atoms[usage.argsort(descending=True, stable=True)[:SHOWN_ATOMS]])


def in_grey(rows: Tensor, like: Tensor | None = None) -> str:
    """Rows (n, features) as bytes, packed for transport: 'n,features,base64'. Each row around middle grey in its own range;
    all in the range of another tensor where one is given."""
    rows = rows.detach().double().cpu()
    if like is not None:
        low, high = float(like.min()), float(like.max())
        levels = (rows - low) / max(high - low, 1e-12) * 255
    else:
        levels = 127.5 + 127.5 * rows / rows.abs().amax(1, keepdim=True).clamp_min(1e-12)
    packed = zlib.compress(levels.clamp(0, 255).round().to(torch.uint8).numpy().tobytes(), 1)
    return f"{rows.shape[0]},{rows.shape[1]},{base64.b64encode(packed).decode()}"


def tile_shape(shape: tuple[int, ...], side: int) -> list[int]:
    """The form of a tile."""
    return [shape[0], *[side] * (len(shape) - 1)] if side else list(shape)
