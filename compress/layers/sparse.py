"""A layer that stores its non-zero weights, with a bitmask or with column indices, whichever is smaller; or its columns that
are not all zero.

It computes with torch's CSR kernels where these are faster on a CPU, and with the dense matrix otherwise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.layers.base import Compressed, DenseLayer, dense_like, dense_outputs, dense_plain, dense_rebuild
from compress.layers.bit_packing import Rows, Symbols
from compress.layers.dense_weight import DenseWeightLayer
from compress.networks.plain_values import whole
from compress.settings import shown

CSR_DENSITY = 0.15  # measured: up to here, CSR products of a batch are faster than dense ones on one core
CSR_DENSITY_OF_ONE = 0.05  # the same for a few examples at a time
FEW_EXAMPLES = 8
HEADERS = {"csr": 250, "bitmask": 184, "columns": 184}  # bytes by which the file's header grows against a dense one's, about
GEOMETRY = 100  # more of them for a convolution
BITS: dict[str, Callable[[int, int], int]] = {  # bits of a form's mask
    "bitmask": lambda rows, columns: rows * columns, "columns": lambda rows, columns: columns}


class Sparse(DenseWeightLayer, Compressed):
    """A linear or convolutional layer with zeros in its weight matrix (rows = outputs, columns = inputs x kernel).

    It stores `values`, the non-zero weights by rows, the bias, and the positions of the values in one of three forms:

    - bitmask: `mask`, one bit for each weight.
    - columns: `mask`, one bit for each column. The values are all weights of the columns that stay. For layers that no
      longer read some of their inputs, such as embedding tables without the rows of some tokens.
    - csr: `columns`, the index of each value in the smallest integer type, and `counts`, the number of values of each row.
    """

    kind = "sparse"
    values: Tensor
    mask: Tensor
    columns: Tensor
    counts: Tensor
    bias: Tensor | None
    rows: Tensor | None
    limits = (CSR_DENSITY, CSR_DENSITY_OF_ONE)  # largest densities at which CSR kernels run: a batch, a few examples

    def __init__(self, template: DenseLayer, form: str, nonzeros: int) -> None:
        """A layer with the sizes and the bias of a dense layer on any device, without its weights."""
        super().__init__()
        self.form, self.options, self.shape = form, dense_plain(template), template.weight.shape
        rows, columns = self.shape[0], self.shape[1:].numel()
        self.values = nn.Parameter(torch.zeros(nonzeros))
        self.bias = None if template.bias is None else nn.Parameter(template.bias.detach().clone())
        if form in BITS:
            self.register_buffer("mask", torch.zeros(-(-BITS[form](rows, columns) // 8), dtype=torch.uint8))
        else:
            self.register_buffer("columns", torch.zeros(nonzeros, dtype=smallest(columns - 1)))
            self.register_buffer("counts", torch.zeros(rows, dtype=smallest(columns)))

    @classmethod
    def of(cls, layer: DenseLayer, form: str | None = None) -> Sparse:
        """A layer with the non-zero weights of a dense layer. form: one of HEADERS; by default bitmask or csr, whichever is
        smaller."""
        matrix = layer.weight.detach().flatten(1).cpu().numpy()
        held = matrix != 0
        if form == "columns":
            held = np.broadcast_to(held.any(0), held.shape)
        nonzeros = int(np.count_nonzero(held))
        sizes = stored_bytes(layer, nonzeros)
        made = cls(layer, form or min(("bitmask", "csr"), key=sizes.__getitem__), nonzeros)
        made.values = nn.Parameter(torch.from_numpy(matrix.ravel().compress(held.ravel())))
        if made.form in BITS:
            made.mask = torch.from_numpy(np.packbits(held if made.form == "bitmask" else held[0]))
        else:
            made.columns = torch.from_numpy(held.nonzero()[1]).to(made.columns.dtype)
            made.counts = torch.from_numpy(held.sum(1)).to(made.counts.dtype)
        made.to(layer.weight.device)
        if not layer.training:
            made._refresh(layer.weight.detach().clone())
            made.training = False
        return made

    @property
    def _bits(self) -> int:
        """Bits of the mask."""
        return BITS[self.form](self.shape[0], self.shape[1:].numel())

    @property
    def macs_per_position(self) -> int:
        """Multiply-accumulates for one output position."""
        return len(self.values)

    def plain(self) -> dict[str, Any]:
        return {"dense": self.options, "form": self.form, "nonzeros": len(self.values)}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Sparse:
        template = dense_rebuild(plain.get("dense", {}))
        if plain.get("form") not in list(HEADERS):
            raise ValueError(f"form must be one of {', '.join(HEADERS)}, but got {shown(plain.get('form'))}")
        return cls(template, plain["form"], whole(plain, "nonzeros", 0, template.weight.numel()))

    def place(self) -> dict[str, Any]:
        return self.options

    def symbols(self) -> dict[str, Symbols]:
        return {"mask": Symbols(self._bits, 1)} if self.form in BITS else {}

    def listed_rows(self) -> dict[str, Rows]:
        return {"columns": Rows("counts", self.shape[1:].numel())} if self.form == "csr" else {}

    def contradiction(self) -> str:
        nonzeros, columns = len(self.values), self.shape[1:].numel()
        if self.form in BITS:
            marked = int(np.unpackbits(self.mask.cpu().numpy(), count=self._bits).sum())
            wanted = marked * (self.shape.numel() // self._bits)
            return "" if wanted == nonzeros else "the mask has another number of weights than there are values"
        counts, places = self.counts.long(), self.columns.long()
        if bool((counts < 0).any()) or int(counts.sum()) != nonzeros:
            return "the rows have another number of weights than there are values"
        if nonzeros and not 0 <= int(places.min()) <= int(places.max()) < columns:
            return f"a weight's column is not between 0 and {columns - 1}"
        starts = torch.arange(len(counts)).repeat_interleave(counts) * columns + places
        return "" if bool((starts.diff() > 0).all()) else "a row has two weights in one column, or its columns do not rise"

    def merged(self) -> DenseLayer:
        layer = dense_like(self.options, self.bias, self.values, self.training)
        layer.weight = nn.Parameter(self.weight.detach().clone())
        return layer

    def forward(self, batch: Tensor) -> Tensor:
        linear = self.options["type"] == "Linear"
        if not linear or self.wants_gradients or self.rows is None or batch.is_cuda or not self._wins(batch):
            return dense_outputs(batch, self.weight, self.bias, self.options)
        flat = batch.reshape(-1, batch.shape[-1]).mT
        product = self.rows @ flat if self.bias is None else torch.addmm(self.bias[:, None], self.rows, flat)
        return product.mT.reshape(*batch.shape[:-1], -1)

    def __getstate__(self) -> dict[str, Any]:
        """For copies: without the CSR tensor, which torch cannot copy and which is made again."""
        return {**self.__dict__, "rows": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not self.training and hasattr(self, "dense"):
            self._refresh(self.dense)

    def _wins(self, batch: Tensor) -> bool:
        few = batch.numel() // batch.shape[-1] < FEW_EXAMPLES
        return len(self.values) <= self.limits[few] * self.shape.numel()

    def _prepare(self) -> None:
        """The rows as CSR, if its kernels may be faster."""
        self.rows = None
        if self.options["type"] == "Linear" and len(self.values) <= max(self.limits) * self.shape.numel():
            places, columns = self._places(), self.shape[1]
            starts = functional.pad(torch.bincount(places // columns, minlength=self.shape[0]).cumsum(0), (1, 0))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
                self.rows = torch.sparse_csr_tensor(starts, places % columns, self.values.detach().clone(), self.shape,
                                                    check_invariants=False)

    def _dense_weight(self) -> Tensor:
        dense = self.values.new_zeros(self.shape.numel())
        return dense.index_put((self._places(),), self.values).view(self.shape)

    def _places(self) -> Tensor:
        """(nonzeros,) int64: the positions of the values in the flattened matrix."""
        rows, columns = self.shape[0], self.shape[1:].numel()
        if self.form in BITS:
            bits = np.unpackbits(self.mask.cpu().numpy(), count=self._bits).view(np.bool_)
            held = np.broadcast_to(bits, (rows, columns)).ravel() if self.form == "columns" else bits
            return torch.from_numpy(np.flatnonzero(held)).to(self.values.device)
        starts = torch.arange(rows, device=self.values.device) * columns
        return starts.repeat_interleave(self.counts.long()) + self.columns.long()


def force_csr(layer: nn.Linear) -> Sparse:
    """The layer with CSR kernels at any density, to measure where they are slower than dense ones."""
    made = Sparse.of(layer)
    made.train()
    made.limits = (1.0, 1.0)
    made.eval()
    return made


def stored_bytes(layer: DenseLayer, nonzeros: int) -> dict[str, int]:
    """Bytes that a layer's weights add to a file in each form (dense, csr, bitmask); the last two with their headers."""
    rows, columns = layer.weight.shape[0], layer.weight[0].numel()
    geometry = 0 if isinstance(layer, nn.Linear) else GEOMETRY
    return {"dense": 4 * rows * columns,
            "csr": (HEADERS["csr"] + geometry + nonzeros * (4 + smallest(columns - 1).itemsize)
                    + rows * smallest(columns).itemsize),
            "bitmask": HEADERS["bitmask"] + geometry + 4 * nonzeros + -(-rows * columns // 8)}


def smallest_form(layer: DenseLayer, whole_columns: bool = False) -> DenseLayer | Sparse:
    """The layer itself if its zeros save nothing, else a Sparse layer in the smallest form; with `whole_columns` the form
    columns is among them."""
    held = layer.weight.detach().flatten(1).cpu().numpy() != 0
    sizes = stored_bytes(layer, int(np.count_nonzero(held)))
    left = held[:, held.any(0)]
    # A zero that is stored as a value would not stay zero in training.
    if whole_columns and isinstance(layer, nn.Linear) and left.all():
        sizes["columns"] = bytes_of_columns(layer, left.shape[1])
    form = min(("dense", "bitmask", "csr", "columns"), key=lambda one: sizes.get(one, inf))  # the first of equal ones
    return layer if form == "dense" else Sparse.of(layer, form)


def bytes_of_columns(layer: nn.Linear, left: int) -> int:
    """Bytes that a layer's weights add to a file in the form columns, if so many columns are left."""
    return HEADERS["columns"] + 4 * layer.out_features * left + -(-layer.in_features // 8)


def smallest(largest: int) -> torch.dtype:
    """The smallest type for whole numbers from 0 to `largest`."""
    return torch.uint8 if largest < 256 else torch.uint16 if largest < 65536 else torch.int32
