"""Sparse coding under scikit-learn's own rules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from compress.solvers.estimator import DictionaryLearner
from compress.solvers.ksvd import KSVD, learn
from compress.solvers.omp import omp


def signals(count: int = 300) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 12)) @ np.diag(np.linspace(2, 0.1, 12))


@pytest.mark.parametrize(("estimator", "check"), list(estimator_checks_generator(DictionaryLearner(atoms=8, iterations=2))))
def test_scikit_learns_rules_are_kept(estimator: DictionaryLearner, check: object) -> None:
    check(estimator)


def test_it_is_the_solvers_under_other_names() -> None:
    learner = DictionaryLearner(atoms=20, nonzeros=3, iterations=5, seed=2).fit(signals())
    *_, last = learn(torch.tensor(signals()), KSVD(atoms=20, nonzeros=3, iterations=5, seed=2))
    assert np.array_equal(learner.components_, last.atoms.numpy()) and learner.error_ == last.error and learner.n_iter_ == 5
    codes = learner.transform(signals())
    assert np.array_equal(codes, omp(torch.tensor(signals()), last.atoms, 3).dense(20).numpy())
    left = np.square(signals() - learner.inverse_transform(codes)).sum() / np.square(signals()).sum()
    assert codes.shape == (300, 20) and np.count_nonzero(codes, axis=1).max() == 3 and left <= learner.error_ + 0.05


def test_float32_stays_float32_and_names_are_given() -> None:
    learner = DictionaryLearner(atoms=6, nonzeros=2, iterations=2).fit(signals().astype(np.float32))
    codes = learner.transform(signals().astype(np.float32))
    assert learner.components_.dtype == codes.dtype == learner.inverse_transform(codes).dtype == np.float32
    assert list(learner.get_feature_names_out()) == [f"dictionarylearner{number}" for number in range(6)]


def test_it_works_in_a_pipeline() -> None:
    wanted = signals()[:, 0] > 0
    pipeline = make_pipeline(StandardScaler(), DictionaryLearner(atoms=20, iterations=3), LogisticRegression())
    assert pipeline.fit(signals(), wanted).score(signals(), wanted) > 0.7


def test_parameters_out_of_range_are_answered_when_it_is_fitted() -> None:
    with pytest.raises(ValueError, match=r"KSVD: update must be one of approximate, exact, but got 'quick'"):
        DictionaryLearner(update="quick").fit(signals())


def test_mini_batches_and_codes_without_negative_numbers_are_passed_on() -> None:
    given = np.abs(signals())
    learner = DictionaryLearner(atoms=20, iterations=3, batch=100, nonnegative=True).fit(given)
    *_, last = learn(torch.tensor(given), KSVD(atoms=20, iterations=3, batch=100, nonnegative=True))
    assert np.array_equal(learner.components_, last.atoms.numpy())
    assert learner.transform(given).min() == 0 and learner.transform(given).max() > 0


def test_coefficients_of_another_number_of_atoms_are_refused() -> None:
    learner = DictionaryLearner(atoms=6, iterations=1).fit(signals())
    with pytest.raises(ValueError, match=r"needs 6 coefficients a row, one for each atom, but got 12\. Give it"):
        learner.inverse_transform(signals())
