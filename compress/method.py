"""The contract of a compression method. Each method is one file in compress/methods/, found by the folder's __init__.

A method is a frozen dataclass: its fields are its settings, its docstring its page in the handbook, `dial` names the
setting that a curve turns. A method never changes the network it is given.
"""

from __future__ import annotations

import dataclasses
import inspect
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, final

from torch import Tensor

from compress.data.datasets import Dataset
from compress.networks.composite import acted_on, put_back
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.recipe import CURVE, ROLES, Step
from compress.settings import Settings, checked_seed, setting
from compress.stored import CODINGS, ENTROPY, FLOAT32, PRECISIONS, Stored


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network (or compressed data) made by a method, ready to be measured.

    Attributes:
        method: the method with all settings that made it.
        network: maps inputs to logits.
        logits: the network's outputs on validation (n, classes), if shared work has computed them; else None.
        contents: the bytes of the file for compressed data; None if the file holds the network.
        inside: plain data that a page shows for this point, such as each layer's rank.
        notes: sentences for the user, such as "layer 3 stays dense: rank 90 saves nothing".
    """

    method: Method
    network: Network
    logits: Tensor | None = None
    contents: bytes | None = None
    inside: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> Any:
        """The dial's value."""
        return self.method.value


@dataclass(frozen=True)
class Run:
    """One measurement of a curve: a method with all settings, its role, and its name in a legend.

    Raises:
        ValueError: a role that is not one of recipe.ROLES.
    """

    method: Method
    role: str = CURVE
    label: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"Run: role must be one of {', '.join(ROLES)}, but got {self.role!r}. Choose one of these.")


@dataclass(frozen=True)
class Exclusion:
    """Settings that exclude each other: when each named setting has one of the values. `sentence` is the error message with
    its remedy; `remedy` is the same as a change of settings."""

    when: dict[str, tuple[Any, ...]]
    sentence: str
    remedy: dict[str, Any]


@dataclass(frozen=True)
class Entrant:
    """A curve with which a method takes part in a race of all methods on one teacher.

    Attributes:
        label: what is special about it, beside the method's title: "second order"; "" if nothing is.
        settings: those that are not at their defaults, without the dial; values: of the dial.
        effort: how long a network takes, roughly, in networks that are only measured. In a race, entrants of less effort
            have their turn first, and progress counts by it.
    """

    label: str
    settings: dict[str, Any]
    values: tuple[Any, ...]
    effort: int = 1


@dataclass(frozen=True)
class Method(Settings):
    """Base of all methods. A subclass overrides `candidates`; all other methods have defaults.

    Class attributes:
        name: the word in recipes and on the command line; title: for people.
        dial: the setting that varies along a curve; values: its values on a curve by default.
        applies_to: "network", or "data" if the method compresses the training data and trains a new network on them.
        reference_title: the name of `baseline` on a page; "" for the teacher, or for the raw data if applies_to is "data".
        exclusions: settings that exclude each other; a method with such settings raises ValueError.
        trains_new_network: whether a new network is trained on compressed data, so that the given network has no effect;
            such a method must be the first of a chain.
        race: the curves with which it takes part in a race; () for a method that does not.

    Raises:
        TypeError: when the class is made, if it does not override `candidates`, overrides a final method, or lacks a name.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    dial: ClassVar[str]
    values: ClassVar[tuple[Any, ...]]
    applies_to: ClassVar[str] = "network"
    reference_title: ClassVar[str] = ""
    exclusions: ClassVar[tuple[Exclusion, ...]] = ()
    trains_new_network: ClassVar[bool] = False
    race: ClassVar[tuple[Entrant, ...]] = ()

    precision: str = setting(FLOAT32, choices=PRECISIONS, of_file=True, tried=PRECISIONS,
                             help="Of the weights in the file: 32 bits, 16 bits, or 8 bits with a scale for each row.")
    coding: str = setting(ENTROPY, choices=CODINGS, of_file=True,
                          help="Whether the file is entropy-coded: it gives the same numbers, in fewer bytes.")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        missing = [name for name in ("name", "title", "dial", "values") if not hasattr(cls, name)]
        if missing:
            raise TypeError(f"The method {cls.__name__} has no {', '.join(missing)}; give each as a class attribute.")
        if cls.candidates is Method.candidates:
            raise TypeError(f"The method {cls.__name__} does not override candidates(), which makes its networks.")
        for name in ("compress", "curve", "applied", "compared_with"):
            if getattr(cls, name) is not getattr(Method, name):
                raise TypeError(f"The method {cls.__name__} overrides {name}(), which is final; override candidates().")

    def __post_init__(self) -> None:
        super().__post_init__()
        for rule in self.exclusions:
            if all(getattr(self, name) in values for name, values in rule.when.items()):
                raise ValueError(f"{type(self).__name__}: {rule.sentence}")

    @abstractmethod
    def candidates(self, network: Network, data: Dataset, wanted: Sequence[Self], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """One candidate for each wanted method (of this class; mostly they differ in the dial alone), in any order. Shared
        work may be done once, but each candidate must be equal to the one computed alone, on a CPU with the same number of
        threads bit for bit.

        Args:
            network: the network to be compressed; it stays bit for bit as it is. Never a composite: see applied().
            data: only train and calibration are read (and validation, where a method trains, to pick the best epoch).
            report: called as report(share, text); raises Cancelled if the user cancelled the work.

        Raises:
            ValueError: settings that are impossible here; the message has a remedy. Cancelled: through `report`.
        """

    def plan(self, values: Sequence[Any]) -> tuple[Run, ...]:
        """Everything that is measured for a curve over these dial values: one run for each value, and the controls,
        baselines or other seeds that a method adds."""
        return tuple(Run(self.at(value)) for value in values)

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """The reason why these settings (the dial included) are impossible for this network or data, as a sentence with a
        remedy; "" if they are possible. Called before anything is trained, so that only the network's structure matters."""
        return ""

    def preview(self, network: Network, data: Dataset) -> Network:
        """A network with the structure of compress()'s result, made quickly and without training, for the invalid_reason of
        the next method in a chain; the network itself if the structure does not change."""
        return network

    def baseline(self, network: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Candidate | None:
        """The candidate that ratios and agreement refer to; None for the teacher."""
        return None

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Plain data of the inside of the method for a page (spectra, masks, atoms); empty if there is none."""
        return {}

    @final
    def compress(self, network: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Network:
        """A NEW, smaller network. Raises ValueError with the reason where these settings make no sense for it."""
        return next(self.curve(network, data, [self.value], report, seed)).network

    @final
    def curve(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
              seed: int = 0) -> Iterator[Candidate]:
        """One candidate for each dial value, in the order of candidates(). Raises ValueError as compress() does."""
        wanted = [self.at(value) for value in values]
        given = acted_on(network, data)
        for method in wanted:
            reason = method.invalid_reason(*given)
            if reason:
                raise ValueError(reason)
        yield from self.applied(network, data, wanted, report, seed)

    @final
    def applied(self, network: Network, data: Dataset, wanted: Sequence[Self], report: Reporter = no_report,
                seed: int = 0) -> Iterator[Candidate]:
        """candidates() for any network: a method is given a composite's classifier and the features that it reads; what it
        makes of these is put back behind the same fronts."""
        seed = checked_seed(seed, type(self).__name__)
        def behind(candidate: Candidate) -> Candidate:
            return dataclasses.replace(candidate, network=put_back(network, candidate.network))

        yield from map(behind, self.candidates(*acted_on(network, data), wanted, report, seed))

    @final
    def compared_with(self, network: Network, data: Dataset, report: Reporter = no_report,
                      seed: int = 0) -> Candidate | None:
        """baseline() for any network, as applied() is candidates()."""
        candidate = self.baseline(*acted_on(network, data), report, checked_seed(seed, type(self).__name__))
        return candidate and dataclasses.replace(candidate, network=put_back(network, candidate.network))

    @property
    def value(self) -> Any:
        """Where the dial is."""
        return getattr(self, self.dial)

    @property
    def stored(self) -> Stored:
        """How the file of a network stores its numbers, where this method is the last of a chain."""
        return Stored(self.precision, self.coding)

    def at(self, value: Any) -> Self:
        """The same method with the dial turned to this value."""
        return dataclasses.replace(self, **{self.dial: value})

    def step(self) -> Step:
        """The recipe step of a point: all settings except those that only add runs to a curve (`of_sweep`)."""
        sweeping = {field.name for field in dataclasses.fields(self) if field.metadata["of_sweep"]}
        return Step.of(self.name, {name: value for name, value in self.plain().items() if name not in sweeping})

    def request(self) -> Step:
        """The recipe step of a curve: all settings."""
        return Step.of(self.name, self.plain())

    @classmethod
    def entrants(cls) -> list[dict[str, Any]]:
        """`race` as plain data: label, all settings written out, the dial's values, effort.

        Raises:
            ValueError: a setting or value of an entrant is not allowed.
        """
        return [{"label": one.label, "settings": (own := cls.from_plain(one.settings)).plain(), "effort": one.effort,
                 "values": [own.at(value).plain()[cls.dial] for value in one.values]} for one in cls.race]

    @classmethod
    def card(cls) -> dict[str, Any]:
        """The method as plain data for a page that does not import torch: title, dial, settings, docstring."""
        return {"name": cls.name, "title": cls.title, "class": cls.__name__, "module": cls.__module__,
                "dial": cls.dial, "values": list(cls.values), "applies_to": cls.applies_to,
                "reference": cls.reference_title or ("raw data" if cls.applies_to == "data" else "teacher"),
                "settings": cls.describe(), "renamed": dict(cls.renamed), "doc": inspect.getdoc(cls) or "",
                "race": cls.entrants(), "exclusions": [dataclasses.asdict(rule) for rule in cls.exclusions]}
