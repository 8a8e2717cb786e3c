"""The command that writes measured networks as one archive, or reads one into the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.atomic_file import write_whole
from compress.shell.printed import say

if TYPE_CHECKING:
    from compress.curves.store import Store


def add_to(commands: Any, store: Callable[[], Store]) -> None:
    """Adds the command to those of a parser."""
    text = "Writes the pinned networks with their points as one archive, or adds those of an archive to the store."
    points = commands.add_parser("points", help=text)
    points.add_argument("--save", metavar="FILE", help="write the pinned networks")
    points.add_argument("--load", metavar="FILE", help="add the networks of this archive")
    points.set_defaults(run=lambda chosen: say(run(chosen.save, chosen.load, store())))


def run(save: str | None, load: str | None, store: Store) -> dict[str, Any]:
    """Writes the pinned points, or adds those of an archive.

    Raises:
        ValueError: neither a file to write nor one to read, or both; nothing is pinned; an archive that cannot be read.
    """
    from compress.curves import archive

    if (save is None) == (load is None):
        raise ValueError("points needs one of --save FILE, which writes the pinned networks, and --load FILE, which adds "
                         "those of an archive.")
    if save is not None:
        places = store.pins()
        if not places:
            raise ValueError("No network is pinned. Pin those that the archive shall have on the Compare page.")
        contents = archive.packed(store, places)
        write_whole(contents, Path(save))
        return {"archive": save, "bytes": len(contents), "points": len(places)}
    try:
        contents = Path(load or "").read_bytes()
    except OSError as error:
        raise ValueError(f"{load} cannot be read ({error.strerror}). Give the path of an archive.") from error
    return {"archive": load, "bytes": len(contents), "new": archive.unpacked(contents, store)}
