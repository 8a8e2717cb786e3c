"""What is known of a network before it is measured in full: the bytes of its file, from a network of the same structure that
is made without training, and how well it does on calibration examples, once it is made.

Both only refuse: a recipe that cannot meet the target any more is not measured. Neither reads validation or test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.method import Method
from compress.networks.composite import acted_on, put_back
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network

UNKNOWN = 0.5  # a file is at least this share of its prediction, as long as no network of the same methods was measured
LEAST = 0.95  # of the least such share that was seen
MARGIN = 2.0  # percentage points on calibration beyond what is allowed, before a network counts as hopeless


@dataclass(eq=False)
class BytesAhead:
    """Predicts the bytes of files, and learns how far predictions are off.

    Attributes:
        shares: names of the methods of a chain -> the least measured share of a prediction.
    """

    network: Network
    data: Dataset
    shares: dict[tuple[str, ...], float] = field(default_factory=dict)

    def predicted(self, chain: Sequence[Method]) -> int:
        """Bytes of the file of a network of the chain's structure (Method.preview), coded like the file to come.

        Raises:
            ValueError: a method is impossible after those before it.
        """
        network = self.network
        for method in chain[:-1]:
            network = self._preview(network, method)
        return self._length(network, chain[-1])

    def aimed(self, chain: Sequence[Method], values: Sequence[Any], wanted: int) -> Any:
        """The value of the last method's dial whose file should come nearest below so many bytes; None if none does.

        Args:
            values: of the dial, in order, along which files get longer, or get shorter.

        Raises:
            ValueError: as predicted().
        """
        network, last = self.network, chain[-1]
        for method in chain[:-1]:
            network = self._preview(network, method)
        scale = LEAST * self.shares.get(_names(chain), 1.0)

        def fits(place: int) -> bool:
            return self._length(network, last.at(values[place])) * scale <= wanted

        low, high = 0, len(values) - 1
        if not (fits(low) or fits(high)):
            return None
        rises = fits(low)  # the first value fits: what fits is a beginning of the values, else an end of them
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) == rises else (low, middle)
        if rises:
            return values[high if fits(high) else low]
        return values[high]

    def _preview(self, network: Network, method: Method) -> Network:
        given = acted_on(network, self.data, shapes_only=True)
        if reason := method.invalid_reason(*given):
            raise ValueError(reason)
        return put_back(network, method.preview(*given))

    def _length(self, network: Network, last: Method) -> int:
        return len(network_file.to_bytes(self._preview(network, last), MadeFor.of(self.data), last.stored))

    def least(self, chain: Sequence[Method], predicted: int) -> int:
        """The fewest bytes that the file may have after all."""
        return int(predicted * LEAST * self.shares.get(_names(chain), UNKNOWN / LEAST))

    def learn(self, chain: Sequence[Method], predicted: int, measured: int) -> None:
        """A file was measured."""
        names = _names(chain)
        self.shares[names] = min(self.shares.get(names, inf), measured / predicted)


@dataclass(frozen=True)
class OnCalibration:
    """A network on calibration examples, beside its teacher.

    Attributes:
        points_lost: accuracy below the teacher's, in percentage points; output_error: mean squared difference of the logits
            from the teacher's, as a share of their variance.
    """

    points_lost: float
    output_error: float

    def is_hopeless(self, points_allowed: float) -> bool:
        """Whether the loss on examples that training and compression have seen is far beyond what is allowed: on others, the
        loss is hardly smaller."""
        return self.points_lost > points_allowed + MARGIN


class Calibration:
    """The teacher on the calibration examples, with which networks are compared."""

    def __init__(self, teacher: Network, data: Dataset) -> None:
        self.inputs, self.labels = on_device(data.calibration, device_of(teacher))
        self.logits = logits_of(teacher, self.inputs)

    def look(self, network: Network) -> OnCalibration:
        """Runs a network over the calibration examples (a few hundred)."""
        logits = logits_of(network, self.inputs)
        lost = 100 * (_accuracy(self.logits, self.labels) - _accuracy(logits, self.labels))
        centred = self.logits - self.logits.mean(0)
        error = float((logits - self.logits).square().mean() / centred.square().mean().clamp_min(torch.finfo().tiny))
        return OnCalibration(lost, float(np.nan_to_num(error, nan=inf)))


def _names(chain: Sequence[Method]) -> tuple[str, ...]:
    return tuple(method.name for method in chain)


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(1) == labels).double().mean())
