"""K-SVD: the recovery experiment of its paper, and errors that never rise in an update."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from compress.progress import Cancelled, Reporter
from compress.solvers import ksvd as module
from compress.solvers import omp as pursuit
from compress.solvers.dictionary import normalised, recovered
from compress.solvers.ksvd import KSVD, learn, replaced, updated
from compress.solvers.nonnegative_omp import omp_nonnegative, positive
from compress.solvers.omp import omp


@pytest.fixture(scope="module", autouse=True, params=["torch", "numba"])
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Everything holds for both programs, whatever the size of a problem."""
    if request.param == "numba":
        pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        for one in (module, pursuit):
            patch.setattr(one, "WORTH_COMPILED", 0 if request.param == "numba" else float("inf"))
        yield request.param


def planted(decibels: float, seed: int) -> tuple[Tensor, Tensor]:
    """Aharon, Elad & Bruckstein (2006): 1,500 signals of 3 of 50 atoms of 20 numbers, with noise. (signals, truth)"""
    generator = torch.Generator().manual_seed(seed)
    truth = normalised(torch.randn(50, 20, generator=generator, dtype=torch.float64))
    chosen = torch.stack([torch.randperm(50, generator=generator)[:3] for _ in range(1500)])
    clean = (torch.randn(1500, 3, 1, generator=generator, dtype=torch.float64) * truth[chosen]).sum(1)
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    return clean + noise * clean.norm() / noise.norm() * 10 ** (-decibels / 20), truth


@pytest.mark.parametrize("update", ["approximate", "exact"])
def test_planted_atoms_are_found_at_20_decibels(update: str) -> None:
    shares = []
    for seed in range(3):
        signals, truth = planted(20, seed)
        *_, last = learn(signals, KSVD(atoms=50, nonzeros=3, iterations=80 if update == "approximate" else 30, update=update,
                                       seed=seed))
        shares.append(recovered(last.atoms, truth))
    assert sum(shares) / 3 >= 0.88


@pytest.mark.parametrize("update", ["approximate", "exact"])
def test_no_update_of_an_atom_raises_the_error(update: str) -> None:
    signals, _ = planted(10, 0)
    atoms = normalised(torch.randn(50, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    for _ in range(4):
        codes = omp(signals, atoms, 3)
        before = (signals - codes.decode(atoms)).square().sum()
        moved, values, residual = updated(signals, atoms, codes, update)
        torch.testing.assert_close(residual, signals - values.decode(moved))
        assert residual.square().sum() < before
        assert torch.equal(values.indices, codes.indices)
        torch.testing.assert_close(moved.norm(dim=1), torch.ones(50, dtype=torch.float64))
        atoms = moved


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_programs_agree(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    signals = planted(10, 0)[0].to(dtype)
    signals[::7] = 0  # no atoms at all
    atoms = normalised(torch.randn(50, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).to(dtype)
    codes = omp(signals, atoms, 3)
    assert codes.nnz.min() == 0 and codes.nnz.max() == 3
    before = atoms.clone(), codes.coefficients.clone()
    found = []
    for least in (0, float("inf")):
        monkeypatch.setattr(module, "WORTH_COMPILED", least)
        new, moved, residual = updated(signals, atoms, codes, "approximate")
        found.append((new, moved.coefficients, residual))
    close = 1e-9 if dtype == torch.float64 else 1e-4
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close)
    assert torch.equal(atoms, before[0]) and torch.equal(codes.coefficients, before[1])


def test_the_exact_update_leaves_no_more_than_the_approximate_one() -> None:
    """For a single atom there is no better pair than the first singular vectors."""
    signals, _ = planted(10, 0)
    atoms = normalised(torch.randn(1, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    codes = omp(signals, atoms, 1)
    exact, rough = (updated(signals, atoms, codes, update)[2].square().sum() for update in ("exact", "approximate"))
    best = signals.square().sum() - torch.linalg.svdvals(signals)[0] ** 2
    torch.testing.assert_close(exact, best)
    assert rough > exact


def test_errors_fall_and_states_describe_themselves() -> None:
    signals, _ = planted(20, 0)
    states = list(learn(signals, KSVD(atoms=50, nonzeros=3, iterations=12)))
    assert [state.iteration for state in states] == list(range(1, 13)) and states[-1].error < 0.5 * states[0].error
    for state in states:
        left = (signals - state.codes.decode(state.atoms)).square().sum() / signals.square().sum()
        assert state.error == pytest.approx(float(left))
        assert state.usage.tolist() == [int((state.codes.indices == atom).sum()) for atom in range(50)]


def test_unused_and_duplicate_atoms_become_badly_coded_signals() -> None:
    signals, _ = planted(20, 0)
    atoms = normalised(torch.randn(10, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    atoms[4] = -atoms[2]
    usage = torch.tensor([5, 0, 7, 3, 9, 1, 0, 2, 2, 2])
    residual = torch.zeros_like(signals)
    residual[[30, 40, 50, 60]] = torch.tensor([[3.0], [9.0], [5.0], [1.0]], dtype=torch.float64)
    new = replaced(signals, atoms, residual, usage)
    gone = [1, 2, 6]  # 2 and 4 are one atom, and 4 is used more
    assert torch.equal(new[gone], normalised(signals[[40, 50, 30]]))
    stay = [number for number in range(10) if number not in gone]
    assert torch.equal(new[stay], atoms[stay])


def test_nothing_is_replaced_by_signals_that_are_coded_well() -> None:
    signals, atoms = planted(20, 0)[0], torch.eye(20, dtype=torch.float64)
    assert torch.equal(replaced(signals, atoms, torch.zeros_like(signals), torch.zeros(20, dtype=torch.long)), atoms)


def test_dead_atoms_come_to_life() -> None:
    signals, truth = planted(20, 0)
    start = torch.cat([truth[:1]] * 50)
    with_replacement, without = ([*learn(signals, KSVD(atoms=50, nonzeros=3, iterations=15, replace=replace), start)][-1]
                                 for replace in (True, False))
    assert (with_replacement.usage > 0).sum() >= 49 and (without.usage > 0).sum() < 20
    assert with_replacement.error < 0.3 * without.error


def test_a_seed_decides_everything_and_learning_can_be_cancelled() -> None:
    signals = planted(20, 0)[0].float()
    settings = KSVD(atoms=30, nonzeros=2, iterations=3, seed=5)
    first, second = ([*learn(signals, settings)][-1].atoms for _ in range(2))
    assert torch.equal(first, second) and first.dtype == torch.float32
    other = [*learn(signals, KSVD(atoms=30, nonzeros=2, iterations=3, seed=6))][-1].atoms
    assert not torch.allclose(first, other)
    with pytest.raises(Cancelled):
        next(learn(signals, settings, report=Reporter(is_cancelled=lambda: True)))


def test_signals_that_are_all_zero_teach_nothing_and_break_nothing() -> None:
    *_, last = learn(torch.zeros(20, 6), KSVD(atoms=4, nonzeros=2, iterations=2))
    assert last.error == 0.0 and torch.isfinite(last.atoms).all() and last.usage.sum() == 0


def test_more_nonzeros_than_there_can_be_are_cut() -> None:
    *_, last = learn(planted(20, 0)[0], KSVD(atoms=3, nonzeros=9, iterations=2))
    assert last.codes.indices.shape[1] == 3


@pytest.mark.parametrize("update", ["approximate", "exact"])
@pytest.mark.parametrize("nonnegative", [False, True])
def test_no_update_that_is_damped_or_nonnegative_raises_the_error(update: str, nonnegative: bool) -> None:
    signals = planted(10, 0)[0]
    atoms = normalised(torch.randn(50, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    signals, atoms = (signals.abs(), positive(atoms)) if nonnegative else (signals, atoms)
    codes = (omp_nonnegative if nonnegative else omp)(signals, atoms, 3)
    before = (signals - codes.decode(atoms)).square().sum()
    errors, moves = [], []
    for weight in (0.0, 10.0, 1e6):
        moved, values, residual = updated(signals, atoms, codes, update, nonnegative, torch.full((50,), weight).double())
        torch.testing.assert_close(residual, signals - values.decode(moved))
        torch.testing.assert_close(moved.norm(dim=1), torch.ones(50, dtype=torch.float64))
        assert not nonnegative or (moved.min() >= 0 and values.coefficients.min() >= 0)
        errors.append(float(residual.square().sum()))
        moves.append(float((moved - atoms).square().sum()))
    assert max(errors) < float(before) and errors[2] > 1.001 * max(errors[:2])
    assert moves[2] < 0.01 * min(moves[:2])


def test_the_exact_atom_is_the_first_singular_vector_of_few_and_of_many_signals() -> None:
    for count in (4, 300):
        signals = torch.randn(count, 20, generator=torch.Generator().manual_seed(count), dtype=torch.float64)
        atom = normalised(torch.ones(1, 20, dtype=torch.float64))
        moved = updated(signals, atom, omp(signals, atom, 1), "exact")[0][0]
        assert abs(float(moved @ torch.linalg.svd(signals).Vh[0])) == pytest.approx(1)


def test_mini_batches_learn_more_in_as_many_passes() -> None:
    signals, _ = planted(20, 0)
    left = {}
    for batch in (0, 300):
        *_, last = learn(signals, KSVD(atoms=50, nonzeros=3, iterations=5, batch=batch))
        residual = signals - omp(signals, last.atoms, 3).decode(last.atoms)
        left[batch] = float(residual.square().sum() / signals.square().sum())
    assert left[300] < 0.9 * left[0]


def test_errors_of_mini_batches_are_not_too_low() -> None:
    signals, _ = planted(20, 0)
    for state in learn(signals, KSVD(atoms=50, nonzeros=3, iterations=8, batch=400)):
        anew = (signals - omp(signals, state.atoms, 3).decode(state.atoms)).square().sum() / signals.square().sum()
        assert state.error > float(anew)
        assert state.codes.indices.shape == (1500, 3) and state.mean_nonzeros == pytest.approx(3, abs=0.05)
        assert int(state.usage.sum()) == int((state.codes.indices >= 0).sum())


def test_a_batch_of_all_signals_or_more_is_none() -> None:
    signals, _ = planted(20, 0)
    plain, all_, more = ([*learn(signals, KSVD(atoms=30, iterations=2, batch=batch))][-1].atoms for batch in (0, 1500, 9999))
    assert torch.equal(plain, all_) and torch.equal(plain, more)


def test_old_batches_count_for_about_one_pass_and_new_atoms_start_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    signals, _ = planted(20, 0)
    given: list[Tensor] = []
    monkeypatch.setattr(module, "updated", lambda *args: (given.append(args[5].clone()), updated(*args))[1])
    replacements: list[Tensor] = []

    def noted(*args: object) -> Tensor:
        new = replaced(*args)
        replacements.append((new != args[1]).any(1))
        return new

    monkeypatch.setattr(module, "replaced", noted)
    start = torch.cat([torch.eye(20, dtype=torch.float64), torch.zeros(5, 20, dtype=torch.float64)])
    list(learn(signals, KSVD(atoms=25, nonzeros=3, iterations=6, batch=500), start))
    assert not given[0].any() and 0.2 * signals.square().sum() < given[-1].sum() < 3 * signals.square().sum()
    assert replacements[0].any() and not given[3][replacements[0]].any() and given[3][~replacements[0]].any()


@pytest.mark.parametrize("update", ["approximate", "exact"])
@pytest.mark.parametrize("init", ["data", "dct", "random"])
def test_nonnegative_atoms_and_coefficients_stay_so_and_still_learn(update: str, init: str) -> None:
    generator = torch.Generator().manual_seed(0)
    truth = normalised(torch.rand(30, 20, generator=generator, dtype=torch.float64).pow(4))
    chosen = torch.rand(800, 30, generator=generator).topk(2, dim=1).indices
    signals = ((0.2 + torch.rand(800, 2, 1, generator=generator, dtype=torch.float64)) * truth[chosen]).sum(1)
    states = list(learn(signals, KSVD(atoms=30, nonzeros=2, iterations=15, update=update, init=init, nonnegative=True)))
    for state in states:
        assert state.atoms.min() >= 0 and state.codes.coefficients.min() >= 0
    assert states[-1].error < 0.5 * states[0].error and recovered(states[-1].atoms, truth) > 0.5


def test_unused_nonnegative_atoms_become_nonnegative_signals() -> None:
    signals, atoms = planted(20, 0)[0], torch.eye(20, dtype=torch.float64)
    new = replaced(signals, atoms, signals, torch.zeros(20, dtype=torch.long), True)
    worst = signals.square().sum(1).argsort(descending=True)[:20]
    assert torch.equal(new, normalised(signals[worst].clamp_min(0)))
