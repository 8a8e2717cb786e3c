"""The command that writes measured networks as one archive, reads one into the store, deletes networks and restores them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.atomic_file import write_whole
from compress.recipe import Recipe
from compress.shell.home_store import opened
from compress.shell.printed import say

if TYPE_CHECKING:
    from compress.curves.store import Store

PINNED, ALL = "pinned", "all"
ACTIONS = ("save", "load", "delete", "restore", "deleted", "clean_up")


def add_to(commands: Any) -> None:
    """Adds the command to those of a parser."""
    text = ("Writes the pinned networks with their points as one archive, adds those of an archive to the store, or deletes "
            "networks, which can be restored until a clean-up removes their files.")
    points = commands.add_parser("points", help=text)
    points.add_argument("--save", metavar="FILE", help="write the pinned networks")
    points.add_argument("--load", metavar="FILE", help="add the networks of this archive")
    points.add_argument("--delete", metavar="RECIPE", action="append", help="delete the networks of this recipe, as the "
                        "command curve prints it; or pinned, for all that are")
    points.add_argument("--restore", metavar="RECIPE", action="append", help="undo that; or all")
    points.add_argument("--deleted", action="store_const", const=True, help="list what can be restored, and until when")
    points.add_argument("--clean-up", action="store_const", const=True, help="remove what is deleted for good, with its "
                        "files, now")
    points.set_defaults(run=lambda chosen: _say_all(run(opened(), **{name: getattr(chosen, name) for name in ACTIONS})))


def _say_all(lines: Iterable[dict[str, Any]]) -> None:
    for line in lines:
        say(line)


def run(store: Store, save: str | None = None, load: str | None = None, delete: list[str] | None = None,
        restore: list[str] | None = None, deleted: bool | None = None, clean_up: bool | None = None) -> Iterator[
            dict[str, Any]]:
    """Does one of these; yields what is printed.

    Raises:
        ValueError: none of them, or several; nothing is pinned; an archive that cannot be read; a recipe that nothing has.
    """
    if sum(one is not None for one in (save, load, delete, restore, deleted, clean_up)) != 1:
        raise ValueError("points needs one of --save FILE and --load FILE (an archive of networks), --delete RECIPE, "
                         "--restore RECIPE, --deleted (a list) and --clean-up.")
    if save is not None:
        yield _saved(store, save)
    elif load is not None:
        yield _loaded(store, load)
    elif delete is not None:
        yield _deleted(store, delete)
    elif restore is not None:
        yield _restored(store, restore)
    elif deleted:
        for point in store.deleted_points():
            yield {"recipe": point["recipe"], "reference": point["reference"], "accuracy": point["accuracy"],
                   "bytes": point["bytes"], "until": _day(point["until"])}
    else:
        removed = store.clean_up(days=0)
        yield {"points": removed.points, "files": removed.files, "bytes": removed.bytes}


def _saved(store: Store, file: str) -> dict[str, Any]:
    from compress.curves import archive

    places = store.pins()
    if not places:
        raise ValueError("No network is pinned. Pin those that the archive shall have on the Compare page.")
    contents = archive.packed(store, places)
    write_whole(contents, Path(file))
    return {"archive": file, "bytes": len(contents), "points": len(places)}


def _loaded(store: Store, file: str) -> dict[str, Any]:
    from compress.curves import archive

    try:
        contents = Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}). Give the path of an archive.") from error
    return {"archive": file, "bytes": len(contents), "new": archive.unpacked(contents, store)}


def _deleted(store: Store, recipes: list[str]) -> dict[str, Any]:
    points = store.all_points()
    if recipes == [PINNED]:
        places = [(point["key"], point["reference"]) for point in points if point["pinned"]]
        if not places:
            raise ValueError("No network is pinned. Pin those to be deleted on the Compare page, or name their recipes.")
    else:
        places = _named(recipes, points, "was measured. The command curve prints the recipes of its points")
    gone = store.delete_points(places)
    until = {_day(point["until"]) for point in store.deleted_points() if (point["key"], point["reference"]) in gone}
    return {"deleted": len(gone), "until": max(until, default="")}


def _restored(store: Store, recipes: list[str]) -> dict[str, Any]:
    points = store.deleted_points()
    places = ([(point["key"], point["reference"]) for point in points] if recipes == [ALL] else
              _named(recipes, points, "can be restored. The option --deleted lists those that can"))
    return {"restored": len(store.restore_points(places))}


def _named(recipes: list[str], points: list[dict[str, Any]], otherwise: str) -> list[tuple[str, str]]:
    """The places of the points of some recipes, of every teacher that they have."""
    from compress.curves.sweep import complete

    found = []
    for text in recipes:
        key = complete(Recipe.parse(text)).key()
        own = [(point["key"], point["reference"]) for point in points if point["key"] == key]
        if not own:
            raise ValueError(f"No network of the recipe {text[:200]} {otherwise}.")
        found += own
    return found


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
