"""Requests of the app to a worker: one frozen class for each kind of job, sent as plain data between processes.

Imports nothing heavy; the functions that do the work are in job_kinds.py.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

KINDS: dict[str, type[Request]] = {}


@dataclass(frozen=True)
class Request:
    """Base of the requests. Each has a `kind`, the word in the store and between processes."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        KINDS[cls.kind] = cls

    def plain(self) -> dict[str, Any]:
        """JSON-able; the opposite of request_of()."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class TeacherRequest(Request):
    """Train a recipe's teacher; train it again if it was cancelled before."""

    kind = "teacher"
    recipe: str


@dataclass(frozen=True)
class CurveRequest(Request):
    """Measure the missing points of a curve. values: of the dial, in any order."""

    kind = "curve"
    recipe: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class PointsRequest(Request):
    """Measure one network of each of several curves of one teacher, without controls and baselines. recipes: of the
    networks, each with its dial."""

    kind = "points"
    recipes: tuple[str, ...]


@dataclass(frozen=True)
class ChainRequest(Request):
    """Measure every network on the way of a chain.

    values: of the dial; dial_step: number of the step whose dial varies, from 1.
    """

    kind = "chain"
    recipe: str
    values: tuple[Any, ...]
    dial_step: int


@dataclass(frozen=True)
class RaceRequest(Request):
    """Measure the missing points of a race of all methods on a recipe's network."""

    kind = "race"
    recipe: str


@dataclass(frozen=True)
class OrderRequest(Request):
    """Compare the two orders of every two methods at equal bytes, so many times fewer than the teacher's file has."""

    kind = "order"
    recipe: str
    smaller: float
    seeds: int


@dataclass(frozen=True)
class DuelRequest(Request):
    """Compare two recipes at equal size, their last dials chosen for it. by: bytes or macs; size: how many of these."""

    kind = "duel"
    first: str
    second: str
    by: str
    size: float
    seeds: int


@dataclass(frozen=True)
class SolveRequest(Request):
    """Search for the network that meets a target (as text), on a recipe's teacher; go on with what an earlier search tried.
    minutes: of it all; fresh: seeds with which the answer is measured again."""

    kind = "solve"
    recipe: str
    target: str
    minutes: float
    fresh: int = 2


@dataclass(frozen=True)
class SpeedRequest(Request):
    """Measure the break-even map of a recipe's teacher."""

    kind = "speed"
    recipe: str


@dataclass(frozen=True)
class FinalRequest(Request):
    """Test networks on the test split, which is counted. digests: of their files; key: of the view that keeps the report."""

    kind = "final"
    data: str
    digests: tuple[str, ...]
    key: str


@dataclass(frozen=True)
class InspectRequest(Request):
    """Look into a network, beside its teacher. digest, reference: of both files; what is found is kept as a view under
    inspection_key(digest) and the reference."""

    kind = "inspect"
    data: str
    digest: str
    reference: str


@dataclass(frozen=True)
class OnnxRequest(Request):
    """Write a network as ONNX and run it in ONNX Runtime on validation. digest: of its file; what is found is kept as a view
    under onnx_key(digest) and ONNX."""

    kind = "onnx"
    data: str
    digest: str


@dataclass(frozen=True)
class ProgramRequest(Request):
    """Write a network as a program of torch.export and run it on validation. digest: of its file; what is found is kept as a
    view under program_key(digest) and PROGRAM."""

    kind = "program"
    data: str
    digest: str


@dataclass(frozen=True)
class NetworkRequest(Request):
    """Open a user's network. file: its path, whose folder is removed afterwards; data: on which it is tried, "" for none;
    shape: of an example, where the file leaves it open, else ""; family: of a state_dict, else "". What is found is kept as
    a view under key and OPENED."""

    kind = "network"
    key: str
    file: str
    data: str
    shape: str
    family: str = ""


ONNX, PROGRAM, OPENED = "onnx", "program", "opened"


def inspection_key(digest: str) -> str:
    """Where the store keeps the inside of the network with this file."""
    return f"inspection {digest}"


def onnx_key(digest: str) -> str:
    """Where the store keeps how the network with this file runs in ONNX Runtime."""
    return f"onnx {digest}"


def program_key(digest: str) -> str:
    """Where the store keeps how the network with this file runs as a program of torch.export."""
    return f"program {digest}"


def request_of(kind: str, plain: dict[str, Any]) -> Request:
    """A request from its plain data. Raises ValueError for an unknown kind or for fields that it does not have."""
    if kind not in KINDS:
        raise ValueError(f"There is no job of kind {kind!r}; kinds are {', '.join(KINDS)}.")
    try:
        return KINDS[kind](**{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()})
    except TypeError as error:
        names = ", ".join(field.name for field in dataclasses.fields(KINDS[kind]))
        raise ValueError(f"A job of kind {kind!r} has the fields {names}, but got {', '.join(plain) or 'none'}.") from error
