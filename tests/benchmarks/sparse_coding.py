"""Sparse coding beside its peers: python -m tests.benchmarks.sparse_coding PART

    omp       codes of 10,000 or 2,000 random signals: ours, scikit-learn's orthogonal_mp_gram, SPAMS if it is installed
    recovery  the planted dictionary of Aharon, Elad & Bruckstein (2006) at several noise levels
    patches   K-SVD on 10,000 patches of scikit-learn's photograph of China, and its mini-batch dictionary learning
    weights   LeNet-300-100's file and accuracy: sparse codes beside second-order pruning and low rank, over seeds

SPAMS (spams-bin) is no requirement of this project; its `omp` is a relative that picks other atoms: a peer for speed alone.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from statistics import mean, median

import numpy as np
import torch
from sklearn.datasets import load_sample_image
from sklearn.decomposition import MiniBatchDictionaryLearning
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.linear_model import orthogonal_mp_gram
from torch import Tensor

from compress import datasets, device, files
from compress.dictionary import normalised, recovered
from compress.ksvd import KSVD, learn
from compress.method import Method
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.sparse_code import SparseCode
from compress.omp import omp
from tests.benchmarks.pruning import accuracy, teachers
from tests.benchmarks.timing import spread, table, taking_turns

SIZES = ((10_000, 100, 400, 10), (10_000, 64, 256, 5), (2_000, 784, 1024, 20))
ROUNDS = 3


def main() -> None:
    """Prints Markdown tables for the parts named on the command line, or all."""
    device.prepare()
    for name in sys.argv[1:] or PARTS:
        print(f"\n{name}\n")
        PARTS[name]()


def random_problem(count: int, features: int, atoms: int, nonzeros: int) -> tuple[Tensor, Tensor]:
    """float32 signals of so many atoms with a little noise, and the atoms."""
    generator = torch.Generator().manual_seed(0)
    dictionary = normalised(torch.randn(atoms, features, generator=generator))
    chosen = torch.rand(count, atoms, generator=generator).topk(nonzeros, dim=1).indices
    signals = (torch.randn(count, nonzeros, 1, generator=generator) * dictionary[chosen]).sum(1)
    return signals + 0.05 * torch.randn(count, features, generator=generator), dictionary


def pursuits() -> None:
    """Seconds of each, with supports compared."""
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
        seconds, found = taking_turns(ways, ROUNDS)
        seconds["scikit-learn"] = [20 * one for one in seconds["scikit-learn"]]
        dense = found["ours"][0].dense(len(atoms))[few].numpy() != 0
        same = (dense == (found["scikit-learn"][0].T != 0)).all(1).mean()
        ours = median(seconds["ours"])
        rows.append([size, spread(seconds["ours"]), f"{median(seconds['scikit-learn']) / ours:.0f}x",
                     f"{median(seconds['SPAMS']) / ours:.2f}x" if "SPAMS" in seconds else "not installed", f"{same:.4f}"])
    print(table(["signals, features, atoms, non-zeros", "ours, s", "faster than scikit-learn", "faster than SPAMS",
                 "same supports as scikit-learn"], rows))


def recovery() -> None:
    """Share of planted atoms found after 80 iterations, and the seconds."""
    rows = []
    for decibels in (10, 20, 30, 1000):
        shares, seconds = [], []
        for seed in range(10):
            generator = torch.Generator().manual_seed(seed)
            truth = normalised(torch.randn(50, 20, generator=generator, dtype=torch.float64))
            chosen = torch.rand(1500, 50, generator=generator).topk(3, dim=1).indices
            clean = (torch.randn(1500, 3, 1, generator=generator, dtype=torch.float64) * truth[chosen]).sum(1)
            noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
            signals = clean + noise * clean.norm() / noise.norm() * 10 ** (-decibels / 20)
            began = time.perf_counter()
            *_, last = learn(signals, KSVD(atoms=50, nonzeros=3, iterations=80, seed=seed))
            seconds.append(time.perf_counter() - began)
            shares.append(recovered(last.atoms, truth))
        rows.append(["none" if decibels > 100 else f"{decibels} dB", f"{100 * mean(shares):.1f} %", spread(seconds)])
    print(table(["signal to noise", "atoms found, mean of 10 trials", "seconds"], rows))


def patches() -> None:
    """Relative error left on 10,000 patches of 8x8 by 256 atoms, 5 a patch."""
    picture = load_sample_image("china.jpg").mean(2) / 255
    cut = extract_patches_2d(picture, (8, 8), max_patches=10_000, random_state=0).reshape(10_000, -1)
    signals = torch.tensor(cut - cut.mean(1, keepdims=True), dtype=torch.float32)
    rows = []
    for title in ("approximate", "exact"):
        began = time.perf_counter()
        *_, last = learn(signals, KSVD(atoms=256, nonzeros=5, iterations=20, update=title))
        rows.append([f"K-SVD, {title}, 20 iterations", f"{time.perf_counter() - began:.1f}", _left(signals, last.atoms)])
    began = time.perf_counter()
    peer = MiniBatchDictionaryLearning(256, batch_size=256, max_iter=20, random_state=0).fit(signals.numpy())
    atoms = torch.tensor(peer.components_, dtype=torch.float32)
    rows.append(["scikit-learn, mini-batches, 20 passes", f"{time.perf_counter() - began:.1f}", _left(signals, atoms)])
    print(table(["dictionary", "seconds", "error left by 5 atoms"], rows))


def _left(signals: Tensor, atoms: Tensor) -> str:
    return f"{float((signals - omp(signals, atoms, 5).sums(atoms)).square().sum() / signals.square().sum()):.4f}"


def weights() -> None:
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
        rows.append([title, f"{mean(len(files.to_bytes(one)) for one in small) / 1000:.1f}",
                     f"{100 * mean(accuracy(one, data) for one in small):.1f} %"])
    print(table(["network", "kB", "accuracy"], rows))


PARTS: dict[str, Callable[[], None]] = {"omp": pursuits, "recovery": recovery, "patches": patches, "weights": weights}

if __name__ == "__main__":
    main()
