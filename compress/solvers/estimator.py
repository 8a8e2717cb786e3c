"""Sparse coding as a scikit-learn estimator, for pipelines in the place of PCA or MiniBatchDictionaryLearning."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from compress.solvers.ksvd import KSVD, learn
from compress.solvers.pursuit import SparseCoder

TYPES = (np.float64, np.float32)


class DictionaryLearner(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learns atoms by K-SVD (Aharon, Elad & Bruckstein 2006) and codes signals by orthogonal matching pursuit.

    The parameters are the settings of compress.solvers.ksvd.KSVD. Signals are not centred: subtract a mean before fit() and
    transform() if needed. float32 stays float32; other types become float64.

    Attributes:
        components_: (atoms, features), of norm 1.
        error_: squared norm of the residual after the last iteration, over that of the signals.
        n_iter_: iterations done.
    """

    def __init__(self, atoms: int = 128, nonzeros: int = 3, iterations: int = 10, update: str = "approximate",
                 init: str = "data", replace: bool = True, seed: int = 0, batch: int = 0,
                 nonnegative: bool = False) -> None:
        self.atoms = atoms
        self.nonzeros = nonzeros
        self.iterations = iterations
        self.update = update
        self.init = init
        self.replace = replace
        self.seed = seed
        self.batch = batch
        self.nonnegative = nonnegative

    def fit(self, X: Any, y: Any = None) -> DictionaryLearner:
        """Learns the atoms of X (n, features), dense and finite; y is ignored.

        Raises:
            ValueError: X is not a dense, finite matrix, or a parameter is outside its range.
        """
        signals = _finite(validate_data(self, X, dtype=TYPES, ensure_all_finite=False))
        *_, last = learn(_tensor(signals), KSVD(**self.get_params()))
        self.components_, self.error_, self.n_iter_ = last.atoms.numpy(), last.error, last.iteration
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(n, atoms): the coefficients of X (n, features), at most `nonzeros` of them non-zero in a row.

        Raises:
            ValueError: X is not a dense, finite matrix of as many features as fit() had.
        """
        check_is_fitted(self)
        signals = _tensor(_finite(validate_data(self, X, dtype=TYPES, reset=False, ensure_all_finite=False)))
        atoms = torch.tensor(self.components_, dtype=signals.dtype)
        return SparseCoder(self.nonzeros, nonnegative=self.nonnegative)(signals, atoms).dense(len(atoms)).numpy()

    def inverse_transform(self, X: Any) -> np.ndarray:
        """(n, features): the signals rebuilt from coefficients X (n, atoms).

        Raises:
            ValueError: X is not finite, or the number of coefficients in a row is not the number of atoms.
        """
        check_is_fitted(self)
        codes = _finite(check_array(X, dtype=TYPES, ensure_all_finite=False))
        if codes.shape[1] != len(self.components_):
            raise ValueError(f"DictionaryLearner: inverse_transform needs {len(self.components_)} coefficients a row, one "
                             f"for each atom, but got {codes.shape[1]}. Give it what transform returned.")
        return codes @ self.components_.astype(codes.dtype)

    @property
    def _n_features_out(self) -> int:
        """The number of output features, for get_feature_names_out(); scikit-learn fixes this name."""
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _finite(numbers: np.ndarray) -> np.ndarray:
    """The same numbers. scikit-learn's own sentence would propose other estimators."""
    wrong = ~np.isfinite(numbers).all(1)
    if wrong.any():
        raise ValueError(f"DictionaryLearner: X must be finite, but row {int(np.argmax(wrong))} has NaN or inf. Fill or "
                         "remove such values.")
    return numbers


def _tensor(signals: np.ndarray) -> torch.Tensor:
    """A copy as a tensor: torch accepts neither read-only memory nor negative strides."""
    return torch.tensor(np.ascontiguousarray(signals))
