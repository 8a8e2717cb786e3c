"""The target solver: a search over methods, settings and chains for the network that meets a target, on one teacher.

A study (study.py) proposes recipes; proxies refuse those that cannot meet the target; the others are measured in full by the
sweep that makes all points, and stored as these are. Every point that the store has of the teacher takes part. Choices are
made on validation; the test split stays closed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from compress.curves import kept_teachers, sweep
from compress.curves.sink import Sink
from compress.data import datasets
from compress.home import cache_folder
from compress.method import Candidate, Method
from compress.methods import method, methods
from compress.points.measure import Point
from compress.progress import Reporter, no_report
from compress.recipe import Recipe
from compress.search import fresh_seeds
from compress.search.budget import Budget, Clock, OutOfTime
from compress.search.found import MEASURED, REFUSED, SKIPPED, Found, Fresh, SearchSoFar, Tried, kilobytes, view_key, words
from compress.search.known import Known, Summary, front, instructive
from compress.search.proxies import BytesAhead, Calibration
from compress.search.space import Space, recipe_of
from compress.search.study import FOLDER, Proposal, Study
from compress.search.target import SMALLEST, Target
from compress.workload import Phase

IN_VAIN = 300  # proposals in a row that measure nothing, after which everything counts as tried
AIM = (0.6, 0.95)  # of the smallest file found, where a recipe is tried whose file would be too large
GENTLE = 0.5  # of the points that may be lost, for a method that another one follows
CLOSER, NEAR = 0.7, 0.8  # of the answer's bytes: what is tried after it; what is too near to it to try more between
FINE = 4  # values of a dial between two usual ones
PLAIN = ("recipe", "state", "bytes", "accuracy", "reason")


@dataclass(frozen=True)
class Question:
    """What is searched for.

    Attributes:
        recipe: of the teacher; seed: of the search; fresh: seeds with which the answer is measured again.
    """

    recipe: Recipe
    target: Target
    budget: Budget = Budget()  # noqa: RUF009  # frozen
    seed: int = 0
    fresh: int = 2


def run(question: Question, store: Sink, report: Reporter = no_report, device: torch.device | str = "cpu",
        folder: Path | None = None, notice: Callable[[str], None] = lambda sentence: None,
        latency: bool = True) -> Iterator[Point]:
    """Searches, and yields each point after it was stored. What was found stands in the store as the view `view_key()`.

    Args:
        folder: of the studies; by default in our home. notice: takes sentences for the user.
        latency: whether networks are timed.

    Raises:
        ValueError: unknown data or settings, or optuna is not installed.
        Cancelled: through `report`; everything that was finished is kept, and another run goes on with it.
    """
    recipe = sweep.complete(replace(question.recipe, methods=()))
    report(0.0, f"loading {recipe.data}")
    data, budget = datasets.load(recipe.data, report=report), question.budget
    space = Space.of(methods().values(), recipe.teacher.name, data.kind)
    study = Study(folder or cache_folder() / FOLDER, f"{recipe.key()} {data.digest}", space, question.target, question.seed)
    for sentence in study.notices:
        notice(sentence)
    training, searching, checking = report.phases(
        kept_teachers.phase(recipe, data, store), Phase(f"search by {budget.unit}", budget.amount),
        Phase(f"fresh seeds by {budget.unit}", budget.kept_back or question.fresh, brief=True))
    on = sweep.ground(recipe, data, store, training, device)
    training(1.0, "the teacher is ready")
    search = Search(replace(question, recipe=recipe), store, on, study, searching, device, latency)
    yield from search.run()
    yield from search.check(checking)
    report(1.0, "done")


class Search:
    """A search at work."""

    def __init__(self, question: Question, store: Sink, on: sweep.Ground, study: Study, report: Reporter,
                 device: torch.device | str, latency: bool) -> None:
        self.question, self.store, self.on, self.study = question, store, on, study
        self.device, self.latency = device, latency
        self.clock = Clock(question.budget, report)
        self.known = Known(question.target, study.space, on.teacher.card)
        self.bytes, self.calibration = BytesAhead(on.start, on.data), Calibration(on.start, on.data)
        self.key = view_key(question.recipe, question.target)
        self._take_known()
        before = Found.from_plain(store.view(self.key, on.teacher.digest)) or Found(question.target.text())
        self.seconds_before, self.earlier = before.seconds, before.known if before.tried else len(self.known.points)
        self.fresh: tuple[Fresh, ...] = before.fresh if before.best == self._answer() else ()
        self.ended = False

    def run(self) -> Iterator[Point]:
        """Proposes and measures until the budget is spent, or nothing is left to try."""
        self.study.begin(self.study.space.starts())
        in_vain = 0
        try:
            while not self.clock.is_over and in_vain < IN_VAIN:
                self._keep()
                found = list(self._next())
                in_vain = 0 if found else in_vain + 1
                yield from found
            self.ended = in_vain >= IN_VAIN
        except OutOfTime:
            self.clock.report(1.0, "the time is over")  # what was begun is queued again by the next run
        self._keep()

    def check(self, report: Reporter) -> Iterator[Point]:
        """Measures the answer with fresh seeds, of the teacher too."""
        best = self.known.best
        if best is None:
            return
        recipe = Recipe.parse(best["recipe"])
        numbers = range(len(self.fresh) + 1, self.question.fresh + 1)
        try:
            for number, part in zip(numbers, report.each("fresh seed", len(numbers)), strict=True):
                for one in fresh_seeds.measured(fresh_seeds.with_seed(recipe, number), self.on.data, self.store,
                                                self.clock.bounded(part), self.device, self.latency):
                    if isinstance(one, Fresh):
                        self.fresh = (*self.fresh, one)
                        self._save()
                    else:
                        yield one
        except OutOfTime:
            report(1.0, "the time is over")

    # -- one proposal --------------------------------------------------------------------------------------------

    def _next(self) -> Iterator[Point]:
        proposal = self.study.ask(self.known.ranked(), self.known.ranked(GENTLE))
        try:
            chain = self.study.space.chosen(proposal.trial)
            recipe = recipe_of(self.question.recipe, chain)
            if known := self.known.points.get(recipe.key()):
                self.study.repeat(proposal, recipe.key(), self.known.scores(known))
                return
            predicted = self.bytes.predicted(chain)
        except ValueError as refusal:
            self._tell(proposal, Tried("", REFUSED, reason=str(refusal)), None)
            return
        if reason := self.known.too_large(self.bytes.least(chain, predicted)):
            self._skip(proposal, recipe, predicted, 0.0, reason)
            self._aim(chain, self._smaller())
            return
        yield from self._promising(proposal, chain, recipe, predicted)

    def _promising(self, proposal: Proposal, chain: tuple[Method, ...], recipe: Recipe, predicted: int) -> Iterator[Point]:
        """Makes the network, and measures it unless it does badly on calibration examples."""
        lost = [0.0]

        def promises(candidate: Candidate) -> bool:
            look = self.calibration.look(candidate.network)
            lost[0] = look.points_lost
            return not look.is_hopeless(self.known.points_allowed())

        try:
            yield from self._starts_of(recipe)
            point = self._measured(recipe, promises)
        except ValueError as refusal:
            self._tell(proposal, Tried(recipe.text(), REFUSED, reason=str(refusal)), None)
            return
        summary = self.known.points.get(recipe.key())
        if summary is None:
            self._skip(proposal, recipe, predicted, lost[0], f"loses {lost[0]:.1f} points already on calibration examples")
            self._follow(chain, predicted, None)
            return
        self.bytes.learn(chain, predicted, summary["bytes"])
        self._tell(proposal, Tried(recipe.text(), MEASURED, summary["bytes"], summary["accuracy"]),
                   self.known.scores(summary), predicted)
        self._follow(chain, summary["bytes"], summary)
        if point:
            yield point

    def _starts_of(self, recipe: Recipe) -> Iterator[Point]:
        """The network that the last method of a chain starts from is a point too."""
        for count in range(1, len(recipe.methods)):
            start = sweep.complete(replace(recipe, methods=recipe.methods[:count]))
            if start.key() not in self.known.points and (point := self._measured(start)):
                yield point

    def _measured(self, recipe: Recipe, promises: Callable[[Candidate], bool] = lambda candidate: True) -> Point | None:
        """Measures and stores a recipe's network, unless the store has it by now."""
        report, wanted = self.clock.reporter(words(recipe)), sweep.sweep_of(recipe, [method(recipe.methods[-1]).value])
        on = sweep.ground(wanted.recipe, self.on.data, self.store, report, self.device, self.latency)
        point = sweep.single(wanted, on, self.store, report, self.latency, promises)
        kept = point.plain() if point else self.store.point(recipe.key(), self.on.teacher.digest)
        if kept:
            self.known.add(recipe.key(), kept)
        if point:
            self.clock.count()
        return point

    def _follow(self, chain: tuple[Method, ...], size: int, summary: Summary | None) -> None:
        """Turns the last dial on where that may find a better answer: to a smaller file after a new answer; half-way to the
        answer (on a logarithmic scale) from a smaller file that loses too much; to the size that is allowed.

        Args:
            size: bytes of the file, as far as they are known; summary: what was measured, or None.
        """
        target, best = self.question.target, self.known.best
        if target.goal == SMALLEST:
            limit = best["bytes"] if best else self.on.teacher.card["bytes"]
            if summary is not None and summary is best:
                self._aim(chain, CLOSER * size)
            elif size < NEAR * limit:
                self._aim(chain, (size * limit) ** 0.5)
        elif target.bytes is not None and size < NEAR * target.bytes:
            self._aim(chain, target.bytes)

    def _smaller(self) -> float:
        """The bytes to aim at where a file would be too large."""
        limits, best = [], self.known.best
        if self.question.target.bytes is not None:
            limits.append(float(self.question.target.bytes))
        if self.question.target.goal == SMALLEST and best:
            dice = random.Random(f"{self.question.seed} {self.study.number}")
            limits.append(dice.uniform(*AIM) * best["bytes"])
        return min(limits)

    def _aim(self, chain: tuple[Method, ...], wanted: float) -> None:
        """Queues the same recipe with the last dial turned to the largest file of at most so many bytes, if that is
        possible."""
        try:
            value = self.bytes.aimed(chain, self.study.space.methods[chain[-1].name].fine(FINE), int(wanted))
        except ValueError:  # most values of this dial are impossible: the recipe is left as it is
            value = None
        if value is not None:
            aimed = recipe_of(self.question.recipe, (*chain[:-1], chain[-1].at(value)))
            if aimed.key() not in self.known.points and (params := self.known.params(aimed.methods)):
                self.study.queue(params)

    def _skip(self, proposal: Proposal, recipe: Recipe, size: int, lost: float, reason: str) -> None:
        """Tells a recipe that is not measured: its file as predicted, and the accuracy that it could have at most."""
        accuracy = self.on.teacher.card["accuracy"] - lost / 100
        scores = self.known.scores({"bytes": size, "accuracy": accuracy, "latency": self.question.target.latency})
        self._tell(proposal, Tried(recipe.text(), SKIPPED, size, None, reason), scores)

    def _tell(self, proposal: Proposal, one: Tried, scores: list[float] | None, predicted: int | None = None) -> None:
        key = Recipe.parse(one.recipe).key() if one.recipe else ""
        self.study.tell(proposal, key, scores, {**{name: getattr(one, name) for name in PLAIN}, "predicted": predicted})

    # -- what is known and told ----------------------------------------------------------------------------------

    def _take_known(self) -> None:
        """Every point of the teacher takes part, and Optuna's sampler learns from the most instructive ones."""
        own, found = {one["recipe"] for one in self.study.tried}, {}
        for key, point in self.store.points_with(self.on.teacher.digest).items():
            summary = self.known.add(key, point)
            if summary and summary["params"] and summary["recipe"] not in own:
                found[summary["recipe"]] = key
        summaries = [self.known.points[key] for key in found.values()]
        self.study.add_known([(found[one["recipe"]], one["params"], self.known.scores(one))
                              for one in instructive(summaries, self.known.scores)])
        for one in self.study.tried:  # what earlier runs have learned
            if one["predicted"]:
                chain = [method(step) for step in Recipe.parse(one["recipe"]).methods]
                self.bytes.learn(chain, one["predicted"], one["bytes"])

    def _answer(self) -> str | None:
        best = self.known.best
        return best["recipe"] if best else None

    def _count(self, state: str) -> int:
        return sum(one["state"] == state for one in self.study.tried)

    def _save(self) -> None:
        tried = tuple(Tried(**{name: one[name] for name in PLAIN}) for one in self.study.tried)
        found = Found(self.question.target.text(), tried, self.earlier, self.seconds_before + self.clock.seconds,
                      self._answer(), self.fresh, self.ended, tuple(self.study.notices))
        self.store.save_view(self.key, self.on.teacher.digest, found.plain())

    def _keep(self) -> None:
        """Saves what stands, and reports it."""
        self._save()
        best = self.known.best
        answer = f", best {kilobytes(best['bytes'])} with {100 * best['accuracy']:.1f} %" if best else ""
        shown = SearchSoFar(self._count(MEASURED), self._count(SKIPPED),
                            tuple((one["bytes"], one["accuracy"]) for one in front(self.known.points.values())),
                            (best["bytes"], best["accuracy"]) if best else ())
        self.clock.show(f"searching: {self.clock.counted} measured{answer}", shown)
