"""What a search looks for: limits of what a network may lose, weigh and take, and which of two networks is then the better.

Three limits, each of which may be left out: accuracy points below the teacher, bytes of the file, and time as a share of the
teacher's. With a limit of points lost, the smallest file is wanted; with any other limit alone, the best accuracy; without
limits, the whole front of files that no other one beats in both.

    text, and parts of a link   at_most=1    within=20kB    at_most=1,latency=0.5
    shell                       --at-most 1  --within 20kB  --at-most 1 --latency 0.5

Imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite, log, nan
from typing import Any

from compress.curves.race_plan import ROUNDING, unit
from compress.settings import shown, similar

SMALLEST, MOST_ACCURATE, FRONT = "smallest", "most_accurate", "front"
AT_MOST, WITHIN, LATENCY = "at_most", "within", "latency"
NAMES = (AT_MOST, WITHIN, LATENCY)
"""Of the limits in texts and links."""
LARGEST = 10**12  # bytes
_UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 10**6, "gb": 10**9}
_SIZE = re.compile(r"(\d+\.?\d*|\.\d+)\s*([kmg]?b)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """Limits, each None where there is none.

    Attributes:
        points_lost: accuracy below the teacher's, in percentage points, from 0 to 100.
        bytes: of the file, from 1.
        latency: time of a prediction as a share of the teacher's, above 0.

    Raises:
        ValueError: a limit outside its range.
    """

    points_lost: float | None = None
    bytes: int | None = None
    latency: float | None = None

    def __post_init__(self) -> None:
        _between(AT_MOST, self.points_lost, 0, 100, "1")
        _between(WITHIN, self.bytes, 1, LARGEST, "20kB")
        _between(LATENCY, self.latency, 0.001, 1000, "0.5")

    @property
    def goal(self) -> str:
        """SMALLEST, MOST_ACCURATE or FRONT: what is wanted of the networks within the limits."""
        if self.points_lost is not None:
            return SMALLEST
        return FRONT if self.bytes is None and self.latency is None else MOST_ACCURATE

    def text(self) -> str:
        """The opposite of parse(); "" without limits."""
        return ",".join(f"{name}={value}" for name, value in self.to_link().items())

    def to_link(self) -> dict[str, str]:
        """Query parameters that restore it: the opposite of of_options()."""
        link = {} if self.points_lost is None else {AT_MOST: f"{self.points_lost:g}"}
        if self.bytes is not None:
            link[WITHIN] = size_text(self.bytes)
        return link if self.latency is None else {**link, LATENCY: f"{self.latency:g}"}

    @classmethod
    def of_options(cls, options: Mapping[str, str | None]) -> Target:
        """A target from texts by the names of limits, of a link or of a command; None and "" are no limit. Other names are
        left alone. Raises ValueError as the class does, and for a text that is no number."""
        texts = {name: text for name in NAMES if (text := options.get(name))}
        return cls(_number(AT_MOST, texts.get(AT_MOST), "1"), size_of(texts.get(WITHIN), WITHIN),
                   _number(LATENCY, texts.get(LATENCY), "0.5"))

    @classmethod
    def parse(cls, text: str) -> Target:
        """A target from one text. Raises ValueError as of_options(), or a limit that does not exist or is given twice."""
        options: dict[str, str | None] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = (piece.strip() for piece in part.partition("="))
            if name not in NAMES or not value:
                raise ValueError(f"{shown(part)} is no limit of a search; write one of at_most=1, within=20kB and "
                                 f"latency=0.5, or several joined by ','.{similar(name, NAMES)}")
            if name in options:
                raise ValueError(f"{name} is given twice in {shown(text)}; give each limit once.")
            options[name] = value
        return cls.of_options(options)

    def is_met(self, point: Mapping[str, Any], reference: Mapping[str, Any]) -> bool:
        """Whether a network is within all limits. A network that was not timed is within no limit of latency.

        Args:
            point, reference: of the network and its teacher; accuracy (a share), bytes, and latency of the point.
        """
        return self.excess(point, reference) <= 0

    def excess(self, point: Mapping[str, Any], reference: Mapping[str, Any]) -> float:
        """How far a network is outside the limits; 0 within all of them. The unit is one percentage point of accuracy, or a
        file (a time) larger by the factor e; infinite for a network that was not timed."""
        over = [0.0]
        if self.points_lost is not None:
            lost = reference["accuracy"] - point["accuracy"]
            over.append(0.0 if lost <= self.points_lost / 100 + ROUNDING else 100 * lost - self.points_lost)
        if self.bytes is not None:
            over.append(log(max(1, point["bytes"]) / self.bytes))
        if self.latency is not None:
            time = point.get("latency")
            over.append(float("inf") if time is None else log(max(1e-9, time) / self.latency))
        return sum(max(0.0, one) for one in over)

    def best(self, points: Iterable[dict[str, Any]], reference: Mapping[str, Any]) -> dict[str, Any] | None:
        """The wanted one of all networks within the limits: the smallest (of equal files the more accurate), or the most
        accurate (of equal accuracies the smaller). None if there is none, if the smallest is not smaller than the teacher,
        or if no limit says which one is wanted."""
        if self.goal == FRONT:
            return None
        within = [point for point in points if self.is_met(point, reference)]
        if self.goal == MOST_ACCURATE:
            return max(within, key=lambda point: (point["accuracy"], -point["bytes"]), default=None)
        smaller = [point for point in within if point["bytes"] < reference["bytes"]]
        return min(smaller, key=lambda point: (point["bytes"], -point["accuracy"]), default=None)

    def question(self) -> str:
        """In words: the smallest file at most 1 point below the teacher, in at most 0.5 of its time."""
        limits = []
        if self.points_lost is not None:
            limits.append(f"at most {self.points_lost:g} {unit(self.points_lost)} below the teacher")
        if self.bytes is not None:
            limits.append(f"within {spaced_size(self.bytes)}")
        if self.latency is not None:
            limits.append(f"in at most {self.latency:g} of the teacher's time")
        wanted = {SMALLEST: "the smallest file", MOST_ACCURATE: "the best accuracy",
                  FRONT: "the best accuracy of every size"}
        return " ".join([wanted[self.goal], ", ".join(limits)]).strip()


def size_of(text: str | None, name: str) -> int | None:
    """Bytes from a text like 20kB, 1.5 MB or 20000 (thousands, as disks are sold); None for no text. Raises ValueError,
    which calls it `name`."""
    if text is None:
        return None
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{name} must be a size of a file, but got {shown(text)}. For example: {name}=20kB.")
    return _whole(float(found[1]) * _UNITS[(found[2] or "").lower()])


def size_text(count: int) -> str:
    """Bytes in the shortest exact spelling: 20kB, 1.5MB, 20123."""
    for name, scale in (("MB", 10**6), ("kB", 1000)):
        text = f"{count / scale:.6f}".rstrip("0").rstrip(".") + name  # without an exponent
        if count >= scale and len(text) <= len(str(count)) and size_of(text, WITHIN) == count:
            return text
    return str(count)


def spaced_size(count: int) -> str:
    """The same for people: 20 kB, 20123 bytes."""
    found = re.fullmatch(r"([\d.]+)(\D*)", size_text(count))
    return f"{found[1]} {found[2] or 'bytes'}" if found else str(count)


def _whole(value: float) -> int:
    return round(min(value, 2.0 * LARGEST))


def _number(name: str, text: str | None, example: str) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{name} must be a number, but got {shown(text)}. For example: {name}={example}.") from error


def _between(name: str, value: float | None, low: float, high: float, example: str) -> None:
    if value is not None and not (low <= (value if isfinite(value) else nan) <= high):
        raise ValueError(f"{name} must be between {low:g} and {high:g}, but got {value:g}. For example: {name}={example}.")
