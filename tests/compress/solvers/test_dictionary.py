"""Initial dictionaries, and measures of a dictionary."""

from __future__ import annotations

import pytest
import torch

from compress.solvers.dictionary import INITS, coherence, dct_atoms, initial, normalised, recovered, tropp_bound


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize(("features", "count"), [(16, 10), (16, 40), (12, 30)])
def test_initial_atoms_have_norm_one_and_the_signals_type(init: str, features: int, count: int) -> None:
    signals = torch.randn(25, features)
    atoms = initial(signals, count, init, seed=3)
    assert atoms.shape == (count, features) and atoms.dtype == signals.dtype
    torch.testing.assert_close(atoms.norm(dim=1), torch.ones(count))
    assert torch.equal(atoms, initial(signals, count, init, seed=3))
    assert init == "dct" or not torch.equal(atoms, initial(signals, count, init, seed=4))


def test_data_gives_different_signals_and_never_a_zero_one() -> None:
    signals = torch.randn(20, 6)
    signals[::2] = 0
    atoms = initial(signals, 10, "data")
    nearest = (atoms @ normalised(signals[1::2]).T).argmax(1)
    assert sorted(nearest.tolist()) == list(range(10))
    assert initial(signals, 15, "data").norm(dim=1).min() > 0.99


def test_as_many_cosines_as_features_are_an_orthonormal_basis() -> None:
    for features in (9, 10, 64):
        atoms = dct_atoms(features, features)
        torch.testing.assert_close(atoms @ atoms.T, torch.eye(features, dtype=torch.float64))


def test_the_first_cosine_is_flat_and_the_others_have_mean_zero() -> None:
    atoms = dct_atoms(64, 100)
    torch.testing.assert_close(atoms[0], torch.full((64,), 1 / 8, dtype=torch.float64))
    assert atoms[1:].sum(1).abs().max() < 1e-9 and coherence(atoms) < 0.999


def test_coherence_is_the_largest_cosine_of_two_atoms() -> None:
    atoms = torch.tensor([[2.0, 0.0], [0.0, 5.0], [-1.0, 1.0]])
    assert coherence(atoms) == pytest.approx(0.5 ** 0.5)
    assert coherence(atoms[:2]) == 0.0 and tropp_bound(0.0) == float("inf") and tropp_bound(0.125) == pytest.approx(4.5)


def test_recovery_counts_true_atoms_that_some_atom_comes_near_to() -> None:
    truth = torch.eye(4)
    near = normalised(torch.tensor([[-1.0, 0.1, 0, 0], [0, 1, 0.2, 0], [0, 0, 3, 0]]))
    assert recovered(near, truth) == 0.5


def test_cosines_of_colours_and_windows_have_the_form_of_the_signals() -> None:
    colours = dct_atoms(192, 192, (3, 8, 8))
    torch.testing.assert_close(colours @ colours.T, torch.eye(192, dtype=torch.float64))
    grey = colours[0].view(3, 8, 8)
    assert float((grey - grey.mean()).abs().max()) < 1e-12
    window = dct_atoms(16, 16, (1, 16))
    turns = [int((row[1:] * row[:-1] < 0).sum()) for row in window]
    assert turns == list(range(16))  # the k-th cosine of a line changes its sign k times; a product of two does not
    assert dct_atoms(192, 300, (3, 8, 8)).shape == (300, 192) and dct_atoms(12, 7, (2, 6)).shape == (7, 12)
    assert torch.equal(initial(torch.randn(5, 16), 9, "dct", signal_shape=(1, 16)), dct_atoms(16, 9, (1, 16)).float())
