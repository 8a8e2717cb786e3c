"""The user's own files, kept in a folder of home until the user removes them: data sets and networks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from compress.home import cache_folder
from compress.settings import shown


@dataclass(frozen=True)
class OwnFiles:
    """One kind of them, one file each.

    Attributes:
        folder_name: in home; ending: of each file, with its dot; what: they are, for messages; longest_name: in signs.
        replaced: a pattern of what stands in a name as "_".
    """

    folder_name: str
    ending: str
    what: str
    longest_name: int
    replaced: str

    def folder(self) -> Path:
        """The folder, which may not be there yet. Raises ValueError as home.cache_folder()."""
        return cache_folder() / self.folder_name

    def files(self) -> list[Path]:
        """All of them, by name; none where there is no home folder, which others say."""
        try:
            return sorted(self.folder().glob(f"[!.]*{self.ending}"))
        except (OSError, ValueError):
            return []

    def file(self, name: str) -> Path:
        """The file of this name, whether it is there or not."""
        return self.folder() / f"{name}{self.ending}"

    def plain(self, name: str) -> str:
        """A name for a file: other signs become "_". Raises ValueError for a name without letters and digits."""
        plain = re.sub(self.replaced, "_", name).strip("._")[:self.longest_name]
        if not plain:
            raise ValueError(f"The name must hold letters or digits, but is {shown(name)}. Call the {self.what} birds, for "
                             "example.")
        return plain

    def removed(self, name: str) -> Path:
        """Removes the file of this name and returns its path. What was measured with it stays in the store.

        Raises:
            ValueError: it cannot be removed.
        """
        path = self.file(name)
        try:
            path.unlink()
        except OSError as error:
            raise ValueError(f"{path} cannot be removed ({error.strerror}).") from error
        return path

    def unwritable(self, error: OSError) -> ValueError:
        """What to raise where the folder or a file in it cannot be written."""
        return ValueError(f"{self.folder()} cannot be written ({error.strerror}). Free some space, or set COMPRESS_HOME to "
                          "a folder that may be written.")
