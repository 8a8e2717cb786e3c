"""A zip archive of pictures in class folders, read with Pillow, which Streamlit brings."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from compress.data.added.examples import Choices, Examples
from compress.data.declared_sizes import check_declared, in_units
from compress.data.labels import class_labels

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
MOST_PICTURES = 200_000
MOST_BYTES = 64 * 2 ** 20  # of one picture's file
MOST_PIXELS = 50_000_000
LARGEST_KEPT, USUAL_SIDE = 64, 32  # pixels
_GREY = ("1", "L", "LA", "I", "I;16", "F")
_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, SyntaxError, KeyError, IndexError, TypeError,
            NotImplementedError, RuntimeError, OverflowError, AttributeError)


@dataclass(frozen=True)
class _Member:
    name: str
    label: str
    bytes: int


def picture_examples(path: Path, choices: Choices) -> Examples:
    """The pictures in a zip archive; the class of each is the name of the folder it lies in.

    Pictures of one size, up to 64 x 64, stay as they are; others are cropped to their middle square and resized (by default
    to 32 x 32). They have one channel if all are grey, otherwise three.

    Raises:
        ValueError: no zip archive, no pictures in folders, or sizes beyond what is read; names the file.
    """
    with _opened(path) as archive:
        members, others = _members(path, archive)
        forms, damaged = _forms(archive, members)
        if not forms:
            raise ValueError(f"{path.name} holds {len(members)} pictures, but none can be read. Save them as PNG or JPEG.")
        readable = [member for member in members if member.name in forms]
        sizes, grey = Counter(size for size, _ in forms.values()), all(is_grey for _, is_grey in forms.values())
        shape = _shape(sizes, choices.side)
        channels = 1 if grey else 3
        check_declared(path.name, len(readable) * shape[0] * shape[1] * channels, path.stat().st_size)
        inputs = np.empty((len(readable), channels, *shape), dtype=np.uint8)
        good = [place for place, member in enumerate(readable) if _read(archive, member, inputs[place], damaged)]
    labels = class_labels(np.array([readable[place].label for place in good]))
    return Examples("image", inputs[good], labels, notes=_notes(sizes, shape, others, damaged))


def _members(path: Path, archive: zipfile.ZipFile) -> tuple[list[_Member], int]:
    """The pictures, and how many other files there are."""
    members, others = [], 0
    for entry in archive.infolist():
        parts = PurePosixPath(entry.filename).parts
        if entry.filename.endswith("/") or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        if len(parts) < 2 or not parts[-1].lower().endswith(ENDINGS):
            others += 1
            continue
        if entry.file_size > MOST_BYTES:
            raise ValueError(f"{path.name}: {entry.filename[:100]} has {in_units(entry.file_size)}, but a picture may have "
                             f"{in_units(MOST_BYTES)} at most. Leave it out, or save it smaller.")
        members.append(_Member(entry.filename, parts[-2], entry.file_size))
    if len(members) > MOST_PICTURES:
        raise ValueError(f"{path.name} holds {len(members):,} pictures, but at most {MOST_PICTURES:,} are read. Leave out "
                         "some.")
    if not members:
        raise ValueError(f"{path.name} holds no pictures in folders. Put the pictures of each class into a folder that has "
                         f"the name of the class, as {', '.join(ENDINGS[:3])} for example, and pack these folders.")
    return members, others


def _forms(archive: zipfile.ZipFile, members: list[_Member]) -> tuple[dict[str, tuple[tuple[int, int], bool]], list[str]]:
    """(height, width) and whether it is grey, of each picture whose header can be read; and the names of the others."""
    from PIL import Image

    forms, damaged = {}, []
    for member in members:
        try:
            with archive.open(member.name) as stream, Image.open(stream) as picture:
                forms[member.name] = (picture.height, picture.width), picture.mode in _GREY
        except (*_DAMAGED, Image.DecompressionBombError):
            damaged.append(member.name)
    return forms, damaged


def _shape(sizes: Counter[tuple[int, int]], side: int) -> tuple[int, int]:
    if side:
        return side, side
    (size, _), = sizes.most_common(1)
    return size if len(sizes) == 1 and max(size) <= LARGEST_KEPT else (USUAL_SIDE, USUAL_SIDE)


def _read(archive: zipfile.ZipFile, member: _Member, into: np.ndarray, damaged: list[str]) -> bool:
    """Puts the pixels of a picture into `into`, uint8 (channels, height, width); False if it cannot be read."""
    from PIL import Image

    try:
        with archive.open(member.name) as stream:  # read() alone asks for as much memory as a damaged entry says it takes
            contents = stream.read(member.bytes + 1)
        with Image.open(BytesIO(contents)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError("too large")
            into[:] = _pixels(picture, into.shape)
    except (*_DAMAGED, Image.DecompressionBombError):
        damaged.append(member.name)
        return False
    return True


def _pixels(picture: Image, shape: tuple[int, ...]) -> np.ndarray:
    from PIL import Image, ImageOps

    channels, height, width = shape
    if picture.mode.startswith("I"):  # 16 or 32 bits a pixel: scaled, because Pillow cuts them off
        values = np.asarray(picture, dtype=np.float64)
        picture = Image.fromarray((255 * values / max(1.0, values.max())).clip(0, 255).astype(np.uint8))
    flat = picture.convert("RGBA") if "transparency" in picture.info or picture.mode in ("LA", "PA") else picture
    flat = ImageOps.exif_transpose(flat).convert("L" if channels == 1 else "RGB")
    if (flat.height, flat.width) != (height, width):
        flat = ImageOps.fit(flat, (width, height), Image.Resampling.BILINEAR)
    values = np.asarray(flat)
    return values[None] if channels == 1 else np.moveaxis(values, 2, 0)


def _notes(sizes: Counter[tuple[int, int]], shape: tuple[int, int], others: int, damaged: list[str]) -> tuple[str, ...]:
    notes = []
    if set(sizes) != {shape}:
        notes.append(f"Pictures of {len(sizes)} sizes were cropped to their middle and resized to {shape[0]} x {shape[1]}.")
    if damaged:
        notes.append(f"{len(damaged)} picture{' is' if len(damaged) == 1 else 's are'} left out as damaged: "
                     f"{', '.join(damaged[:3])}{' and others' if len(damaged) > 3 else ''}.")
    if others:
        notes.append(f"{others} other file{' in the archive is' if others == 1 else 's in the archive are'} left out.")
    return tuple(notes)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror or 'it is damaged'}). Pack the folders again."
                         ) from error
    except _DAMAGED as error:
        raise ValueError(f"{path.name} is no zip archive, or it is damaged. Pack the folders again.") from error
    with archive:
        yield archive
