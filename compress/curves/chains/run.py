"""Measures a chain: every network on the way, for every value of the dial of any of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from compress.curves import kept_teachers, sweep
from compress.curves.chains.chain import Chain
from compress.curves.chains.stair import Bench, reached
from compress.curves.chains.structure import RefusedStep, refusal
from compress.curves.sink import Sink
from compress.data import datasets
from compress.data.datasets import Dataset
from compress.methods import method
from compress.networks.families import Network
from compress.points.measure import Point
from compress.progress import Reporter, no_report
from compress.recipe import Recipe, dial_step
from compress.workload import Phase


@dataclass(frozen=True)
class Checked:
    """What is possible of a chain. possible: values of the dial, rising; refused: value -> the step, and why."""

    possible: list[Any]
    refused: dict[Any, RefusedStep]


def chain_of(recipe: Recipe, values: Sequence[Any] | None = None, step: Any = "") -> Chain:
    """A chain from a recipe in which settings may be left out.

    Args:
        values: of the dial; None for those of its method. step: the number of the step whose dial varies; "" for the last.

    Raises:
        ValueError: a recipe without methods, an unknown name, or a value that is not allowed.
    """
    if not recipe.methods:
        raise ValueError(f"The recipe {recipe.text()} has no method; add one, for example low_rank.")
    number = dial_step(step, len(recipe.methods))
    for place, one in enumerate(map(method, recipe.methods), start=1):
        if one.applies_to != "network":
            raise RefusedStep(place, f"Chain: {one.name} compresses data, and its file holds no network. Choose another "
                                     "method here. (A curve over the last step's dial may begin with it.)")
    own = method(recipe.methods[number - 1])
    wanted = tuple(own.at(value).plain()[own.dial] for value in (own.values if values is None else values))
    return Chain(sweep.complete(recipe), number, own.dial, tuple(dict.fromkeys(wanted)))


def checked(chain: Chain, data: Dataset, store: Sink) -> Checked:
    """Which values are possible; nothing is trained. What is refused is kept in the store, for pages.

    Raises:
        RefusedStep: no value is possible.
    """
    found = {value: refusal(chain.at(value), data) for value in sorted(chain.values)}
    refused = {value: reason for value, reason in found.items() if reason}
    store.save_data_version(data.name, data.source, data.digest)
    told = [[value, one.step, str(one)] for value, one in refused.items()]
    store.save_view(chain.view_key, data.digest, {"refused": told})
    if len(refused) == len(found):
        raise next(iter(refused.values()))
    return Checked([value for value, reason in found.items() if not reason], refused)


def run(chain: Chain, store: Sink, report: Reporter = no_report, device: torch.device | str = "cpu",
        latency: bool = True, known: Checked | None = None) -> Iterator[Point]:
    """Measures what the store lacks of a chain, and yields each point after it was stored: first the networks before the
    dial's step, then for each value of the dial, coarse to fine, those from there to the end.

    Args:
        known: what checked() gave, where the caller has asked already.

    Raises:
        RefusedStep: no value of the dial is possible; raised before anything is trained.
        ValueError: unknown data, or a step that failed. Cancelled: through `report`; finished points stay.
    """
    report(0.0, f"loading {chain.recipe.data}")
    data = datasets.load(chain.recipe.data, report=report)
    values = sweep.coarse_to_fine((known or checked(chain, data, store)).possible)
    number = chain.dial_step
    before = Recipe(chain.recipe.data, chain.recipe.teacher, chain.recipe.methods[:number], chain.recipe.seed)
    digest = kept_teachers.kept_digest(chain.recipe, data, store)
    missing = [value for value in values if set(keys := chain.keys([value])) - store.known_keys(keys, digest)]
    later = [Phase(f"chain {step.name}", max(1, len(missing))) for step in chain.recipe.methods[number:]]
    first, making, *parts = report.phases(Phase(""), Phase(f"networks of {before.methods[-1].name}", max(1, len(missing))),
                                          *later, in_order=False)
    on = sweep.ground(before, data, store, first, device, latency)
    first(1.0, "the networks before the dial's step are ready")
    bench = Bench(data, on.teacher.digest, on.reference, store, latency)
    yield from _fixed(before, bench)
    for place, (value, network, points) in enumerate(_dialled(chain, missing, on.start, bench, making)):
        yield from points
        stretch = place / len(missing), (place + 1) / len(missing)
        yield from _onward(chain, value, on.start, network, bench, [part.part(*stretch) for part in parts])
    report(1.0, "done")


def _fixed(before: Recipe, bench: Bench) -> Iterator[Point]:
    """Uncoded files of the networks before the dial's step, where these are known in coded files alone."""
    network = bench.reference.network
    for recipe in before.ancestry()[1:-1]:
        network, point = reached(recipe, network, bench, no_report)
        if point:
            yield point


def _dialled(chain: Chain, values: list[Any], start: Network, bench: Bench,
             report: Reporter) -> Iterator[tuple[Any, Network, list[Point]]]:
    """At each value the network of the dial's step with its points. Work that values share is done once."""
    first = {value: _through(chain, value)[0] for value in values}
    known = {value: kept["digest"] for value, recipe in first.items() if (kept := bench.known(recipe))}
    for value, digest in known.items():
        yield value, bench.network(digest), []
    unknown = [value for value in values if value not in known]
    if not unknown:
        report(1.0, "the dial's networks are known")
        return
    wanted = {method(first[value].methods[-1]): value for value in unknown}
    some = next(iter(wanted))
    for candidate in some.applied(start, bench.data, list(wanted), report, chain.recipe.seed):
        value = wanted[candidate.method]
        point = bench.keep(candidate, first[value])
        yield value, bench.network(point.digest), [point]


def _onward(chain: Chain, value: Any, start: Network, network: Network, bench: Bench,
            parts: list[Reporter]) -> Iterator[Point]:
    """From the dial's step to the end.

    Args:
        start: what the dial's step was applied to; network: what it made.
        parts: a Reporter for each later step.
    """
    recipes = _through(chain, value)
    for place, (before, recipe) in enumerate(pairwise(recipes)):
        if len(recipe.methods) > len(before.methods):
            start = network
        network, point = reached(recipe, start, bench, parts[place] if place < len(parts) else no_report)
        if point:
            yield point


def _through(chain: Chain, value: Any) -> list[Recipe]:
    """The recipes from the dial's step to the end."""
    return chain.stairs(value)[chain.dial_step - 1:]
