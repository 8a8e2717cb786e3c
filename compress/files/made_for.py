"""The description, in a network's file, of the data that the network was made for: enough to use it on new examples."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.data.datasets import Dataset
from compress.data.normaliser import Normaliser


@dataclass(frozen=True)
class MadeFor:
    """A data set as far as the user of a network has to know it.

    Attributes:
        data: its name; digest: as Dataset has it.
        shape: of one example.
        classes: their names, in the order of the logits.
        mean, standard_deviation: of the normaliser, one number for each entry of an example's first axis.
    """

    data: str
    digest: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]

    @classmethod
    def of(cls, data: Dataset) -> MadeFor:
        """The description of these data."""
        statistics = (data.normaliser.mean, data.normaliser.standard_deviation)
        mean, deviation = (tuple(numbers.ravel().tolist()) for numbers in statistics)
        return cls(data.name, data.digest, data.shape, data.classes, mean, deviation)

    @property
    def normaliser(self) -> Normaliser:
        """What turns new examples into those that the network reads."""
        shape = (-1, *[1] * (len(self.shape) - 1))
        return Normaliser(np.array(self.mean).reshape(shape), np.array(self.standard_deviation).reshape(shape))

    def plain(self) -> dict[str, Any]:
        """JSON-able and short: classes named 0, 1, 2, ... as their number, and the normaliser's means and then its standard
        deviations as little-endian float64 in base64."""
        numbers = np.array([*self.mean, *self.standard_deviation], dtype="<f8")
        return {"data": self.data, "digest": self.digest, "shape": list(self.shape),
                "classes": len(self.classes) if self.classes == _numbered(len(self.classes)) else list(self.classes),
                "normaliser": base64.b64encode(numbers.tobytes()).decode()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> MadeFor:
        """The opposite of plain()."""
        classes = plain["classes"]
        numbers = np.frombuffer(base64.b64decode(plain["normaliser"]), "<f8").tolist()
        half = len(numbers) // 2
        return cls(plain["data"], plain["digest"], tuple(plain["shape"]),
                   _numbered(classes) if isinstance(classes, int) else tuple(classes),
                   tuple(numbers[:half]), tuple(numbers[half:]))

    def difference(self, data: Dataset) -> str:
        """How the data that a network is about to read differ from those that it was made for, in a sentence; "" if not."""
        other = MadeFor.of(data)
        if other.classes != self.classes:
            return (f"it was made for {self.data} with the classes {_listed(self.classes)}, not for {other.data} with "
                    f"{_listed(other.classes)}: its outputs mean other classes")
        if other.data != self.data:
            return f"it was made for {self.data}, not for {other.data}: it may never have seen examples like these"
        if other.digest != self.digest:
            return (f"it was made for other contents or other splits of {self.data}: some of these examples may be among "
                    "those that it was trained on")
        return ""


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(count))


def _listed(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:3]) + (", ..." if len(classes) > 3 else "")
