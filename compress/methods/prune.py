"""Pruning: weights or whole units of a network are removed, by one of several criteria, at once or step by step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.input_moments import recalibrated
from compress.method import Candidate, Exclusion, Method
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network, build
from compress.progress import Reporter, no_report
from compress.pruning.masked_training import Gradual, MaskHook, teacher_objective
from compress.pruning.pruner import Cut, Pruner
from compress.pruning.refusal import refusal
from compress.pruning.saliency import CRITERIA
from compress.pruning.selection import Selection
from compress.pruning.unit_pruner import UnitPruner
from compress.pruning.view import inside_view, point_view, problems
from compress.pruning.weight_pruner import WeightPruner
from compress.settings import setting
from compress.training.loop import Training, cross_entropy, steps_of, train

_pruners: deque[tuple[tuple[Any, ...], Network, Pruner]] = deque(maxlen=4)  # the newest ones
ANY_ROUNDS = tuple(range(2, 21))
NOT_FROM_SEED = ("the initial weights of this seed are not those that this network was trained from, so training starts "
                 "from unrelated weights")
ALIKE = 0.1  # cosine between a network's weights and those it began with; 0.4 to 0.9 after usual training
OTHER_DRAW = 1_000_003  # added to the seed for weights that were never this network's


@dataclass(frozen=True)
class Prune(Method):
    r"""Remove the weights that matter least: of all $n$ weights, $\mathrm{round}(s\,n)$ go at sparsity $s$.

    What matters is a matter of the criterion (scores of one weight $w$ that multiplies input $x$):

    - **magnitude**: $|w|$ (Han et al. 2015). **random**: the floor that every other one must beat.
    - **taylor**: $\sum_b (g_b w)^2$ with the loss's gradient $g_b$ on minibatch $b$ (Molchanov et al. 2019).
    - **snip**: $|g w|$ at the initial weights (Lee, Ajanthan & Torr 2019); as published with schedule=rewind.
    - **wanda**: $|w| \, \|x\|_2$, compared within each output's row (Sun et al. 2024).
    - **second_order**: $w^2 / (2 [H^{-1}]_{qq})$ with $H = E\,x x^\top$, and the weights that stay are refitted so that
      the layer's outputs change least: $w'_K = w H_{\cdot K} H_{KK}^{-1}$ (Hassibi & Stork 1993; Frantar & Alistarh 2023,
      whose sweep over columns approximates this solution).

    What goes is a matter of the pattern: single weights (*unstructured*), all but N of every 4 or 8 consecutive inputs
    (*n:4*, *n:8*; 2:4 is what some GPUs speed up), or whole *units* (neurons, channels, GRU units) together with
    everything that reads them, so that a smaller dense network is left. For units the share $s$ is one of units.

    How much of each layer goes is a matter of the allocation: *global* ranks all weights together (wanda and
    second_order, whose scores do not compare across layers, take each layer's density from global magnitude); *uniform*
    takes the same share everywhere; *sensitivity* prunes each layer alone first and spends where the loss rises least;
    given *densities* such as 8-9-26 set the proportions.

    The schedule says what is trained afterwards: *one_shot* goes on from the teacher's weights, *gradual* raises the
    sparsity during training as $s_t = s\,(1 - (1 - t)^3)$ (Zhu & Gupta 2017), *rewind* goes back to the teacher's initial
    weights and trains with the mask alone (the lottery ticket, Frankle & Carbin 2019), *redraw* is its control: the same
    mask on other initial weights.

    When it fails: zeros save nothing in a dense file; below about 3 % of zeros even a bitmask costs more than it saves;
    and zeros make a layer faster only where a sparse kernel beats the dense one, at a density of about 15 % on a CPU.
    """

    name = "prune"
    title = "Pruning"
    dial = "sparsity"
    values = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.8, 0.85, 0.875, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99)
    exclusions = (
        Exclusion({"schedule": ("gradual", "rewind", "redraw"), "recovery_epochs": (0,)},
                  "schedule=gradual, rewind and redraw train, but recovery_epochs is 0. Set recovery_epochs to 6, or "
                  "schedule to one_shot.", {"recovery_epochs": 6}),
        Exclusion({"schedule": ("gradual",), "pattern": ("units",)},
                  "schedule=gradual raises the sparsity of masks, but pattern=units leaves no mask. Choose "
                  "schedule=one_shot, and rounds above 1 for units in several steps.", {"schedule": "one_shot"}),
        Exclusion({"schedule": ("gradual",), "rounds": ANY_ROUNDS},
                  "schedule=gradual has its own small steps, but rounds is above 1. Set rounds to 1, or schedule to "
                  "one_shot.", {"rounds": 1}),
    )

    sparsity: float = setting(0.9, low=0.0, high=0.999, step=0.01, label="Share removed",
                              help="Share of the weights (or units) that are removed.")
    criterion: str = setting("magnitude", choices=CRITERIA,
                             help="What decides which go: size, gradient, inputs, or the loss's curvature.")
    pattern: str = setting("unstructured", choices=("unstructured", "n:4", "n:8", "units"),
                           help="Single weights, N of every 4 or 8, or whole neurons, channels and GRU units.")
    recovery_epochs: int = setting(0, low=0, high=500, step=1,
                                   help="Passes of training after the cut (each round), the same for every point.")
    allocation: str = setting("global", choices=("global", "uniform", "sensitivity"),
                              help="One ranking for all layers, the same share of each, or by measured sensitivity.")
    densities: tuple[int, ...] = setting((), low=1, high=1000,
                                         help="Densities of the layers in proportion, such as 8-9-26; 'none': allocation.")
    schedule: str = setting("one_shot", choices=("one_shot", "gradual", "rewind", "redraw"),
                            help="Train on from the teacher's weights, prune while training, or start again.")
    rounds: int = setting(1, low=1, high=20, step=1, help="Prune and train in so many rounds, a part of the share in each.")
    recovery_rate: float = setting(0.0002, low=1e-6, high=1.0,
                                   help="Learning rate of this training; a tenth of the teacher's is usual.")
    recovery_batch: int = setting(32, low=1, high=65536, step=1, help="Examples a step of this training.")
    recovery_loss: str = setting("labels", choices=("labels", "teacher"),
                                 help="Train on the labels, or on the teacher's softened outputs (T = 2).")
    multiple: int = setting(1, low=1, high=64, step=1, help="Units left in a layer are a multiple of this (pattern=units).")

    @property
    def selection(self) -> Selection:
        """What decides which weights or units go, at any sparsity."""
        return Selection(self.criterion, self.pattern, self.allocation, self.densities, self.multiple)

    @property
    def needs_initial_network(self) -> bool:
        """Whether the network's initial weights are asked for."""
        return self.schedule in ("rewind", "redraw") or self.criterion == "snip"

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """N:M sparsity has M - 1 sparsities; and not every compressed layer can be pruned in every way."""
        group = self.selection.group
        if not group or (self.sparsity * group == int(self.sparsity * group) and self.sparsity > 0):
            return refusal(self.selection, self.schedule, network)
        steps = ", ".join(f"{step / group:g}" for step in range(1, group))
        return (f"Prune: sparsity must be one of {steps} with pattern={self.pattern}, but got {self.sparsity:g}. Choose one "
                "of these.")

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[Prune], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """Scores and their order are found once for all sparsities; training, if any, is each point's own."""
        pruner = self.pruner(network, data, report.part(0.0, 0.2), seed)
        for number, method in enumerate(wanted):
            part = report.part(0.2 + 0.8 * number / len(wanted), 0.2 + 0.8 * (number + 1) / len(wanted))
            part(0.0, f"{self.dial} {method.sparsity:g}")
            dense = self._pruned(pruner, method.sparsity, part)
            smaller = pruner.finished(dense)
            view = point_view(dense, smaller, pruner)
            strange = self.needs_initial_network and not resembles(pruner.network, pruner.initial)
            notes = (*problems(dense, view), *([NOT_FROM_SEED] if strange else []))
            yield Candidate(method, smaller, inside=view, notes=notes)

    def preview(self, network: Network, data: Dataset) -> Network:
        """The network without its smallest weights or units, the same share of every layer."""
        if self.pattern == "units":
            return self._pruner_of(network, network, data, no_report, 0).cut(self.sparsity).network
        selection = Selection(pattern=self.pattern, allocation="uniform")
        pruner = WeightPruner(selection, network, network, data)
        return pruner.finished(pruner.cut(self.sparsity).network)

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Each layer's weights as a histogram, and how sensitive it is."""
        pruner = self.pruner(network, data, report.part(0.0, 0.2), seed)
        return {"values": list(values), **inside_view(pruner, list(values), report.part(0.2, 1.0))}

    def pruner(self, teacher: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Pruner:
        """What all sparsities of a curve share; the newest are kept, because the inside view needs them too."""
        key = (self.selection, data.digest, seed)
        found = next((pruner for known, network, pruner in _pruners
                      if known == key and network is teacher and pruner.data is data), None)
        if found is None:
            found = self._pruner_of(teacher, initial_network(teacher, seed), data, report, seed)
            _pruners.append((key, teacher, found))
        return found

    def _pruner_of(self, network: Network, initial: Network, data: Dataset, report: Reporter, seed: int) -> Pruner:
        kind: type[UnitPruner | WeightPruner] = UnitPruner if self.pattern == "units" else WeightPruner
        return kind(self.selection, network, initial, data, seed, report)

    def _pruned(self, pruner: Pruner, sparsity: float, report: Reporter) -> Network:
        """Rounds of cutting and training; layers stay dense."""
        if self.schedule == "gradual":
            return self._gradually(pruner, sparsity, report)
        first, network = pruner, pruner.network
        for number in range(1, self.rounds + 1):
            # Each round keeps the same share of what the last one kept.
            share = sparsity if number == self.rounds else 1 - (1 - sparsity) ** (number / self.rounds)
            cut = pruner.cut(share, first)
            network = self._trained(cut, first, pruner, report.part((number - 1) / self.rounds, number / self.rounds))
            if number < self.rounds:
                pruner = self._pruner_of(network, cut.initial, first.data, no_report, first.seed)
        return network

    def _trained(self, cut: Cut, first: Pruner, pruner: Pruner, report: Reporter) -> Network:
        start, data = cut.network, first.data
        if self.schedule == "rewind":
            start = pruner.rewound(cut, cut.initial)
        elif self.schedule == "redraw":
            start = pruner.rewound(cut, initial_network(cut.initial, first.seed + OTHER_DRAW))
        if not self.recovery_epochs:
            return recalibrated(start, on_device(data.calibration, device_of(start))[0])
        keeper = MaskHook(cut.masks) if cut.masks else None
        return train(start, data, self._plan(), first.seed, report, self._objective(first.network, data),
                     after_step=keeper).network

    def _gradually(self, first: Pruner, sparsity: float, report: Reporter) -> Network:
        data = first.data
        schedule = Gradual(first.prune_in_place, sparsity, steps_of(self._plan(), len(data.train)))
        return train(first.network, data, self._plan(), first.seed, report, self._objective(first.network, data),
                     after_step=schedule, keep_from=schedule.ready).network

    def _plan(self) -> Training:
        return Training(epochs=max(1, self.recovery_epochs), learning_rate=self.recovery_rate, batch=self.recovery_batch)

    def _objective(self, teacher: Network, data: Dataset) -> Any:
        if self.recovery_loss == "labels":
            return cross_entropy
        logits: Tensor = logits_of(teacher, on_device(data.train, device_of(teacher))[0])
        return teacher_objective(logits.clone())


def initial_network(network: Network, seed: int) -> Network:
    """Fresh weights in this network's architecture; those it began with, if it was trained from this seed."""
    return build(network.architecture, seed).to(device_of(network)).eval()


def resembles(network: Network, initial: Network) -> bool:
    """Whether a network still resembles these initial weights, as one that was trained from them does."""
    ours, theirs = (torch.cat([weight.detach().flatten() for weight in one.parameters() if weight.dim() > 1])
                    for one in (network, initial))
    return float(torch.cosine_similarity(ours, theirs, dim=0)) > ALIKE
