"""Plain data of a layer's weights and mask for a page: a histogram and a small image."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import torch
from torch import Tensor, nn

BINS = 60
PICTURE = (100, 160)  # at most so many rows and columns of a mask's image


def histogram(weight: Tensor) -> dict[str, Any]:
    """The number of weights of a layer in each of BINS equal bins around zero."""
    reach = reach_of(weight)
    return {"reach": reach, "weights": counts(weight, reach)}


def picture(mask: Tensor) -> str:
    """A mask (rows, columns) as an image of the densities of its blocks, 0 to 255, as text: 'rows,columns,' and the base64
    of the compressed bytes."""
    rows, columns = (min(size, most) for size, most in zip(mask.shape, PICTURE, strict=True))
    shares = nn.functional.adaptive_avg_pool2d(mask[None].float(), (rows, columns))[0]
    levels = (255 * shares).round().to(torch.uint8).cpu().numpy().tobytes()
    return f"{rows},{columns},{base64.b64encode(zlib.compress(levels, 1)).decode()}"


def remaining_weights(matrix: Tensor, reach: float) -> dict[str, Any]:
    """The non-zero weights of a matrix (rows, columns): their number, smallest magnitude, histogram and image; and the
    number of rows without any ("silent_outputs")."""
    numbers = matrix.detach().cpu().numpy()
    nonzero = numbers != 0
    kept = torch.from_numpy(numbers.ravel().compress(nonzero.ravel()))
    return {"threshold": float(kept.abs().min()) if len(kept) else None, "kept": len(kept), "total": nonzero.size,
            "silent_outputs": int((~nonzero.any(1)).sum()), "outputs": len(nonzero), "weights": counts(kept, reach),
            "mask": picture(torch.from_numpy(nonzero))}


def reach_of(weight: Tensor) -> float:
    """The largest magnitude of the weights; 1 if all are zero."""
    return float(weight.detach().abs().max()) or 1.0


def counts(weights: Tensor, reach: float) -> list[int]:
    """The number of weights in each of BINS bins between -reach and reach; weights beyond count in the outer bins."""
    return torch.histc(weights.detach().float().cpu().clamp(-reach, reach), BINS, -reach, reach).int().tolist()
