"""The open form of a sparsely coded layer, for later methods: its coefficients are a module with a weight."""

from __future__ import annotations

from torch import Tensor, nn

from compress.layers.base import DenseLayer, Substitute, dense_like, dense_outputs, dense_plain
from compress.layers.blocks import Blocks


class Coefficients(nn.Module):
    """The coefficients of a layer's blocks: weight (bands, columns x places), one row for each band of outputs; 0 at places
    that are not used."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)


class OpenCodes(Substitute):
    """A linear or convolutional layer of atoms and Coefficients, both trainable; it is never stored. Its weight is computed
    at each use, so that coefficients may be changed in place."""

    makes_its_weight = True
    storage = "float32"  # of the coefficients, once they are stored again

    def __init__(self, template: DenseLayer, blocks: Blocks, atoms: Tensor, chosen: Tensor, values: Tensor) -> None:
        """A layer with the sizes and the bias of a dense layer. chosen, values: (blocks, places), as for Coded.of()."""
        super().__init__()
        self.options, self.shape, self.blocks = dense_plain(template), template.weight.shape, blocks
        self.bias = template.bias
        self.atoms = nn.Parameter(atoms.detach().clone())
        self.chosen: Tensor
        self.register_buffer("chosen", chosen)
        self.coefficients = Coefficients(values.detach().clone().view(blocks.bands, -1))
        self.train(template.training)

    @property
    def weight(self) -> Tensor:
        """The dense weight (rows, ...), with gradients to atoms and coefficients."""
        values = self.coefficients.weight.view(self.chosen.shape)
        return self.blocks.matrix((values[..., None] * self.atoms[self.chosen]).sum(1)).view(self.shape)

    @property
    def effects(self) -> Tensor:
        """(bands, columns x places): |c| times the norm of the atom, the norm of the change of the weight without it."""
        sizes = self.atoms.detach().norm(dim=1)[self.chosen]
        return self.coefficients.weight.detach().abs() * sizes.view(self.blocks.bands, -1)

    def merged(self) -> DenseLayer:
        layer = dense_like(self.options, self.bias, self.atoms, self.training)
        layer.weight = nn.Parameter(self.weight.detach().clone())
        return layer

    def opened(self, codes: bool = False) -> nn.Module:
        return self if codes else self.merged()

    def forward(self, batch: Tensor) -> Tensor:
        return dense_outputs(batch, self.weight, self.bias, self.options)
