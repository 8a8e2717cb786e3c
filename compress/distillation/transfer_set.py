"""The transfer set: which training examples a student reads, and for which of them the label is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset


@dataclass(frozen=True, eq=False)
class TransferSet:
    """Indices into train for a student and for its control; None means all examples.

    Attributes:
        rows: examples that the student reads.
        labelled: (n,) of 0 and 1, 1 for examples whose label the student may use; None: all.
        control: the labelled examples, the only ones that a control can be trained on.
    """

    rows: Tensor | None
    labelled: Tensor | None
    control: Tensor | None


def transfer_set(data: Dataset, labelled: int, unlabelled: bool, omitted: int, seed: int) -> TransferSet:
    """The transfer set of a student and its control.

    Args:
        labelled: the number of known labels, drawn evenly from the classes; a smaller number is a subset of a larger one
            with the same seed. 0: all labels are known.
        unlabelled: whether the student also reads the other examples, without their labels.
        omitted: a class whose examples nobody reads, or -1.

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
    """The pool in a random order in which the classes alternate, so that the first k examples are stratified for every k."""
    shuffled = np.random.default_rng(seed).permutation(pool)
    turn = np.zeros(len(shuffled), dtype=np.int64)
    for label in np.unique(labels[shuffled]):
        members = labels[shuffled] == label
        turn[members] = np.arange(members.sum())
    return shuffled[np.argsort(turn, kind="stable")]
