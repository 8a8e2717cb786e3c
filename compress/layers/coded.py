"""A layer whose weights are sparse combinations of a few atoms: a dictionary, indices and coefficients.

The weight matrix W (rows = outputs, columns = inputs x kernel) is cut into blocks of `height` outputs of one column. Each
block is a signal w = c D with at most s non-zeros in c, so that the layer can run as D^T (C x).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.layers.base import Compressed, dense_plain, dense_rebuild
from compress.layers.bit_packing import bits_for, bytes_for, packed, unpacked
from compress.layers.dense_weight import DenseWeightLayer
from compress.layers.sparse import convolved

STORAGES = {"float32": torch.float32, "float16": torch.float16, "int8": torch.int8}
SPARSE_COST = 6  # dense multiply-adds in the time of a sparse one, on a CPU with batches
HEADER = 330  # bytes by which the file's header grows against a dense layer's, about


@dataclass(frozen=True)
class Blocks:
    """How a weight matrix (rows, columns) is cut: blocks of `height` outputs of one column; the last ones are padded with
    zeros where height does not divide rows."""

    rows: int
    columns: int
    height: int

    @property
    def bands(self) -> int:
        """Blocks on top of each other."""
        return -(-self.rows // self.height)

    @property
    def count(self) -> int:
        """Blocks in all."""
        return self.bands * self.columns

    def signals(self, matrix: Tensor) -> Tensor:
        """(rows, columns) -> (count, height): band by band, column by column."""
        padded = functional.pad(matrix, (0, 0, 0, self.bands * self.height - self.rows))
        return padded.view(self.bands, self.height, self.columns).transpose(1, 2).reshape(self.count, self.height)

    def matrix(self, signals: Tensor) -> Tensor:
        """The opposite of signals()."""
        tall = signals.view(self.bands, self.columns, self.height).transpose(1, 2)
        return tall.reshape(self.bands * self.height, self.columns)[:self.rows]


class Coded(DenseWeightLayer, Compressed):
    """A linear or convolutional layer stored as `atoms` (count, height), `values` (blocks, nonzeros), packed `indices` and
    the bias. A place that a block does not use has the value 0. With storage "int8", values are whole numbers times a
    scale."""

    kind = "coded"

    def __init__(self, template: nn.Module, height: int, atoms: int, nonzeros: int, storage: str) -> None:
        """Takes the sizes and the bias of a dense layer; atoms, values and indices are all zero."""
        super().__init__()
        self.options, self.shape, self.storage = dense_plain(template), template.weight.shape, storage
        self.blocks = Blocks(self.shape[0], self.shape[1:].numel(), height)
        self.count, self.nonzeros = atoms, nonzeros
        self.bias = None if template.bias is None else nn.Parameter(template.bias.detach().clone())
        self.atoms = nn.Parameter(torch.zeros(atoms, height))
        places = self.blocks.count * nonzeros
        self.register_buffer("indices", torch.zeros(bytes_for(places, bits_for(atoms)), dtype=torch.uint8))
        values = torch.zeros(self.blocks.count, nonzeros, dtype=STORAGES[storage])
        if storage == "int8":
            self.register_buffer("values", values)
            self.register_buffer("scale", torch.ones(()))
        else:
            self.values = nn.Parameter(values)

    @classmethod
    def of(cls, layer: nn.Module, height: int, atoms: Tensor, chosen: Tensor, values: Tensor, storage: str) -> Coded:
        """A dense layer's stand-in.

        Args:
            atoms: (count, height); chosen: (blocks, nonzeros) indices of atoms; values: (blocks, nonzeros), 0 where a
                place is not used (its index may be anything, also -1).
        """
        made = cls(layer, height, len(atoms), chosen.shape[1], storage)
        made.atoms = nn.Parameter(atoms.detach().to(layer.weight.dtype).clone())
        made.indices = torch.from_numpy(packed(chosen.clamp_min(0).cpu().numpy(), bits_for(len(atoms))))
        if storage == "int8":
            made.scale = values.detach().abs().max().clamp_min(1e-12).float() / 127
            made.values = (values.detach() / made.scale).round().to(torch.int8)
        else:
            made.values = nn.Parameter(values.detach().to(made.values.dtype).clone())
        made.to(layer.weight.device)
        return made.train(layer.training)

    def stored_as(self, storage: str) -> Coded:
        """A NEW layer with its coefficients stored in another way."""
        template = dense_rebuild(self.options).to(self.atoms.device).train(self.training)
        template.bias = self.bias
        return Coded.of(template, self.blocks.height, self.atoms, self.chosen(), self.coefficients, storage)

    @property
    def coefficients(self) -> Tensor:
        """(blocks, nonzeros) float32."""
        return self.values.float() * self.scale if self.storage == "int8" else self.values.float()

    @property
    def product_macs(self) -> int:
        """Multiply-adds of D^T (C x) for one position: the codes', then each band's atoms."""
        return int(torch.count_nonzero(self.values)) + self.blocks.bands * self.atoms.numel()

    @property
    def runs_as_product(self) -> bool:
        """Whether D^T (C x) is likely to be faster than W x: a multiply-add of the sparse codes takes as long as
        SPARSE_COST dense ones."""
        codes = int(torch.count_nonzero(self.values))
        cost = self.product_macs + (SPARSE_COST - 1) * codes
        return self.options["type"] == "Linear" and cost < self.shape.numel()

    @property
    def macs_per_position(self) -> int:
        """Multiply-adds for one output position as the layer runs."""
        return self.product_macs if self.runs_as_product else self.shape.numel()

    def plain(self) -> dict[str, Any]:
        return {"dense": self.options, "height": self.blocks.height, "atoms": self.count, "nonzeros": self.nonzeros,
                "storage": self.storage}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> nn.Module:
        return cls(dense_rebuild(plain["dense"]), int(plain["height"]), int(plain["atoms"]), int(plain["nonzeros"]),
                   plain["storage"])

    def chosen(self) -> Tensor:
        """(blocks, nonzeros) int64: which atoms a block uses."""
        count = self.blocks.count * self.nonzeros
        numbers = unpacked(self.indices.cpu().numpy(), count, bits_for(self.count))
        return torch.from_numpy(numbers).view(self.blocks.count, self.nonzeros).to(self.atoms.device)

    def forward(self, batch: Tensor) -> Tensor:
        if self.options["type"] != "Linear":
            return convolved(batch, self.weight, self.bias, self.options)
        if self.training or self.codes is None or batch.is_cuda:
            return functional.linear(batch, self.weight, self.bias)
        coded = (self.codes @ batch.reshape(-1, batch.shape[-1]).mT).view(self.blocks.bands, self.count, -1)
        product = torch.matmul(self.atoms.mT, coded).reshape(self.blocks.bands * self.blocks.height, -1)
        product = product[:self.shape[0]].mT
        return (product if self.bias is None else product + self.bias).reshape(*batch.shape[:-1], -1)

    def __getstate__(self) -> dict[str, Any]:
        """For copies: torch cannot copy a CSR tensor, so it is made anew."""
        return {**self.__dict__, "codes": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not self.training and hasattr(self, "dense"):
            self._refresh(self.dense)

    def _dense_weight(self) -> Tensor:
        signals = (self.coefficients[..., None] * self.atoms[self.chosen()]).sum(1)
        return self.blocks.matrix(signals).view(self.shape)

    def _prepare(self) -> None:
        """The codes of all bands on top of each other, (bands x count, columns) as CSR, where the product is cheaper."""
        self.codes = None
        if not self.runs_as_product or self.atoms.is_cuda:
            return
        values, chosen = self.coefficients.detach(), self.chosen()
        held = values != 0
        block = torch.arange(self.blocks.count)[:, None].expand_as(chosen)[held]
        rows = block // self.blocks.columns * self.count + chosen[held]
        places = torch.stack([rows, block % self.blocks.columns])
        size = (self.blocks.bands * self.count, self.blocks.columns)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse")
            summed = torch.sparse_coo_tensor(places, values[held], size, check_invariants=False).coalesce()
            self.codes = summed.to_sparse_csr()


def stored_bytes(layer: nn.Module, height: int, atoms: int, nonzeros: int, storage: str) -> int:
    """Bytes that a layer takes as a Coded one, without its bias, its header included."""
    blocks = Blocks(layer.weight.shape[0], layer.weight[0].numel(), height)
    places = blocks.count * nonzeros
    return (HEADER + 4 * atoms * height + places * STORAGES[storage].itemsize + bytes_for(places, bits_for(atoms)))
