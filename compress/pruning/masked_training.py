"""Training with masks: pruned weights stay exactly zero, also with momentum and weight decay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from compress.networks.families import Network
from compress.pruning.ranking import Masks
from compress.training.loop import Objective
from compress.training.losses import soft_targets

TEMPERATURE = 2.0
UPDATES = 16  # times at which a gradual schedule prunes
READY = 0.6  # share of the steps after which a gradual schedule has reached the final sparsity


@torch.no_grad()
def apply_masks(network: Network, masks: Masks) -> None:
    """Sets weights of these layers to zero, in place. Masks are (rows, columns), True for weights that stay."""
    for path, mask in masks.items():
        weight = network.get_parameter(f"{path}.weight")
        weight.masked_fill_(~mask.view_as(weight).to(weight.device), 0.0)


def cubic(share: float, final: float, initial: float = 0.0) -> float:
    """The sparsity after a share of the pruning steps, s_f + (s_i - s_f)(1 - t)^3 (Zhu & Gupta 2017)."""
    return final + (initial - final) * (1 - min(max(share, 0.0), 1.0)) ** 3


@dataclass(eq=False)
class MaskHook:
    """Applies masks after each optimizer step."""

    masks: Masks

    def __call__(self, network: Network, done: int) -> None:
        apply_masks(network, self.masks)


@dataclass(eq=False)
class Gradual:
    """Raises the sparsity along the cubic schedule during training. Called after each step: at UPDATES steps, until a share
    READY of all steps is done, it prunes more; after every step it applies the masks.

    Attributes:
        prune: (network, sparsity) -> masks; may refit the network's weights in place.
        final: sparsity at the end.
        steps: of the whole training.
        masks: of the last pruning; None before the first.
    """

    prune: Callable[[Network, float], Masks]
    final: float
    steps: int
    masks: Masks | None = None

    @property
    def ready(self) -> int:
        """The step at which the final sparsity is reached."""
        return max(1, round(READY * self.steps))

    def due(self, done: int) -> bool:
        """Whether the schedule prunes after this number of steps."""
        every = max(1, self.ready // UPDATES)
        return done <= self.ready and (done % every == 0 or done == self.ready)

    def __call__(self, network: Network, done: int) -> None:
        if self.due(done):
            self.masks = self.prune(network, cubic(done / self.ready, self.final))
        if self.masks is not None:
            apply_masks(network, self.masks)


def teacher_objective(teacher_logits: Tensor) -> Objective:
    """The distillation loss for recovery training: T^2 KL(teacher || network) of the softened outputs at T = 2 (Hinton et
    al. 2015).

    Args:
        teacher_logits: (n, classes), of the training examples in their order.
    """
    def objective(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        return soft_targets(logits, teacher_logits[rows], TEMPERATURE)

    return objective
