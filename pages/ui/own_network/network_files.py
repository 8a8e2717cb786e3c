"""Uploaded networks are opened by a job, which shows its progress and can be cancelled; what was opened is added at once."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from compress.atomic_file import write_whole
from compress.files import kept_networks
from compress.service.requests import NetworkRequest
from pages.ui.own_data.files import File


@dataclass(frozen=True)
class Upload:
    """A file that a visitor gave, with the digest of its contents, which takes long for a large one."""

    file: File
    digest: str

    @classmethod
    def of(cls, file: File) -> Upload:
        """Computes the digest."""
        return cls(file, sha256(file.contents).hexdigest())


@dataclass(frozen=True)
class Asked:
    """What is asked about a file.

    Attributes:
        data: the name of the data set on which it is tried.
        shape: of an example as text, where the file leaves it open; "" otherwise.
        family: of networks of this program, with settings, whose state_dict the file is; "" otherwise.
    """

    data: str
    shape: str = ""
    family: str = ""


def request(upload: Upload, asked: Asked) -> NetworkRequest:
    """The job that opens a file, which is put where the job finds it. Raises ValueError if it cannot be written."""
    name = key(upload, asked)
    path = kept_networks.waiting() / name.rpartition(" ")[2] / upload.file.plain_name
    try:
        write_whole(upload.file.contents, path)
    except OSError as error:
        raise ValueError(f"{path.parent} cannot be written ({error.strerror}). Free some space, or set COMPRESS_HOME to a "
                         "folder that may be written.") from error
    return NetworkRequest(name, str(path), asked.data, asked.shape, asked.family)


def is_there(about: dict[str, Any]) -> bool:
    """Whether what was opened can still be added: it is kept for a day."""
    return Path(about["opened"]).is_file()


def add(about: dict[str, Any], name: str) -> str:
    """Keeps the network that was opened, and returns the name under which it is a teacher. Raises ValueError as
    kept_networks.add()."""
    return kept_networks.add(name, Path(about["opened"]))


def key(upload: Upload, asked: Asked) -> str:
    """The same for the same contents, name and questions."""
    return "opened " + sha256(repr((upload.file.name, asked, upload.digest)).encode()).hexdigest()[:32]
