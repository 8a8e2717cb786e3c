"""What a page shows of coded data: atoms as pictures, examples rebuilt, and a pursuit step by step; plain data."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from math import log10
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.files.data_file import EXAMPLES, shown
from compress.files.quantised import as_stored
from compress.solvers.codes import Codes
from compress.solvers.dictionary import coherence, initial, tropp_bound
from compress.solvers.ksvd import State
from compress.solvers.pursuit import SparseCoder
from compress.sparse_coding.tiling import Tiling

SHOWN_ATOMS = 64


def view_of(data: Dataset, tiling: Tiling, mean: Tensor, atoms: Tensor, codes: Codes, scale: Tensor, pursuit: SparseCoder,
            components: tuple[Tensor, Tensor]) -> dict[str, Any]:
    """One point: atoms by use, how well validation examples are rebuilt, what other dictionaries leave in as many bytes,
    what coherence promises, and pursuits.

    Args:
        mean: (features,) of a tile; atoms: (count, features); codes: of the training tiles, and the scale by
            which their coefficients are stored, so that others are rounded alike.
        components: the mean tile, and principal components (k, features) that take the bytes of the codes.
    """
    usage = torch.bincount(codes.indices[codes.indices >= 0], minlength=len(atoms))
    held = torch.tensor(data.validation.inputs, device=atoms.device)
    tiles = tiling.cut(held) - mean

    def coded(signals: Tensor) -> Tensor:
        return as_stored(pursuit(signals, atoms), scale).decode(atoms) + mean

    mu, signal_shape = coherence(atoms), shape_of_tile(data.shape, tiling.side)
    by_use = atoms[usage.argsort(descending=True, stable=True)]  # so that a pursuit counts them as their pictures do
    others = SparseCoder(pursuit.nonzeros, pursuit.tolerance)
    left = {kind: _left(tiling, held, others(tiles, rival).decode(rival) + mean) for kind, rival in (
        (kind, initial(tiles, len(atoms), kind, signal_shape=signal_shape)) for kind in ("dct", "random"))}
    return {"atoms": pictures_of(atoms, usage), "usage": usage.sort(descending=True).values.tolist(),
            "mean_nonzeros": float(codes.nnz.float().mean()), "counts": _counts(codes, pursuit.nonzeros),
            "coherence": mu, "bound": min(tropp_bound(mu), float(len(atoms))),
            "others": {**left, "components": _left_by_components(tiling, held, *components)},
            **_rebuilt(data, tiling, held, coded(tiles)),
            **scene_of(data, lambda examples: tiling.joined(coded(tiling.cut(examples) - mean)), atoms.device),
            "paths": [path_of(tile, mean, by_use, pursuit) for tile in middle_tiles(tiling, held[:EXAMPLES])]}


def components_view(data: Dataset, tiling: Tiling, mean: Tensor, basis: Tensor) -> dict[str, Any]:
    """A point of principal components (count, features): these, and how well validation examples are rebuilt."""
    held = torch.tensor(data.validation.inputs, device=basis.device)

    def tiles_of(examples: Tensor) -> Tensor:
        return (tiling.cut(examples) - mean) @ basis.mT @ basis + mean

    return {"atoms": in_grey(basis[:SHOWN_ATOMS]), "components": len(basis), **_rebuilt(data, tiling, held, tiles_of(held)),
            **scene_of(data, lambda examples: tiling.joined(tiles_of(examples)), basis.device)}


def learning_view(state: State) -> dict[str, Any]:
    """What is shown while a dictionary is learned: its atoms, most used first, and how many signals use each."""
    return {"atoms": pictures_of(state.atoms, state.usage), "usage": state.usage.sort(descending=True).values.tolist()}


def scene_of(data: Dataset, rebuild: Callable[[Tensor], Tensor], device: torch.device | str = "cpu") -> dict[str, Any]:
    """The pictures that the examples were cut from, rebuilt example by example: packed bytes, their form, and the peak
    signal-to-noise ratio in decibels; {} for data without any."""
    scene = data.origin.get("scene")
    if scene is None:
        return {}
    squares = Tiling(scene.shape[1:], data.shape[-1])
    examples = squares.cut(torch.tensor(scene.astype(np.float32))).view(-1, *data.shape)
    coded = rebuild(torch.tensor(data.normaliser.apply(examples.numpy()), device=device))
    values = torch.tensor(data.normaliser.undo(coded.cpu().numpy())).clamp(0, 255).round()
    whole = squares.joined(values.flatten(1))
    gap = float((whole - torch.tensor(scene.astype(np.float32))).square().mean())
    return {"scene": packed(whole.flatten(1)), "scene_shape": list(scene.shape[1:]),
            "scene_psnr": 10 * log10(255 ** 2 / max(gap, 1e-9))}


def _rebuilt(data: Dataset, tiling: Tiling, held: Tensor, tiles: Tensor) -> dict[str, Any]:
    """How well validation examples are rebuilt from their coded tiles, and some of them."""
    rebuilt = tiling.joined(tiles)
    gap = (rebuilt - held).double().square()
    reach = max(float(held.max() - held.min()), 1e-15)  # examples may all be the same
    return {"error": _left(tiling, held, tiles), "rebuilt": shown(data, rebuilt[:EXAMPLES]),
            "psnr": 10 * log10(reach ** 2 / max(float(gap.mean()), 1e-30))}


def _left(tiling: Tiling, held: Tensor, tiles: Tensor) -> float:
    """Squared error of examples put together from these tiles, over their energy around their mean."""
    spread = (held - held.mean(0)).double().square().sum().clamp_min(1e-30)
    return float((tiling.joined(tiles) - held).double().square().sum() / spread)


def _left_by_components(tiling: Tiling, held: Tensor, centre: Tensor, basis: Tensor) -> float:
    return _left(tiling, held, (tiling.cut(held) - centre) @ basis.mT @ basis + centre)


def _counts(codes: Codes, most: int) -> list[int]:
    """How many signals have 0, 1, ... atoms."""
    return torch.bincount(codes.nnz, minlength=most + 1).tolist()


def middle_tiles(tiling: Tiling, examples: Tensor) -> Tensor:
    """(n, features): of each example the tile in which most happens."""
    tiles = tiling.cut(examples).view(len(examples), tiling.count, -1)
    return tiles[torch.arange(len(examples)), tiles.var(2).argmax(1)]


def path_of(tile: Tensor, mean: Tensor, atoms: Tensor, pursuit: SparseCoder) -> dict[str, Any]:
    """A tile's pursuit: at each step the chosen atom, its coefficients and error, and pictures of what is rebuilt and of
    what is left, after each step (the first before any)."""
    signal = tile - mean
    steps = pursuit.path(signal, atoms)
    left = torch.stack([signal, *(torch.tensor(step.residual).to(signal) for step in steps)])
    return {"tile": in_grey(tile[None], tile), "atoms": [step.atom for step in steps],
            "supports": [step.support for step in steps],
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
    return packed(levels.clamp(0, 255).round())


def packed(levels: Tensor) -> str:
    """Whole numbers 0..255 (n, features), packed for transport."""
    contents = zlib.compress(levels.cpu().to(torch.uint8).numpy().tobytes(), 1)
    return f"{levels.shape[0]},{levels.shape[1]},{base64.b64encode(contents).decode()}"


def shape_of_tile(shape: tuple[int, ...], side: int) -> list[int]:
    """The shape of a tile."""
    return [shape[0], *[side] * (len(shape) - 1)] if side else list(shape)
