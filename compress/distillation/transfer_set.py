"""The transfer set: which training examples a student reads, and for which of them the label is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.one_line import one_line
from compress.setting_values import label_of, label_value

MOST_NAMED = 20  # classes that an error lists
MOST_SIGNS = 40  # of a label in an error


@dataclass(frozen=True, eq=False)
class TransferSet:
    """Indices into train for a student and for its control; None means all examples.

    Attributes:
        rows: examples that the student reads.
        labelled: (n,) of 0 and 1, 1 for examples whose label the student may use; None: all.
        control: the labelled examples, the only ones that a control can be trained on.
        omitted: the number of the class whose examples nobody reads; -1 for none.
    """

    rows: Tensor | None
    labelled: Tensor | None
    control: Tensor | None
    omitted: int = -1


def transfer_set(data: Dataset, labelled: int, unlabelled: bool, omitted: int | str, seed: int) -> TransferSet:
    """The transfer set of a student and its control.

    Args:
        labelled: the number of known labels, drawn evenly from the classes; a smaller number is a subset of a larger one
            with the same seed. 0: all labels are known.
        unlabelled: whether the student also reads the other examples, without their labels.
        omitted: the label of a class whose examples nobody reads, as a setting of a label spells it; -1 for none.

    Raises:
        ValueError: more labels than training examples, or no such class.
    """
    labels = data.train.labels
    place = omitted_class(data.classes, omitted, data.name)
    pool = np.flatnonzero(labels != place)
    if labelled > len(pool):
        raise ValueError(f"Distill: labelled must be between 0 (all) and {len(pool)} (the training examples of {data.name}"
                         f"{' without the omitted class' if place >= 0 else ''}), but got {labelled}. Choose fewer.")
    seen = pool if not labelled else np.sort(evenly(labels, pool, seed)[:labelled])
    everything = len(pool) == len(labels)
    control = None if len(seen) == len(labels) else torch.tensor(seen)
    if len(seen) == len(pool):
        return TransferSet(control, None, control, place)
    if not unlabelled:
        return TransferSet(control, None, control, place)
    mask = torch.zeros(len(labels))
    mask[torch.tensor(seen)] = 1.0
    return TransferSet(None if everything else torch.tensor(pool), mask, control, place)


def omitted_class(classes: Sequence[str], omitted: int | str, data: str) -> int:
    """The number of the class with this label, in 0..k-1; -1 for none. Raises ValueError with the labels that there are."""
    label = label_of(omitted)
    if label is None:
        return -1
    if label in classes:
        return classes.index(label)
    known = ", ".join(str(label_value(one_line(name, MOST_SIGNS))) for name in classes[:MOST_NAMED])
    more = f" and {len(classes) - MOST_NAMED} more" if len(classes) > MOST_NAMED else ""
    raise ValueError(f"Distill: omit must be -1 (none) or the label of a class of {data} ({known}{more}), but got "
                     f"{one_line(repr(omitted), MOST_SIGNS)}. Choose one of these.")


def evenly(labels: np.ndarray, pool: np.ndarray, seed: int) -> np.ndarray:
    """The pool in a random order in which the classes alternate, so that the first k examples are stratified for every k."""
    shuffled = np.random.default_rng(seed).permutation(pool)
    turn = np.zeros(len(shuffled), dtype=np.int64)
    for label in np.unique(labels[shuffled]):
        members = labels[shuffled] == label
        turn[members] = np.arange(members.sum())
    return shuffled[np.argsort(turn, kind="stable")]
