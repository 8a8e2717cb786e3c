"""The description, in a network's file, of the data that the network was made for: enough to use it on new examples."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.data.datasets import Dataset
from compress.data.normaliser import Normaliser
from compress.networks.families import MOST_CLASSES
from compress.networks.plain_values import whole, wholes


@dataclass(frozen=True)
class MadeFor:
    """A data set as far as the user of a network has to know it.

    Attributes:
        data: its name; digest: as Dataset has it.
        shape: of one example.
        classes: their names, in the order of the logits.
        mean, standard_deviation: of the normaliser, one number for each entry of an example's first axis, or one for all (0
            and 1 for texts). The words of ids are not part of a file: they belong to the data, whose digest it has.
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
        """The opposite of plain(). Raises ValueError if it is damaged."""
        try:
            numbers = np.frombuffer(base64.b64decode(plain["normaliser"], validate=True), "<f8")
            return cls._read(plain, numbers.reshape(2, -1))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("its description of data is damaged") from error

    @classmethod
    def _read(cls, plain: dict[str, Any], numbers: np.ndarray) -> MadeFor:
        """numbers: means, and standard deviations (2, entries). Raises ValueError for numbers or words of another kind."""
        shape = wholes(plain, "shape", 1, (1, 2, 3))
        classes = plain["classes"]
        names = _numbered(whole(plain, "classes", 1, MOST_CLASSES)) if isinstance(classes, int) else tuple(classes)
        words = (plain["data"], plain["digest"], *names)
        if (not all(isinstance(word, str) for word in words) or numbers.shape[1] not in (1, shape[0])
                or not np.isfinite(numbers).all() or not (numbers[1] > 0).all()):
            raise ValueError("means must be numbers, and standard deviations positive ones")
        return cls(plain["data"], plain["digest"], shape, names, tuple(numbers[0].tolist()), tuple(numbers[1].tolist()))

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
