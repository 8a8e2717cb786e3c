"""What a compression method is. Each is one file in compress/methods/; the folder's __init__ finds it there.

A method is a frozen dataclass: its fields are its settings, its docstring its page in the handbook, `dial` names the
setting that a curve turns. It never changes the teacher it is given.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from compress.data.datasets import Dataset
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.recipe import Step
from compress.settings import Settings


@dataclass(frozen=True, eq=False)
class Candidate:
    """What a method made at one dial value, ready to be measured.

    Attributes:
        value: the dial's value.
        network: maps inputs to logits.
        logits: its outputs on validation (n, classes), where shared work already gave them; None otherwise.
        contents: the bytes to be stored if that is not the network itself (compressed data).
        inside: plain data that the page shows for this point, such as each layer's rank.
        notes: sentences for the user, such as "layer 3 stays dense: rank 90 saves nothing".
        method: the settings that made it, where they differ from the curve's by more than the dial.
    """

    value: Any
    network: Network
    logits: Tensor | None = None
    contents: bytes | None = None
    inside: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    method: Method | None = None


@dataclass(frozen=True)
class Exclusion:
    """Settings that do not go together: when each named setting has one of the values, sentence says what is wrong and
    what to do, and remedy is the change of settings that mends it."""

    when: dict[str, tuple[Any, ...]]
    sentence: str
    remedy: dict[str, Any]


@dataclass(frozen=True)
class Method(Settings):
    """Base of all methods. A subclass gives `compress`, or `curve` where dial values can share work.

    Class attributes:
        name: the word in recipes and on the command line; title: for people.
        dial: the setting that a curve turns; values: where a curve measures unless told otherwise.
        subject: "network", or "data" if the method makes the data smaller and trains a network on what is left.
        compared: what `reference` is called, in words; "" for the teacher, or the raw data where the subject are data.
        exclusions: settings that do not go together; a method made with them raises ValueError.
        rounding: how far, relatively, weights may differ from those of the same settings in other company; 0 where
            shared work changes no bit.
        control_settings: what the settings of a point are if it is a control, measured for comparison only; {} if there
            is no such thing.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    dial: ClassVar[str]
    values: ClassVar[tuple[Any, ...]]
    subject: ClassVar[str] = "network"
    compared: ClassVar[str] = ""
    exclusions: ClassVar[tuple[Exclusion, ...]] = ()
    rounding: ClassVar[float] = 0.0
    control_settings: ClassVar[dict[str, Any]] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        for rule in self.exclusions:
            if all(getattr(self, name) in values for name, values in rule.when.items()):
                raise ValueError(f"{type(self).__name__}: {rule.sentence}")

    def compress(self, teacher: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Network:
        """A NEW, smaller network; the teacher stays bit for bit as it was. Only train and calibration are read (and
        validation, where a method trains, to pick the best epoch)."""
        return next(self.curve(teacher, data, [getattr(self, self.dial)], report, seed)).network

    def curve(self, teacher: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
              seed: int = 0) -> Iterator[Candidate]:
        """One candidate a dial value, in the order given; each equals what compress() makes at that value."""
        for value in values:
            yield Candidate(value, self.at(value).compress(teacher, data, report, seed))

    def grid(self, values: Sequence[Any]) -> list[Method]:
        """Everything that is measured for a curve over these dial values: one method a value, unless a method adds
        company to be judged by, such as controls and other seeds."""
        return [self.at(value) for value in values]

    def grow(self, teacher: Network, data: Dataset, grid: Sequence[Method], report: Reporter = no_report,
             seed: int = 0) -> Iterator[Candidate]:
        """One candidate for each method of (a part of) a grid, in any order. A method that overrides grid() overrides
        this too, and names each candidate's method."""
        yield from self.curve(teacher, data, [getattr(one, self.dial) for one in grid], report, seed)

    def misfit(self, value: Any, data: Dataset) -> str:
        """Why this dial value makes no sense for these data, as a sentence with a remedy; empty if it does."""
        return ""

    def reference(self, teacher: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Candidate:
        """What every ratio and agreement is measured against: the teacher itself, unless a method says otherwise."""
        return Candidate(None, teacher)

    def inside(self, teacher: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Plain data for the page's view of what happens inside (spectra, masks, atoms); empty if there is none."""
        return {}

    def at(self, value: Any) -> Method:
        """The same method with the dial turned to this value."""
        return dataclasses.replace(self, **{self.dial: value})

    def step(self) -> Step:
        """What a point is made by, as plain data: all settings spelled out, but those of the sweep around it."""
        company = {field.name for field in dataclasses.fields(self) if field.metadata["of_sweep"]}
        return Step.of(self.name, {name: value for name, value in self.plain().items() if name not in company})

    @classmethod
    def card(cls) -> dict[str, Any]:
        """The method as plain data for a page that does not import torch: title, dial, settings, docstring."""
        return {"name": cls.name, "title": cls.title, "class": cls.__name__, "module": cls.__module__,
                "dial": cls.dial, "values": list(cls.values), "subject": cls.subject,
                "reference": cls.compared or ("raw data" if cls.subject == "data" else "teacher"),
                "settings": cls.describe(), "renamed": dict(cls.renamed), "control_settings": dict(cls.control_settings),
                "doc": inspect.getdoc(cls) or "",
                "exclusions": [dataclasses.asdict(rule) for rule in cls.exclusions]}
