"""Sparse coding compared with other programs: python -m tests.benchmarks.sparse_coding PART

    omp       codes of 10,000 or 2,000 random signals: ours, scikit-learn's orthogonal_mp_gram, SPAMS if it is installed
    measured  sparse signals of 256 numbers from Gaussian measurements (Tropp & Gilbert 2007)
    recovery  the planted dictionary of Aharon, Elad & Bruckstein (2006) at several noise levels, and peers' seconds for it
    patches   K-SVD on 10,000 patches of scikit-learn's photograph of China, beside what its peers learn there
    data      accuracy of a classifier of coded data, and PSNR: K-SVD, principal components and projections at equal bytes
    hidden    LeNet-300-100 behind its coded hidden outputs
    weights   LeNet-300-100's file and accuracy: sparse codes beside second-order pruning and low rank, over seeds

SPAMS (spams-bin), ksvd and dictlearn are no requirements of this project: `pip install --target PEERS --no-deps spams-bin
ksvd dictlearn`, and PYTHONPATH=PEERS. SPAMS's `omp` is a relative that picks other atoms: a peer for speed alone.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from statistics import mean, median
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_sample_image
from sklearn.decomposition import MiniBatchDictionaryLearning
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.linear_model import orthogonal_mp_gram
from torch import Tensor

from compress.data import datasets
from compress.files import network_file
from compress.method import Candidate, Method
from compress.methods.activation_codes import ActivationCodes
from compress.methods.data_codes import DataCodes
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.sparse_code import SparseCode
from compress.networks import device
from compress.networks.families import Architecture, Logistic, build
from compress.solvers.dictionary import normalised, recovered
from compress.solvers.ksvd import KSVD, learn
from compress.solvers.omp import omp
from tests.benchmarks.pruning import accuracy, teachers
from tests.benchmarks.report import Part, show
from tests.benchmarks.timing import spread, table, taking_turns

SIZES = ((10_000, 100, 400, 10), (10_000, 64, 256, 5), (2_000, 784, 1024, 20))
MEASUREMENTS = ((4, 56), (8, 96), (12, 136), (16, 184), (20, 228))
ROUNDS = 5
Learner = Callable[[Tensor, int, int, int], Tensor]


def random_problem(count: int, features: int, atoms: int, nonzeros: int) -> tuple[Tensor, Tensor]:
    """float32 signals of so many atoms with a little noise, and the atoms."""
    generator = torch.Generator().manual_seed(0)
    dictionary = normalised(torch.randn(atoms, features, generator=generator))
    chosen = torch.rand(count, atoms, generator=generator).topk(nonzeros, dim=1).indices
    signals = (torch.randn(count, nonzeros, 1, generator=generator) * dictionary[chosen]).sum(1)
    return signals + 0.05 * torch.randn(count, features, generator=generator), dictionary


def pursuits() -> str:
    """Seconds of each, with supports compared; on one core (COMPRESS_CORES=1) those of the processor, to which it makes no
    difference what other programs do."""
    clock = time.process_time if device.usable_cores() == 1 else time.perf_counter
    rows = []
    for size in SIZES:
        signals, atoms = random_problem(*size)
        nonzeros, few = size[3], slice(0, len(signals) // 20)
        ways: dict[str, Callable[[int], object]] = {
            "ours": lambda _, s=signals, a=atoms, k=nonzeros: omp(s, a, k),
            "scikit-learn": lambda _, s=signals[few], a=atoms, k=nonzeros: orthogonal_mp_gram(
                (a @ a.T).numpy(), (a @ s.T).numpy(), n_nonzero_coefs=k)}
        if importlib.util.find_spec("spams"):
            import spams

            x, d = np.asfortranarray(signals.numpy().T), np.asfortranarray(atoms.numpy().T)
            ways["SPAMS"] = lambda _, x=x, d=d, k=nonzeros: spams.omp(x, d, L=k, eps=0.0, numThreads=device.usable_cores())
        for way in ways.values():
            way(0)
        seconds, found = taking_turns(ways, ROUNDS, clock)
        seconds["scikit-learn"] = [20 * one for one in seconds["scikit-learn"]]
        dense = found["ours"][0].dense(len(atoms))[few].numpy() != 0
        same = (dense == (found["scikit-learn"][0].T != 0)).all(1).mean()
        ours = median(seconds["ours"])
        rows.append([size, spread(seconds["ours"]), f"{median(seconds['scikit-learn']) / ours:.0f}x",
                     f"{median(seconds['SPAMS']) / ours:.2f}x" if "SPAMS" in seconds else "not installed", f"{same:.4f}"])
    return table(["signals, features, atoms, non-zeros", "ours, s", "faster than scikit-learn", "faster than SPAMS",
                  "same supports as scikit-learn"], rows)


def measured() -> str:
    """Share of 1,000 signals whose m numbers that are not zero are found from N measurements."""
    rows = []
    for nonzeros, number in MEASUREMENTS:
        generator, right = torch.Generator().manual_seed(nonzeros), 0
        for _ in range(10):
            atoms = torch.randn(256, number, generator=generator, dtype=torch.float64)
            chosen = torch.rand(100, 256, generator=generator).topk(nonzeros, dim=1).indices
            found = omp(atoms[chosen].sum(1), atoms, nonzeros).indices
            right += int((found.sort(1).values == chosen.sort(1).values).all(1).sum())
        rows.append([nonzeros, number, f"{right / 10:.1f} %"])
    return table(["not zero", "measurements", "found of 1,000"], rows)


def planted(decibels: float, seed: int) -> tuple[Tensor, Tensor]:
    """(signals, true atoms): 1,500 signals of 3 of 50 atoms of 20 numbers, float64."""
    generator = torch.Generator().manual_seed(seed)
    truth = normalised(torch.randn(50, 20, generator=generator, dtype=torch.float64))
    chosen = torch.rand(1500, 50, generator=generator).topk(3, dim=1).indices
    clean = (torch.randn(1500, 3, 1, generator=generator, dtype=torch.float64) * truth[chosen]).sum(1)
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    return clean + noise * clean.norm() / noise.norm() * 10 ** (-decibels / 20), truth


def recovery() -> str:
    """Share of planted atoms found after 80 iterations, and the seconds; peers at 20 dB, three trials."""
    rows = []
    for title, decibels, trials, learner in (*(("ours", noise, 10, ours) for noise in (10, 20, 30, 1000)),
                                             *((name, 20, 3, peer) for name, peer in peers().items())):
        shares, seconds = [], []
        learner(planted(20, 99)[0], 50, 3, 2)  # imported and compiled
        for seed in range(trials):
            signals, truth = planted(decibels, seed)
            began = time.perf_counter()
            atoms = learner(signals, 50, 3, 80)
            seconds.append(time.perf_counter() - began)
            shares.append(recovered(atoms.double(), truth))
        rows.append([title, "none" if decibels > 100 else f"{decibels} dB", f"{100 * mean(shares):.1f} %", spread(seconds)])
    return table(["dictionary learning", "signal to noise", "atoms found, mean of the trials", "seconds"], rows)


def patches() -> str:
    """Relative error left on 10,000 patches of 8x8 by 256 atoms, 5 a patch, and when K-SVD was as good as each peer."""
    picture = load_sample_image("china.jpg").mean(2) / 255
    cut = extract_patches_2d(picture, (8, 8), max_patches=10_000, random_state=0).reshape(10_000, -1)
    signals = torch.tensor(cut - cut.mean(1, keepdims=True), dtype=torch.float32)
    rows, way = [], falling(signals)
    for title, learner in {"K-SVD, approximate": ours, "K-SVD, mini-batches of 500": batches, "K-SVD, exact": exact,
                           **peers()}.items():
        learner(signals[:1000], 256, 5, 1)  # imported and compiled
        began = time.perf_counter()
        atoms = learner(signals, 256, 5, 20)
        seconds, left = time.perf_counter() - began, error_left(signals, atoms.float())
        reached = next((f"{one:.2f}" for one, error in way if error <= left), "not in 60 iterations")
        rows.append([title, f"{seconds:.2f}", f"{left:.4f}", reached])
    return table(["dictionary, 20 iterations or passes", "seconds", "error left by 5 atoms",
                  "approximate K-SVD is as good after, s"], rows)


def falling(signals: Tensor) -> list[tuple[float, float]]:
    """(seconds, error left) after each of 60 iterations of approximate K-SVD; the second run, when all is compiled."""
    for _ in range(2):
        way, began = [], time.perf_counter()
        for state in learn(signals, KSVD(atoms=256, nonzeros=5, iterations=60)):
            way.append((time.perf_counter() - began, state.error))
    return way


def ours(signals: Tensor, atoms: int, nonzeros: int, iterations: int, **others: Any) -> Tensor:
    """Atoms learned by this project."""
    *_, last = learn(signals, KSVD(atoms=atoms, nonzeros=nonzeros, iterations=iterations, **others))
    return last.atoms


def peers() -> dict[str, Learner]:
    """Those that are installed, each with the settings that its documentation recommends, as many passes as ours."""
    known: dict[str, tuple[str, Learner]] = {
        "SPAMS, trainDL with at most so many atoms": ("spams", by_spams), "dictlearn, aksvd": ("dictlearn", by_dictlearn),
        "ksvd, ApproximateKSVD": ("ksvd", by_ksvd), "scikit-learn, MiniBatchDictionaryLearning": ("sklearn", by_sklearn)}
    return {name: learner for name, (package, learner) in known.items() if importlib.util.find_spec(package)}


def by_spams(signals: Tensor, atoms: int, nonzeros: int, iterations: int) -> Tensor:
    """Mode 3: least squares with at most lambda1 atoms; an iteration is a mini-batch."""
    import spams

    columns, batch = np.asfortranarray(signals.numpy().T), min(512, len(signals))
    found = spams.trainDL(columns, K=atoms, lambda1=nonzeros, mode=3, batchsize=batch, verbose=False,
                          iter=iterations * len(signals) // batch, numThreads=device.usable_cores())
    return torch.tensor(np.ascontiguousarray(found.T))


def by_dictlearn(signals: Tensor, atoms: int, nonzeros: int, iterations: int) -> Tensor:
    import dictlearn

    learner = dictlearn.DictionaryLearning(atoms, fit_algorithm="aksvd", transform_algorithm="batch_omp", random_state=0,
                                           n_nonzero_coefs=nonzeros, max_iter=iterations)
    return torch.tensor(learner.fit(signals.numpy()).components_)


def by_ksvd(signals: Tensor, atoms: int, nonzeros: int, iterations: int) -> Tensor:
    import ksvd

    np.random.seed(0)
    learner = ksvd.ApproximateKSVD(atoms, max_iter=iterations, transform_n_nonzero_coefs=nonzeros)
    return torch.tensor(learner.fit(signals.double().numpy()).components_)


def by_sklearn(signals: Tensor, atoms: int, nonzeros: int, iterations: int) -> Tensor:
    learner = MiniBatchDictionaryLearning(atoms, batch_size=256, max_iter=iterations, random_state=0)
    return torch.tensor(learner.fit(signals.numpy()).components_)


def exact(signals: Tensor, atoms: int, nonzeros: int, iterations: int) -> Tensor:
    return ours(signals, atoms, nonzeros, iterations, update="exact")


def batches(signals: Tensor, atoms: int, nonzeros: int, iterations: int) -> Tensor:
    return ours(signals, atoms, nonzeros, iterations, batch=500)


def error_left(signals: Tensor, atoms: Tensor) -> float:
    """By codes of 5 atoms, the same for all dictionaries."""
    return float((signals - omp(signals, atoms, 5).decode(atoms)).square().sum() / signals.square().sum())


def weights() -> str:
    """Bytes and accuracies over five seeds, nothing trained afterwards."""
    data, rows = datasets.load("mnist5k"), []
    known = teachers(data)
    methods: dict[str, Method] = {
        "the teacher": Prune(sparsity=0.0), **{f"sparse codes, {count} of 128 atoms": SparseCode(nonzeros=count)
                                              for count in (1, 2, 3)},
        "random atoms, 1 of 128": SparseCode(nonzeros=1, dictionary="random"),
        **{f"pruning, second order, {share:g} removed": Prune(criterion="second_order", sparsity=share)
           for share in (0.9, 0.95, 0.97)},
        "low rank, whitened, greedy, 0.1 kept": LowRank(keep=0.1, allocation="greedy")}
    for title, method in methods.items():
        small = [method.compress(teacher, data, seed=seed) for seed, teacher in known]
        rows.append([title, f"{mean(len(network_file.to_bytes(one)) for one in small) / 1000:.1f}",
                     f"{100 * mean(accuracy(one, data) for one in small):.1f} %"])
    return table(["network", "kB", "accuracy"], rows)


def coded() -> str:
    """Bytes, accuracy over three seeds, and energy lost."""
    rows = []
    for name, settings, values in (("mnist5k", {"tile": 7, "atoms": 64}, (1, 2, 4)),
                                   ("mnist5k", {}, (1, 4, 12)),
                                   ("photographs", {"tile": 8, "atoms": 128}, (1, 4, 12))):
        data = datasets.load(name)
        unused = build(Architecture(Logistic(), data.shape, len(data.classes)))  # methods of data read no network
        ways = {"K-SVD": DataCodes(pca_baseline=False, **settings),
                "principal components": DataCodes(dictionary="components", **settings),
                "random projections": DataCodes(classify="projections", **settings)}
        tile = f"{name}, tiles of {settings['tile']}" if settings else f"{name}, whole"
        raw = [DataCodes(**settings).baseline(unused, data, seed=seed) for seed in range(3)]
        rows.append([tile, "raw", "", f"{len(raw[0].contents) / 1000:.0f}", _accuracies(raw, data), ""])
        for value in values:
            for title, method in ways.items():
                made = [next(method.curve(unused, data, [value], seed=seed)) for seed in range(3)]
                left = mean(one.inside["error"] for one in made) if title != "random projections" else None
                rows.append([tile, title, value, f"{mean(len(one.contents) for one in made) / 1000:.0f}",
                             _accuracies(made, data), "" if left is None else f"{100 * left:.1f} %"])
    return table(["data", "kept", "non-zeros", "kB", "accuracy", "energy lost"], rows)


def hidden() -> str:
    """Bytes and accuracies of LeNet-300-100 behind coded hidden outputs, five seeds, nothing trained."""
    data, rows = datasets.load("mnist5k"), []
    known = teachers(data)
    for cut, name in ((0, "the last hidden layer, 100 outputs"), (1, "the first, 300 outputs")):
        ways = {
            **{f"{count} of 128 atoms": ActivationCodes(cut=cut, nonzeros=count) for count in (1, 4, 16)},
            **{f"{count} of 128 atoms, non-negative": ActivationCodes(cut=cut, nonzeros=count, nonnegative=True)
               for count in (1, 4)},
            **{f"principal components, as for {count}": ActivationCodes(cut=cut, nonzeros=count, dictionary="components")
               for count in (1, 4, 16)}}
        raw = [ActivationCodes(cut=cut).baseline(teacher, data) for _, teacher in known]
        rows.append([name, "raw", f"{len(raw[0].contents) / 1000:.0f}", _accuracies(raw, data), ""])
        for title, method in ways.items():
            made = [next(method.curve(teacher, data, [method.nonzeros], seed=seed)) for seed, teacher in known]
            rows.append([name, title, f"{mean(len(one.contents) for one in made) / 1000:.0f}", _accuracies(made, data),
                         f"{100 * mean(one.inside['error'] for one in made):.1f} %"])
    return table(["outputs of", "kept", "kB", "accuracy", "energy lost"], rows)


def _accuracies(made: list[Candidate], data: datasets.Dataset) -> str:
    return f"{100 * mean(accuracy(one.network, data) for one in made):.1f} %"


PARTS: dict[str, Part] = {"omp": pursuits, "measured": measured, "recovery": recovery, "patches": patches, "data": coded,
                          "hidden": hidden, "weights": weights}

if __name__ == "__main__":
    show(PARTS)
