"""Sparse coding: blocks of a layer's weights as sparse combinations of the atoms of a learned dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.base import DenseLayer, bytes_of_weight, is_dense, merged_layer, with_layers
from compress.layers.blocks import Blocks
from compress.layers.coded import STORAGES, Coded, stored_bytes
from compress.layers.input_moments import input_moments, recalibrated
from compress.layers.matrix_view import by_rows
from compress.layers.opening import opened, outer_path, parts_of
from compress.layers.titles import layer_title
from compress.method import Candidate, Method
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.settings import setting
from compress.solvers.codes import Codes
from compress.solvers.dictionary import coherence, initial
from compress.solvers.ksvd import KSVD, learn
from compress.solvers.omp import omp
from compress.training.loop import Training, train


@dataclass(frozen=True)
class SparseCode(Method):
    r"""Write blocks of a layer's weights as sums of few atoms: $w \approx c D$ with at most $s$ non-zeros in $c$.

    A block is so many outputs of one input's column of $W$. All blocks of a layer share a dictionary $D$ (atoms x outputs of
    a block), learned by K-SVD (Aharon, Elad & Bruckstein 2006) with its approximate update (Rubinstein, Zibulevsky & Elad
    2008); codes are found by orthogonal matching pursuit. What is stored is the dictionary, for each block the indices of
    its atoms in as few bits as tell them apart, and the coefficients in 32, 16 or 8 bits: for blocks of $b$ outputs, $K$
    atoms and 8-bit coefficients, $s\,(\log_2 K + 8)$ bits instead of $32\,b$.

    *Weighted* blocks are scaled by the root mean square of the input that they multiply on calibration examples: weights on
    busy inputs are kept better than those on silent ones (the errors of different inputs are taken as independent).
    *Recovery* trains atoms and coefficients on the labels with the indices fixed. A linear layer runs as $D^\top (C x)$
    where that is cheaper (a sparse multiply-add counting as six dense ones), and with the dense weight otherwise; a
    convolution always runs dense.

    When it fails: weights have less structure than pictures, so a dictionary is hardly better than a fixed one; a block of
    few outputs leaves nothing to share, one of many needs many non-zeros; and a small layer's dictionary is larger than the
    layer, which then stays dense.
    """

    name = "sparse_code"
    title = "Sparse coding"
    dial = "nonzeros"
    values = (1, 2, 3, 4, 5, 6, 8)

    nonzeros: int = setting(3, low=1, high=64, step=1, label="Non-zeros", help="Atoms that a block may use (s).")
    atoms: int = setting(128, low=2, high=4096, step=1, help="Atoms of each layer's dictionary (K).")
    block: int = setting(16, low=2, high=1024, step=1, label="Outputs of a block",
                         help="How many outputs of one input are coded together (b).")
    dictionary: str = setting("ksvd", choices=("ksvd", "data", "dct", "random"),
                              help="Learned by K-SVD, or blocks as they are, cosines, random atoms, for comparison.")
    iterations: int = setting(10, low=1, high=200, step=1, help="Iterations of K-SVD.")
    storage: str = setting("int8", choices=tuple(STORAGES), help="How a coefficient is stored.")
    weighted: bool = setting(True, help="Keep weights on busy inputs better than those on silent ones.")
    output_layer: bool = setting(False, help="Code the last layer (the one that gives the class scores) too.")
    first_only: bool = setting(False, label="First layer only", help="Code the first layer alone.")
    recovery_epochs: int = setting(0, low=0, high=500, step=1, help="Passes of training of atoms and coefficients.")
    recovery_rate: float = setting(0.0005, low=1e-6, high=1.0, help="Learning rate of this training.")

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """No block uses more atoms than it has outputs, or than there are."""
        most = min(self.atoms, self.block)
        if self.nonzeros <= most:
            return ""
        return (f"SparseCode: nonzeros must be between 1 and {most} (the smaller of atoms and block), but got "
                f"{self.nonzeros}. Choose fewer.")

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[SparseCode], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """A dictionary for each layer and number of non-zeros."""
        start = opened(network)
        layers = self._layers(start)
        scales = self._scales(start, layers, data)
        for number, method in enumerate(wanted):
            yield method._candidate(network, layers, scales, data,
                                    report.part(number / len(wanted), (number + 1) / len(wanted)), seed)

    def preview(self, network: Network, data: Dataset) -> Network:
        """Arbitrary codes of an arbitrary dictionary."""
        found = {path: self._arbitrary(layer) for path, layer in self._layers(opened(network)).items()
                 if self._is_smaller(layer, bytes_of_weight(network.get_submodule(path)))}
        return with_layers(network, found)

    def _arbitrary(self, layer: DenseLayer) -> Coded:
        blocks = Blocks(layer.weight.shape[0], layer.weight[0].numel(), self.block)
        chosen = torch.arange(blocks.count * self.nonzeros).view(blocks.count, self.nonzeros) % self.atoms
        atoms, ones = torch.ones(self.atoms, self.block), torch.ones(chosen.shape)
        return Coded.of(layer, self.block, atoms, chosen, ones, self.storage)

    def _is_smaller(self, layer: DenseLayer, size: int) -> bool:
        """Whether codes and dictionary take less than so many bytes."""
        return stored_bytes(layer, self.block, self.atoms, self.nonzeros, self.storage) < size

    def _candidate(self, network: Network, layers: dict[str, DenseLayer], scales: dict[str, Tensor], data: Dataset,
                   report: Reporter, seed: int) -> Candidate:
        views, replaced, notes = [], {}, []
        for place, (path, layer) in enumerate(layers.items()):
            step = report.part(place / len(layers) * 0.5, (place + 1) / len(layers) * 0.5)
            now = network.get_submodule(path)
            coded, view = self._coded(path, layer, bytes_of_weight(now), scales[path], self.nonzeros, step, seed)
            views.append(view)
            if coded is None:
                stays = "dense" if is_dense(now) else "as it is"
                notes.append(f"layer {path} stays {stays}: codes and dictionary would be larger, no gain")
            else:
                replaced[path] = coded
        smaller = self._finished(with_layers(network, replaced), replaced, data, report.part(0.5, 1.0), seed)
        return Candidate(self, smaller, inside={"layers": views}, notes=tuple(notes))

    def _layers(self, network: Network) -> dict[str, DenseLayer]:
        layers = {path: merged_layer(layer) for path, layer in parts_of(network, "SparseCode", self.output_layer).items()}
        first = outer_path(network, next(iter(layers)))
        return {path: layer for path, layer in layers.items() if not self.first_only or outer_path(network, path) == first}

    def _scales(self, teacher: Network, layers: dict[str, DenseLayer], data: Dataset) -> dict[str, Tensor]:
        """Path -> what a block's error counts (blocks, 1)."""
        device = device_of(teacher)
        if not self.weighted:
            return {path: torch.ones(1, 1, device=device) for path in layers}
        moments, found = input_moments(teacher, on_device(data.calibration, device)[0], layers), {}
        for path, layer in layers.items():
            size = by_rows(layer, moments[path].second.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt()).to(layer.weight.dtype)
            scale = Blocks(size.shape[0], size.shape[1], self.block).signals(size).mean(1, keepdim=True)
            # An input that was always zero on calibration still counts a little: it may not be on other examples.
            found[path] = scale.clamp_min(0.01 * float(scale.max().clamp_min(1e-30)))
        return found

    def _coded(self, path: str, layer: DenseLayer, size: int, scale: Tensor, nonzeros: int, report: Reporter,
               seed: int) -> tuple[Coded | None, dict[str, Any]]:
        """The layer's stand-in, None where it would be larger than the size, in bytes; and what a page shows of it."""
        matrix = layer.weight.detach().flatten(1)
        blocks = Blocks(matrix.shape[0], matrix.shape[1], self.block)
        signals = blocks.signals(matrix)
        view: dict[str, Any] = {"path": path, "title": layer_title(path, layer)}
        if not self._is_smaller(layer, size):
            return None, view
        report(0.0, f"{nonzeros} non-zeros: dictionary of layer {path}")
        atoms, codes = self._dictionary(signals * scale, nonzeros, report, seed)
        coded = Coded.of(layer, self.block, atoms, codes.indices, codes.coefficients / scale, "float32")
        with torch.no_grad():
            gap = coded.weight.flatten(1) - matrix
            error = (blocks.signals(gap) * scale).square().sum() / (signals * scale).square().sum().clamp_min(1e-30)
        usage = torch.bincount(codes.indices[codes.indices >= 0], minlength=len(atoms))
        order = usage.argsort(descending=True)
        view |= {"error": float(error), "usage": usage[order].tolist(), "coherence": coherence(atoms),
                 "mean_nonzeros": float(codes.nnz.float().mean()), "blocks": blocks.count,
                 "product": coded.runs_as_product, "atoms": [[round(float(one), 4) for one in row]
                                                             for row in atoms[order[:64]].cpu()]}
        return coded, view

    def _dictionary(self, signals: Tensor, nonzeros: int, report: Reporter, seed: int) -> tuple[Tensor, Codes]:
        if self.dictionary != "ksvd":
            atoms = initial(signals, self.atoms, self.dictionary, seed, (1, self.block))
            return atoms, omp(signals, atoms, nonzeros)
        settings = KSVD(atoms=self.atoms, nonzeros=nonzeros, iterations=self.iterations, seed=seed)
        *_, last = learn(signals, settings, report=report)
        return last.atoms, omp(signals, last.atoms, nonzeros)

    def _finished(self, network: Network, replaced: dict[str, Coded], data: Dataset, report: Reporter, seed: int) -> Network:
        """Trained on with the indices fixed, if asked for, and with coefficients as they are stored."""
        if self.recovery_epochs and replaced:
            plan = Training(epochs=self.recovery_epochs, learning_rate=self.recovery_rate)
            network = train(network, data, plan, seed, report).network
        trained = {path: network.get_submodule(path) for path in replaced}
        stored = {path: layer.stored_as(self.storage) for path, layer in trained.items() if isinstance(layer, Coded)}
        return recalibrated(with_layers(network, stored), on_device(data.calibration, device_of(network))[0])
