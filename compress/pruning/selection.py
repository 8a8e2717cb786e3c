"""The settings that determine which weights or units are removed."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = {"n:4": 4, "n:8": 8}


@dataclass(frozen=True)
class Selection:
    """The settings of pruning apart from the sparsity. Equal selections remove the same parts of the same network.

    Attributes:
        criterion: the saliency, one of saliency.CRITERIA.
        pattern: "unstructured", "n:4" or "n:8" (N of 4 or 8 consecutive inputs), "units", or "inputs"
            (of the first layer).
        allocation: "global", "uniform" or "sensitivity": how the sparsity is divided among the layers.
        densities: the layers' densities in proportion, in the place of the allocation; empty for none.
        multiple: the number of units kept in a layer is a multiple of this.
    """

    criterion: str = "magnitude"
    pattern: str = "unstructured"
    allocation: str = "global"
    densities: tuple[int, ...] = ()
    multiple: int = 1

    @property
    def group(self) -> int:
        """M of N:M sparsity; 0 for other patterns."""
        return GROUPS.get(self.pattern, 0)
