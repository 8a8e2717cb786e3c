"""Progress of a sweep between the networks that are made and those that are measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from compress.method import Candidate, Method, Run
from compress.progress import Reporter
from compress.workload import Phase


@dataclass(frozen=True)
class Measuring:
    """Progress of measuring networks that are made, by their roles: of students of one architecture only the first is
    timed, so that those of the curve take longer than their controls.

    Attributes:
        roles: of every run; parts: role -> Reporter; counts: role -> how many there are, and are measured.
    """

    roles: dict[Method, str]
    parts: dict[str, Reporter]
    counts: Counter[str]
    done: Counter[str]

    @classmethod
    def of(cls, report: Reporter, runs: Sequence[Run], missing: Sequence[Method]) -> tuple[Reporter, Measuring]:
        """The Reporter for making these networks, and the progress of measuring them."""
        roles = {planned.method: planned.role for planned in runs}
        counts = Counter(roles[one] for one in missing)
        phases = [Phase(f"measured {role}", count) for role, count in counts.items()]
        made, *parts = report.phases(Phase("made", len(missing)), *phases, in_order=False)
        return made, cls(roles, dict(zip(counts, parts, strict=True)), counts, Counter())

    def begin(self, candidate: Candidate) -> None:
        """A network is made."""
        role = self.roles[candidate.method]
        self.parts[role](self.done[role] / self.counts[role], f"measuring {candidate.method.dial} {candidate.value:g}")

    def end(self, candidate: Candidate) -> None:
        """It is measured, and kept."""
        self.done[self.roles[candidate.method]] += 1
        self.begin(candidate)
