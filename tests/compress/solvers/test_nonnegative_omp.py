"""Non-negative pursuit against scipy's non-negative least squares."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls
from torch import Tensor

from compress.progress import Cancelled, Reporter
from compress.solvers import nonnegative_omp as module
from compress.solvers.dictionary import normalised
from compress.solvers.nonnegative_omp import better_pair, omp_nonnegative, positive
from compress.solvers.omp import omp


def problem(count: int, features: int, atoms: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Signals and atoms of unlike lengths, of which more numbers are positive than negative, float64."""
    generator = torch.Generator().manual_seed(seed)
    lengths = 0.2 + 3 * torch.rand(atoms, 1, generator=generator, dtype=torch.float64)
    return (torch.randn(count, features, generator=generator, dtype=torch.float64) + 0.5,
            lengths * (torch.rand(atoms, features, generator=generator, dtype=torch.float64) - 0.1))


@given(st.integers(0, 1000), st.integers(1, 8))
def test_coefficients_are_positive_and_least_squares_on_their_support(seed: int, nonzeros: int) -> None:
    signals, atoms = problem(10, 12, 30, seed)
    codes = omp_nonnegative(signals, atoms, nonzeros)
    for signal, chosen, values in zip(signals, codes.indices, codes.coefficients, strict=True):
        support = chosen[chosen >= 0].tolist()
        assert len(set(support)) == len(support) <= nonzeros and (values[:len(support)] > 0).all()
        assert not values[len(support):].any() and (chosen[len(support):] == -1).all()
        if support:
            np.testing.assert_allclose(values[:len(support)], nnls(atoms[support].T.numpy(), signal.numpy())[0], atol=1e-9)


@pytest.mark.parametrize(("features", "atoms"), [(30, 20), (20, 20), (12, 5)])
def test_with_as_many_nonzeros_as_atoms_it_is_nonnegative_least_squares(features: int, atoms: int) -> None:
    signals, dictionary = problem(100, features, atoms)
    found = omp_nonnegative(signals, dictionary, atoms).dense(atoms)
    for signal, row in zip(signals, found, strict=True):
        np.testing.assert_allclose(row, nnls(dictionary.T.numpy(), signal.numpy())[0], atol=1e-8)


@given(st.integers(0, 1000))
def test_the_error_never_rises_with_more_atoms(seed: int) -> None:
    signals, atoms = problem(10, 12, 30, seed)
    errors = [(signals - omp_nonnegative(signals, atoms, most).decode(atoms)).norm(dim=1) for most in range(1, 8)]
    assert all((late <= early * (1 + 1e-9)).all() for early, late in pairwise(errors))


@given(st.integers(0, 1000))
def test_the_order_of_atoms_and_signals_does_not_matter(seed: int) -> None:
    signals, atoms = problem(15, 10, 25, seed)
    generator = torch.Generator().manual_seed(seed)
    order, rows = torch.randperm(25, generator=generator), torch.randperm(15, generator=generator)
    plain = omp_nonnegative(signals, atoms, 4).dense(25)
    torch.testing.assert_close(omp_nonnegative(signals[rows], atoms[order], 4).dense(25), plain[rows][:, order])


def test_positive_combinations_are_found_where_the_plain_pursuit_finds_them() -> None:
    generator = torch.Generator().manual_seed(0)
    atoms = torch.randn(100, 40, generator=generator, dtype=torch.float64)
    chosen = torch.rand(200, 100, generator=generator).topk(3, dim=1).indices
    weights = torch.zeros(200, 100, dtype=torch.float64).scatter_(1, chosen, 0.5 + torch.rand(200, 3).double())
    plain, ours = (code(weights @ atoms, atoms, 3) for code in (omp, omp_nonnegative))
    right = [(torch.isclose(codes.dense(100), weights, atol=1e-8).all(1).double().mean()) for codes in (plain, ours)]
    assert right[1] >= right[0] > 0.7


def test_an_atom_that_would_become_negative_leaves_and_makes_room() -> None:
    """The sum of two spikes is met first by an atom that lies between them and has a third part; then by the spikes."""
    atoms = torch.tensor([[1.0, 1.0, 0.6], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    signal = torch.tensor([[1.0, 1.05, -0.2]], dtype=torch.float64)
    assert omp_nonnegative(signal, atoms, 1).indices.tolist() == [[0]]
    assert sorted(omp_nonnegative(signal, atoms, 3).indices[0].tolist()) == [-1, 1, 2]


def test_only_positive_correlations_count() -> None:
    atoms = torch.eye(3)
    codes = omp_nonnegative(torch.tensor([[-5.0, 2.0, 1.0], [-1.0, -1.0, -1.0], [0.0, 0.0, 0.0]]), atoms, 3)
    assert codes.indices.tolist() == [[1, 2, -1], [-1, -1, -1], [-1, -1, -1]] and codes.coefficients.dtype == torch.float32
    assert codes.coefficients.tolist() == [[2.0, 1.0, 0.0], [0.0] * 3, [0.0] * 3]


def test_zero_and_duplicate_atoms_break_nothing() -> None:
    signals = problem(20, 8, 1)[0]
    atoms = torch.cat([problem(1, 8, 5, seed=1)[1]] * 3 + [torch.zeros(3, 8, dtype=torch.float64)])
    codes = omp_nonnegative(signals, atoms, 8)
    assert torch.isfinite(codes.coefficients).all() and codes.indices.max() < 5
    for signal, rebuilt in zip(signals, codes.decode(atoms), strict=True):
        assert float((signal - rebuilt).norm()) == pytest.approx(nnls(atoms[:5].T.numpy(), signal.numpy())[1])


def test_a_tolerance_ends_a_signal_as_soon_as_it_is_met() -> None:
    signals, atoms = problem(50, 16, 60)
    codes = omp_nonnegative(signals, atoms, 16, tolerance=2.5)
    left = (signals - codes.decode(atoms)).norm(dim=1)
    longest = omp_nonnegative(signals, atoms, 16)
    assert (codes.nnz < longest.nnz).any() and ((left <= 2.5) | (codes.nnz == longest.nnz)).all()
    assert ((left[codes.nnz < longest.nnz]) > 0.1).all()
    assert torch.equal(omp_nonnegative(signals, atoms, 16, tolerance=4.0).nnz == 0, signals.norm(dim=1) <= 4.0)


def test_chunks_change_nothing_and_it_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    signals, atoms = problem(53, 10, 20)
    whole = omp_nonnegative(signals, atoms, 4)
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 100)
    parts = omp_nonnegative(signals, atoms, 4)
    assert torch.equal(whole.indices, parts.indices)
    torch.testing.assert_close(whole.coefficients, parts.coefficients)
    with pytest.raises(Cancelled):
        omp_nonnegative(signals, atoms, 4, report=Reporter(is_cancelled=lambda: True))
    with pytest.raises(ValueError, match="nonzeros must be between 1 and 10"):
        omp_nonnegative(signals, atoms, 11)


def test_positive_atoms_are_the_positive_part_or_else_the_negative_one() -> None:
    atoms = positive(torch.tensor([[3.0, -1.0, 4.0], [-3.0, -4.0, 0.0], [0.0, 0.0, 0.0]]))
    torch.testing.assert_close(atoms, torch.tensor([[0.6, 0.0, 0.8], [0.6, 0.8, 0.0], [0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("update", ["approximate", "exact"])
def test_a_better_pair_leaves_less_and_of_positive_numbers_the_least(update: str) -> None:
    rows = torch.rand(40, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    atom = normalised(torch.rand(1, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    weights = rows @ atom
    moved, new = better_pair(rows, weights, atom, 0.0, update)
    left = (rows - torch.outer(new, moved)).square().sum()
    best = rows.square().sum() - torch.linalg.svdvals(rows)[0] ** 2  # whose vectors are positive (Perron & Frobenius)
    assert left < (rows - torch.outer(weights, atom)).square().sum()
    assert update == "approximate" or float(left) == pytest.approx(float(best), rel=1e-9)
    assert better_pair(-rows, weights, atom, 0.0, update)[0] is atom
