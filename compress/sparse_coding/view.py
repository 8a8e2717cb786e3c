"""Plain data that a page shows of sparse codes: atoms as images, rebuilt examples, and a pursuit step by step."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Sequence
from math import log10
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.pictures import thinned
from compress.files.data_file import EXAMPLES, shown
from compress.layers.tiling import Tiling
from compress.solvers.codes import Codes, codes_as_stored
from compress.solvers.dictionary import coherence, initial, tropp_bound
from compress.solvers.ksvd import State
from compress.solvers.pursuit import SparseCoder

SHOWN_ATOMS, WORDS_OF_ATOM = 64, 4


def view_of(data: Dataset, tiling: Tiling, mean: Tensor, atoms: Tensor, codes: Codes, scale: Tensor, coder: SparseCoder,
            components: tuple[Tensor, Tensor]) -> dict[str, Any]:
    """The view of one point: atoms by use, errors on validation examples of this dictionary and of others for as many bytes,
    the coherence and its bound, and pursuits.

    Args:
        mean: (features,), subtracted from tiles before they are coded.
        atoms: (count, features).
        codes: of the training tiles.
        scale: of the stored coefficients; coefficients of validation tiles are rounded with the same scale.
        components: the mean tile, and principal components (k, features) that take as many bytes as the codes.
    """
    usage = torch.bincount(codes.indices[codes.indices >= 0], minlength=len(atoms))
    examples = torch.tensor(data.validation.inputs, device=atoms.device)
    tiles = tiling.cut(examples) - mean

    def coded(signals: Tensor) -> Tensor:
        return codes_as_stored(coder(signals, atoms), scale).decode(atoms) + mean

    mu, signal_shape = coherence(atoms), shape_of_tile(data.shape, tiling.side)
    by_use = atoms[usage.argsort(descending=True, stable=True)]  # so that a pursuit numbers the atoms as their pictures do
    others = SparseCoder(coder.nonzeros, coder.tolerance)
    errors = {kind: _relative_error(tiling, examples, others(tiles, other).decode(other) + mean) for kind, other in (
        (kind, initial(tiles, len(atoms), kind, signal_shape=signal_shape)) for kind in ("dct", "random"))}
    return {"atoms": pictures_of(atoms, usage, signal_shape), "usage": usage.sort(descending=True).values.tolist(),
            "mean_nonzeros": float(codes.nnz.float().mean()), "counts": _counts(codes, coder.nonzeros),
            "coherence": mu, "bound": min(tropp_bound(mu), float(len(atoms))),
            "others": {**errors, "components": _error_of_components(tiling, examples, *components)},
            "words": words_of(data, by_use), **_rebuilt(data, tiling, examples, coded(tiles)),
            **scene_of(data, lambda scene: tiling.joined(coded(tiling.cut(scene) - mean)), atoms.device),
            "paths": [path_of(tile, mean, by_use, coder, signal_shape)
                      for tile in busiest_tiles(tiling, examples[:EXAMPLES])]}


def components_view(data: Dataset, tiling: Tiling, mean: Tensor, basis: Tensor) -> dict[str, Any]:
    """The view of a point of principal components (count, features): the components and the error on validation examples."""
    validation = torch.tensor(data.validation.inputs, device=basis.device)

    def tiles_of(examples: Tensor) -> Tensor:
        return (tiling.cut(examples) - mean) @ basis.mT @ basis + mean

    return {"atoms": in_grey(basis[:SHOWN_ATOMS], shape_of_tile(data.shape, tiling.side)), "components": len(basis),
            "words": words_of(data, basis), **_rebuilt(data, tiling, validation, tiles_of(validation)),
            **scene_of(data, lambda examples: tiling.joined(tiles_of(examples)), basis.device)}


def words_of(data: Dataset, atoms: Tensor) -> list[str]:
    """For each atom (count, features) of a bag of words that is shown, the words that weigh most in it, those of the sign
    that weighs more; [] for other data."""
    if data.kind != "tabular" or len(data.words) != atoms.shape[1]:
        return []
    largest = atoms.gather(1, atoms.abs().argmax(1, keepdim=True)).sign()
    weights, places = (atoms * largest)[:SHOWN_ATOMS].topk(min(WORDS_OF_ATOM, atoms.shape[1]))
    return [", ".join(data.words[place] for place, weight in zip(row, own, strict=True) if weight > own[0] / 5)
            for row, own in zip(places.tolist(), weights.tolist(), strict=True)]


def atoms_so_far(state: State, shape: Sequence[int]) -> str:
    """Images of the atoms, which have this shape, while a dictionary is learned, the most used first, encoded."""
    return pictures_of(state.atoms, state.usage, shape)


def scene_of(data: Dataset, rebuild: Callable[[Tensor], Tensor], device: torch.device | str = "cpu") -> dict[str, Any]:
    """The images that the examples were cut from, rebuilt example by example: encoded bytes, their shape, and the peak
    signal-to-noise ratio in decibels; {} for data without such images."""
    scene = data.origin.get("scene")
    if scene is None:
        return {}
    squares = Tiling(scene.shape[1:], data.shape[-1])
    examples = squares.cut(torch.tensor(scene.astype(np.float32))).view(-1, *data.shape)
    coded = rebuild(torch.tensor(data.normaliser.apply(examples.numpy()), device=device))
    values = torch.tensor(data.normaliser.undo(coded.cpu().numpy())).clamp(0, 255).round()
    whole = squares.joined(values.flatten(1))
    gap = float((whole - torch.tensor(scene.astype(np.float32))).square().mean())
    return {"scene": encoded(whole.flatten(1)), "scene_shape": list(scene.shape[1:]),
            "scene_psnr": 10 * log10(255 ** 2 / max(gap, 1e-9))}


def _rebuilt(data: Dataset, tiling: Tiling, examples: Tensor, tiles: Tensor) -> dict[str, Any]:
    """The error of examples rebuilt from coded tiles, their peak signal-to-noise ratio, and some rebuilt examples."""
    rebuilt = tiling.joined(tiles)
    gap = (rebuilt - examples).double().square()
    reach = max(float(examples.max() - examples.min()), 1e-15)  # all examples may be equal
    return {"error": _relative_error(tiling, examples, tiles), "rebuilt": shown(data, rebuilt[:EXAMPLES]),
            "psnr": 10 * log10(reach ** 2 / max(float(gap.mean()), 1e-30))}


def _relative_error(tiling: Tiling, examples: Tensor, tiles: Tensor) -> float:
    """Squared error of examples joined from these tiles, over the examples' energy around their mean."""
    spread = (examples - examples.mean(0)).double().square().sum().clamp_min(1e-30)
    return float((tiling.joined(tiles) - examples).double().square().sum() / spread)


def _error_of_components(tiling: Tiling, examples: Tensor, centre: Tensor, basis: Tensor) -> float:
    """The relative error of a projection onto principal components (k, features)."""
    return _relative_error(tiling, examples, (tiling.cut(examples) - centre) @ basis.mT @ basis + centre)


def _counts(codes: Codes, most: int) -> list[int]:
    """How many signals have 0, 1, ... atoms."""
    return torch.bincount(codes.nnz, minlength=most + 1).tolist()


def busiest_tiles(tiling: Tiling, examples: Tensor) -> Tensor:
    """(n, features): of each example the tile with the largest variance."""
    tiles = tiling.cut(examples).view(len(examples), tiling.count, -1)
    return tiles[torch.arange(len(examples)), tiles.var(2).argmax(1)]


def path_of(tile: Tensor, mean: Tensor, atoms: Tensor, coder: SparseCoder, shape: Sequence[int]) -> dict[str, Any]:
    """A tile's pursuit: at each step the chosen atom, the support, coefficients and error; and images of the rebuilt tile
    and of the residual around its mean, before the first step and after each step, all residuals to the scale of the
    largest: they fade to grey."""
    signal = tile - mean
    steps = coder.path(signal, atoms)
    residuals = torch.stack([signal, *(torch.tensor(step.residual).to(signal) for step in steps)])
    centred = residuals - residuals.mean(1, keepdim=True)  # a tile far from the mean of all would be black, or white
    reach = centred.abs().max()
    return {"tile": in_grey(tile[None], shape, tile), "atoms": [step.atom for step in steps],
            "supports": [step.support for step in steps],
            "coefficients": [step.coefficients for step in steps], "errors": [1.0, *(step.error for step in steps)],
            "rebuilt": in_grey(tile - residuals, shape, tile),
            "left": in_grey(centred, shape, torch.stack([-reach, reach])),
            "chosen": in_grey(atoms[[step.atom for step in steps]], shape) if steps else ""}


def pictures_of(atoms: Tensor, usage: Tensor, shape: Sequence[int]) -> str:
    """Images of the most used atoms, each scaled to its own range around grey."""
    return in_grey(atoms[usage.argsort(descending=True, stable=True)[:SHOWN_ATOMS]], shape)


def in_grey(rows: Tensor, shape: Sequence[int], like: Tensor | None = None) -> str:
    """Rows (n, features) of this shape as grey levels, encoded(): of each what is shown of it (see thinned()). Each row is
    scaled to its own range around middle grey, or all rows to the range of `like` where it is given."""
    rows = rows.detach().double().cpu()
    if like is not None:
        low, high = float(like.min()), float(like.max())
        levels = (rows - low) / max(high - low, 1e-12) * 255
    else:
        levels = 127.5 + 127.5 * rows / rows.abs().amax(1, keepdim=True).clamp_min(1e-12)
    return encoded(torch.from_numpy(thinned(levels.clamp(0, 255).round().numpy(), shape)).flatten(1))


def encoded(levels: Tensor) -> str:
    """Whole numbers 0..255 (n, features) as text: 'n,features,' and the base64 of the compressed bytes."""
    contents = zlib.compress(levels.cpu().to(torch.uint8).numpy().tobytes(), 1)
    return f"{levels.shape[0]},{levels.shape[1]},{base64.b64encode(contents).decode()}"


def shape_of_tile(shape: tuple[int, ...], side: int) -> list[int]:
    """The shape of a tile."""
    return [shape[0], *[side] * (len(shape) - 1)] if side else list(shape)
