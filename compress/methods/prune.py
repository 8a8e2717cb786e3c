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
from compress.layers.opening import opened
from compress.method import Candidate, Entrant, Exclusion, Method
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network, build
from compress.progress import Reporter, no_report
from compress.pruning.input_pruner import InputPruner
from compress.pruning.masked_training import Gradual, MaskHook, teacher_objective
from compress.pruning.pruner import Cut, Pruner
from compress.pruning.refusal import refusal
from compress.pruning.saliency import CRITERIA
from compress.pruning.selection import Selection
from compress.pruning.unit_pruner import UnitPruner
from compress.pruning.view import inside_view, point_view, problems
from compress.pruning.weight_pruner import WeightPruner
from compress.settings import setting
from compress.training.batches import has_batch_norm
from compress.training.batches import refusal as refusal_of_batches
from compress.training.loop import Training, cross_entropy, steps_of, train
from compress.workload import Phase

_pruners: deque[tuple[tuple[Any, ...], Network, Pruner]] = deque(maxlen=4)  # of the last calls
ANY_ROUNDS = tuple(range(2, 21))
NOT_FROM_SEED = ("the initial weights of this seed are not those that this network was trained from, so training starts "
                 "from unrelated weights")
ALIKE = 0.1  # cosine of a network's weights and its initial weights; 0.4 to 0.9 after usual training
OTHER_DRAW = 1_000_003  # added to the seed for initial weights other than this network's


UNTRAINED = {"recovery_epochs": (0,)}
ONE_LAYER = {"pattern": ("inputs",)}
KINDS: dict[str, type[UnitPruner | WeightPruner]] = {"units": UnitPruner, "inputs": InputPruner}


@dataclass(frozen=True)
class Prune(Method):
    r"""Remove the weights with the lowest saliency: at sparsity $s$, $\mathrm{round}(s\,n)$ of all $n$ weights.

    The **criterion** is the saliency of a weight $w$ that multiplies an input $x$:

    - **magnitude**: $|w|$ (Han et al. 2015).
    - **random**: random numbers, the baseline that every criterion must beat.
    - **taylor**: $\sum_b (g_b w)^2$, with the gradient $g_b$ of the loss on minibatch $b$ (Molchanov et al. 2019).
    - **snip**: $|g w|$ at the initial weights (Lee, Ajanthan & Torr 2019); the published method with the schedule rewind.
    - **wanda**: $|w| \, \|x\|_2$, compared among the weights of one output (Sun et al. 2024).
    - **second_order**: $w^2 / (2 [H^{-1}]_{qq})$ with $H = E[x x^\top]$, the optimal brain surgeon's loss of removing this
      weight alone; scored once. The kept weights $K$ of each output are then refitted, so that the outputs change least:
      $w'_K = w H_{\cdot K} H_{KK}^{-1}$ (Hassibi & Stork 1993). SparseGPT (Frantar & Alistarh 2023) approximates this
      solution.
    - **surgeon**: the same loss and refit, but one weight at a time: after every removal the scores are renewed, so that of
      two weights that could make up for each other only one goes (Optimal Brain Compression, Frantar & Alistarh 2022). The
      better choice at high sparsity, and slow: about $n^3$ operations for an output of $n$ inputs, once for all sparsities.

    The **pattern** is what can be removed. *unstructured*: single weights. *n:4* and *n:8*: all but N of every 4 or 8
    consecutive inputs of an output (some GPUs run 2:4 faster). *units*: whole neurons, channels or GRU units, with the
    weights that read them; the result is a smaller dense network, and $s$ is a share of the units. *inputs*: whole inputs
    of the first layer, which are tokens of an embedding table, columns of a table, or pixels; a token that is removed has an
    embedding of zeros, the other layers stay as they are, and $s$ is a share of the inputs.

    The **allocation** divides the sparsity among the layers. *global*: one ranking of all weights. (Scores of wanda,
    second_order and surgeon cannot be compared across layers; these criteria take each layer's density from global
    magnitude.) *uniform*: the same share of every layer. *sensitivity*: each layer is pruned alone first, and the sum of the
    measured losses is made least. *densities* such as 8-9-26 set the layers' densities in proportion.

    The **schedule** is how training follows. *one_shot*: prune, then train on from the teacher's weights. *gradual*: the
    sparsity rises during training, $s_t = s\,(1 - (1 - t)^3)$ (Zhu & Gupta 2017). *rewind*: the remaining weights return to
    their initial values and are trained (the lottery ticket, Frankle & Carbin 2019). *redraw*: the control of rewind, the
    same mask on other initial weights.

    In a network that is compressed already, the two layers of factors, the coefficients of sparse codes and the remaining
    weights of pruned layers are pruned.

    **When it fails.** Zeros save nothing in a dense file. With less than about 3 % zeros, even a bitmask costs more than it
    saves. Zeros make a layer faster only where a sparse kernel beats the dense one: on a CPU, below a density of about 15
    %.
    """

    name = "prune"
    title = "Pruning"
    dial = "sparsity"
    values = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.8, 0.85, 0.875, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99)
    exclusions = (
        Exclusion({"schedule": ("gradual", "rewind", "redraw"), "recovery_epochs": (0,)},
                  "The schedules gradual, rewind and redraw train, but recovery_epochs is 0. Set recovery_epochs to 6, or "
                  "schedule to one_shot.", {"recovery_epochs": 6}),
        Exclusion({"schedule": ("gradual",), "pattern": ("units",)},
                  "The schedule gradual raises the sparsity of masks, but the pattern units leaves no mask. Choose "
                  "the schedule one_shot, and rounds above 1 for units in several steps.", {"schedule": "one_shot"}),
        Exclusion({"criterion": ("surgeon",), "pattern": ("units",)},
                  "The criterion surgeon removes single weights one at a time, but the pattern is units. Choose the "
                  "criterion second_order.", {"criterion": "second_order"}),
        Exclusion({"criterion": ("surgeon",), "pattern": ("inputs",)},
                  "The criterion surgeon removes single weights one at a time, but the pattern is inputs. Choose the "
                  "criterion second_order.", {"criterion": "second_order"}),
        Exclusion({"schedule": ("gradual",), "rounds": ANY_ROUNDS},
                  "The schedule gradual has its own small steps, but rounds is above 1. Set rounds to 1, or schedule to "
                  "one_shot.", {"rounds": 1}),
    )

    race = (
        Entrant("second order", {"criterion": "second_order"}, (0.5, 0.75, 0.85, 0.9, 0.93, 0.95, 0.97)),
        Entrant("gradual", {"schedule": "gradual", "recovery_epochs": 10, "recovery_rate": 0.002},
                (0.8, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99), effort=3),
    )

    sparsity: float = setting(0.9, low=0.0, high=0.999, step=0.01, share=True, label="Share removed",
                              help="Share of the weights (or units) that are removed.")
    criterion: str = setting("magnitude", choices=CRITERIA, tried=("magnitude", "second_order"),
                             help="How saliency is measured: by size, gradients, inputs, or the curvature of the "
                                  "layer's error: once (second_order), or anew after each removal (surgeon).")
    pattern: str = setting("unstructured", choices=("unstructured", "n:4", "n:8", "units", "inputs"),
                           help="What is removed: single weights, all but N of every 4 or 8 inputs, units, or inputs of "
                                "the first layer (tokens of an embedding table, columns of a table).")
    recovery_epochs: int = setting(0, low=0, high=500, step=1, tried=(0, 5, 10, 20),
                                   help="Passes of training after each pruning, the same for every point.")
    allocation: str = setting("global", choices=("global", "uniform", "sensitivity"), idle=ONE_LAYER,
                              help="One ranking of all layers, the same share of each layer, or by measured sensitivity.")
    densities: tuple[int, ...] = setting((), low=1, high=1000, idle=ONE_LAYER,
                                         help="Densities of the layers in proportion, such as 8-9-26; 'none': by "
                                              "allocation.")
    schedule: str = setting("one_shot", choices=("one_shot", "gradual", "rewind", "redraw"), tried=("one_shot", "gradual"),
                            help="Train on from the pruned weights, prune during training, or train from initial weights.")
    rounds: int = setting(1, low=1, high=20, step=1,
                          help="Rounds of pruning and training, each of which removes a part of the share.")
    recovery_rate: float = setting(0.0002, low=1e-6, high=1.0, idle=UNTRAINED, tried=(0.0005, 0.002),
                                   help="Learning rate of recovery training; a tenth of the teacher's is usual.")
    recovery_batch: int = setting(32, low=1, high=65536, step=1, idle=UNTRAINED,
                                  help="Examples in each step of recovery training.")
    recovery_loss: str = setting("labels", choices=("labels", "teacher"), idle=UNTRAINED,
                                 help="Recovery trains on the labels, or on the teacher's soft targets (T = 2).")
    multiple: int = setting(1, low=1, high=64, step=1, idle={"pattern": ("unstructured", "n:4", "n:8", "inputs")},
                            help="The number of units kept in a layer is a multiple of this (for the pattern units).")

    @property
    def selection(self) -> Selection:
        """The settings that determine which weights or units are removed at any sparsity."""
        return Selection(self.criterion, self.pattern, self.allocation, self.densities, self.multiple)

    @property
    def needs_initial_network(self) -> bool:
        """Whether the network's initial weights are needed."""
        return self.schedule in ("rewind", "redraw") or self.criterion == "snip"

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """N:M sparsity has M - 1 sparsities; and not every compressed layer can be pruned in every way."""
        group = self.selection.group
        if not group or (self.sparsity * group == int(self.sparsity * group) and self.sparsity > 0):
            return refusal(self.selection, self.schedule, network) or self._refusal_of_training(network)
        steps = ", ".join(f"{step / group:g}" for step in range(1, group))
        return (f"Prune: sparsity must be one of {steps} with the pattern {self.pattern}, but got {self.sparsity:g}. "
                "Choose one of these.")

    def _refusal_of_training(self, network: Network) -> str:
        return refusal_of_batches(network, "Prune", "recovery_batch", self.recovery_batch) if self.recovery_epochs else ""

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[Prune], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """Saliencies are computed and sorted once for all sparsities; each point is trained separately."""
        saliencies, networks = report.phases(Phase("saliencies"), Phase("networks", len(wanted)))
        pruner = self.pruner(network, data, saliencies, seed)
        for method, part in zip(wanted, networks.each("network", len(wanted)), strict=True):
            part(0.0, f"{self.dial} {method.sparsity:g}")
            dense = self._pruned(pruner, method.sparsity, part)
            smaller = pruner.finished(dense)
            view = point_view(dense, smaller, pruner)
            part(1.0, f"{self.dial} {method.sparsity:g}")
            strange = self.needs_initial_network and not resembles(pruner.network, pruner.initial)
            notes = (*problems(dense, view), *([NOT_FROM_SEED] if strange else []))
            yield Candidate(method, smaller, inside=view, notes=notes)

    def preview(self, network: Network, data: Dataset) -> Network:
        """The network without its smallest weights or units, the same share of every layer."""
        selection = Selection(pattern=self.pattern, allocation="uniform", multiple=self.multiple)
        pruner: Pruner = KINDS.get(self.pattern, WeightPruner)(selection, network, opened(network), data)
        return pruner.finished(pruner.cut(self.sparsity).network)

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Each layer's weights as a histogram, and how sensitive it is."""
        saliencies, looking = report.phases(Phase("saliencies"), Phase("sensitivity"))
        pruner = self.pruner(network, data, saliencies, seed)
        return {"values": list(values), **inside_view(pruner, list(values), looking)}

    def pruner(self, teacher: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Pruner:
        """The pruner of all sparsities; the last pruners are cached, because the inside view needs them too."""
        key = (self.selection, data.digest, seed)
        found = next((pruner for known, network, pruner in _pruners
                      if known == key and network is teacher and pruner.data is data), None)
        if found is None:
            found = self._pruner_of(teacher, initial_network(teacher, seed), data, report, seed)
            _pruners.append((key, teacher, found))
        return found

    def _pruner_of(self, network: Network, initial: Network, data: Dataset, report: Reporter, seed: int) -> Pruner:
        return KINDS.get(self.pattern, WeightPruner)(self.selection, network, initial, data, seed, report)

    def _pruned(self, pruner: Pruner, sparsity: float, report: Reporter) -> Network:
        """Rounds of cutting and training; layers stay dense."""
        if self.schedule == "gradual":
            return self._gradually(pruner, sparsity, report)
        first, network = pruner, pruner.network
        for number in range(1, self.rounds + 1):
            # Each round keeps the same share of the weights that the round before kept.
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
        steps = steps_of(self._plan(), len(data.train), joined=has_batch_norm(first.network))
        schedule = Gradual(first.prune_in_place, sparsity, steps)
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
    """A network of the same architecture with initial weights; those of this network if it was trained from this seed."""
    return build(network.architecture, seed).to(device_of(network)).eval()


def resembles(network: Network, initial: Network) -> bool:
    """Whether a network was probably trained from these initial weights: the cosine of the weights is above ALIKE."""
    ours, theirs = (torch.cat([weight.detach().flatten() for weight in one.parameters() if weight.dim() > 1])
                    for one in (network, initial))
    return float(torch.cosine_similarity(ours, theirs, dim=0)) > ALIKE
