"""Sparse codes of hidden outputs: few atoms for each example in the place of all numbers of a hidden layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files import container
from compress.files.data_file import small_labels
from compress.files.quantised import (
    atoms_in_bytes,
    bytes_expected,
    bytes_of,
    components_for,
    in_bytes,
    numbers_in_bytes,
    packed_numbers,
)
from compress.layers.fronts import PCABottleneck, SparseBottleneck
from compress.method import Candidate, Method, Run
from compress.networks.composite import Front
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.settings import setting
from compress.solvers.dictionary import coherence, initial, tropp_bound
from compress.solvers.pursuit import SparseCoder
from compress.sparse_coding.dictionary_source import SOURCES, Components, Source
from compress.sparse_coding.network_split import SplitNetwork, rejoined, splits_of
from compress.sparse_coding.pca_baseline import one_dictionary_after_another, with_components
from compress.stored import FLOAT32
from compress.workload import Phase

FIRING = 24  # atoms whose coefficients a page shows by class


@dataclass(frozen=True)
class ActivationCodes(Method):
    r"""Store the outputs of a hidden layer as sums of few atoms of a dictionary: $h \approx \mu + c D$.

    The network is split after a hidden layer. Its outputs $h$ on the training examples, $n \times d$ numbers, are what has
    to be stored or sent, for example from a device that runs the first layers to a server that runs the rest. The
    dictionary $D$ is learned from them by K-SVD (Aharon, Elad & Bruckstein 2006); codes $c$ with at most $s$ non-zeros are
    found by orthogonal matching pursuit. Nothing is trained: the rest of the network reads the outputs that are rebuilt
    from the codes.

    **What is stored**: the dictionary (one byte for each number), the mean $\mu$, for each example the indices of its atoms
    in as few bits as possible and its coefficients in one byte each, and the labels. Outputs with channels and more than
    4,096 numbers are coded channel by channel.

    **Baselines**: the network itself with its outputs in 32 bits; and *principal components* of the same outputs, as many
    as take the bytes of the codes.

    **When it fails.** Outputs of few numbers leave little to save. Where the outputs of each example differ from all
    others, few atoms describe them badly, and the rest of the network was not trained on such errors.
    """

    name = "activation_codes"
    title = "Sparse codes of hidden outputs"
    dial = "nonzeros"
    renamed: ClassVar[dict[str, str]] = {
        "active": "nonzeros", "vocabulary": "atoms", "passes": "iterations", "atoms_from": "dictionary",
        "only_positive": "nonnegative", "compare": "pca_baseline"}
    values = (1, 2, 3, 4, 6, 8, 12, 16)
    applies_to = "data"
    precision: ClassVar[str] = FLOAT32  # type: ignore[misc]  # no setting: what the file holds is no network's weights
    reference_title = "raw hidden outputs"

    nonzeros: int = setting(4, low=1, high=64, step=1, label="Non-zeros",
                            help="The most atoms that an example's outputs may use.")
    atoms: int = setting(128, low=2, high=4096, step=1, help="Atoms of the dictionary.")
    cut: int = setting(0, low=0, high=50, step=1, label="Hidden layer",
                       help="The layer whose outputs are coded: 0 is the last hidden layer, 1 the layer before, and so on.")
    dictionary: str = setting("ksvd", choices=SOURCES, label="Dictionary",
                              help="Learned by K-SVD or by scikit-learn's mini-batches; or, to compare, outputs "
                                   "themselves, cosines, random atoms, or principal components of as many bytes.")
    nonnegative: bool = setting(False, label="Non-negative", help="Neither atoms nor coefficients have negative numbers.")
    iterations: int = setting(8, low=1, high=200, step=1, help="Iterations of K-SVD.")
    pca_baseline: bool = setting(True, of_sweep=True, label="PCA baseline",
                                 help="Also measure principal components of as many bytes.")

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """Nothing uses more atoms than there are; and there must be such a hidden layer."""
        if self.nonzeros > self.atoms:
            return (f"ActivationCodes: nonzeros must be between 1 and {self.atoms} (the atoms), but got {self.nonzeros}. "
                    "Choose fewer.")
        count = len(self._all(network, data))
        if not count:
            return ("ActivationCodes: this network has no hidden layer, and so no hidden outputs. Choose another teacher, "
                    "for example mlp(hidden=300-100).")
        if self.cut >= count:
            return (f"ActivationCodes: cut must be between 0 and {count - 1} (this network has {count} hidden outputs to "
                    f"code), but got {self.cut}. Choose a smaller one.")
        return ""

    def preview(self, network: Network, data: Dataset) -> Network:
        """The network cut in two, with an arbitrary dictionary between."""
        split = self._cut(network, data)
        return rejoined(split, self._arbitrary(split.features, len(data.train)).to(device_of(network)))

    def _arbitrary(self, features: int, signals: int) -> Front:
        mean = torch.zeros(features)
        if self.dictionary == "components":
            count = components_for(bytes_expected(signals, features, self.atoms, self.nonzeros), signals, features)
            return PCABottleneck(mean, torch.zeros(count, features), torch.ones(count))
        pursuit = SparseCoder(min(self.nonzeros, features), 0.0, self.nonnegative)
        return SparseBottleneck(mean, initial(mean[None], self.atoms, "random"), torch.ones(()), pursuit)

    def plan(self, values: Sequence[Any]) -> tuple[Run, ...]:
        """The curve and, if pca_baseline is set, principal components of as many bytes."""
        own = [self.at(value) for value in values]
        if not self.pca_baseline or self.dictionary == "components":
            return tuple(map(Run, own))
        return with_components(own)

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[ActivationCodes], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """A dictionary for each number of non-zeros, those first; the outputs, their principal components, and dictionaries
        that are not learned are found once."""
        hidden = self._hidden(network, data)
        yield from one_dictionary_after_another(
            wanted, report, lambda own, part: _points(own, hidden, network, data, part, seed))

    def _candidate(self, hidden: _Hidden, fixed: Tensor | None, network: Network, data: Dataset, report: Reporter,
                   seed: int) -> Candidate:
        most = min(self.nonzeros, hidden.cut.features)
        between: SparseBottleneck | PCABottleneck
        if self.dictionary == "components":
            stored, between, inside = self._components(hidden, most)
        else:
            stored, between, inside = self._codes(hidden, fixed, most, report, seed)
        manifest = {"compressed_outputs": data.name, "cut": self.cut, "dictionary": self.dictionary, "nonzeros": most}
        stored |= {"mean": between.mean, "labels": small_labels(data.train)}
        contents = container.pack(manifest, stored, self.coding, packed_numbers(stored, len(hidden.signals), most))
        notes = () if most == self.nonzeros else (f"only {most} atoms are used: the outputs have no more numbers",)
        inside |= {"error": hidden.relative_error(between), "features": hidden.cut.features, "layer": hidden.cut.title}
        return Candidate(self, rejoined(hidden.cut, between), contents=contents, inside=inside, notes=notes)

    def baseline(self, network: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Candidate:
        """The network itself; its file holds the hidden outputs on the training examples in 32 bits."""
        outputs = self._cut(network, data).signals(on_device(data.train, device_of(network))[0])
        contents = container.pack({"compressed_outputs": data.name, "storage": "raw"},
                                     {"outputs": outputs, "labels": small_labels(data.train)})
        return Candidate(self, network, contents=contents)

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """All hidden layers of this network, in the order of the setting `cut`."""
        return {"cuts": [cut.title for cut in self._all(network, data)], "layer": self._cut(network, data).title}

    def _hidden(self, network: Network, data: Dataset) -> _Hidden:
        return _Hidden(self._cut(network, data), data, device_of(network), self.nonnegative)

    def _all(self, network: Network, data: Dataset) -> list[SplitNetwork]:
        return splits_of(network, torch.tensor(data.train.inputs[:1], device=device_of(network)))

    def _cut(self, network: Network, data: Dataset) -> SplitNetwork:
        return self._all(network, data)[self.cut]

    def _source(self, shape: tuple[int, ...], seed: int) -> Source:
        return Source(self.dictionary, self.atoms, self.iterations, nonnegative=self.nonnegative, seed=seed,
                      signal_shape=shape)

    def _codes(self, hidden: _Hidden, fixed: Tensor | None, most: int, report: Reporter,
               seed: int) -> tuple[dict[str, Tensor], SparseBottleneck, dict[str, Any]]:
        """The stored tensors, the module that passes on the coded outputs, and plain data for a page."""
        learned, learning = fixed, dict[str, Any](errors=[], used=[])
        if learned is None:
            source = self._source(hidden.cut.signal_shape, seed)
            learned, learning = source.learned(hidden.signals, most, report, hidden.unit)
        dictionary, atoms = atoms_in_bytes(learned)
        pursuit = SparseCoder(most, 0.0, self.nonnegative)
        stored, codes = in_bytes(pursuit(hidden.signals, atoms), len(atoms))
        stored |= dictionary
        usage = torch.bincount(codes.indices[codes.indices >= 0], minlength=len(atoms))
        others = {kind: hidden.error_of(initial(hidden.signals, len(atoms), kind, signal_shape=hidden.cut.signal_shape),
                                       most) for kind in ("dct", "random")}
        others["components"] = hidden.error_of_components(hidden.components.first(bytes_of(stored)))
        mu = coherence(atoms)
        order = usage.argsort(descending=True, stable=True)
        return stored, SparseBottleneck(hidden.mean, atoms, stored["scale"], pursuit), {
            **learning, "usage": usage[order].tolist(), "mean_nonzeros": float(codes.nnz.float().mean()), "coherence": mu,
            "bound": min(tropp_bound(mu), float(len(atoms))), "others": others,
            "by_class": hidden.by_class(atoms, pursuit, order[:FIRING])}

    def _components(self, hidden: _Hidden, most: int) -> tuple[dict[str, Tensor], PCABottleneck, dict[str, Any]]:
        """The same with as many principal components as take the bytes of `most` non-zeros."""
        signals, features = hidden.signals.shape
        size = bytes_expected(signals, features, self.atoms, most)
        basis, atoms = atoms_in_bytes(hidden.components.first(size))
        stored, _ = numbers_in_bytes((hidden.signals - hidden.components.centre) @ atoms.mT)
        return {**stored, **basis}, PCABottleneck(hidden.centre, atoms, stored["scale"]), {"components": len(atoms)}


def _points(wanted: Sequence[ActivationCodes], hidden: _Hidden, network: Network, data: Dataset, report: Reporter,
            seed: int) -> Iterator[Candidate]:
    """Candidates of methods with one kind of dictionary."""
    fixing, networks = report.phases(Phase("dictionary"), Phase("networks", len(wanted)))
    fixed = wanted[0]._source(hidden.cut.signal_shape, seed).fixed(hidden.signals, fixing)
    for method, part in zip(wanted, networks.each("network", len(wanted)), strict=True):
        candidate = method._candidate(hidden, fixed, network, data, part, seed)
        part(1.0, f"{method.nonzeros} non-zeros")
        yield candidate


class _Hidden:
    """The hidden outputs of training examples less their mean as signals (n, features), and those of validation."""

    def __init__(self, cut: SplitNetwork, data: Dataset, device: torch.device, positive: bool) -> None:
        train, self.held = (cut.signals(on_device(split, device)[0]) for split in (data.train, data.validation))
        self.cut, self.labels, self.classes = cut, torch.tensor(data.validation.labels, device=device), len(data.classes)
        self.mean = train.amin(0) if positive else train.mean(0)
        self.signals = train - self.mean
        self.components = Components(self.signals)
        self.centre = self.mean + self.components.centre
        self.spread = float((self.held - self.held.mean(0)).square().sum())
        spread = float((self.signals - self.components.centre).square().sum())
        self.unit = float(self.signals.square().sum()) / max(spread, 1e-30)

    def relative_error(self, between: Callable[[Tensor], Tensor]) -> float:
        """The relative squared error of the validation outputs that a module passes on."""
        with torch.inference_mode():
            return float((between(self.held) - self.held).square().sum()) / max(self.spread, 1e-30)

    def error_of(self, atoms: Tensor, most: int) -> float:
        """The relative squared error with another dictionary (count, features)."""
        return self.relative_error(lambda held: SparseCoder(most)(held - self.mean, atoms).decode(atoms) + self.mean)

    def error_of_components(self, basis: Tensor) -> float:
        """The relative squared error with principal components (count, features)."""
        return self.relative_error(lambda held: (held - self.centre) @ basis.mT @ basis + self.centre)

    def by_class(self, atoms: Tensor, pursuit: SparseCoder, chosen: Tensor) -> list[list[float]]:
        """classes x chosen: mean magnitude of the coefficients of chosen atoms on validation examples of each class; 0 for
        a class without any."""
        sizes = pursuit(self.held - self.mean, atoms).dense(len(atoms)).abs()[:, chosen]
        sizes = sizes.reshape(len(self.labels), -1, len(chosen)).sum(1)
        own = [sizes[self.labels == label] for label in range(self.classes)]
        return [[round(float(one), 4) for one in rows.sum(0) / max(1, len(rows))] for rows in own]
