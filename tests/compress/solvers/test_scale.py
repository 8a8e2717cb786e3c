"""Signals and atoms of any scale give the same supports; what is not finite is refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compress.solvers import omp as omp_module
from compress.solvers.brain_surgeon import damped, refitted, refitted_columns, removal_losses
from compress.solvers.dictionary import coherence, initial, minibatch_dictionary, normalised
from compress.solvers.estimator import DictionaryLearner
from compress.solvers.ksvd import KSVD, learn
from compress.solvers.nonnegative_omp import omp_nonnegative
from compress.solvers.omp import omp
from compress.solvers.pursuit import SparseCoder
from compress.solvers.scale import check_finite, ordinary_rows, times_power
from compress.solvers.svd import principal, projection_energies, randomized, spectrum

FLOATS = {torch.float32: (2.0 ** -120, 1e-37, 1e-25, 1e-10, 1e10, 1e25, 1e37),
          torch.float64: (1e-300, 1e-200, 1e-25, 1e25, 1e200, 1e300)}
SCALES = [(dtype, scale) for dtype, scales in FLOATS.items() for scale in scales]


def problem(dtype: torch.dtype = torch.float32, signals: int = 50, atoms: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(count, 20, generator=generator, dtype=torch.float64).to(dtype) for count in (signals, atoms))


@pytest.fixture(params=["torch", "numba"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Problems of a test go to this kernel."""
    if request.param == "numba":
        pytest.importorskip("numba")
    monkeypatch.setattr(omp_module, "WORTH_COMPILED", 0 if request.param == "numba" else float("inf"))
    return request.param


@pytest.mark.parametrize("code", [omp, omp_nonnegative])
@pytest.mark.parametrize(("dtype", "scale"), SCALES)
def test_the_scale_of_signals_or_atoms_changes_no_support(code: Callable[..., Any], dtype: torch.dtype, scale: float,
                                                          kernel: str) -> None:
    signals, atoms = problem(dtype)
    expected = code(signals, atoms, 4)
    close = 1e-4 if dtype == torch.float32 else 1e-9
    small = code(signals * scale, atoms, 4)
    assert torch.equal(small.indices, expected.indices) and int(expected.nnz.min()) > 0
    assert torch.allclose(small.coefficients / scale, expected.coefficients, rtol=close, atol=close)
    large = code(signals, atoms / scale, 4)
    assert torch.equal(large.indices, expected.indices)
    assert torch.allclose(large.coefficients / scale, expected.coefficients, rtol=close, atol=close)
    assert torch.equal(code(signals * scale, atoms * scale, 4).indices, expected.indices)


@pytest.mark.parametrize("code", [omp, omp_nonnegative])
def test_powers_of_two_change_no_bit(code: Callable[..., Any], kernel: str) -> None:
    signals, atoms = problem()
    expected, found = code(signals, atoms, 4), code(signals * 2.0 ** 70, atoms * 2.0 ** -50, 4)
    assert torch.equal(found.coefficients, expected.coefficients * 2.0 ** 120)
    assert torch.equal(found.indices, expected.indices)


@pytest.mark.parametrize("code", [omp, omp_nonnegative])
def test_each_signal_has_its_own_scale_and_a_tolerance_in_its_units(code: Callable[..., Any], kernel: str) -> None:
    signals, atoms = problem()
    factors = torch.logspace(-30, 30, len(signals))[:, None]
    assert torch.equal(code(signals * factors, atoms, 4).indices, code(signals, atoms, 4).indices)
    assert torch.equal(code(signals * factors, atoms * torch.logspace(-4, 4, 40)[:, None], 4).indices,
                       code(signals, atoms, 4).indices)
    for scale in (1e-30, 1.0, 1e30):
        assert torch.equal(code(signals * scale, atoms, 9, 3.0 * scale).indices, code(signals, atoms, 9, 3.0).indices)
    assert int(code(signals * 1e-30, atoms, 4, 1.0).nnz.sum()) == 0


def test_zeros_stay_without_atoms_and_are_never_chosen() -> None:
    signals, atoms = problem()
    signals[3], atoms[5] = 0, 0
    found = omp(signals * 1e-30, atoms * 1e-30, 4)
    assert int(found.nnz[3]) == 0 and not bool((found.indices == 5).any())


@pytest.mark.parametrize("code", [omp, omp_nonnegative])
def test_coefficients_beyond_the_type_are_refused(code: Callable[..., Any]) -> None:
    signals, atoms = problem()
    with pytest.raises(ValueError, match=r"OMP: coefficients must be within 3\.4e\+38.*or use float64"):
        code(signals * 1e25, atoms * 1e-25, 4)


@pytest.mark.parametrize("scale", [1e-33, 1e-25, 1e19, 1e30])
@pytest.mark.parametrize("settings", [{}, {"nonnegative": True}, {"update": "exact"}, {"batch": 30}])
def test_a_dictionary_does_not_depend_on_the_signals_scale(scale: float, settings: dict[str, Any]) -> None:
    signals, _ = problem(signals=200)
    power = 2.0 ** round(float(np.log2(scale)))
    chosen = KSVD(atoms=24, nonzeros=3, iterations=3, **settings)
    *_, expected = learn(signals, chosen)
    *_, found = learn(signals * power, chosen)
    assert torch.equal(found.atoms, expected.atoms) and found.error == pytest.approx(expected.error)
    assert torch.equal(found.codes.coefficients, expected.codes.coefficients * power)
    assert torch.allclose(found.atoms.norm(dim=1), torch.ones(24), atol=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1e19, 1e30])
def test_the_estimator_takes_signals_of_every_scale(scale: float) -> None:
    signals = problem(signals=200)[0].numpy()
    learner = DictionaryLearner(atoms=24, nonzeros=3, iterations=3).fit(signals * np.float32(scale))
    assert np.allclose(np.linalg.norm(learner.components_, axis=1), 1, atol=1e-5)
    codes = learner.transform(signals * np.float32(scale))
    assert np.count_nonzero(codes, axis=1).min() == 3 and np.isfinite(codes).all()
    rebuilt = learner.inverse_transform(codes).astype(np.float64) / scale
    assert np.square(signals - rebuilt).sum() / np.square(signals).sum() < learner.error_ + 0.05


@pytest.mark.parametrize(("dtype", "scale"), SCALES)
def test_initial_atoms_and_coherence_do_not_depend_on_the_scale(dtype: torch.dtype, scale: float) -> None:
    signals, _ = problem(dtype)
    assert torch.allclose(initial(signals * scale, 30, "data"), initial(signals, 30, "data"), atol=1e-5)
    assert torch.allclose(normalised(signals * scale), normalised(signals), atol=1e-5)
    assert coherence(signals * scale) == pytest.approx(coherence(signals), abs=1e-5)


@pytest.mark.parametrize("scale", [1e-200, 1e-37, 1e37, 1e200])
def test_singular_values_of_every_scale(scale: float) -> None:
    matrix, _ = problem(torch.float64)
    assert torch.allclose(spectrum(matrix * scale) / scale, spectrum(matrix), rtol=1e-7)


@pytest.mark.parametrize("scale", [2.0 ** -100, 2.0 ** 100])
def test_every_step_of_a_pursuit_is_told_in_the_units_of_its_signal(scale: float) -> None:
    signals, atoms = problem()
    coder = SparseCoder(4)
    for step, plain in zip(coder.path(signals[0] * scale, atoms), coder.path(signals[0], atoms), strict=True):
        assert (step.atom, step.support, step.error) == (plain.atom, plain.support, pytest.approx(plain.error))
        for name in ("coefficients", "correlations", "residual"):
            assert np.allclose(np.array(getattr(step, name)) / scale, getattr(plain, name), atol=1e-5)


def test_rows_of_ordinary_scale_are_not_even_copied() -> None:
    signals, _ = problem()
    assert ordinary_rows("OMP", "signals", signals)[0] is signals
    mixed = torch.cat([signals, signals[:1] * 1e-30])
    rows, exponents = ordinary_rows("OMP", "signals", mixed)
    assert exponents is not None and exponents[:-1].eq(0).all() and torch.equal(rows[:-1], signals)
    assert torch.equal(times_power(rows, exponents[:, None]), mixed)


SIGNALS, ATOMS = problem(torch.float64)
SQUARE = ATOMS.mT @ ATOMS
MASK = ATOMS > 0
CALLS: list[tuple[str, str, Tensor, Callable[[Tensor], object]]] = [
    ("OMP", "signals", SIGNALS, lambda bad: omp(bad, ATOMS, 3)),
    ("OMP", "atoms", ATOMS, lambda bad: omp(SIGNALS, bad, 3)),
    ("OMP", "signals", SIGNALS, lambda bad: omp_nonnegative(bad, ATOMS, 3)),
    ("OMP", "atoms", ATOMS, lambda bad: omp_nonnegative(SIGNALS, bad, 3)),
    ("K-SVD", "signals", SIGNALS, lambda bad: list(learn(bad, KSVD(atoms=24, iterations=1)))),
    ("Dictionary", "atoms", ATOMS[:24], lambda bad: list(learn(SIGNALS, KSVD(atoms=24, iterations=1), bad))),
    ("Dictionary", "signals", SIGNALS, lambda bad: initial(bad, 20, "data")),
    ("Dictionary", "signals", SIGNALS, lambda bad: minibatch_dictionary(bad, 20, 1)),
    ("Dictionary", "atoms", ATOMS, normalised),
    ("SVD", "the matrix", ATOMS, spectrum),
    ("SVD", "the matrix", ATOMS, principal),
    ("SVD", "the matrix", ATOMS, lambda bad: randomized(bad, 3)),
    ("SVD", "the second moment of the inputs", SQUARE, lambda bad: principal(ATOMS, bad)),
    ("SVD", "the second moment of the inputs", SQUARE, lambda bad: projection_energies(ATOMS, ATOMS, bad)),
    ("Brain surgeon", "the second moment of the inputs", SQUARE, damped),
    ("Brain surgeon", "the second moment of the inputs", SQUARE, lambda bad: refitted(ATOMS, MASK, bad)),
    ("Brain surgeon", "the weights", ATOMS, lambda bad: removal_losses(bad, SQUARE)),
    ("Brain surgeon", "the weights", ATOMS, lambda bad: refitted(bad, MASK, SQUARE)),
    ("Brain surgeon", "the weights", ATOMS, lambda bad: refitted_columns(bad, torch.arange(5), SQUARE)),
    ("DictionaryLearner", "X", SIGNALS, lambda bad: DictionaryLearner(atoms=8, iterations=1).fit(bad.numpy())),
]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(("owner", "name", "sound", "call"), CALLS,
                         ids=[f"{number}-{name}" for number, (_, name, *_) in enumerate(CALLS)])
def test_what_is_not_finite_is_refused_by_its_name(owner: str, name: str, sound: Tensor, call: Callable[[Tensor], object],
                                                   value: float) -> None:
    call(sound.clone())
    bad = sound.clone()
    bad[7, 2] = value
    with pytest.raises(ValueError, match=rf"{owner}: {name} must be finite, but (row|signal) 7 has NaN or inf\."):
        call(bad)


def test_the_fitted_estimator_refuses_them_too() -> None:
    learner = DictionaryLearner(atoms=8, iterations=1).fit(SIGNALS.numpy())
    bad = SIGNALS.numpy().copy()
    bad[4, 0] = np.nan
    for call in (learner.transform, lambda rows: learner.inverse_transform(rows[:, :8])):
        with pytest.raises(ValueError, match="DictionaryLearner: X must be finite, but row 4"):
            call(bad)


def test_nothing_is_finite() -> None:
    check_finite("Owner", "rows", torch.zeros(0, 3))
    assert ordinary_rows("Owner", "rows", torch.zeros(0, 3))[1] is None
