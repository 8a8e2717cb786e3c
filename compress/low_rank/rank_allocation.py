"""The ranks of all layers when a share of the network is kept."""

from __future__ import annotations

from compress.low_rank.factorisation import Factorisation
from compress.solvers.byte_budget import greedy


def choose_ranks(pieces: dict[str, Factorisation], allocation: str, keep: float) -> dict[str, int]:
    """Path -> rank, at least 1; a rank of `piece.useful` or more means that the layer stays as it is.

    Args:
        allocation: "uniform" (the share of each layer's full rank), "energy" (the share of each layer's energy) or "greedy"
            (the share of the dense parameters of all layers together).
        keep: the share, above 0 and at most 1.
    """
    if allocation == "uniform":
        return {path: max(1, round(keep * piece.full)) for path, piece in pieces.items()}
    if allocation == "energy":
        return {path: rank_for_energy(piece.errors(), keep) for path, piece in pieces.items()}
    menus = []
    for piece in pieces.values():
        errors = piece.errors()
        menus.append([(piece.cost(rank), errors[rank] if rank < piece.useful else 0.0)
                      for rank in range(1, min(piece.useful, piece.full) + 1)])
    budget = keep * sum(piece.size for piece in pieces.values())
    return {path: entry + 1 for path, entry in zip(pieces, greedy(menus, budget), strict=True)}


def rank_for_energy(errors: list[float], keep: float) -> int:
    """The smallest rank (at least 1) whose relative error is at most 1 - keep."""
    allowed = 1.0 - keep
    return next((rank for rank in range(1, len(errors)) if errors[rank] <= allowed + 1e-12), len(errors) - 1)
