"""Initial dictionaries, dictionaries to compare with, and measures of a dictionary."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from math import ceil, isqrt, pi

import torch
from torch import Tensor

from compress.progress import Reporter, no_report
from compress.solvers.scale import check_finite, ordinary_rows

INITS = ("data", "dct", "random")


def initial(signals: Tensor, count: int, init: str, seed: int = 0,
            signal_shape: Sequence[int] | None = None) -> Tensor:
    """(count, features) atoms of norm 1 in the signals' type and on their device.

    Args:
        signals: (n, features), finite.
        init: "data" (different non-zero signals, filled up with random atoms if there are too few), "dct" or "random".
        signal_shape: the shape of a signal before it was flattened, for "dct" (see dct_atoms).
    """
    check_finite("Dictionary", "signals", signals, "signal")
    features = signals.shape[1]
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, features, generator=generator, dtype=torch.float64).to(signals)
    if init == "random":
        return normalised(noise)
    if init == "dct":
        return dct_atoms(features, count, signal_shape).to(signals)
    usable = torch.nonzero((signals != 0).any(1)).flatten()
    picked = usable[torch.randperm(len(usable), generator=generator).to(usable.device)[:count]]
    return normalised(torch.cat([signals[picked], noise[len(picked):]]))


def dct_atoms(features: int, count: int, signal_shape: Sequence[int] | None = None) -> Tensor:
    """(count, features) float64 atoms of norm 1: products of one cosine along each axis, low frequencies first, as in Elad &
    Aharon (2006). With more than `features` atoms they are not orthogonal; all but the first have mean 0.

    Args:
        signal_shape: (channels, ...) or (features,); by default a square image if features is a square, else a sequence.
    """
    if signal_shape is None:
        side = isqrt(features)
        signal_shape = (1, side, side) if side * side == features and side > 1 else (1, features)
    channels, *lengths = signal_shape if len(signal_shape) > 1 else (1, *signal_shape)
    along = ceil((count / channels) ** (1 / len(lengths)) - 1e-9)
    lines = [_cosines(channels, channels), *(_cosines(length, along) for length in lengths)]
    combinations = product(*(range(len(line)) for line in lines))
    atoms = []
    for frequencies in sorted(combinations, key=lambda chosen: (sum(chosen), chosen))[:count]:
        atom = torch.ones(1, dtype=torch.float64)
        for line, frequency in zip(lines, frequencies, strict=True):
            atom = torch.outer(atom, line[frequency]).flatten()
        atoms.append(atom)
    return torch.stack(atoms)


def normalised(atoms: Tensor) -> Tensor:
    """The atoms (count, features), of any scale, scaled to norm 1; zero atoms stay zero. Raises ValueError for NaN."""
    atoms, _ = ordinary_rows("Dictionary", "atoms", atoms)
    return atoms / atoms.norm(dim=1, keepdim=True).clamp_min(torch.finfo(atoms.dtype).tiny)


def minibatch_dictionary(signals: Tensor, count: int, passes: int, seed: int = 0, report: Reporter = no_report) -> Tensor:
    """(count, features) atoms of norm 1 by scikit-learn's MiniBatchDictionaryLearning (Mairal, Bach, Ponce & Sapiro 2009),
    to compare with: default settings, except for coordinate descent, which is faster. With nearly equal atoms the descent
    reaches its limit of 1,000 steps a little before its tolerance; scikit-learn's warnings of this are silenced."""
    from sklearn.decomposition import MiniBatchDictionaryLearning
    from sklearn.exceptions import ConvergenceWarning

    learner = MiniBatchDictionaryLearning(count, batch_size=256, fit_algorithm="cd", random_state=seed)
    generator = torch.Generator().manual_seed(seed)
    check_finite("Dictionary", "signals", signals, "signal")
    examples = signals.cpu().double()  # in float32 the coordinate descent does not reach its tolerance
    for number in range(passes):
        batches = examples[torch.randperm(len(examples), generator=generator)].split(256)
        for place, batch in enumerate(batches):
            report((number + place / len(batches)) / passes, f"scikit-learn's dictionary, pass {number + 1} of {passes}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                learner.partial_fit(batch.numpy())
    return normalised(torch.tensor(learner.components_)).to(signals)


def coherence(atoms: Tensor) -> float:
    """The mutual coherence: the largest |cosine| of two different atoms (count, features); 0 for a single atom."""
    unit = normalised(atoms.double())
    return float((unit @ unit.mT).abs().fill_diagonal_(0.0).max())


def tropp_bound(mu: float) -> float:
    """(1 + 1/mu) / 2 for coherence mu: OMP recovers every signal that is a sum of fewer atoms than this (Tropp 2004)."""
    return (1 + 1 / mu) / 2 if mu > 0 else float("inf")


def recovered(atoms: Tensor, truth: Tensor) -> float:
    """The share of true atoms d with an atom d' such that 1 - |d^T d'| < 0.01 (Aharon, Elad & Bruckstein 2006)."""
    nearest = (normalised(truth.double()) @ normalised(atoms.double()).mT).abs().max(1).values
    return float((1 - nearest < 0.01).double().mean())


def _cosines(length: int, count: int) -> Tensor:
    """(count, length): samples of cos(pi k x / length) at x = 0.5, 1.5, ..., for count frequencies k below length; all but
    the first with mean 0, all of norm 1. With count = length this is the orthogonal DCT-II."""
    places = torch.arange(length, dtype=torch.float64) + 0.5
    frequencies = torch.arange(count, dtype=torch.float64) * length / max(count, length)
    waves = torch.cos(pi * frequencies[:, None] * places / length)
    waves[1:] -= waves[1:].mean(1, keepdim=True)
    return normalised(waves)
