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
from compress.layers.input_moments import input_mean_squares, recalibrated
from compress.layers.matrix_view import by_rows
from compress.layers.opening import opened, outer_path, parts_of
from compress.layers.titles import layer_title
from compress.method import Candidate, Entrant, Method
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.settings import setting
from compress.solvers.codes import Codes
from compress.solvers.dictionary import coherence, initial
from compress.solvers.ksvd import KSVD, learn
from compress.solvers.omp import omp
from compress.training.loop import Training, train
from compress.workload import Phase


@dataclass(frozen=True)
class SparseCode(Method):
    r"""Write blocks of a layer's weights as sums of few atoms: $w \approx c D$ with at most $s$ non-zeros in $c$.

    A block holds the weights of one input for $b$ adjacent outputs. All blocks of a layer share a dictionary $D$ of $K$
    atoms, learned by K-SVD (Aharon, Elad & Bruckstein 2006) with the approximate update (Rubinstein, Zibulevsky & Elad
    2008). The codes $c$ are found by orthogonal matching pursuit.

    **What is stored**: the dictionary; for each block the indices of its atoms in as few bits as possible; the coefficients
    in 32, 16 or 8 bits. With 8-bit coefficients a block takes $s\,(\log_2 K + 8)$ bits in the place of $32\,b$.

    *weighted* scales each block by the root mean square of its input on calibration examples, so that weights of large
    inputs are approximated better (errors of different inputs count as independent). *Recovery* trains atoms and
    coefficients on the labels while the indices are fixed. A linear layer runs as $D^\top (C x)$ where this is cheaper (one
    sparse multiply-add counts as six dense ones), and with its dense weight otherwise; a convolution always runs with its
    dense weight.

    **When it fails.** Weights have less structure than images, so that a learned dictionary is hardly better than a fixed
    one. Blocks of few outputs save little; blocks of many outputs need many non-zeros. In a small layer the dictionary is
    larger than the layer, which then stays dense.
    """

    name = "sparse_code"
    title = "Sparse coding"
    dial = "nonzeros"
    values = (1, 2, 3, 4, 5, 6, 8)

    race = (
        Entrant("", {}, (1, 2, 3, 4, 6)),
        Entrant("trained", {"recovery_epochs": 5, "recovery_rate": 0.002}, (1, 2, 3, 4, 6), effort=2),
    )

    nonzeros: int = setting(3, low=1, high=64, step=1, label="Non-zeros", help="The most atoms that a block may use.")
    atoms: int = setting(128, low=2, high=4096, step=1, tried=(32, 64, 128), help="Atoms of each layer's dictionary (K).")
    block: int = setting(16, low=2, high=1024, step=1, tried=(16, 32), label="Outputs of a block",
                         help="Outputs whose weights of one input are coded together (b).")
    dictionary: str = setting("ksvd", choices=("ksvd", "data", "dct", "random"),
                              help="Learned by K-SVD; or, to compare, blocks themselves, cosines or random atoms.")
    iterations: int = setting(10, low=1, high=200, step=1, idle={"dictionary": ("data", "dct", "random")},
                              help="Iterations of K-SVD.")
    storage: str = setting("int8", choices=tuple(STORAGES), help="Number type of the stored coefficients.")
    weighted: bool = setting(True, help="Approximate the weights of large inputs better than those of small inputs.")
    output_layer: bool = setting(False, help="Also code the last layer, whose outputs are the class scores.")
    first_only: bool = setting(False, label="First layer only", help="Code only the first layer.")
    recovery_epochs: int = setting(0, low=0, high=500, step=1, tried=(0, 5),
                                   help="Passes of training of atoms and coefficients, with fixed indices.")
    recovery_rate: float = setting(0.0005, low=1e-6, high=1.0, idle={"recovery_epochs": (0,)}, tried=(0.0005, 0.002),
                                   help="Learning rate of recovery training.")

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
        for method, part in zip(wanted, report.each("network", len(wanted)), strict=True):
            candidate = method._candidate(network, layers, scales, data, part, seed)
            part(1.0, f"{method.nonzeros} non-zeros")
            yield candidate

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
        """Whether codes and dictionary take less than `size` bytes."""
        return stored_bytes(layer, self.block, self.atoms, self.nonzeros, self.storage) < size

    def _candidate(self, network: Network, layers: dict[str, DenseLayer], scales: dict[str, Tensor], data: Dataset,
                   report: Reporter, seed: int) -> Candidate:
        views, replaced, notes = [], {}, []
        *steps, training = report.phases(*[Phase(f"layer {path}") for path in layers], Phase("training"))
        for (path, layer), step in zip(layers.items(), steps, strict=True):
            now = network.get_submodule(path)
            coded, view = self._coded(path, layer, bytes_of_weight(now), scales[path], self.nonzeros, step, seed)
            views.append(view)
            if coded is None:
                stays = "dense" if is_dense(now) else "as it is"
                notes.append(f"layer {path} stays {stays}: codes and dictionary would be larger, no gain")
            else:
                replaced[path] = coded
        smaller = self._finished(with_layers(network, replaced), replaced, data, training, seed)
        return Candidate(self, smaller, inside={"layers": views}, notes=tuple(notes))

    def _layers(self, network: Network) -> dict[str, DenseLayer]:
        layers = {path: merged_layer(layer) for path, layer in parts_of(network, "SparseCode", self.output_layer).items()}
        first = outer_path(network, next(iter(layers)))
        return {path: layer for path, layer in layers.items() if not self.first_only or outer_path(network, path) == first}

    def _scales(self, teacher: Network, layers: dict[str, DenseLayer], data: Dataset) -> dict[str, Tensor]:
        """Path -> (blocks, 1): the weight of each block's error."""
        device = device_of(teacher)
        if not self.weighted:
            return {path: torch.ones(1, 1, device=device) for path in layers}
        squares, found = input_mean_squares(teacher, on_device(data.calibration, device)[0], layers), {}
        for path, layer in layers.items():
            size = by_rows(layer, squares[path].sqrt()).to(layer.weight.dtype)
            scale = Blocks(size.shape[0], size.shape[1], self.block).signals(size).mean(1, keepdim=True)
            # An input that was always zero on calibration has a small weight: it may not be zero on other examples.
            found[path] = scale.clamp_min(0.01 * float(scale.max().clamp_min(1e-30)))
        return found

    def _coded(self, path: str, layer: DenseLayer, size: int, scale: Tensor, nonzeros: int, report: Reporter,
               seed: int) -> tuple[Coded | None, dict[str, Any]]:
        """The coded layer (None if it would be larger than `size` bytes), and plain data for a page."""
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
        """The network after recovery training with fixed indices (if any), with its coefficients as they are stored."""
        if self.recovery_epochs and replaced:
            plan = Training(epochs=self.recovery_epochs, learning_rate=self.recovery_rate)
            network = train(network, data, plan, seed, report).network
        trained = {path: network.get_submodule(path) for path in replaced}
        stored = {path: layer.stored_as(self.storage) for path, layer in trained.items() if isinstance(layer, Coded)}
        return recalibrated(with_layers(network, stored), on_device(data.calibration, device_of(network))[0])
