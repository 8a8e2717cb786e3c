"""Measured networks as one archive: their points, teachers and files, to be read into another store.

A zip file with points.json and networks/DIGEST.safetensors. Nothing in it is executed. An archive is read whole or refused
whole: every digest and every point is checked before anything is written.
"""

from __future__ import annotations

import base64
import json
import struct
import zipfile
import zlib
from collections.abc import Collection
from io import BytesIO
from typing import Any

from compress.curves.store import Store
from compress.curves.stored_text import as_point
from compress.files.artefacts import SUFFIX, digest_of
from compress.recipe import ROLES, Recipe

FORMAT = "compression-explorer-points/1"
INDEX, FOLDER = "points.json", "networks/"
MOST_INDEX = 1 << 26  # bytes of points.json, which is read whole
MOST_FILES = 1 << 34  # bytes of all files together
TEXTS = ("curve", "reference", "data", "teacher", "method", "note")
Plain = dict[str, Any]
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, NotImplementedError, RuntimeError, KeyError, TypeError,
           AttributeError, EOFError, OSError, OverflowError)


class Refused(ValueError):
    """An archive that cannot be read, with the reason."""


def packed(store: Store, places: Collection[tuple[str, str]]) -> bytes:
    """The archive of some points with their teachers.

    Args:
        places: (key, reference) of each.

    Raises:
        ValueError: a file is missing or damaged, or there is no such point, or no longer.
    """
    points = [point for point in store.all_points() if (point["key"], point["reference"]) in places]
    if len(points) < len(set(places)) or not points:
        raise ValueError("An archive needs at least one measured network, and all of those that are named must be measured.")
    teachers = [teacher for digest in sorted({point["reference"] for point in points})
                if (teacher := store.teacher_of(digest))]
    digests = sorted({*(point["digest"] for point in points), *(teacher["digest"] for teacher in teachers)})
    try:
        plain = [_plain(store, point) for point in points]
    except KeyError as error:  # by another process, since they were listed above
        raise ValueError("A network was deleted while the archive was made. Make the archive again.") from error
    index = json.dumps({"format": FORMAT, "points": plain, "teachers": teachers})
    if len(index) > MOST_INDEX:  # of which unpacked() reads no more either
        raise ValueError(f"{len(points):,} networks are too many for one archive: what is kept of them takes {len(index):,} "
                         f"bytes, and {MOST_INDEX:,} are allowed. Make several archives of fewer networks.")
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(INDEX, index, zipfile.ZIP_DEFLATED)
        for digest in digests:
            archive.writestr(f"{FOLDER}{digest}{SUFFIX}", store.artefacts.contents(digest))
    return made.getvalue()


def unpacked(contents: bytes, store: Store) -> int:
    """Adds all points of an archive to a store, where they are not there yet; returns how many were new.

    Raises:
        ValueError: no archive, or a damaged one; nothing is added then.
    """
    try:
        with zipfile.ZipFile(BytesIO(contents)) as archive:
            index, files = _index(archive), _files(archive)
        points, teachers = _checked(index, files)
    except Refused:
        raise
    except _DAMAGE as error:
        raise _refused("it is no archive of points, or a damaged one") from error
    for file in files.values():
        store.artefacts.put(file)
    for teacher in teachers:
        if store.teacher_of(teacher["digest"]) is None:
            store.save_teacher(teacher["key"], teacher["recipe"], teacher["digest"], teacher["data_digest"], teacher["card"])
    return sum(_added(store, point) for point in points)


def _plain(store: Store, point: Plain) -> Plain:
    own = {name: point[name] for name in TEXTS}
    measured = {name: value for name, value in point.items()
                if name not in (*TEXTS, "key", "created", "pinned", "data_digest", "roles")}
    guesses = base64.b64encode(store.predictions(point["key"], point["reference"])).decode()
    return {**own, "point": measured, "roles": point["roles"], "predictions": guesses}


def _index(archive: zipfile.ZipFile) -> Plain:
    if archive.getinfo(INDEX).file_size > MOST_INDEX:
        raise _refused(f"{INDEX} declares more than {MOST_INDEX} bytes")
    try:
        found = json.loads(archive.read(INDEX))
    except (ValueError, RecursionError) as error:
        raise _refused(f"{INDEX} cannot be read") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _refused("it was not written by this program, or by a later version")
    return found


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Digest -> contents of every file, each compared with the digest in its name."""
    entries = [entry for entry in archive.infolist() if entry.filename != INDEX]
    if sum(entry.file_size for entry in entries) > MOST_FILES or any(entry.compress_type for entry in entries):
        raise _refused("its files are packed, or declare too many bytes")
    found = {}
    for entry in entries:
        digest = entry.filename.removeprefix(FOLDER).removesuffix(SUFFIX)
        contents = archive.read(entry)
        if digest_of(contents) != digest:
            raise _refused(f"the contents of the file {digest[:32]!r} do not match the digest in its name")
        found[digest] = contents
    return found


def _checked(index: Plain, files: dict[str, bytes]) -> tuple[list[Plain], list[Plain]]:
    """The points, each with its key, and the teachers. Raises ValueError for one that does not fit the files."""
    teachers = index["teachers"]
    for teacher in teachers:
        if teacher["digest"] not in files or not isinstance(teacher["card"], dict) or not (
                Recipe.parse(teacher["recipe"]).key() == teacher["key"] and isinstance(teacher["data_digest"], str)):
            raise _refused("a teacher does not fit its file")
    known = {teacher["digest"] for teacher in teachers}
    points = []
    for entry in index["points"]:
        point = as_point(json.dumps(entry["point"]))
        guesses = base64.b64decode(entry["predictions"], validate=True)
        whole = point and point["digest"] in files and entry["reference"] in known and set(entry["roles"]) <= set(ROLES)
        texts = all(isinstance(entry[name], str) or (name == "note" and entry[name] is None) for name in TEXTS)
        if not whole or not texts or len(guesses) != 2 * point["examples"] or point["bytes"] != len(files[point["digest"]]):
            raise _refused("a point does not fit its file")
        points.append({**entry, "point": point, "predictions": guesses, "key": Recipe.parse(point["recipe"]).key()})
    return points, teachers


def _added(store: Store, entry: Plain) -> bool:
    if store.point(entry["key"], entry["reference"]):
        return False
    store.add_point(entry["key"], entry["curve"], entry["reference"], entry["data"], entry["teacher"], entry["method"],
                    entry["point"], entry["predictions"])
    store.add_roles(entry["key"], entry["reference"], entry["roles"])
    if entry["note"] is not None:
        store.pin(entry["key"], entry["reference"], entry["note"])
    return True


def _refused(reason: str) -> Refused:
    return Refused(f"The archive was refused whole: {reason}. Nothing was added; ask for the file again.")
