"""Which training examples a student reads, and of which it may see the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset


@dataclass(frozen=True, eq=False)
class TransferSet:
    """Rows of train for a student and for its control, each None where it is all of them.

    Attributes:
        rows: what the taught student reads; labelled: (n,) of 0 and 1, of which of them it sees the label (None: all).
        control: the labelled examples, which is all that a control can learn from.
    """

    rows: Tensor | None
    labelled: Tensor | None
    control: Tensor | None


def transfer_set(data: Dataset, labelled: int, unlabelled: bool, omitted: int, seed: int) -> TransferSet:
    """The examples of a student.

    Args:
        labelled: how many labels may be seen, drawn evenly from the classes, fewer being a part of more; 0: all.
        unlabelled: whether the rest is read without labels.
        omitted: class that is left out altogether, or -1.

    Raises:
        ValueError: more labels than training examples, or no such class.
    """
    labels = data.train.labels
    if omitted >= len(data.classes):
        raise ValueError(f"Distill: omit must be between -1 (none) and {len(data.classes) - 1} (the last class of "
                         f"{data.name}), but got {omitted}. Choose a class by its number.")
    pool = np.flatnonzero(labels != omitted)
    if labelled > len(pool):
        raise ValueError(f"Distill: labelled must be between 0 (all) and {len(pool)} (the training examples of {data.name}"
                         f"{' without the omitted class' if omitted >= 0 else ''}), but got {labelled}. Choose fewer.")
    seen = pool if not labelled else np.sort(evenly(labels, pool, seed)[:labelled])
    everything = len(pool) == len(labels)
    control = None if len(seen) == len(labels) else torch.tensor(seen)
    if len(seen) == len(pool):
        return TransferSet(control, None, control)
    if not unlabelled:
        return TransferSet(control, None, control)
    mask = torch.zeros(len(labels))
    mask[torch.tensor(seen)] = 1.0
    return TransferSet(None if everything else torch.tensor(pool), mask, control)


def evenly(labels: np.ndarray, pool: np.ndarray, seed: int) -> np.ndarray:
    """The pool in a random order in which the classes take turns: any beginning of it is stratified."""
    shuffled = np.random.default_rng(seed).permutation(pool)
    turn = np.zeros(len(shuffled), dtype=np.int64)
    for label in np.unique(labels[shuffled]):
        own = labels[shuffled] == label
        turn[own] = np.arange(own.sum())
    return shuffled[np.argsort(turn, kind="stable")]
