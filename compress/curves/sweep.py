"""A recipe with its dial turned: points, coarse to fine, each kept in the store as it is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from compress.curves import kept_teachers
from compress.curves.store import Store
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.data.pictures import keep_pictures
from compress.layers.base import compressed_layers
from compress.method import Method
from compress.methods import method
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.points.measure import Point, Reference, Timing, measure
from compress.progress import Reporter, no_report
from compress.recipe import Recipe
from compress.training import teachers


@dataclass(frozen=True)
class Sweep:
    """A curve to be measured: a complete recipe, and where its last method's dial shall stand.

    Make it with `sweep_of`, which spells out all settings and checks them.
    """

    recipe: Recipe
    method: Method
    values: tuple[Any, ...]

    @property
    def curve(self) -> Recipe:
        """The recipe without the dial: the same for every point."""
        return self.recipe.curve(self.method.dial)

    def at(self, value: Any) -> Recipe:
        """One point's recipe."""
        return self.recipe.at(self.method.dial, value)

    def of(self, one: Method) -> Recipe:
        """The recipe of a point that a method of this sweep's grid makes."""
        return replace(self.recipe, methods=(*self.recipe.methods[:-1], one.step()))


def complete(recipe: Recipe) -> Recipe:
    """The recipe with every default spelled out, so that equal work has one key. Raises ValueError as parts do."""
    return replace(recipe, teacher=teachers.teacher_step(recipe.teacher),
                   methods=tuple(method(step).step() for step in recipe.methods))


def sweep_of(recipe: Recipe, values: Sequence[Any] | None = None) -> Sweep:
    """Checks a recipe and its dial values. Raises ValueError that names the setting, its range and the value."""
    if not recipe.methods:
        raise ValueError(f"The recipe {recipe.text()} has no method to sweep; add one, for example low_rank.")
    last = method(recipe.methods[-1])
    recipe = complete(recipe)
    checked = tuple(getattr(last.at(value), last.dial) for value in (values or last.values))
    return Sweep(recipe, last, checked)


def coarse_to_fine(values: Sequence[Any]) -> list[Any]:
    """Both ends first, then midpoints level by level, each level rising: the curve has its shape early, and methods
    that share work between neighbours still meet rising values."""
    ordered = sorted(set(values))
    if len(ordered) < 3:
        return ordered
    result, gaps = [ordered[0], ordered[-1]], [(0, len(ordered) - 1)]
    while gaps:
        halves = []
        for low, high in gaps:
            middle = (low + high) // 2
            if middle > low:
                result.append(ordered[middle])
                halves += [(low, middle), (middle, high)]
        gaps = halves
    return result


def run(sweep: Sweep, store: Store, report: Reporter = no_report, device: torch.device | str = "cpu",
        latency: bool = True) -> Iterator[Point]:
    """Measures what the store does not have yet and yields it point by point; each is stored before it is yielded.

    Raises:
        ValueError: bad data, teacher or method settings. Cancelled: through `report`; finished points stay.
    """
    recipe = sweep.recipe
    report(0.0, f"loading {recipe.data}")
    data = datasets.load(recipe.data)
    teacher = kept_teachers.obtain(recipe, data, store, report.part(0.0, 0.3), device)
    start = _before_the_last(recipe, teacher, data, store, report.part(0.3, 0.35))
    turned = sweep.method
    grid = turned.grid(coarse_to_fine(fitting(sweep, data)))
    _keep_view(sweep, grid, start, data, teacher.digest, store, report.part(0.35, 0.4))
    missing = _missing(sweep, grid, teacher.digest, store)
    reference = _reference(sweep, teacher, start, data, store, report)
    candidates = turned.grow(start, data, missing, report.part(0.4, 1.0), recipe.seed) if missing else iter(())
    timed: dict[tuple, Timing] = {}
    for candidate in candidates:
        single = sweep.of(candidate.method or turned.at(candidate.value))
        path = store.artefacts / f"{turned.name}-{single.key()}-{teacher.digest}.safetensors"
        layers = _layers(candidate.network) if latency else None
        known = timed.get(layers) if layers else None
        point = measure(candidate, data, reference, path, single.text(), recipe.seed, latency if known is None else known)
        if layers:
            timed[layers] = (point.latency, point.latency_low, point.latency_high)
        _keep(point, single, turned.dial, teacher.digest, store)
        yield point
    report(1.0, "done")


def _layers(network: Network) -> tuple | None:
    """What decides how fast a dense network is, so that equal ones are timed once: modules and every tensor's shape.
    None for one with compressed layers, whose speed may depend on what they hold."""
    if compressed_layers(network):
        return None
    shapes = ((name, tuple(tensor.shape)) for name, tensor in network.state_dict().items())
    return network.architecture, str(network), *shapes


def _missing(sweep: Sweep, grid: Sequence[Method], digest: str, store: Store) -> list[Method]:
    """The part of a grid that has no point yet, or whose file was deleted."""
    curves = {sweep.of(one).curve(sweep.method.dial).key() for one in grid}
    known = {point["recipe"] for curve in curves for point in _with_files(curve, digest, store)}
    return [one for one in grid if sweep.of(one).text() not in known]


def kept_points(sweep: Sweep, digest: str, store: Store) -> list[dict[str, Any]]:
    """The curve's stored points beside the teacher of this digest; one whose file was deleted has to be made again."""
    return _with_files(sweep.curve.key(), digest, store)


def _with_files(curve: str, digest: str, store: Store) -> list[dict[str, Any]]:
    return [point for point in store.points(curve, digest) if Path(point["file"]).is_file()]


def fitting(sweep: Sweep, data: Dataset) -> list[Any]:
    """The dial values that make sense for these data. Raises ValueError with the method's reason if none does."""
    values = [value for value in sweep.values if not sweep.method.misfit(value, data)]
    if not values:
        raise ValueError(sweep.method.misfit(sweep.values[0], data))
    return values


def _reference(sweep: Sweep, teacher: kept_teachers.Teacher, start: Network, data: Dataset, store: Store,
               report: Reporter) -> Reference:
    """The teacher; for a method that compresses data, its own reference, which is measured and kept as a point."""
    if sweep.method.subject == "network":
        return Reference.of(teacher.network, data)
    candidate = sweep.method.reference(start, data, report.part(0.35, 0.4), sweep.recipe.seed)
    reference = Reference.of(candidate.network, data)
    curve = sweep.curve
    path = store.artefacts / f"{sweep.method.name}-{curve.key()}-reference.safetensors"
    point = measure(candidate, data, reference, path, curve.text(), sweep.recipe.seed, latency=False)
    view = store.view(curve.key(), teacher.digest) or {}
    store.save_view(curve.key(), teacher.digest, {**view, "reference": point.plain()})
    return reference


def _before_the_last(recipe: Recipe, teacher: kept_teachers.Teacher, data: Dataset, store: Store,
                     report: Reporter) -> Network:
    """The network that the last method starts from: the teacher after all earlier methods of the recipe, the very one
    that was measured where there is one."""
    network = teacher.network
    for number, step in enumerate(recipe.methods[:-1], start=1):
        kept = store.point(replace(recipe, methods=recipe.methods[:number]).key(), teacher.digest)
        if kept and method(step).subject == "network" and Path(kept["file"]).is_file():
            network = kept_teachers.reloaded(kept["file"], str(device_of(teacher.network)))
        else:
            network = method(step).compress(network, data, report.part((number - 1) / len(recipe.methods), 1.0), recipe.seed)
    return network


def _keep_view(sweep: Sweep, grid: Sequence[Method], start: Network, data: Dataset, digest: str, store: Store,
               report: Reporter) -> None:
    """The inside view is kept once for a set of dial values; it also names those that do not fit these data. The curves
    that are measured along share it."""
    values = sorted(set(fitting(sweep, data)))
    made: dict[tuple, dict[str, Any]] = {}
    for key in {sweep.curve.key(), *(sweep.of(one).curve(sweep.method.dial).key() for one in grid)}:
        kept = store.view(key, digest) or {}
        wanted = tuple(sorted({*values, *kept.get("values", [])}))
        if not kept or list(wanted) != kept.get("values"):
            if wanted not in made:
                made[wanted] = sweep.method.inside(start, data, list(wanted), report, sweep.recipe.seed)
            store.save_view(key, digest, {
                **kept, "values": list(wanted), "misfits": sorted(set(sweep.values) - set(values)),
                "pictures": str(keep_pictures(data, store.artefacts)), **made[wanted]})


def _keep(point: Point, single: Recipe, dial: str, digest: str, store: Store) -> None:
    names = "+".join(step.name for step in single.methods)
    store.add_point(single.key(), single.curve(dial).key(), digest, single.data, single.teacher.text(), names,
                    point.plain(), point.predictions)
