"""Files that are written whole or not at all: a reader sees the old contents or the new ones, never a part."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream into a temporary file in the same folder, which becomes `path` at the end of the block.

    The folder is made if it is missing. The file has the permissions of a new file, as the process's umask sets them. After
    an exception inside the block the temporary file is removed, and `path` is as it was.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as stream:
            yield stream
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_whole(contents: bytes, path: Path) -> None:
    """Writes all contents to the file, or leaves it as it was; see replacing()."""
    with replacing(path) as stream:
        stream.write(contents)
