"""Each allocation of ranks follows its definition."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from compress.low_rank.factorisation import Factorisation, factorise
from compress.low_rank.rank_allocation import choose_ranks, rank_for_energy

SHARES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@pytest.fixture(scope="module")
def pieces() -> dict[str, Factorisation]:
    """Two layers: one whose singular values fall fast, one flat."""
    torch.manual_seed(0)
    steep, flat = nn.Linear(40, 30), nn.Linear(30, 20)
    left, _, right = torch.linalg.svd(steep.weight.detach(), full_matrices=False)
    steep.weight.data = left @ torch.diag(0.7 ** torch.arange(30)) @ right
    return {"steep": factorise(steep, "plain"), "flat": factorise(flat, "plain")}


def test_uniform_gives_every_layer_the_same_share_of_its_full_rank(pieces: dict[str, Factorisation]) -> None:
    assert choose_ranks(pieces, "uniform", 0.5) == {"steep": 15, "flat": 10}
    assert choose_ranks(pieces, "uniform", 0.001) == {"steep": 1, "flat": 1}
    assert choose_ranks(pieces, "uniform", 1.0) == {"steep": 30, "flat": 20}


@pytest.mark.parametrize("keep", SHARES)
def test_energy_gives_each_layer_the_smallest_rank_that_keeps_the_share(pieces: dict[str, Factorisation],
                                                                      keep: float) -> None:
    for path, rank in choose_ranks(pieces, "energy", keep).items():
        values = torch.linalg.svdvals(pieces[path].dense.weight.detach().double()) ** 2
        share = values.cumsum(0) / values.sum()
        assert float(share[rank - 1]) >= keep - 1e-9
        assert rank == 1 or float(share[rank - 2]) < keep


def test_energy_spends_ranks_on_the_flat_layer(pieces: dict[str, Factorisation]) -> None:
    ranks = choose_ranks(pieces, "energy", 0.9)
    assert ranks["steep"] / 30 < 0.3 < 0.5 < ranks["flat"] / 20


@pytest.mark.parametrize("keep", SHARES)
def test_greedy_stays_within_its_share_of_the_parameters(pieces: dict[str, Factorisation], keep: float) -> None:
    ranks = choose_ranks(pieces, "greedy", keep)
    spent = sum(piece.cost(ranks[path]) for path, piece in pieces.items())
    cheapest = sum(piece.cost(1) for piece in pieces.values())
    assert spent <= max(cheapest, keep * (30 * 40 + 20 * 30))


@pytest.mark.parametrize("keep", SHARES)
def test_greedy_is_never_far_from_the_best_choice_for_its_money(pieces: dict[str, Factorisation], keep: float) -> None:
    """What it really spent is never better spent otherwise."""
    errors = {path: piece.errors() for path, piece in pieces.items()}

    def left(path: str, rank: int) -> float:
        return errors[path][rank] if rank < pieces[path].useful else 0.0

    ranks = choose_ranks(pieces, "greedy", keep)
    spent = sum(piece.cost(ranks[path]) for path, piece in pieces.items())
    choices = itertools.product(*(range(1, piece.useful + 1) for piece in pieces.values()))
    best = min(sum(left(path, rank) for path, rank in zip(pieces, choice, strict=True)) for choice in choices
               if sum(piece.cost(rank) for piece, rank in zip(pieces.values(), choice, strict=True)) <= spent)
    assert sum(left(path, rank) for path, rank in ranks.items()) == pytest.approx(best)


def test_with_all_parameters_to_spend_every_layer_stays_dense(pieces: dict[str, Factorisation]) -> None:
    assert all(rank >= pieces[path].useful for path, rank in choose_ranks(pieces, "greedy", 1.0).items())


def test_more_to_keep_never_means_a_lower_rank(pieces: dict[str, Factorisation]) -> None:
    for allocation in ("uniform", "energy"):
        chosen = [choose_ranks(pieces, allocation, keep) for keep in SHARES]
        for path in pieces:
            ranks = [ranks[path] for ranks in chosen]
            assert ranks == sorted(ranks)


def test_an_error_that_is_reached_exactly_is_enough() -> None:
    assert rank_for_energy([1.0, 0.5, 0.1, 0.0], 0.9) == 2
    assert rank_for_energy([1.0, 0.5, 0.1, 0.0], 0.5) == 1
    assert rank_for_energy([1.0, 0.5, 0.1, 0.05], 1.0) == 3
