"""What is kept of a curve beside its points: the inside view, the pictures of its data, and the reference."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from compress.curves.sink import Sink
from compress.data.datasets import Dataset
from compress.data.pictures import PICTURES, pictures_file
from compress.method import Method
from compress.networks.composite import acted_on
from compress.networks.families import Network
from compress.points.measure import Point
from compress.progress import Reporter

View = dict[str, Any]


def keep_inside(method: Method, values: Sequence[Any], curves: Iterable[str], start: Network, data: Dataset, digest: str,
                store: Sink, report: Reporter, seed: int) -> None:
    """Keeps the inside view of a method for these dial values together with those that were kept before, once for all
    curves (keys) that share it.

    Args:
        start: the network that the method compresses.
        digest: of the teacher.
    """
    shown = store.artefacts.put(pictures_file(data), PICTURES)
    made: dict[tuple[Any, ...], View] = {}

    def inside(kept: View) -> View | None:
        """The view for these values and those that are kept; None where they are the same."""
        wanted = tuple(sorted({*values, *kept.get("values", [])}))
        if list(wanted) == kept.get("values"):
            return None
        if wanted not in made:
            made[wanted] = method.inside(*acted_on(start, data), list(wanted), report, seed)
        return {"values": list(wanted), "pictures": shown, **made[wanted]}

    for curve in curves:
        _add(curve, digest, store, inside)


def keep_reference(point: Point, curve: str, digest: str, store: Sink) -> None:
    """Keeps the point of a curve's baseline, its predicted classes (uint16, little-endian) in base64."""
    reference = {**point.plain(), "dial": None, "predictions": base64.b64encode(point.predictions).decode()}
    _add(curve, digest, store, lambda kept: {"reference": reference})


def _add(curve: str, digest: str, store: Sink, added: Callable[[View], View | None]) -> None:
    """Adds to what is kept of a curve. added: gives the new entries for those that are kept, None where nothing is
    missing; asked again where another process has added entries meanwhile."""
    is_kept = False
    while not is_kept:
        before = store.view(curve, digest)
        new = added(before or {})
        is_kept = new is None or store.replace_view(curve, digest, before, {**(before or {}), **new})
