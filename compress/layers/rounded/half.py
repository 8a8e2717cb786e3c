"""A layer whose weights are stored as floating-point numbers of 16 bits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from compress.layers.base import Compressed, DenseLayer, dense_like, dense_outputs, dense_plain, dense_rebuild
from compress.layers.dense_weight import DenseWeightLayer
from compress.networks.plain_values import mapping
from compress.settings import shown

FORMATS = {"float16": torch.float16, "bfloat16": torch.bfloat16}


class Half(DenseWeightLayer, Compressed):
    """A linear or convolutional layer with its weight in float16 or bfloat16. It computes in float32."""

    kind = "half"
    rounded: Tensor
    bias: Tensor | None

    def __init__(self, template: DenseLayer, form: str) -> None:
        """A layer with the sizes and the bias of a dense layer; its weight is zero. form: one of FORMATS."""
        super().__init__()
        self.options, self.form = dense_plain(template), form
        self.rounded = nn.Parameter(torch.zeros(template.weight.shape, dtype=FORMATS[form]))
        self.bias = None if template.bias is None else nn.Parameter(template.bias.detach().clone())

    @classmethod
    def of(cls, layer: DenseLayer, form: str) -> Half:
        """A dense layer's weight, each number rounded to the nearest of the format; too large ones to its largest."""
        made, largest = cls(layer, form), torch.finfo(FORMATS[form]).max
        made.rounded = nn.Parameter(layer.weight.detach().clamp(-largest, largest).to(FORMATS[form]))
        made.to(layer.weight.device)
        made.train(layer.training)
        return made

    @property
    def macs_per_position(self) -> int:
        """Multiply-accumulates for one output position."""
        return self.rounded.numel()

    def plain(self) -> dict[str, Any]:
        return {"dense": self.options, "form": self.form}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Half:
        if plain.get("form") not in list(FORMATS):
            raise ValueError(f"form must be one of {', '.join(FORMATS)}, but got {shown(plain.get('form'))}")
        return cls(dense_rebuild(mapping(plain.get("dense"), "dense")), plain["form"])

    def place(self) -> dict[str, Any]:
        return self.options

    def merged(self) -> DenseLayer:
        weight = self.weight.detach()
        layer = dense_like(self.options, self.bias, weight, self.training)
        layer.weight = nn.Parameter(weight.clone())
        return layer

    def forward(self, batch: Tensor) -> Tensor:
        return dense_outputs(batch, self.weight, self.bias, self.options)

    def _dense_weight(self) -> Tensor:
        return self.rounded.float()
