"""A layer whose weights are sparse combinations of a few atoms: a dictionary, indices and coefficients.

The weight matrix W (rows = outputs, columns = inputs x kernel) is divided into blocks of `height` outputs of one column.
Each block is a signal w = c D with at most s non-zeros in c, so that the layer can run as D^T (C x).
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.base import Compressed, DenseLayer, dense_like, dense_outputs, dense_plain, dense_rebuild
from compress.layers.bit_packing import Symbols, bits_for, bytes_for, packed, unpacked
from compress.layers.blocks import Blocks
from compress.layers.dense_weight import DenseWeightLayer
from compress.layers.open_codes import OpenCodes
from compress.networks.plain_values import whole
from compress.settings import shown

STORAGES = {"float32": torch.float32, "float16": torch.float16, "int8": torch.int8}
SPARSE_COST = 6  # dense multiply-adds that take the time of a sparse one, on a CPU with batches
HEADER = 330  # bytes by which the file's header grows against a dense layer's, about
RAGGED_HEADER = 85  # additional bytes if blocks have different numbers of coefficients


class Coded(DenseWeightLayer, Compressed):
    """A linear or convolutional layer stored as `atoms` (count, height), `values`, packed `indices` and the bias.

    Values and indices have one of two forms:

    - even: (blocks, nonzeros); places that a block does not use have the value 0.
    - ragged: only the places that are used, block by block, and the number of each block in packed `counts`.

    With storage "int8", values are whole numbers times a scale.
    """

    kind = "coded"
    atoms: Tensor
    values: Tensor
    indices: Tensor
    counts: Tensor
    scale: Tensor
    bias: Tensor | None
    codes: Tensor | None

    def __init__(self, template: DenseLayer, height: int, atoms: int, nonzeros: int, storage: str,
                 places: int | None = None) -> None:
        """A layer with the sizes and the bias of a dense layer; atoms, values and indices are zero.

        Args:
            places: the number of coefficients of all blocks, for the ragged form; None for the even form.
        """
        super().__init__()
        self.options, self.shape, self.storage = dense_plain(template), template.weight.shape, storage
        self.blocks = Blocks(self.shape[0], self.shape[1:].numel(), height)
        self.count, self.nonzeros, self.places = atoms, nonzeros, places
        self.bias = None if template.bias is None else nn.Parameter(template.bias.detach().clone())
        stored = self.blocks.count * nonzeros if places is None else places
        self.register_buffer("indices", torch.zeros(bytes_for(stored, bits_for(atoms)), dtype=torch.uint8))
        if places is not None:
            length = bytes_for(self.blocks.count, bits_for(nonzeros + 1))
            self.register_buffer("counts", torch.zeros(length, dtype=torch.uint8))
        self.size = (self.blocks.count, nonzeros) if places is None else (places,)
        self._hold_numbers()

    def _hold_numbers(self) -> None:
        """Makes what atoms and values are stored in."""
        self.atoms = nn.Parameter(torch.zeros(self.count, self.blocks.height))
        values = torch.zeros(self.size, dtype=STORAGES[self.storage])
        if self.storage == "int8":
            self.register_buffer("values", values)
            self.register_buffer("scale", torch.ones(()))
        else:
            self.values = nn.Parameter(values)

    @classmethod
    def of(cls, layer: DenseLayer, height: int, atoms: Tensor, chosen: Tensor, values: Tensor, storage: str,
           ragged: bool = False) -> Coded:
        """A coded layer in the place of a dense layer.

        Args:
            atoms: (count, height); chosen: (blocks, nonzeros) indices of atoms; values: (blocks, nonzeros), 0 at
                places that are not used (with arbitrary indices, also -1), which the ragged form leaves out.
        """
        used = values != 0 if ragged else torch.ones_like(values, dtype=torch.bool)
        made = cls(layer, height, len(atoms), chosen.shape[1], storage, int(used.sum()) if ragged else None)
        made.atoms = nn.Parameter(atoms.detach().to(layer.weight.dtype).clone())
        indices = chosen.clamp_min(0)[used].cpu().numpy()
        made.indices = torch.from_numpy(packed(indices, bits_for(len(atoms))))
        if ragged:
            made.counts = torch.from_numpy(packed(used.sum(1).cpu().numpy(), bits_for(chosen.shape[1] + 1)))
        kept = values.detach()[used].view(made.values.shape)
        if storage == "int8":
            largest = kept.abs().max() if kept.numel() else kept.new_zeros(())
            made.scale = largest.clamp_min(1e-12).float() / 127
            made.values = (kept / made.scale).round().to(torch.int8)
        else:
            made.values = nn.Parameter(kept.to(made.values.dtype).clone())
        made.to(layer.weight.device)
        made.train(layer.training)
        return made

    @classmethod
    def smallest(cls, layer: DenseLayer, height: int, atoms: Tensor, chosen: Tensor, values: Tensor, storage: str) -> Coded:
        """The same in the smaller form, without places that no block uses and atoms that no place uses."""
        used = values != 0
        order = used.to(torch.int8).argsort(dim=1, descending=True, stable=True)  # used places come first
        most = max(1, int(used.sum(1).max()))
        chosen, values = (numbers.gather(1, order)[:, :most] for numbers in (chosen, values))
        used = values != 0
        kept, numbers = torch.unique(chosen[used], return_inverse=True)
        if not len(kept):
            kept = chosen.new_zeros(1)
        chosen = torch.zeros_like(chosen).masked_scatter(used, numbers)
        even, ragged = (stored_bytes(layer, height, len(kept), most, storage, places)
                        for places in (None, int(used.sum())))
        return cls.of(layer, height, atoms[kept], chosen, values, storage, ragged < even)

    def stored_as(self, storage: str) -> Coded:
        """A NEW layer with its coefficients stored in another way, in the smaller form."""
        return Coded.smallest(self._template(), self.blocks.height, self.atoms, self.chosen(), self.coefficients, storage)

    @property
    def form(self) -> str:
        """How values are stored: "even" or "ragged"."""
        return "even" if self.places is None else "ragged"

    @property
    def coefficients(self) -> Tensor:
        """(blocks, nonzeros), 0 where a place is not used."""
        values = self.values.to(self.atoms.dtype)
        return self._even(values * self.scale.to(values) if self.storage == "int8" else values)

    @property
    def product_macs(self) -> int:
        """Multiply-adds of D^T (C x) for one position: those of the codes and those of the atoms of each band."""
        return int(torch.count_nonzero(self.values)) + self.blocks.bands * self.atoms.numel()

    @property
    def runs_as_product(self) -> bool:
        """Whether D^T (C x) is likely to be faster than W x: a sparse multiply-add counts as SPARSE_COST dense ones."""
        codes = int(torch.count_nonzero(self.values))
        cost = self.product_macs + (SPARSE_COST - 1) * codes
        return self.options["type"] == "Linear" and cost < self.shape.numel()

    @property
    def macs_per_position(self) -> int:
        """Multiply-adds for one output position, in the form in which the layer runs."""
        return self.product_macs if self.runs_as_product else self.shape.numel()

    def plain(self) -> dict[str, Any]:
        ragged = {} if self.places is None else {"places": self.places}
        return {"dense": self.options, "height": self.blocks.height, "atoms": self.count, "nonzeros": self.nonzeros,
                "storage": self.storage, **ragged}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Coded:
        template = dense_rebuild(plain.get("dense", {}))
        if plain.get("storage") not in list(STORAGES):
            raise ValueError(f"storage must be one of {', '.join(STORAGES)}, but got {shown(plain.get('storage'))}")
        height, nonzeros = whole(plain, "height", 1), whole(plain, "nonzeros", 1)
        most = Blocks(template.weight.shape[0], template.weight.shape[1:].numel(), height).count * nonzeros
        return cls(template, height, whole(plain, "atoms", 1), nonzeros, plain["storage"],
                   whole(plain, "places", 0, most) if "places" in plain else None)

    def place(self) -> dict[str, Any]:
        return self.options

    def symbols(self) -> dict[str, Symbols]:
        found = {"indices": Symbols(self.values.numel(), bits_for(self.count))}
        if self.places is not None:
            found["counts"] = Symbols(self.blocks.count, bits_for(self.nonzeros + 1))
        return found

    def contradiction(self) -> str:
        if self.storage == "int8" and not float(self.scale) > 0:
            return "the scale of the coefficients is not positive"
        indices = unpacked(self.indices.cpu().numpy(), self.values.numel(), bits_for(self.count))
        if len(indices) and int(indices.max()) >= self.count:
            return f"an index of an atom is not between 0 and {self.count - 1}"
        if self.places is None:
            return ""
        counts = unpacked(self.counts.cpu().numpy(), self.blocks.count, bits_for(self.nonzeros + 1))
        if int(counts.max()) > self.nonzeros or int(counts.sum()) != self.places:
            return "the blocks have another number of coefficients than there are values"
        return ""

    def merged(self) -> DenseLayer:
        layer = self._template()
        layer.weight = nn.Parameter(self.weight.detach().clone())
        return layer

    def opened(self, codes: bool = False) -> nn.Module:
        """Its coefficients as a part that can be pruned and trained, or a dense layer."""
        if not codes:
            return self.merged()
        opened = OpenCodes(self._template(), self.blocks, self.atoms, self.chosen(), self.coefficients)
        opened.storage = self.storage
        return opened

    def chosen(self) -> Tensor:
        """(blocks, nonzeros) int64: which atoms a block uses."""
        numbers = torch.from_numpy(unpacked(self.indices.cpu().numpy(), self.values.numel(), bits_for(self.count)))
        return self._even(numbers.to(self.atoms.device))

    def forward(self, batch: Tensor) -> Tensor:
        if self.options["type"] != "Linear" or self.wants_gradients or self.codes is None or batch.is_cuda:
            return dense_outputs(batch, self.weight, self.bias, self.options)
        coded = (self.codes @ batch.reshape(-1, batch.shape[-1]).mT).view(self.blocks.bands, self.count, -1)
        product = torch.matmul(self.atoms.mT, coded).reshape(self.blocks.bands * self.blocks.height, -1)
        product = product[:self.shape[0]].mT
        return (product if self.bias is None else product + self.bias).reshape(*batch.shape[:-1], -1)

    def __getstate__(self) -> dict[str, Any]:
        """For copies: without the CSR tensor, which torch cannot copy and which is made again."""
        return {**self.__dict__, "codes": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not self.training and hasattr(self, "dense"):
            self._refresh(self.dense)

    def _even(self, stored: Tensor) -> Tensor:
        """Numbers of the used places -> (blocks, nonzeros), 0 at the other places."""
        if self.places is None:
            return stored.view(self.blocks.count, self.nonzeros)
        counts = unpacked(self.counts.cpu().numpy(), self.blocks.count, bits_for(self.nonzeros + 1))
        used = torch.arange(self.nonzeros) < torch.from_numpy(counts)[:, None]
        return stored.new_zeros(used.shape).masked_scatter(used.to(stored.device), stored)

    def _template(self) -> DenseLayer:
        return dense_like(self.options, self.bias, self.atoms, self.training)

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


def closed(codes: OpenCodes) -> Coded:
    """The layer in the form in which it is stored: the smaller one, without zero coefficients."""
    template = dense_like(codes.options, codes.bias, codes.atoms, codes.training)
    values = codes.coefficients.weight.detach().view(codes.chosen.shape)
    return Coded.smallest(template, codes.blocks.height, codes.atoms, codes.chosen, values, codes.storage)


def stored_bytes(layer: DenseLayer, height: int, atoms: int, nonzeros: int, storage: str, places: int | None = None) -> int:
    """Bytes of a layer as Coded, with its header and without its bias. places: as for Coded()."""
    blocks = Blocks(layer.weight.shape[0], layer.weight[0].numel(), height)
    stored = blocks.count * nonzeros if places is None else places
    counts = 0 if places is None else RAGGED_HEADER + bytes_for(blocks.count, bits_for(nonzeros + 1))
    return (HEADER + 4 * atoms * height + stored * STORAGES[storage].itemsize + bytes_for(stored, bits_for(atoms)) + counts)
