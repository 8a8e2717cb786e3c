"""Dark knowledge as plain data: a teacher's probabilities of the other classes, for some examples and on average."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network

TEMPERATURES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0, 11.0, 16.0, 20.0, 32.0, 45.0, 64.0)
MOST_CLASSES = 20
EXAMPLES = 20


def knowledge_view(teacher: Network, data: Dataset) -> dict[str, Any]:
    """Ambiguous validation examples with the teacher's logits, and the similarity of classes at each temperature.

    Returns:
        classes; examples (rows of validation); example_labels; teacher_logits (one list for each example); temperatures;
        similarity: for each temperature a matrix (row: true class, column: predicted class) of the teacher's mean
        probabilities on the training examples. With more than 20 classes: classes alone.
    """
    classes = list(data.classes)
    if len(classes) > MOST_CLASSES:
        return {"classes": classes}
    device = device_of(teacher)
    chosen = ambiguous_examples(teacher, data)
    inputs, labels = on_device(data.train, device)
    logits = logits_of(teacher, inputs)
    return {"classes": classes, "examples": chosen.tolist(), "temperatures": list(TEMPERATURES),
            "example_labels": [classes[label] for label in data.validation.labels[chosen.numpy()]],
            "teacher_logits": logits_on(teacher, data, chosen),
            "similarity": [_rounded(similarity(logits, labels, len(classes), temperature))
                           for temperature in TEMPERATURES]}


def ambiguous_examples(teacher: Network, data: Dataset) -> Tensor:
    """Rows of validation with the largest second probability, the classes alternating; at most EXAMPLES of them."""
    inputs, labels = on_device(data.validation, device_of(teacher))
    probabilities = logits_of(teacher, inputs).double().softmax(1)
    second = probabilities.topk(2, 1).values[:, 1]
    turns: list[tuple[int, int]] = []
    for label in range(len(data.classes)):
        members = torch.nonzero(labels == label).flatten()
        ranked = members[second[members].argsort(descending=True)]
        turns += [(turn, int(row)) for turn, row in enumerate(ranked[:EXAMPLES])]
    turns.sort(key=lambda pair: pair[0])
    return torch.tensor([row for _, row in turns[:EXAMPLES]])


def logits_on(network: Network, data: Dataset, rows: Tensor) -> list[list[float]]:
    """A network's logits on these rows of validation, rounded to three decimals."""
    inputs, _ = on_device(data.validation, device_of(network))
    return _rounded(logits_of(network, inputs[rows.to(inputs.device)]), 3)


def similarity(logits: Tensor, labels: Tensor, classes: int, temperature: float) -> Tensor:
    """(classes, classes): the mean of softmax(logits / temperature) over the examples of each class. Rows sum to 1; a class
    without examples has a row of 0."""
    softened = (logits.double() / temperature).softmax(1)
    sums = torch.zeros(classes, classes, dtype=torch.float64, device=logits.device).index_add(0, labels, softened)
    counts = torch.bincount(labels, minlength=classes).clamp_min(1)
    return sums / counts[:, None]


def _rounded(values: Tensor, digits: int = 5) -> list[Any]:
    return [[round(value, digits) for value in row] for row in values.tolist()]
