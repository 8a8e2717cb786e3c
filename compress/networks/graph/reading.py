"""How a graph's network reads the examples of a data set, and which class each of its outputs is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from compress.networks.plain_values import flag, wholes


class Reading(nn.Module):
    """Normalised examples (n, *data) as the graph wants them: (n, *shape), times a scale and plus a shift for each channel.

    Args:
        data: shape of an example of the data set; shape: of the graph's input, of as many numbers.
        reversed_channels: whether the first axis is read backwards (BGR for RGB).
        channels_last: whether the first axis becomes the last one: (height, width, channels), (steps, features).
        whole: whether the graph reads whole numbers, such as the numbers of words.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, data: tuple[int, ...], shape: tuple[int, ...], reversed_channels: bool = False,
                 channels_last: bool = False, whole: bool = False) -> None:
        super().__init__()
        self.data, self.shape = data, shape
        self.reversed_channels, self.channels_last, self.whole = reversed_channels, channels_last, whole
        for name in ("scale", "shift"):
            self.register_buffer(name, torch.full((data[0], *[1] * (len(data) - 1)), float(name == "scale")))

    def forward(self, batch: Tensor) -> Tensor:
        if batch.is_meta:  # shapes alone: torch would load its compiler for them
            return torch.empty(batch.shape[0], *self.shape, dtype=torch.int64 if self.whole else batch.dtype, device="meta")
        batch = batch * self.scale + self.shift
        batch = batch.flip(1) if self.reversed_channels else batch
        batch = batch.movedim(1, -1) if self.channels_last else batch
        batch = batch.reshape(-1, *self.shape)
        return batch.round().to(torch.int64) if self.whole else batch

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of rebuild()."""
        return {"data": list(self.data), "shape": list(self.shape), "reversed_channels": self.reversed_channels,
                "channels_last": self.channels_last, "whole": self.whole}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Reading:
        """Raises ValueError for sizes that no example has."""
        data, shape = (wholes(plain, name, 1, (1, 2, 3)) for name in ("data", "shape"))
        if torch.Size(data).numel() != torch.Size(shape).numel():
            raise ValueError(f"examples of {list(data)} cannot be read as {list(shape)}")
        return cls(data, shape, *(flag(plain, name) for name in ("reversed_channels", "channels_last", "whole")))

    def extra_repr(self) -> str:
        return f"{self.plain()}"


class Order(nn.Module):
    """The scores of the classes in the data set's order. places: for each class, its place among the graph's outputs."""

    def __init__(self, places: tuple[int, ...]) -> None:
        super().__init__()
        self.places = places

    def forward(self, scores: Tensor) -> Tensor:
        return scores[:, list(self.places)]

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of rebuild()."""
        return {"places": list(self.places)}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> Order:
        """Raises ValueError for places that are no order."""
        places = plain.get("places")
        whole = isinstance(places, list) and all(type(place) is int for place in places)
        if not isinstance(places, list) or not whole or not places or len(set(places)) < len(places) or min(places) < 0:
            raise ValueError("the order of the classes does not name an output of its own for each")
        return cls(tuple(places))

    def extra_repr(self) -> str:
        return "-".join(map(str, self.places[:20]))


class OneScore(nn.Module):
    """Scores (n, 2) of two classes from the score (n, 1) of the second one."""

    def forward(self, score: Tensor) -> Tensor:
        return nn.functional.pad(score, (1, 0))

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of rebuild()."""
        return {}

    @classmethod
    def rebuild(cls, plain: dict[str, Any]) -> OneScore:
        """Has no sizes."""
        return cls()
