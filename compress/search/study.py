"""The memory of a search: a study of Optuna in a journal file of our home, which several runs continue.

What is proposed depends on the seed and on what was tried before, never on how often the search was interrupted: each
proposal has a sampler of its own, seeded by the number of recipes tried so far.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from compress.search.space import BEFORE, LAST, NONE, Params, Range, Space
from compress.search.target import FRONT, Target

FOLDER = "searches"  # in our home
INSTALL = "pip install 'optuna>=5,<6'"
STARTUP = 10  # recipes before TPE models anything
POPULATION = 16
MOST_KNOWN = 300  # points of the store that a study takes up
BASES = 3  # of the best recipes, from which others differ a little
LOCK_SECONDS = 10  # after which the lock of a process that was killed is broken
DAMAGED = ".damaged-"


@dataclass(frozen=True, eq=False)
class Proposal:
    """A proposed trial of Optuna. params: the choices that it fixes, all of them once Space.chosen() has asked."""

    trial: Any


@lru_cache(maxsize=1)
def optuna() -> Any:
    """The package, without its log. Raises ValueError with the line that installs it."""
    try:
        import optuna as found
        import optuna.storages.journal
    except ImportError as error:
        raise ValueError(f"A search needs the package optuna, which is not installed. Install it: {INSTALL}") from error
    found.logging.set_verbosity(found.logging.ERROR)
    return found


class Study:
    """The recipes that a search has tried, with their scores, and what to try next."""

    def __init__(self, folder: Path, name: str, space: Space, target: Target, seed: int) -> None:
        """Continues the study of this name, or begins it.

        Args:
            folder: of journals; name: equal for searches that share what they tried.

        Raises:
            ValueError: optuna is not installed.
        """
        optuna()  # where it is missing, nothing is damaged
        self.space, self.target, self.seed = space, target, seed
        self.notices: list[str] = []
        own = f"{name} {target.text()} {space.digest} {seed}"
        self.path = folder / f"{hashlib.sha256(own.encode()).hexdigest()[:16]}.journal"
        self._study = self._opened(own)
        self._resume()

    # -- what was tried ------------------------------------------------------------------------------------------

    @property
    def tried(self) -> list[dict[str, Any]]:
        """Facts of every finished trial, in order, as tell() was given them; without what came from the store."""
        return [trial.user_attrs["facts"] for trial in self._finished() if "facts" in trial.user_attrs]

    @property
    def number(self) -> int:
        """How many proposals have ended."""
        return sum("asked" in trial.user_attrs for trial in self._finished())

    def add_known(self, points: Sequence[tuple[str, Params, list[float]]]) -> None:
        """Adds what the store has, unless it is here already: key, choices and scores of each point; the first of them, so
        that this study has at most MOST_KNOWN of which it was not asked: a sampler's time grows with them."""
        trials = self._study.get_trials(deepcopy=False)
        known = {trial.user_attrs.get("key") for trial in trials}
        room = MOST_KNOWN - sum("key" in trial.user_attrs and "asked" not in trial.user_attrs for trial in trials)
        added = [point for point in points if point[0] not in known][:max(0, room)]
        made = optuna().trial
        extra = {"NSGAIISampler:generation": 0} if self.target.goal == FRONT else {}
        self._study.add_trials([
            made.create_trial(values=scores, params=params, distributions=self._distributions(params),
                              user_attrs={"key": key}, system_attrs=extra)
            for key, params, scores in added])

    # -- what to try ---------------------------------------------------------------------------------------------

    def begin(self, starts: list[Params]) -> None:
        """Queues the recipes with which a new study begins."""
        if not self.number and not self._waiting():
            for params in starts:
                self._study.enqueue_trial(params)

    def ask(self, ranked: Sequence[Params], gentle: Sequence[Params] = ()) -> Proposal:
        """The next trial: a queued one; else in turns a pair of methods that was not tried yet, a neighbour of the best,
        such a pair, and one of Optuna's sampler.

        Args:
            ranked: choices that were measured, best first; gentle: the same for what another method may follow.
        """
        number = self.number
        if ranked and not self._waiting() and self.target.goal != FRONT:
            dice = random.Random(f"{self.seed} {number}")
            pair = self._untried_pair(ranked, gentle or ranked) if number % 2 == 0 else None
            if params := pair or (neighbour(ranked, self.space, dice) if number % 4 < 3 else None):
                self._study.enqueue_trial(params)
        self._study.sampler = self._sampler(self.seed * 1_000_003 + number)
        return Proposal(self._study.ask())

    def tell(self, proposal: Proposal, key: str, scores: list[float] | None, facts: dict[str, Any]) -> None:
        """The outcome of a proposal. scores: lower is better; None for a recipe that is impossible."""
        proposal.trial.set_user_attr("facts", facts)
        self._end(proposal, key, scores)

    def queue(self, params: Params) -> None:
        """A recipe to try next."""
        self._study.enqueue_trial(params)

    def repeat(self, proposal: Proposal, key: str, scores: list[float]) -> None:
        """The outcome of a proposal that was known; it does not count as tried."""
        self._end(proposal, key, scores)

    # -- plumbing ------------------------------------------------------------------------------------------------

    def _end(self, proposal: Proposal, key: str, scores: list[float] | None) -> None:
        proposal.trial.set_user_attr("key", key)
        proposal.trial.set_user_attr("asked", True)
        states = optuna().trial.TrialState
        self._study.tell(proposal.trial, scores, state=states.COMPLETE if scores else states.FAIL)

    def _untried_pair(self, ranked: Sequence[Params], gentle: Sequence[Params]) -> Params | None:
        """Two methods one after the other that no trial has, each with the settings that served it best so far. Those that
        served best alone are combined first."""
        tried = {(trial.params.get(BEFORE), trial.params.get(LAST)) for trial in self._finished()}
        starts = list(reversed(self.space.starts()))  # of a method that was not measured: its entrant of most effort
        known = [*ranked, *starts]
        order = list(dict.fromkeys(params[LAST] for params in known if params[BEFORE] == NONE))
        rank = {name: place for place, name in enumerate(order)}
        pairs = [(before, last) for before in order for last in order if before != last and (before, last) not in tried]
        if not pairs:
            return None
        before, last = min(pairs, key=lambda pair: (max(rank[name] for name in pair), rank[pair[1]]))
        return {**of_method(before, [*gentle, *starts]), **of_method(last, known), BEFORE: before, LAST: last}

    def _finished(self) -> list[Any]:
        return [trial for trial in self._study.get_trials(deepcopy=False) if trial.state.is_finished()]

    def _waiting(self) -> bool:
        return bool(self._study.get_trials(deepcopy=False, states=[optuna().trial.TrialState.WAITING]))

    def _opened(self, name: str) -> Any:
        """The study. A file that Optuna cannot read is kept aside, and a new one is begun."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                _require_lines(self.path)
            return self._load(name)
        except OSError:
            raise
        except Exception as problem:  # Optuna replays the file's operations: damaged ones fail in any way
            aside = self.path.with_name(f"{self.path.name}{DAMAGED}{time.strftime('%Y-%m-%d-%H%M%S')}-{os.getpid()}")
            os.replace(self.path, aside)
            self.notices.append(f"The notes of this search were damaged ({type(problem).__name__}), and a new file has been "
                                f"begun; the damaged one is kept as {aside.name} in {aside.parent}. Every network that was "
                                "measured is still known.")
            return self._load(name)

    def _load(self, name: str) -> Any:
        module = optuna()
        journal = module.storages.journal
        lock = journal.JournalFileOpenLock(str(self.path), grace_period=LOCK_SECONDS)
        storage = module.storages.JournalStorage(journal.JournalFileBackend(str(self.path), lock_obj=lock))
        directions = ["minimize"] * (2 if self.target.goal == FRONT else 1)
        study = module.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)
        for trial in study.get_trials(deepcopy=False):
            trial.user_attrs.get("key"), trial.params.get(LAST)  # read at once: damage is met here, not in the middle
        return study

    def _resume(self) -> None:
        """What an interrupted run was trying is queued again, before what waited behind it, so that the search goes on as
        without the interruption."""
        states = optuna().trial.TrialState
        running = self._study.get_trials(deepcopy=False, states=[states.RUNNING])
        if not running:
            return
        waiting = self._study.get_trials(deepcopy=False, states=[states.WAITING])
        for trial in running:
            self._study.tell(trial.number, state=states.FAIL)
        for _ in waiting:
            self._study.tell(self._study.ask(), state=states.FAIL)
        for trial in (*running, *waiting):
            self._study.enqueue_trial({**trial.system_attrs.get("fixed_params", {}), **trial.params})

    def _sampler(self, seed: int) -> Any:
        samplers, seed = optuna().samplers, seed % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an option is experimental is our business
            if self.target.goal == FRONT:
                return samplers.NSGAIISampler(population_size=POPULATION, seed=seed)
            return samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True, group=True,
                                       constant_liar=False)

    def _distributions(self, params: Params) -> dict[str, Any]:
        made = optuna().distributions
        found: dict[str, Any] = {}
        for name, (low, high, choices) in self.space.ranges().items():
            if name in params:
                found[name] = made.CategoricalDistribution(choices) if choices else made.FloatDistribution(low, high)
        return found


def neighbour(ranked: Sequence[Params], space: Space, dice: random.Random) -> Params:
    """Choices that differ a little from one of the best: a dial is moved, another value of a setting is taken, or the chain
    is changed: a method is put before the last one or behind it, with the settings that served it best so far, or left out.

    Args:
        ranked: choices that were measured, best first.
    """
    params, ranges = dice.choice(ranked[:BASES]), space.ranges()
    own = [name for name in params if name not in (LAST, BEFORE)]
    way = dice.random()
    others = [name for name in (NONE, *space.methods) if name not in (params[BEFORE], params[LAST])]
    if way < 0.45 or not others:
        return _with_dial_moved(params, ranges, dice)
    several = [name for name in own if len(ranges[name][2]) > 1]
    if way < 0.65 and several:
        name = dice.choice(several)
        return {**params, name: dice.choice([one for one in ranges[name][2] if one != params[name]])}
    before = dice.choice(others)
    if params[BEFORE] == NONE and dice.random() < 0.5:  # the best as it is, and another method behind it
        return {**of_method(before, ranked), **params, LAST: before, BEFORE: params[LAST]}
    return _with_dial_moved({**of_method(before, ranked), **params, BEFORE: before}, ranges, dice)


def _with_dial_moved(params: Params, ranges: dict[str, Range], dice: random.Random) -> Params:
    name = dice.choice([name for name in params if name in ranges and not ranges[name][2]])
    low, high, _ = ranges[name]
    step = dice.choice((-1, 1)) * dice.choice((0.1, 0.3, 0.6, 1.0))
    return {**params, name: min(high, max(low, params[name] + step))}


def of_method(name: str, ranked: Sequence[Params]) -> Params:
    """The choices of a method in the best recipe that has it; none if none has."""
    found = next((one for one in ranked if name in (one[LAST], one[BEFORE])), {})
    return {key: value for key, value in found.items() if key.startswith(f"{name}.")}


def _require_lines(path: Path) -> None:
    """Raises ValueError for a file that does not consist of whole lines of JSON objects."""
    text = path.read_bytes()
    if text and not text.endswith(b"\n"):
        raise ValueError("a line without an end")
    if not all(isinstance(json.loads(line), dict) for line in text.splitlines()):
        raise ValueError("a line that is no object")
