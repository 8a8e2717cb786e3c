"""Layers that compute with a dense weight which they make from smaller stored tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class DenseWeightLayer(nn.Module):
    """Base of such layers. A subclass overrides `_dense_weight`, and `_prepare` for other tensors that it computes with. The
    weight is made again when training ends, tensors are loaded, or the layer is moved to a device; and whenever gradients
    are recorded, so that they reach the stored tensors."""

    dense: Tensor
    makes_its_weight = True  # so that the fused kernel of a GRU can use it

    def _dense_weight(self) -> Tensor:
        """The dense weight (rows, ...), differentiable with respect to the stored tensors."""
        raise NotImplementedError

    def _prepare(self) -> None:
        """Makes other tensors than the dense weight that the layer computes with."""

    @property
    def weight(self) -> Tensor:
        """The dense weight (rows, ...); when gradients are recorded, differentiable with respect to the stored tensors."""
        return self._dense_weight() if self.wants_gradients else self.dense

    @property
    def wants_gradients(self) -> bool:
        """Whether gradients are recorded: in training mode, and whenever torch records operations."""
        return self.training or torch.is_grad_enabled()

    def train(self, mode: bool = True) -> DenseWeightLayer:
        """At the end of training the dense weight is made again."""
        stale = self.training or not hasattr(self, "dense")
        super().train(mode)
        if stale and not mode:
            self._refresh()
        return self

    @torch.no_grad()
    def _refresh(self, dense: Tensor | None = None) -> None:
        """Makes the tensors that the layer computes with. dense: the weight, if the caller has it already."""
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
