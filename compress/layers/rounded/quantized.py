"""A layer whose weights are few different values, stored as whole numbers of few bits."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from compress.layers.base import Compressed, DenseLayer, dense_like, dense_outputs, dense_plain, dense_rebuild
from compress.layers.bit_packing import Symbols
from compress.layers.dense_weight import DenseWeightLayer
from compress.layers.rounded.levels import Levels
from compress.networks.plain_values import mapping
from compress.solvers.codebook import Codebook
from compress.solvers.uniform_grid import Grid


class Quantized(DenseWeightLayer, Compressed):
    """A linear or convolutional layer stored as the `levels` of its weight matrix (rows = outputs, columns = inputs x
    kernel) and the bias. It computes with its dense weight, which is made once."""

    kind = "quantized"
    bias: Tensor | None

    def __init__(self, template: DenseLayer, levels: Levels) -> None:
        """A layer with the sizes and the bias of a dense layer, and these levels."""
        super().__init__()
        self.options, self.shape, self.levels = dense_plain(template), template.weight.shape, levels
        self.bias = None if template.bias is None else nn.Parameter(template.bias.detach().clone())
        self.register_load_state_dict_post_hook(_loaded)

    @classmethod
    def of(cls, layer: DenseLayer, numbers: Tensor, values: Grid | Codebook | Tensor,
           held: Tensor | None = None) -> Quantized:
        """A quantized layer in the place of a dense one. numbers, values, held: as for Levels.of()."""
        made = cls(layer, Levels.of(numbers, values, held)).to(layer.weight.device)
        made.train(layer.training)
        return made

    @property
    def macs_per_position(self) -> int:
        """Multiply-accumulates for one output position, without those of weights outside the mask."""
        return self.levels.stored

    def plain(self) -> dict[str, Any]:
        return {"dense": self.options, **self.levels.plain()}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Quantized:
        template = dense_rebuild(mapping(plain.get("dense"), "dense"))
        shape = template.weight.shape
        return cls(template, Levels.rebuild(plain, shape[0], shape[1:].numel()))

    def place(self) -> dict[str, Any]:
        return self.options

    def symbols(self) -> dict[str, Symbols]:
        return {f"levels.{name}": own for name, own in self.levels.symbols().items()}

    def contradiction(self) -> str:
        return self.levels.contradiction()

    def merged(self) -> DenseLayer:
        layer = dense_like(self.options, self.bias, self.levels.any_values(), self.training)
        layer.weight = nn.Parameter(self.weight.detach().clone())
        return layer

    def forward(self, batch: Tensor) -> Tensor:
        return dense_outputs(batch, self.weight, self.bias, self.options)

    def _dense_weight(self) -> Tensor:
        return self.levels.matrix().view(self.shape)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super(DenseWeightLayer, self)._load_from_state_dict(*arguments)  # the levels are loaded later: see _loaded


def _loaded(layer: nn.Module, keys: Any) -> None:
    """Makes the dense weight again once all parts of a layer were loaded."""
    if isinstance(layer, Quantized) and not layer.training:
        layer._refresh()
