"""The 64 largest singular values of two large matrices: python -m tests.benchmarks.spectrum

Ours is exact (to 1e-6 of each value); the two others are the well-known randomized ways at their defaults, with the
errors that they make. Spectra fall as those of trained layers and of images do, or hardly at all, as noise's do.
Matrices are float32, as weights and data are.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import torch
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

from compress.solvers.svd import spectrum
from tests.benchmarks.report import show
from tests.benchmarks.timing import spread, table, taking_turns

COUNT = 64
ROUNDS = 7
SHAPES = ((4096, 1024), (784, 20_000))
SPECTRA: dict[str, Callable[[Tensor], Tensor]] = {
    "decaying (1 / i)": lambda place: 1 / (1 + place),
    "decaying (exp -i/50, and noise)": lambda place: torch.exp(-place / 50) + 0.01,
    "flat": lambda place: 1 - 0.2 * place / len(place),
}


def speed() -> str:
    """A table with one row for each matrix."""
    rows = [compared(shape, name) for shape in SHAPES for name in SPECTRA]
    return table(["matrix", "spectrum", "ours, s", "sklearn randomized_svd, s", "torch svd_lowrank, s", "ours / sklearn",
                  "largest relative error: ours", "sklearn", "torch"], rows)


def compared(shape: tuple[int, int], name: str) -> list[object]:
    """One row of the table."""
    made = matrix(shape, SPECTRA[name])
    exact = torch.linalg.svdvals(made.double())[:COUNT]
    plain = made.numpy()
    ways = {"ours": lambda number: spectrum(made, COUNT),
            "sklearn": lambda number: torch.tensor(randomized_svd(plain, COUNT, random_state=number)[1]),
            "torch": lambda number: torch.svd_lowrank(made, COUNT)[1]}
    seconds, results = taking_turns(ways, ROUNDS)
    errors = {way: max(float(((found.double() - exact) / exact).abs().max()) for found in results[way]) for way in ways}
    ratio = median(seconds["sklearn"]) / median(seconds["ours"])
    return ["x".join(map(str, shape)), name, *(spread(seconds[way]) for way in ways), f"1/{ratio:.2f}",
            *(f"{errors[way]:.1e}" for way in ways)]


def matrix(shape: tuple[int, int], falling: Callable[[Tensor], Tensor]) -> Tensor:
    """A float32 matrix with this spectrum between random orthonormal bases."""
    generator = torch.Generator().manual_seed(0)
    full = min(shape)
    left, right = (torch.linalg.qr(torch.randn(side, full, generator=generator)).Q for side in shape)
    return (left * falling(torch.arange(full, dtype=torch.float32))) @ right.mT


PARTS = {"speed": speed}

if __name__ == "__main__":
    show(PARTS)
