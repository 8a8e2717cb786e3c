"""Fronts: modules that compute the features of a classifier from examples, and bottlenecks between hidden layers."""

from __future__ import annotations

import dataclasses
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.tiling import Tiling
from compress.networks.composite import Front
from compress.networks.plain_values import flag, whole, wholes
from compress.settings import shown
from compress.solvers.codes import codes_as_stored, rounded
from compress.solvers.pursuit import SparseCoder


class Coder(Front):
    """Examples (n, *shape) -> their codes (n, tiles x atoms), by orthogonal matching pursuit."""

    kind = "coder"
    mean: Tensor

    def __init__(self, tiling: Tiling, mean: Tensor, atoms: Tensor, pursuit: SparseCoder) -> None:
        super().__init__()
        self.tiling, self.pursuit, self.shape = tiling, pursuit, tiling.shape
        self.atoms = _fixed(atoms)
        self.register_buffer("mean", mean)

    def forward(self, batch: Tensor) -> Tensor:
        codes = self.pursuit(self.tiling.cut(batch) - self.mean, self.atoms)
        return codes.dense(len(self.atoms)).reshape(batch.shape[0], -1)

    def plain(self) -> dict[str, Any]:
        return {**_plain_tiling(self.tiling), "atoms": len(self.atoms), **dataclasses.asdict(self.pursuit)}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Coder:
        tiling = _tiling(plain)
        return cls(tiling, torch.zeros(tiling.features), torch.zeros(whole(plain, "atoms", 1), tiling.features),
                   _pursuit(plain))


class Projection(Front):
    """Examples (n, *shape) -> (n, tiles x count): each tile less the mean, projected by a matrix (features, count)."""

    kind = "projection"
    mean: Tensor

    def __init__(self, tiling: Tiling, mean: Tensor, matrix: Tensor) -> None:
        super().__init__()
        self.tiling, self.shape = tiling, tiling.shape
        self.matrix = _fixed(matrix)
        self.register_buffer("mean", mean)

    @property
    def weight(self) -> Tensor:
        """The matrix as that of a linear layer (count, features)."""
        return self.matrix.mT

    @property
    def macs_per_position(self) -> int:
        """Multiply-accumulates for each tile."""
        return self.matrix.numel()

    def forward(self, batch: Tensor) -> Tensor:
        return ((self.tiling.cut(batch) - self.mean) @ self.matrix).reshape(batch.shape[0], -1)

    def plain(self) -> dict[str, Any]:
        return {**_plain_tiling(self.tiling), "count": self.matrix.shape[1]}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Projection:
        tiling = _tiling(plain)
        return cls(tiling, torch.zeros(tiling.features), torch.zeros(tiling.features, whole(plain, "count", 1)))


class Scale(Front):
    """Divides features by a number."""

    kind = "scale"
    scale: Tensor

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, batch: Tensor) -> Tensor:
        return batch / self.scale

    def contradiction(self) -> str:
        return _of_scale(self.scale)

    def plain(self) -> dict[str, Any]:
        return {}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Scale:
        return cls(torch.ones(()))


class SparseBottleneck(Front):
    """Hidden outputs (n, ...) -> the outputs rebuilt from sparse codes: few atoms, coefficients of one byte."""

    kind = "sparse_bottleneck"
    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, atoms: Tensor, scale: Tensor, pursuit: SparseCoder) -> None:
        super().__init__()
        self.pursuit = pursuit
        self.atoms = _fixed(atoms)
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, batch: Tensor) -> Tensor:
        kept = codes_as_stored(self.pursuit(batch.reshape(-1, len(self.mean)) - self.mean, self.atoms), self.scale)
        return (kept.decode(self.atoms) + self.mean).reshape(batch.shape)

    def contradiction(self) -> str:
        return _of_scale(self.scale)

    def plain(self) -> dict[str, Any]:
        return {"atoms": list(self.atoms.shape), **dataclasses.asdict(self.pursuit)}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> SparseBottleneck:
        count, features = wholes(plain, "atoms", 1, (2,))
        return cls(torch.zeros(features), torch.zeros(count, features), torch.ones(()), _pursuit(plain))


class PCABottleneck(Front):
    """Hidden outputs (n, ...) -> the outputs rebuilt from principal components, with numbers of one byte."""

    kind = "pca_bottleneck"
    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, atoms: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.atoms = _fixed(atoms)
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, batch: Tensor) -> Tensor:
        kept = rounded((batch.reshape(-1, len(self.mean)) - self.mean) @ self.atoms.mT, self.scale)
        return (kept @ self.atoms + self.mean).reshape(batch.shape)

    def contradiction(self) -> str:
        return _of_scale(self.scale)

    def plain(self) -> dict[str, Any]:
        return {"atoms": list(self.atoms.shape)}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> PCABottleneck:
        count, features = wholes(plain, "atoms", 1, (2,))
        return cls(torch.zeros(features), torch.zeros(count, features), torch.ones(count))


def _fixed(numbers: Tensor) -> nn.Parameter:
    """A parameter that counts as a parameter but is not trained."""
    return nn.Parameter(numbers.detach().clone(memory_format=torch.contiguous_format), requires_grad=False)


def _plain_tiling(tiling: Tiling) -> dict[str, Any]:
    return {"shape": list(tiling.shape), "side": tiling.side, "step": tiling.step}


def _tiling(plain: dict[str, Any]) -> Tiling:
    """Raises ValueError for sides and steps that make no tiles."""
    shape = wholes(plain, "shape", 1, (1, 2, 3))
    tiling = Tiling(shape, whole(plain, "side", 0, min(shape[1:], default=0)), whole(plain, "step"))
    if not tiling.fits:
        raise ValueError(f"tiles of side {tiling.side} and step {tiling.step} do not fit examples of shape {shape}")
    return tiling


def _pursuit(plain: dict[str, Any]) -> SparseCoder:
    """Raises ValueError for settings that no pursuit has."""
    tolerance = plain.get("tolerance")
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < inf:
        raise ValueError(f"tolerance must be a number of at least 0, but got {shown(tolerance)}")
    return SparseCoder(whole(plain, "nonzeros", 1), float(tolerance), flag(plain, "nonnegative"))


def _of_scale(scale: Tensor) -> str:
    """The contradiction of a scale that numbers are divided by."""
    return "" if bool((scale > 0).all()) else "a scale is not positive"
