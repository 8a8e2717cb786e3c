"""Layers that store something small and compute with the dense weight that it stands for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class DenseWeightLayer(nn.Module):
    """Base of such layers. A subclass says how its weight is made (`_dense_weight`), and what else it computes with
    (`_prepare`). The weight is made anew whenever training ends, tensors are loaded, or the layer moves to a device; and
    wherever gradients are wanted, so that they reach what is stored."""

    dense: Tensor
    makes_its_weight = True  # the GRU's fused kernel takes weights, wherever they come from

    def _dense_weight(self) -> Tensor:
        """The dense weight (rows, ...), with gradients to what is stored."""
        raise NotImplementedError

    def _prepare(self) -> None:
        """Makes other tensors than the dense weight that the layer computes with."""

    @property
    def weight(self) -> Tensor:
        """The dense weight (rows, ...); where gradients are wanted it passes them on to what is stored."""
        return self._dense_weight() if self.wants_gradients else self.dense

    @property
    def wants_gradients(self) -> bool:
        """Whether what is computed now may be differentiated: in training, and wherever torch records operations."""
        return self.training or torch.is_grad_enabled()

    def train(self, mode: bool = True) -> DenseWeightLayer:
        """Leaving training, the dense weight is made anew."""
        stale = self.training or not hasattr(self, "dense")
        super().train(mode)
        if stale and not mode:
            self._refresh()
        return self

    @torch.no_grad()
    def _refresh(self, dense: Tensor | None = None) -> None:
        """Makes what the layer computes with. dense: its weight, where the caller has it already."""
        self.register_buffer("dense", self._dense_weight() if dense is None else dense, persistent=False)
        self._prepare()

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        if not self.training:
            self._refresh()

    def _apply(self, *arguments: Any, **options: Any) -> DenseWeightLayer:
        super()._apply(*arguments, **options)
        if not self.training:
            self._refresh()
        return self
