"""The description that a worker gave, kept for the next start of the app, which shows it before its own worker is ready."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from compress.atomic_file import write_whole
from compress.files.artefacts import digest_of
from compress.home import cache_folder


def keep(description: dict[str, Any]) -> None:
    """Keeps a description with what it depends on."""
    text = json.dumps(description)
    contents = json.dumps({"stamp": _stamp(), "digest": digest_of(text.encode()), "description": text})
    with suppress(OSError):  # the file only makes the next start faster
        write_whole(contents.encode(), cache_folder() / "description.json")


def kept() -> dict[str, Any] | None:
    """The description of an earlier worker, if nothing that it depends on has changed, nor the file itself."""
    path = cache_folder() / "description.json"
    try:
        found = json.loads(path.read_text())
        sound = found["stamp"] == _stamp() and digest_of(found["description"].encode()) == found["digest"]
        return json.loads(found["description"]) if sound else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _stamp() -> list[Any]:
    """Changes when a source file, or an environment variable that the description depends on, does."""
    sources = sorted(Path(__file__).resolve().parents[1].rglob("*.py"))
    return [[f"{path.name} {path.stat().st_mtime_ns}" for path in sources],
            [os.environ.get(name) for name in ("COMPRESS_DATA", "COMPRESS_DEVICE", "COMPRESS_CORES",
                                               "CUDA_VISIBLE_DEVICES")]]
