"""What decides which weights or units of a network go."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = {"n:4": 4, "n:8": 8}


@dataclass(frozen=True)
class Selection:
    """The settings of pruning that all sparsities share; equal ones remove the same from the same network.

    Attributes:
        criterion: one of saliency.CRITERIA, by which weights or units are ranked.
        pattern: "unstructured", "n:4", "n:8" (N of so many consecutive inputs) or "units".
        allocation: "global", "uniform" or "sensitivity", by which each layer's share is found.
        densities: the layers' densities in proportion, in place of the allocation; empty for none.
        multiple: units left in a layer are a multiple of this.
    """

    criterion: str = "magnitude"
    pattern: str = "unstructured"
    allocation: str = "global"
    densities: tuple[int, ...] = ()
    multiple: int = 1

    @property
    def group(self) -> int:
        """How many consecutive inputs N:M sparsity looks at; 0 for other patterns."""
        return GROUPS.get(self.pattern, 0)
