"""Where the files of a package are, and packages that are optional extras for their data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from compress.data.raw_data import DatasetCard


@dataclass(frozen=True)
class Extra:
    """A data set of a package.

    Attributes:
        card: of the data set; package: its name.
        line: what installs it; brings: what that is, for people: "The peptides are in the package modlamp".
        needs: packages that read the file.
    """

    card: DatasetCard
    package: str
    line: str
    brings: str
    needs: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        """Whether the package, and what reads its file, are there."""
        return all(find_spec(name) for name in (self.package, *self.needs))

    @property
    def missing(self) -> str:
        """What to do where it is not installed, in a sentence."""
        return f"{self.brings}, an optional extra. Install it with: {self.line}, then reload this page."

    @property
    def shown(self) -> DatasetCard:
        """The card, with a problem where the package is not installed."""
        return self.card if self.is_installed else replace(self.card, problem=self.missing, shape="", classes=0, examples=0)

    def file(self, *places: str) -> Path:
        """The path of a file of the package, there or not. Raises ValueError if the package is not installed."""
        if not self.is_installed:
            raise ValueError(self.missing)
        return folder_of(self.package).joinpath(*places)


def folder_of(package: str) -> Path:
    """Where a package is installed, found without running its code; the current folder if it is not."""
    spec = find_spec(package)
    return Path(next(iter((spec and spec.submodule_search_locations) or ()), "."))
