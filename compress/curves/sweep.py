"""A sweep: the points of a recipe over the values of its dial, coarse to fine, each stored as it is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch

from compress.curves import kept_teachers, kept_views
from compress.curves.chains.stair import Bench, climbed, keep
from compress.curves.chains.structure import before_the_last
from compress.curves.kept_teachers import Teacher
from compress.curves.measuring import Measuring
from compress.curves.plan import Plan, PlannedRun
from compress.curves.sink import Sink
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.layers.base import compressed_layers
from compress.method import Candidate, Method, Run
from compress.methods import method
from compress.networks.composite import acted_on
from compress.networks.families import Network
from compress.points.measure import Point, Reference, Timing, measure
from compress.progress import Reporter, no_report
from compress.recipe import CURVE, Recipe
from compress.settings import checked_seed
from compress.training import teachers
from compress.workload import Phase

Checked = tuple[list[Any], dict[Any, str]]  # possible values of a dial, rising, and the reasons against the others


@dataclass(frozen=True)
class Sweep:
    """A curve to be measured: a complete recipe, and the values of its last method's dial.

    Make it with `sweep_of`, which spells out all settings and checks them.
    """

    recipe: Recipe
    method: Method
    values: tuple[Any, ...]

    @property
    def curve(self) -> Recipe:
        """The recipe without the dial: the same for every point."""
        return self.recipe.curve(self.method.dial)

    @property
    def request(self) -> Recipe:
        """The recipe of the curve with the settings that add runs to it: the key of the plan in the store."""
        return replace(self.recipe, methods=(*self.recipe.methods[:-1], self.method.request())).curve(self.method.dial)

    def at(self, value: Any) -> Recipe:
        """The recipe of a point."""
        return self.recipe.at(self.method.dial, value)

    def of(self, one: Method) -> Recipe:
        """The recipe of a point that a method of this sweep's plan makes."""
        return replace(self.recipe, methods=(*self.recipe.methods[:-1], one.step()))


@dataclass(frozen=True, eq=False)
class Ground:
    """What the sweeps of one teacher share.

    Attributes:
        start: the network that their last methods compress: the teacher, or what earlier methods of the recipe make of it.
        reference: the teacher with its predictions on validation.
    """

    data: Dataset
    teacher: Teacher
    start: Network
    reference: Reference


def ground(recipe: Recipe, data: Dataset, store: Sink, report: Reporter = no_report,
           device: torch.device | str = "cpu", latency: bool = True) -> Ground:
    """Obtains the teacher of a complete recipe and applies all its methods but the last; each network on the way becomes a
    point, unless it is one already. Raises as run()."""
    steps = [Phase(f"{recipe.data} {recipe.teacher.text()} {step.text()}") for step in recipe.methods[:-1]]
    training, *before = report.phases(kept_teachers.phase(recipe, data, store), *steps)
    teacher = kept_teachers.obtain(recipe, data, store, training, device)
    bench = Bench(data, teacher.digest, Reference.of(teacher.network, data), store, latency)
    return Ground(data, teacher, climbed(recipe, bench, before), bench.reference)


def complete(recipe: Recipe) -> Recipe:
    """The recipe with all defaults written out, so that equal work has one key. Raises ValueError for unknown names or
    settings,
    or a seed outside its range."""
    steps = [method(step).step() for step in recipe.methods]
    return replace(recipe, seed=checked_seed(recipe.seed), teacher=teachers.teacher_step(recipe.teacher),
                   methods=(*(step.unstored() for step in steps[:-1]), *steps[-1:]))


def sweep_of(recipe: Recipe, values: Sequence[Any] | None = None) -> Sweep:
    """Checks a recipe and its dial values. Raises ValueError that names the setting, its range and the value."""
    if not recipe.methods:
        raise ValueError(f"The recipe {recipe.text()} has no method to sweep; add one, for example low_rank.")
    last = method(recipe.methods[-1])
    recipe = complete(recipe)
    checked = tuple(last.at(value).value for value in (values or last.values))
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


def run(sweep: Sweep, store: Sink, report: Reporter = no_report, device: torch.device | str = "cpu",
        latency: bool = True, checked: Checked | None = None, shared: Ground | None = None) -> Iterator[Point]:
    """Measures the points that are not in the store and yields each of them after it was stored.

    Args:
        checked: what checked_values() gave for this sweep and its data, where the caller has asked already.
        shared: ground() of this recipe, where several sweeps have one teacher and start. The inside view is then made after
            the first point.

    Raises:
        ValueError: unknown data, settings that are not allowed, or methods that exclude each other; raised before anything
            is trained.
        Cancelled: through `report`; finished points stay in the store.
    """
    recipe = sweep.recipe
    if not shared:
        report(0.0, f"loading {recipe.data}")
    data = shared.data if shared else datasets.load(recipe.data, report=report)
    valid, invalid = checked or checked_values(sweep, data)
    runs = sweep.method.plan(coarse_to_fine(valid))
    first, viewing, comparing, making = report.phases(*_phases(sweep, runs, data, store), in_order=False)
    on = shared or ground(recipe, data, store, first, device, latency)
    first(1.0, "the teacher is ready")
    digest = on.teacher.digest
    _keep_plan(sweep, valid, invalid, digest, store)
    points = _measured(sweep, runs, on, store, comparing, making, latency)
    if shared:  # a page's pictures can wait for the first point where others wait for theirs
        yield from islice(points, 1)
    with report.exclusive("inside view", sweep.curve.key()):  # it is added to what was kept before
        curves = {sweep.curve.key(), *(sweep.of(planned.method).curve(sweep.method.dial).key() for planned in runs)}
        kept_views.keep_inside(sweep.method, valid, curves, on.start, data, digest, store, viewing, recipe.seed)
    viewing(1.0, "measuring")
    yield from points
    report(1.0, "done")


def single(sweep: Sweep, on: Ground, store: Sink, report: Reporter = no_report, latency: bool = True,
           promises: Callable[[Candidate], bool] = lambda candidate: True) -> Point | None:
    """Measures and stores the only point of a sweep of one value, with its plan, but without the controls, the baselines and
    the inside view of a curve.

    Args:
        promises: whether a network that was made is worth measuring.

    Returns:
        The point; None if the store has it, or if the network does not promise enough.

    Raises:
        ValueError, Cancelled: as run().
    """
    valid, invalid = checked_values(sweep, on.data)
    _keep_plan(sweep, valid, invalid, on.teacher.digest, store)
    runs = [planned for planned in sweep.method.plan(valid) if planned.role == CURVE]
    return next(_measured(sweep, runs, on, store, no_report, report, latency, promises), None)


def _measured(sweep: Sweep, runs: Sequence[Run], on: Ground, store: Sink, comparing: Reporter, making: Reporter,
              latency: bool, promises: Callable[[Candidate], bool] = lambda candidate: True) -> Iterator[Point]:
    """The missing points, each after it was stored."""
    missing = _missing(sweep, runs, on.teacher.digest, store)
    reference = _reference(sweep, on, store, comparing)
    comparing(1.0, "measuring")
    made, measuring = Measuring.of(making, runs, missing)
    candidates = sweep.method.applied(on.start, on.data, missing, made, sweep.recipe.seed) if missing else iter(())
    timed: dict[tuple[Any, ...], Timing] = {}
    for candidate in candidates:
        if not promises(candidate):
            continue
        own = sweep.of(candidate.method)
        measuring.begin(candidate)
        layers = _layers(candidate.network) if latency else None
        known = timed.get(layers) if layers else None
        point = measure(candidate, on.data, reference, store.artefacts, own.text(), sweep.recipe.seed,
                        latency if known is None else known)
        if layers:
            timed[layers] = (point.latency, point.latency_low, point.latency_high)
        keep(point, own, sweep.method.dial, on.teacher.digest, store)
        measuring.end(candidate)
        del candidate  # a large network would be in memory while the next one is made
        yield point


def _phases(sweep: Sweep, runs: Sequence[Run], data: Dataset, store: Sink) -> list[Phase]:
    """What run() has to do, in turns: what it stands on, the inside view, the reference, and the points that are missing."""
    curve = replace(sweep.curve, seed=0).text()
    digest = kept_teachers.kept_digest(sweep.recipe, data, store)
    missing = len(_missing(sweep, runs, digest, store))
    return [Phase(""), Phase(f"view of {curve}"), Phase(f"reference of {curve}"), Phase(f"points of {curve}", missing)]


def checked_values(sweep: Sweep, data: Dataset) -> Checked:
    """The possible dial values for this network and data, rising, and the reasons against the others. Nothing is trained:
    every method is given a network with the structure of its start network.

    Raises:
        ValueError: a method before the last one is impossible after those before it, or no dial value is possible; the
            message is the reason.
    """
    given = acted_on(before_the_last(sweep.recipe, data), data, shapes_only=True)
    reasons = {value: sweep.method.at(value).invalid_reason(*given) for value in sorted(set(sweep.values))}
    valid = [value for value, reason in reasons.items() if not reason]
    if not valid:
        raise ValueError(reasons[sweep.values[0]])
    return valid, {value: reason for value, reason in reasons.items() if reason}


def plan_of(sweep: Sweep, values: Sequence[Any], invalid: dict[Any, str]) -> Plan:
    """The plan for these dial values, as plain data."""
    runs = []
    for planned in sweep.method.plan(values):
        recipe = sweep.of(planned.method)
        runs.append(PlannedRun(recipe.text(), recipe.key(), planned.role, planned.method.value, planned.label))
    return Plan(tuple(runs), tuple(invalid.items()))


def _keep_plan(sweep: Sweep, valid: list[Any], invalid: dict[Any, str], digest: str, store: Sink) -> None:
    """The plan for these values together with those of earlier requests, and of other processes that keep theirs now."""
    key, is_kept = sweep.request.key(), False
    while not is_kept:
        before = store.plan(key, digest)
        known = before or Plan()
        values = coarse_to_fine([*valid, *known.values])
        is_kept = store.replace_plan(key, digest, before, plan_of(sweep, values, {**dict(known.invalid), **invalid}))


def _layers(network: Network) -> tuple[Any, ...] | None:
    """The modules and the shapes of all tensors of a dense network, which determine its speed: equal networks are timed
    once. None for a network with compressed layers, whose speed may depend on their values."""
    if compressed_layers(network):
        return None
    shapes = ((name, tuple(tensor.shape)) for name, tensor in network.state_dict().items())
    return network.architecture, str(network), *shapes


def _missing(sweep: Sweep, runs: Sequence[Run], digest: str, store: Sink) -> list[Method]:
    """The methods of a plan that have no point yet, or whose file is gone; those of the curve come before its controls."""
    ordered = sorted(runs, key=lambda planned: planned.role != CURVE)
    keys = {sweep.of(planned.method).key(): planned.method for planned in ordered}
    known = store.known_keys(keys, digest)
    return [one for key, one in keys.items() if key not in known]


def _reference(sweep: Sweep, on: Ground, store: Sink, report: Reporter) -> Reference:
    """The teacher, or the method's baseline, which is measured and stored with the view of the curve."""
    candidate = sweep.method.compared_with(on.start, on.data, report, sweep.recipe.seed)
    if candidate is None:
        return on.reference
    reference, curve = Reference.of(candidate.network, on.data), sweep.curve
    point = measure(candidate, on.data, reference, store.artefacts, curve.text(), sweep.recipe.seed, latency=False)
    kept_views.keep_reference(point, curve.key(), on.teacher.digest, store)
    return reference
