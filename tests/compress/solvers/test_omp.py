"""Orthogonal matching pursuit against scikit-learn's, and what theory promises of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import orthogonal_mp
from torch import Tensor

from compress.progress import Cancelled, Reporter
from compress.solvers import omp as module
from compress.solvers.codes import Codes
from compress.solvers.dictionary import coherence, normalised, tropp_bound
from compress.solvers.omp import has_numba, omp, pursuit_path


@pytest.fixture(scope="module", autouse=True, params=["torch", "numba"])
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Everything holds for both programs, whatever the size of a problem."""
    if request.param == "numba":
        pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WORTH_COMPILED", 0 if request.param == "numba" else float("inf"))
        yield request.param


def problem(count: int, features: int, atoms: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random signals (count, features) and atoms (atoms, features) of unlike lengths, float64."""
    generator = torch.Generator().manual_seed(seed)
    lengths = 0.2 + 3 * torch.rand(atoms, 1, generator=generator, dtype=torch.float64)
    return (torch.randn(count, features, generator=generator, dtype=torch.float64),
            lengths * torch.randn(atoms, features, generator=generator, dtype=torch.float64))


def supports(codes: Codes) -> list[set[int]]:
    return [set(row[row >= 0].tolist()) for row in codes.indices]


@pytest.mark.parametrize(("features", "atoms", "nonzeros"), [(20, 50, 3), (64, 128, 5), (30, 30, 10), (16, 8, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_supports_and_coefficients_are_scikit_learns(features: int, atoms: int, nonzeros: int, dtype: torch.dtype) -> None:
    signals, dictionary = (one.to(dtype) for one in problem(1000, features, atoms))
    codes = omp(signals, dictionary, nonzeros)
    unit = normalised(dictionary.double())
    wanted = orthogonal_mp(unit.T.numpy(), signals.double().T.numpy(), n_nonzero_coefs=nonzeros).T
    same = [found == set(np.flatnonzero(row)) for found, row in zip(supports(codes), wanted, strict=True)]
    assert np.mean(same) >= 0.999 and codes.coefficients.dtype == dtype
    dense = codes.dense(atoms).double() * dictionary.double().norm(dim=1)
    close = torch.isclose(dense, torch.tensor(wanted), rtol=1e-3, atol=1e-4).all(1)
    assert close[torch.tensor(same)].all()


@given(st.integers(0, 1000), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_atoms_are_distinct_and_the_residual_is_orthogonal_to_all_of_them(seed: int, nonzeros: int) -> None:
    signals, atoms = problem(20, 12, 30, seed)
    codes = omp(signals, atoms, nonzeros)
    assert all(len(found) == count for found, count in zip(supports(codes), codes.nnz.tolist(), strict=True))
    residual = signals - codes.decode(atoms)
    assert torch.einsum("nf,nsf->ns", residual, normalised(atoms)[codes.indices]).abs().max() < 1e-9


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_error_falls_with_each_atom_and_supports_grow(seed: int) -> None:
    signals, atoms = problem(10, 12, 30, seed)
    found = [omp(signals, atoms, nonzeros) for nonzeros in range(1, 8)]
    errors = [(signals - codes.decode(atoms)).norm(dim=1) for codes in found]
    assert all((late < early).all() for early, late in pairwise(errors))
    assert all(early <= late for one, other in pairwise(found)
               for early, late in zip(supports(one), supports(other), strict=True))


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_atoms_and_signals_does_not_matter(seed: int) -> None:
    signals, atoms = problem(15, 10, 25, seed)
    generator = torch.Generator().manual_seed(seed)
    order, rows = torch.randperm(25, generator=generator), torch.randperm(15, generator=generator)
    plain, mixed = omp(signals, atoms, 4).dense(25), omp(signals[rows], atoms[order], 4).dense(25)
    torch.testing.assert_close(mixed, plain[rows][:, order])


def test_signals_of_fewer_atoms_than_the_bound_are_coded_exactly() -> None:
    """Tropp 2004: spikes and cosines of length 64 have coherence 1/8 or a little more, so 4 atoms are always found."""
    places = torch.arange(64, dtype=torch.float64)
    cosines = normalised(torch.cos(torch.pi * (places + 0.5) * places[:, None] / 64))
    atoms = torch.cat([torch.eye(64, dtype=torch.float64), cosines])
    most = int(np.ceil(tropp_bound(coherence(atoms))) - 1)
    assert most >= 3
    generator = torch.Generator().manual_seed(0)
    for nonzeros in range(1, most + 1):
        truth = torch.zeros(200, 128, dtype=torch.float64)
        for row in truth:
            row[torch.randperm(128, generator=generator)[:nonzeros]] = torch.randn(nonzeros, generator=generator).double()
        torch.testing.assert_close(omp(truth @ atoms, atoms, nonzeros).dense(128), truth)


@pytest.mark.parametrize(("nonzeros", "measured"), [(4, 56), (8, 96), (12, 136)])
def test_sparse_signals_are_found_from_gaussian_measurements(nonzeros: int, measured: int) -> None:
    """Tropp & Gilbert 2007: 256 numbers, few of them not zero."""
    generator = torch.Generator().manual_seed(nonzeros)
    right = 0
    for _ in range(10):
        atoms = torch.randn(256, measured, generator=generator, dtype=torch.float64)
        chosen = torch.rand(100, 256, generator=generator).topk(nonzeros, dim=1).indices
        codes = omp(atoms[chosen].sum(1), atoms, nonzeros)
        right += sum(set(one.tolist()) == found for one, found in zip(chosen, supports(codes), strict=True))
    assert right >= 0.97 * 1000


def test_zero_signals_and_zero_atoms_are_left_alone() -> None:
    signals, atoms = problem(6, 8, 12)
    signals[2], atoms[5], atoms[0] = 0, 0, 0
    codes = omp(signals, atoms, 8)
    assert codes.nnz[2] == 0 and not codes.coefficients[2].any() and not {0, 5} & set.union(*supports(codes))
    assert torch.isfinite(codes.coefficients).all()
    assert omp(signals, torch.zeros(12, 8, dtype=torch.float64), 3).nnz.sum() == 0


def test_an_atom_in_the_span_of_those_chosen_ends_a_signal() -> None:
    signals = problem(5, 8, 1)[0]
    atoms = torch.cat([problem(1, 8, 3, seed=1)[1]] * 3)
    codes = omp(signals, atoms, 8)
    assert (codes.nnz <= 3).all() and torch.isfinite(codes.coefficients).all()
    unit = torch.linalg.qr(atoms[:3].T).Q
    torch.testing.assert_close(codes.decode(atoms), signals @ unit @ unit.T)


def test_of_equally_good_atoms_the_first_is_chosen() -> None:
    atom = torch.tensor([[1.0, 2.0, 0.0]])
    assert omp(atom, torch.cat([torch.eye(3)[2:], atom, -atom, 5 * atom]), 1).indices.tolist() == [[1]]


@pytest.mark.parametrize(("features", "atoms", "copies"), [(8, 5, 3), (20, 50, 2), (33, 7, 5), (64, 100, 2), (12, 130, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_copies_of_atoms_are_never_chosen_however_a_product_is_rounded(features: int, atoms: int, copies: int,
                                                                       dtype: torch.dtype) -> None:
    signals, dictionary = (one.to(dtype) for one in problem(500, features, atoms))
    codes = omp(signals, torch.cat([dictionary] * copies), 4)
    assert codes.indices.max() < atoms and torch.equal(codes.indices, omp(signals, dictionary, 4).indices)


def test_chunks_are_short_where_supports_are_long(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A factor of nonzeros^2 numbers is held for each signal."""
    if way == "numba":
        pytest.skip("a thread holds one factor")
    sizes: list[int] = []
    chunk = module._chunk
    monkeypatch.setattr(module, "_chunk", lambda signals, *rest: (sizes.append(len(signals)), chunk(signals, *rest))[1])
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 4000)
    omp(*problem(60, 30, 40), 30)
    assert max(sizes) * 30 ** 2 <= 4000 and sum(sizes) == 60


def test_a_tolerance_ends_a_signal_as_soon_as_it_is_met() -> None:
    signals, atoms = problem(50, 16, 40)
    codes = omp(signals, atoms, 16, tolerance=1.5)
    left = (signals - codes.decode(atoms)).norm(dim=1)
    assert (left <= 1.5).all() and len(set(codes.nnz.tolist())) > 2
    before = [omp(signals[row:row + 1], atoms, max(1, count - 1)) for row, count in enumerate(codes.nnz.tolist())]
    gaps = torch.stack([(signals[row] - one.decode(atoms)[0]).norm() for row, one in enumerate(before)])
    assert (gaps[codes.nnz > 1] > 1.5).all()
    assert codes.indices[codes.coefficients == 0].tolist() == [-1] * int((codes.coefficients == 0).sum())


def test_a_signal_that_is_met_exactly_takes_no_more_atoms() -> None:
    atoms = problem(1, 10, 20)[1].float()
    codes = omp(2.5 * atoms[7:8], atoms, 5)
    assert codes.nnz.tolist() == [1] and codes.indices[0, 0] == 7
    torch.testing.assert_close(codes.coefficients[0, 0], torch.tensor(2.5))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    signals, atoms = problem(53, 10, 20)
    whole = omp(signals, atoms, 4)
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 100)
    monkeypatch.setattr(module, "COMPILED_NUMBERS", 100)
    parts = omp(signals, atoms, 4)
    assert torch.equal(whole.indices, parts.indices)
    torch.testing.assert_close(whole.coefficients, parts.coefficients)
    with pytest.raises(Cancelled):
        omp(signals, atoms, 4, report=Reporter(is_cancelled=lambda: True))


def test_threads_change_nothing(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "torch":
        pytest.skip("torch has threads of its own")
    from compress.solvers import omp_numba

    signals, atoms = problem(53, 10, 20)
    whole = omp(signals, atoms, 4, tolerance=1.0)
    monkeypatch.setattr(omp_numba, "THREAD_WORK", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    parts = omp(signals, atoms, 4, tolerance=1.0)
    assert torch.equal(whole.indices, parts.indices) and torch.equal(whole.coefficients, parts.coefficients)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_compiled_codes_of_a_signal_do_not_depend_on_the_others(way: str, dtype: torch.dtype) -> None:
    """Neither on its place among the four signals that are multiplied together."""
    if way == "torch":
        pytest.skip("a product of matrices is rounded as its sizes say")
    signals, atoms = (one.to(dtype) for one in problem(71, 13, 600))
    whole = omp(signals, atoms, 6)
    for row in (0, 5, 63, 64, 70):
        alone = omp(signals[row:row + 1], atoms, 6)
        assert torch.equal(alone.indices[0], whole.indices[row])
        assert torch.equal(alone.coefficients[0], whole.coefficients[row])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_and_many_callers_have_threads_too(way: str) -> None:
    if way == "torch":
        pytest.skip("torch has threads of its own")
    program = """
import os, threading, torch
from compress.solvers import omp as module
from compress.solvers import omp_numba
module.WORTH_COMPILED, omp_numba.THREAD_WORK = 0, 1
torch.set_num_threads(3)
signals, atoms = torch.randn(200, 10), torch.randn(20, 10)
wanted, found = module.omp(signals, atoms, 4).indices, []
callers = [threading.Thread(target=lambda: found.append(module.omp(signals, atoms, 4).indices)) for _ in range(8)]
[caller.start() for caller in callers]
[caller.join() for caller in callers]
assert len(found) == 8 and all(torch.equal(one, wanted) for one in found)
child = os.fork()
if not child:
    run = threading.Thread(target=lambda: omp_numba._pool(os.getpid(), 2).submit(int).result(10))
    run.start()
    run.join(10)
    os._exit(int(run.is_alive()))
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(("features", "atoms", "nonzeros"), [(20, 50, 20), (33, 97, 7), (16, 8, 8), (5, 1, 1),
                                                            (40, 320, 13)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_programs_agree(features: int, atoms: int, nonzeros: int, dtype: torch.dtype,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    signals, dictionary = (one.to(dtype) for one in problem(500, features, atoms))
    for tolerance in (0.0, 2.0):
        codes = []
        for least in (0, float("inf")):
            monkeypatch.setattr(module, "WORTH_COMPILED", least)
            codes.append(omp(signals, dictionary, nonzeros, tolerance))
        # As many atoms as features explain everything: the last two of float32 are chosen by rounding alone.
        told = nonzeros - 2 if nonzeros == features else nonzeros
        same = (codes[0].indices == codes[1].indices)[:, :told].all(1)
        assert same.double().mean() >= 0.999
        close = 1e-8 if dtype == torch.float64 else 1e-3 if nonzeros < features else 1e-2  # a nearly singular system
        decoded = [one.decode(dictionary)[same] for one in codes]
        torch.testing.assert_close(decoded[0], decoded[1], rtol=close, atol=close)


def test_nearly_equal_atoms_are_distinguished_as_far_as_rounding_allows() -> None:
    """An atom that is 1e-4 away from one before it still helps in float64; the signal is met exactly by the two."""
    atoms = torch.eye(6, dtype=torch.float64)
    atoms[1] = normalised(atoms[:1] + 1e-4 * atoms[1:2])[0]
    signal = atoms[:1] + 0.5 * torch.eye(6, dtype=torch.float64)[1:2]
    codes = omp(signal, atoms, 3)
    torch.testing.assert_close(codes.decode(atoms), signal)
    assert torch.isfinite(omp(signal.float(), atoms.float(), 3).coefficients).all()


def test_signals_that_require_a_gradient_or_are_not_contiguous_are_coded() -> None:
    signals, atoms = problem(50, 10, 20)
    plain = omp(signals, atoms, 3)
    assert torch.equal(omp(signals.T.contiguous().T, atoms, 3).indices, plain.indices)
    assert torch.equal(omp(signals.requires_grad_(), atoms, 3).indices, plain.indices)


def test_no_signals_have_no_codes() -> None:
    codes = omp(torch.zeros(0, 6), torch.eye(6), 2)
    assert codes.indices.shape == codes.coefficients.shape == (0, 2) and codes.dense(6).shape == (0, 6)


def test_numba_is_not_imported_before_there_is_work_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    program = ("import sys, torch; from compress.solvers.omp import omp; omp(torch.eye(4), torch.eye(4), 2); "
               "print('numba' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"


def test_without_numba_torch_does_the_work(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    signals, atoms = problem(50, 10, 20)
    wanted = omp(signals, atoms, 3)
    has_numba.cache_clear()
    monkeypatch.setitem(sys.modules, "compress.solvers.omp_numba", None)
    monkeypatch.delattr("compress.solvers.omp_numba", raising=False)
    try:
        assert not has_numba() and torch.equal(omp(signals, atoms, 3).indices, wanted.indices)
    finally:
        has_numba.cache_clear()


def test_wrong_sizes_are_answered_with_what_is_allowed() -> None:
    signals, atoms = problem(5, 8, 12)
    with pytest.raises(ValueError, match=r"nonzeros must be between 1 and 8 \(the smaller .*got nonzeros=9\. Choose a"):
        omp(signals, atoms, 9)
    with pytest.raises(ValueError, match=r"must have the same features and type, but got \(5, 8\)"):
        omp(signals, atoms.T, 2)
    with pytest.raises(ValueError, match="same features and type"):
        omp(signals.float(), atoms, 2)
    with pytest.raises(ValueError, match=r"must be float32 or float64, but got torch.float16. Convert both"):
        omp(signals.half(), atoms.half(), 2)
    with pytest.raises(ValueError, match=r"tolerance must be 0 or more, but got tolerance=-1"):
        omp(signals, atoms, 2, tolerance=-1)


def test_a_path_takes_the_atoms_of_the_pursuit_one_at_a_time() -> None:
    signals, atoms = problem(1, 12, 30)
    codes, steps = omp(signals, atoms, 5), pursuit_path(signals[0], atoms, 5)
    assert [step.atom for step in steps] == codes.indices[0].tolist() == steps[-1].support
    assert steps[-1].coefficients == pytest.approx(codes.coefficients[0].tolist())
    before = signals[0]
    for step in steps:
        assert step.atom == int(np.abs(step.correlations).argmax())
        torch.testing.assert_close(torch.tensor(step.correlations), (normalised(atoms) @ before).float())
        before = torch.tensor(step.residual, dtype=torch.float64)
        assert step.error == pytest.approx(float(before.square().sum() / signals.square().sum()), rel=1e-5)


def test_the_path_of_a_simple_signal_ends_early() -> None:
    atoms = problem(1, 12, 30)[1]
    assert len(pursuit_path(atoms[3], atoms, 5)) == 1 and pursuit_path(torch.zeros(12).double(), atoms, 5) == []
