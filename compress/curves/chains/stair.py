"""One network on the way of a chain: read from the store, or made from the one before it, measured and kept as a point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from compress.curves.kept_teachers import reloaded
from compress.curves.plan import in_each_coding
from compress.curves.sink import Sink
from compress.data.datasets import Dataset
from compress.method import Candidate
from compress.methods import method
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.points.measure import Point, Reference, Timing, measure
from compress.progress import Reporter
from compress.recipe import UNSAID, Recipe


@dataclass(frozen=True, eq=False)
class Bench:
    """What measuring needs beside the network.

    Attributes:
        teacher: the digest of its file; reference: the teacher with its predictions on validation.
        latency: whether networks are timed.
    """

    data: Dataset
    teacher: str
    reference: Reference
    store: Sink
    latency: bool = True

    def keep(self, candidate: Candidate, recipe: Recipe, timing: bool | Timing | None = None) -> Point:
        """Measures a network and stores its point under its recipe. timing: of a network with the same layers."""
        point = measure(candidate, self.data, self.reference, self.store.artefacts, recipe.text(), recipe.seed,
                        self.latency if timing is None else timing)
        keep(point, recipe, candidate.method.dial, self.teacher, self.store)
        return point

    def known(self, recipe: Recipe) -> dict[str, Any] | None:
        """The point of a recipe whose file is there, or None."""
        return self.store.point(recipe.key(), self.teacher) if self.store.known_keys([recipe.key()], self.teacher) else None

    def network(self, digest: str) -> Network:
        """The network of a kept file, on the teacher's device."""
        return reloaded(self.store.artefacts, digest, str(device_of(self.reference.network)))


def keep(point: Point, recipe: Recipe, dial: str, teacher: str, store: Sink) -> None:
    """Stores a measured point. dial: of the recipe's last method; teacher: the digest of its file."""
    names = "+".join(step.name for step in recipe.methods)
    store.add_point(recipe.key(), recipe.curve(dial).key(), teacher, recipe.data, recipe.teacher.text(), names,
                    point.plain(), point.predictions)


def reached(recipe: Recipe, before: Network, bench: Bench, report: Reporter) -> tuple[Network, Point | None]:
    """The network of a recipe, as its file has it, and its point if it was measured now.

    Args:
        recipe: complete; its last method is applied to `before`, the network of all others.

    Raises:
        ValueError: the method is impossible here; the message is the reason. Cancelled: through `report`.
    """
    if known := bench.known(recipe):
        return bench.network(known["digest"]), None
    last = method(recipe.methods[-1])
    candidate, timing = stored_otherwise(recipe, bench), None
    if candidate is None:
        candidate = next(last.curve(before, bench.data, [last.value], report, recipe.seed))
    else:
        timing = timing_of(recipe, bench)
    point = bench.keep(candidate, recipe, timing)
    report(1.0, f"{recipe.methods[-1].name} measured")
    return bench.network(point.digest), point


def stored_otherwise(recipe: Recipe, bench: Bench) -> Candidate | None:
    """A recipe's network from a point that differs in the coding of its file alone; None if there is none. A file whose
    precision is below float32 does not hold the network that was made."""
    last = recipe.methods[-1]
    if dict(last.settings).get("precision", dict(UNSAID)["precision"]) != dict(UNSAID)["precision"]:
        return None
    found = kept_in_any_coding(recipe, bench)
    if not found:
        return None
    inside = {name: value for name, value in found["inside"].items() if name != "waterfall"}
    return Candidate(method(last), bench.network(found["digest"]), inside=inside, notes=tuple(found["notes"]))


def timing_of(recipe: Recipe, bench: Bench) -> Timing | None:
    """The latency of a network that is kept in another coding; None if it was not timed."""
    found = kept_in_any_coding(recipe, bench)
    if not found or found["latency"] is None:
        return None
    return found["latency"], found["latency_low"], found["latency_high"]


def kept_in_any_coding(recipe: Recipe, bench: Bench) -> dict[str, Any] | None:
    """A point whose file is there and holds the network of a recipe bit for bit, whatever its coding."""
    return next((point for one in in_each_coding(recipe) if (point := bench.known(one))), None)


def climbed(recipe: Recipe, bench: Bench, parts: list[Reporter]) -> Network:
    """The network that the last method of a complete recipe starts from: the teacher after all earlier methods. Each network
    on the way is a point. One that was kept in any coding is read.

    Args:
        parts: a Reporter for each of the earlier methods.
    """
    network = bench.reference.network
    for number, part in enumerate(parts, start=1):
        one = replace(recipe, methods=recipe.methods[:number])
        step = method(one.methods[-1])
        kept = kept_in_any_coding(one, bench)
        if step.applies_to != "network":  # the file holds data
            network = step.compress(network, bench.data, part, recipe.seed)
        elif kept:
            network = bench.network(kept["digest"])
        else:
            spelled = replace(one, methods=(*one.methods[:-1], one.methods[-1].having(**dict(UNSAID))))
            network, _ = reached(spelled, network, bench, part)
    return network
