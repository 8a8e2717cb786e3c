"""What a page shows of one layer's weights and mask, as plain data: a histogram, a small picture."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import torch
from torch import Tensor, nn

BINS = 60
PICTURE = (100, 160)  # the most rows and columns of a mask's picture


def histogram(weight: Tensor) -> dict[str, Any]:
    """Counts of a layer's weights in BINS equal bins around zero."""
    reach = reach_of(weight)
    return {"reach": reach, "weights": counts(weight, reach)}


def picture(mask: Tensor) -> str:
    """A mask (rows, columns) as density of its blocks in bytes, packed for transport: 'rows,columns,base64'."""
    rows, columns = (min(size, most) for size, most in zip(mask.shape, PICTURE, strict=True))
    shares = nn.functional.adaptive_avg_pool2d(mask[None].float(), (rows, columns))[0]
    levels = (255 * shares).round().to(torch.uint8).cpu().numpy().tobytes()
    return f"{rows},{columns},{base64.b64encode(zlib.compress(levels, 1)).decode()}"


def remaining_weights(matrix: Tensor, reach: float) -> dict[str, Any]:
    """What is left of a weight matrix (rows, columns): how much, the smallest size, rows without a weight, histogram and
    picture."""
    numbers = matrix.detach().cpu().numpy()
    held = numbers != 0
    left = torch.from_numpy(numbers.ravel().compress(held.ravel()))
    return {"threshold": float(left.abs().min()) if len(left) else None, "kept": len(left), "total": held.size,
            "silent_outputs": int((~held.any(1)).sum()), "outputs": len(held), "weights": counts(left, reach),
            "mask": picture(torch.from_numpy(held))}


def reach_of(weight: Tensor) -> float:
    """Size of the largest weight; 1 where all are zero."""
    return float(weight.detach().abs().max()) or 1.0


def counts(weights: Tensor, reach: float) -> list[int]:
    """How many weights are in each of BINS bins between -reach and reach."""
    return torch.histc(weights.detach().float().cpu().clamp(-reach, reach), BINS, -reach, reach).int().tolist()
