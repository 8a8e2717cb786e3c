"""The training loop. The same seed gives bit-identical weights on a CPU with the same number of threads."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network
from compress.progress import Cancelled, EpochDone, Reporter, no_report
from compress.settings import Settings, checked_seed, setting
from compress.training.batches import batches, batches_in, has_batch_norm, refusal
from compress.training.threads import training_threads, trains_on_one_thread

Objective = Callable[[Tensor, Tensor, Tensor], Tensor]
AfterStep = Callable[[Network, int], None]
LEAST_RATE = 1e-6


@dataclass(frozen=True)
class Training(Settings):
    """How long and how fast to train."""

    epochs: int = setting(20, low=1, high=2000, help="Passes over the training examples.")
    learning_rate: float = setting(0.002, low=LEAST_RATE, high=10.0,
                                   help="Size of the first steps; it falls to zero along a cosine.")
    batch: int = setting(64, low=1, high=65536, help="Examples in each step.")
    optimizer: str = setting("adam", choices=("adam", "sgd"), help="Adam, or SGD with Nesterov momentum 0.9.")
    weight_decay: float = setting(0.0, low=0.0, high=1.0, 
                                  help="Decay of the weights towards zero (decoupled with adam).")
    shift: int = setting(0, low=0, high=8, idle={"kind": ("tabular",)},
                         help="Augmentation: shifts images or sequences by up to this many samples.")
    patience: int = setting(0, low=0, high=2000,
                            help="Stop after this many epochs without a better validation accuracy; 0: never.")


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network in evaluation mode, with its best weights.

    Attributes:
        history: one dict for each epoch: epoch, loss (mean objective), train_accuracy, accuracy (validation), seconds.
        best_epoch: the epoch whose weights the network has.
        cancelled: whether training was cancelled before its end.
        notes: sentences for the user.
    """

    network: Network
    history: tuple[dict[str, Any], ...]
    best_epoch: int
    cancelled: bool = False
    notes: tuple[str, ...] = ()


def cross_entropy(logits: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
    """The default objective: mean negative log-likelihood of the labels."""
    return nn.functional.cross_entropy(logits, labels)


def train(start: Network, data: Dataset, plan: Training, seed: int = 0, report: Reporter = no_report,
          objective: Objective = cross_entropy, steps: int | None = None, keep_best: bool = False,
          after_step: AfterStep | None = None, keep_from: int = 0) -> Trained:
    """Trains a copy of a network on the train split and keeps the weights of the best validation accuracy.

    With batch normalisation, a last batch of one example is joined to the batch before it.

    Args:
        start: the initial network, which is not changed.
        objective: (logits (b, classes), labels (b,), rows (b,) into train) -> scalar; with rows a loss can look
            up a teacher's outputs on these examples.
        steps: the most optimizer steps, if these are fewer than plan.epochs take.
        after_step: called after each step with the network and the number of steps done; it may change the weights (to
            apply masks, for example).
        keep_from: the number of steps from which weights can be kept as the best.
        keep_best: if cancelled after an epoch, return the best network so far with cancelled=True.

    Raises:
        Cancelled: through `report`, unless keep_best and an epoch is finished.
        ValueError: training diverged before its first finished epoch, or batch normalisation would get one value a batch.
    """
    seed = checked_seed(seed, "Training")
    reason = refusal(start, "Training", "batch", min(plan.batch, len(data.train)))
    if reason:
        raise ValueError(reason)
    network = copy.deepcopy(start)
    run = _Run(network, plan, seed, steps_of(plan, len(data.train), steps, has_batch_norm(start)), objective, after_step)
    inputs, labels = on_device(data.train, device_of(start))
    best, cancelled = _Best(network, data), False
    try:
        with training_threads(trains_on_one_thread(start.architecture, plan.batch)):
            while run.done < run.steps:
                loss, train_accuracy = run.epoch(inputs, labels, report)
                if not best.update(loss, train_accuracy, run.done >= min(keep_from, run.steps)):
                    break
                report(run.done / run.steps, f"epoch {len(best.history)} of {plan.epochs}", EpochDone(**best.history[-1]))
                if plan.patience and len(best.history) - best.risen >= plan.patience:
                    break
    except Cancelled:
        if best.weights is None or not keep_best:
            raise
        cancelled = True
    if best.weights is None:
        lower = max(LEAST_RATE, plan.learning_rate / 10)
        raise ValueError(f"Training: the loss became NaN or infinite in the first epoch with learning_rate="
                         f"{plan.learning_rate}. Lower learning_rate, for example to {lower:g}.")
    network.load_state_dict(best.weights)
    return Trained(network.eval(), tuple(best.history), best.epoch, cancelled)


class _Best:
    """Validation after each epoch, and the weights of the best epoch.

    Attributes:
        weights: of the best epoch; None before the first epoch whose weights can be kept.
        epoch: the best one; risen: the last epoch with a higher accuracy than the best before.
    """

    def __init__(self, network: Network, data: Dataset) -> None:
        self.network = network
        self.inputs, self.labels = on_device(data.validation, device_of(network))
        self.history: list[dict[str, Any]] = []
        self.weights: dict[str, Any] | None = None
        self.epoch, self.risen = 0, 0
        self.began = time.perf_counter()

    def update(self, loss: float, train_accuracy: float, can_be_kept: bool) -> bool:
        """Adds an epoch to the history; False if training has diverged: the loss or an output is not finite."""
        outputs = logits_of(self.network, self.inputs)
        if not isfinite(loss) or not outputs.isfinite().all():
            return False
        accuracy = float((outputs.argmax(1) == self.labels).float().mean())
        highest = None if self.weights is None else self.history[self.epoch - 1]["accuracy"]
        self.history.append({"epoch": len(self.history) + 1, "loss": loss, "train_accuracy": train_accuracy,
                             "accuracy": accuracy, "seconds": time.perf_counter() - self.began})
        if highest is None or accuracy > highest:
            self.risen = len(self.history)
        if can_be_kept and (highest is None or accuracy >= highest):
            self.weights, self.epoch = copy.deepcopy(self.network.state_dict()), len(self.history)
        return True


class _Run:
    """Optimizer, schedule and random order of one training run."""

    def __init__(self, network: Network, plan: Training, seed: int, steps: int, objective: Objective,
                 after_step: AfterStep | None = None) -> None:
        self.network, self.plan, self.steps, self.objective, self.after_step = network, plan, steps, objective, after_step
        self.done = 0
        self.seed = seed
        self.joined = has_batch_norm(network)
        self.order = torch.Generator().manual_seed(seed)
        self.optimizer = optimizer_of(list(network.parameters()), plan)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, max(1, steps))

    def epoch(self, inputs: Tensor, labels: Tensor, report: Reporter) -> tuple[float, float]:
        """One epoch: (mean loss, accuracy in training)."""
        self.network.train()
        order = torch.randperm(len(inputs), generator=self.order).to(inputs.device)
        total, right, seen = torch.zeros((), device=inputs.device), torch.zeros((), device=inputs.device), 0
        with torch.random.fork_rng(devices=[inputs.device] if inputs.is_cuda else []):
            torch.manual_seed(self.seed * 1_000_003 + self.done)
            for number, rows in enumerate(batches(order, self.plan.batch, self.joined)):
                if self.done >= self.steps:
                    break
                loss, correct = self.step(inputs[rows], labels[rows], rows)
                total, right, seen = total + loss * len(rows), right + correct, seen + len(rows)
                if number % 16 == 15:
                    report(self.done / self.steps, f"step {self.done} of {self.steps}")
        return float(total) / seen, float(right) / seen

    def step(self, batch: Tensor, labels: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """One optimizer step: (loss, number of correct predictions), both still on the device."""
        if self.plan.shift:
            batch = shifted(batch, self.plan.shift, self.order)
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=batch.is_cuda):
            logits = self.network(batch)
        loss = self.objective(logits.float(), labels, rows)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.done += 1
        if self.after_step is not None:
            self.after_step(self.network, self.done)
        return loss.detach(), (logits.argmax(1) == labels).sum()


def shifted(batch: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Each example shifted by a random offset of up to `most` samples along each axis; edge samples are repeated.

    Args:
        batch: images (n, c, h, w) or sequences (n, features, length); tables (n, features) are returned unchanged.
    """
    for axis in range(2, batch.dim()):
        length = batch.shape[axis]
        offsets = torch.randint(-most, most + 1, (len(batch), 1), generator=generator).to(batch.device)
        index = (torch.arange(length, device=batch.device) + offsets).clamp(0, length - 1)
        shape = [len(batch)] + [1] * (batch.dim() - 1)
        shape[axis] = length
        batch = batch.gather(axis, index.view(shape).expand_as(batch))
    return batch


def optimizer_of(parameters: list[Tensor], plan: Training) -> torch.optim.Optimizer:
    """The plan's optimizer over these parameters."""
    if plan.optimizer == "adam":
        return torch.optim.AdamW(parameters, plan.learning_rate, weight_decay=plan.weight_decay, fused=True)
    return torch.optim.SGD(parameters, plan.learning_rate, momentum=0.9, nesterov=True,
                           weight_decay=plan.weight_decay, fused=True)


def steps_of(plan: Training, examples: int, most: int | None = None, joined: bool = False) -> int:
    """The number of optimizer steps of the plan for this number of examples, at most `most`; joined as for batches()."""
    steps = plan.epochs * batches_in(examples, plan.batch, joined)
    return steps if most is None else min(steps, most)
