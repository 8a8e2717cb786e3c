"""Sparse codes of the data: examples, or tiles of them, as sums of few learned atoms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.pictures import steps_of
from compress.data.tensors import on_device
from compress.files import container
from compress.files.coding.tensors import Hints
from compress.files.data_file import EXAMPLES, raw_file, shown, shown_labels, small_labels
from compress.files.quantised import (
    atoms_in_bytes,
    bytes_expected,
    bytes_of,
    components_for,
    in_bytes,
    numbers_in_bytes,
    packed_numbers,
)
from compress.layers.fronts import Coder, Projection
from compress.layers.tiling import Tiling
from compress.memory import shortage
from compress.method import Candidate, Method, Run
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.settings import setting
from compress.solvers.dictionary import initial, recovered
from compress.solvers.ksvd import State
from compress.solvers.pursuit import SparseCoder
from compress.sparse_coding.classifier import OF_TEXTS, behind, classifier, untrained
from compress.sparse_coding.dictionary_source import SOURCES, Components, Source
from compress.sparse_coding.pca_baseline import one_dictionary_after_another, with_components
from compress.sparse_coding.view import atoms_so_far, components_view, scene_of, shape_of_tile, view_of
from compress.stored import FLOAT32
from compress.workload import Phase


@dataclass(frozen=True)
class DataCodes(Method):
    r"""Store each training example as a sum of few atoms of a dictionary in the place of its pixels: $x \approx \mu + c D$.

    Examples are coded whole, or in square tiles (windows of a sequence), side by side or overlapping. The dictionary $D$ is
    learned by K-SVD (Aharon, Elad & Bruckstein 2006) from training tiles. Codes $c$ with at most $s$ non-zeros are found by
    orthogonal matching pursuit, which ends earlier where the *error allowed* is reached.

    **What is stored**, and gives the size of the point: the dictionary (one byte for each number), the mean $\mu$, for each
    tile the indices of its atoms in as few bits as possible and its coefficients in one byte each, and the labels.
    Overlapping tiles are all stored.

    A new **classifier** with one hidden layer is trained on the compressed data: on *reconstructions* (it then reads
    original examples); on the *codes* (a pursuit codes each new example first); or, to compare, on random *projections* of
    whole examples that take as many bytes as the codes (compressed sensing: Candès & Tao 2006; Calderbank, Jafarpour &
    Schapire 2009).

    **Baselines**: the same classifier on the raw data, stored in the same file format; and *principal components* of the
    same tiles, as many as take the bytes of the codes (truncated SVD, Eckart & Young 1936).

    *Non-negative* atoms are parts, and examples are sums of parts (Aharon, Elad & Bruckstein 2005); $\mu$ is then the
    lowest value of each pixel.

    **When it fails.** With few atoms in each tile, only strokes and edges remain. Codes of similar examples can use
    different atoms, so that a classifier of codes is worse than one of reconstructions. A large dictionary is a large part
    of the file.
    """

    name = "data_codes"
    title = "Sparse codes of the data"
    dial = "nonzeros"
    renamed: ClassVar[dict[str, str]] = {
        "terms": "nonzeros", "dictionary_size": "atoms", "learning_rounds": "iterations", "source": "dictionary",
        "positive": "nonnegative", "beside": "pca_baseline"}
    values = (1, 2, 3, 4, 6, 8, 12)
    applies_to = "data"
    precision: ClassVar[str] = FLOAT32  # type: ignore[misc]  # no setting: what the file holds is no network's weights
    trains_new_network = True

    nonzeros: int = setting(4, low=1, high=64, step=1, label="Non-zeros", help="The most atoms that a tile may use.")
    atoms: int = setting(144, low=2, high=4096, step=1, help="Atoms of the dictionary.")
    tile: int = setting(0, low=0, high=64, step=1, label="Side of a tile", idle={"kind": ("tabular",)},
                        help="Samples along the side of a tile; 0: whole examples.")
    classify: str = setting("reconstructions", choices=("reconstructions", "codes", "projections"),
                            help="What the classifier is trained on.")
    dictionary: str = setting("ksvd", choices=SOURCES, label="Dictionary",
                          help="Learned by K-SVD or by scikit-learn's mini-batches; or, to compare, examples "
                               "themselves, cosines, random atoms, or principal components of as many bytes.")
    stride: int = setting(0, low=0, high=64, step=1, label="Step between tiles", idle={"tile": (0,), "kind": ("tabular",)},
                          help="Samples from one tile to the next; 0: side by side. Overlapping tiles are averaged.")
    allowed: float = setting(0.0, low=0.0, high=1.0, label="Error allowed",
                             help="A tile gets no more atoms once its squared error is below this share of an average "
                                  "tile's energy; 0: all tiles get all atoms.")
    nonnegative: bool = setting(False, label="Non-negative", help="Neither atoms nor coefficients have negative numbers.")
    mini_batch: int = setting(0, low=0, high=1_000_000, step=1, label="Mini-batch",
                              help="Tiles that are coded between two updates of the atoms; 0: all tiles.")
    iterations: int = setting(8, low=1, high=200, step=1, help="Iterations of K-SVD.")
    epochs: int = setting(15, low=1, high=500, help="Passes of the classifier's training, the same for every point.")
    pca_baseline: bool = setting(True, of_sweep=True, label="PCA baseline",
                                 help="Also measure principal components of as many bytes.")

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """No tile uses more atoms than it has numbers, or than there are; and tiles must fill an example."""
        if data.kind == "text":
            return f"DataCodes: {OF_TEXTS}"
        tiling = self._tiling(data)
        if tiling.invalid_reason():
            return f"DataCodes: {tiling.invalid_reason()}"
        most = min(self.atoms, tiling.features)
        if self.nonzeros <= most:
            return self._refusal_of_memory(data, tiling) if self.classify == "projections" else ""
        return (f"DataCodes: nonzeros must be between 1 and {most} (the smaller of atoms and a tile's numbers), but got "
                f"{self.nonzeros}. Choose fewer.")

    def _refusal_of_memory(self, data: Dataset, tiling: Tiling) -> str:
        """The matrix of random projections has as many columns as the codes' bytes allow."""
        size = bytes_expected(len(data.train) * tiling.count, tiling.features, self.atoms, self.nonzeros)
        rows, count = prod(data.shape), self._projected_numbers(data, size)
        return shortage(3 * 4 * rows * count, f"DataCodes: projections by a matrix of {rows:,} x {count:,} numbers,",
                        "Choose fewer atoms, or set classify to codes.")

    def preview(self, network: Network, data: Dataset) -> Network:
        """An untrained classifier behind an arbitrary dictionary, or directly before the examples."""
        tiling = self._tiling(data)
        mean = torch.zeros(tiling.features)
        signals = len(data.train) * tiling.count
        size = bytes_expected(signals, tiling.features, self.atoms, self.nonzeros)
        if self.classify == "reconstructions":
            return untrained(None, data)
        if self.classify == "projections":
            count = self._projected_numbers(data, size)
            whole = Projection(Tiling(data.shape, 0), torch.zeros(prod(data.shape)), torch.zeros(prod(data.shape), count))
            return untrained(whole, data)
        if self.dictionary == "components":
            count = components_for(size, signals, tiling.features)
            return untrained(Projection(tiling, mean, torch.zeros(tiling.features, count)), data)
        atoms = initial(torch.zeros(1, tiling.features), self.atoms, "random")
        return untrained(Coder(tiling, mean, atoms, SparseCoder(self.nonzeros, 0.0, self.nonnegative)), data)

    def plan(self, values: Sequence[Any]) -> tuple[Run, ...]:
        """The curve and, if pca_baseline is set, principal components of as many bytes."""
        own = [self.at(value) for value in values]
        if not self.pca_baseline or self.dictionary == "components" or self.classify == "projections":
            return tuple(map(Run, own))
        return with_components(own)

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[DataCodes], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """A dictionary and a classifier for each number of non-zeros; those with a dictionary first. The tiles, their
        principal components, and dictionaries that are not learned are found once."""
        parts = self._parts(network, data)
        yield from one_dictionary_after_another(wanted, report, lambda own, part: _points(own, parts, part, seed))

    def baseline(self, network: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Candidate:
        """The same classifier trained on the raw inputs, and the raw training data as a file."""
        inputs = on_device(data.train, device_of(network))[0]
        return Candidate(self, classifier(inputs, data, self.epochs, report, seed), contents=raw_file(data))

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """The original examples, the shape of a tile, and the original images if there are any."""
        inputs = on_device(data.validation, device_of(network))[0][:EXAMPLES]
        return {"original": shown(data, inputs), "step": steps_of(data.shape)[-1], "labels": shown_labels(data),
                "tile": shape_of_tile(data.shape, self.tile), **scene_of(data, lambda examples: examples)}

    def _parts(self, network: Network, data: Dataset) -> _Parts:
        tiling = self._tiling(data)
        tiles = tiling.cut(on_device(data.train, device_of(network))[0])
        return _Parts(data, tiling, tiles, tiles.amin(0) if self.nonnegative else tiles.mean(0))

    def _tiling(self, data: Dataset) -> Tiling:
        return Tiling(data.shape, self.tile, self.stride)

    def _pursuit(self, tiles: Tensor) -> SparseCoder:
        energy = float(tiles.square().sum(1).mean())
        return SparseCoder(self.nonzeros, (self.allowed * energy) ** 0.5, self.nonnegative)

    def _codes(self, parts: _Parts, fixed: Tensor | None, report: Reporter, seed: int) -> Candidate:
        """The candidate of a dictionary."""
        data, tiling, mean, pursuit = parts.data, parts.tiling, parts.mean, self._pursuit(parts.tiles)
        finding, coding, train = report.phases(Phase("atoms"), Phase("codes"), Phase("training"))
        learned, learning = self._dictionary(parts, fixed, finding, seed)
        dictionary, atoms = atoms_in_bytes(learned)
        stored, codes = in_bytes(pursuit(parts.tiles, atoms, coding), len(atoms))
        stored_scale = stored["scale"]
        stored |= dictionary
        size = bytes_of(stored)
        stored["mean"] = mean
        if self.classify == "projections":
            stored, network = self._projected(data, bytes_of(stored), mean.device, train, seed)
        elif self.classify == "codes":
            features = codes.dense(len(atoms)).reshape(len(data.train), -1)
            network = behind(Coder(tiling, mean, atoms, pursuit), features, data, self.epochs, train, seed)
        else:
            network = classifier(tiling.joined(codes.decode(atoms) + mean), data, self.epochs, train, seed)
        components = parts.centre, parts.components.first(size)
        inside = view_of(data, tiling, mean, atoms, codes, stored_scale, pursuit, components)
        contents = self._file(data, stored, packed_numbers(stored, *codes.indices.shape))
        return Candidate(self, network, contents=contents, inside={**inside, **learning})

    def _components(self, parts: _Parts, report: Reporter, seed: int) -> Candidate:
        """The candidate of as many principal components as take the bytes of the non-zeros."""
        data, tiling, mean = parts.data, parts.tiling, parts.centre
        size = bytes_expected(len(parts.tiles), tiling.features, self.atoms, self.nonzeros)
        basis, atoms = atoms_in_bytes(parts.components.first(size))
        stored, codes = numbers_in_bytes((parts.tiles - parts.components.centre) @ atoms.mT)
        stored |= {**basis, "mean": mean}
        if self.classify == "projections":
            stored, network = self._projected(data, bytes_of(stored), mean.device, report, seed)
        elif self.classify == "codes":
            front = Projection(tiling, mean, atoms.mT.contiguous())
            network = behind(front, codes.reshape(len(data.train), -1), data, self.epochs, report, seed)
        else:
            network = classifier(tiling.joined(codes @ atoms + mean), data, self.epochs, report, seed)
        return Candidate(self, network, contents=self._file(data, stored),
                         inside=components_view(data, tiling, mean, atoms))

    def _file(self, data: Dataset, stored: dict[str, Tensor], hints: Hints | None = None) -> bytes:
        manifest = {"compressed_data": data.name, "tile": self.tile, "stride": self.stride, "kept": self.classify,
                    "dictionary": self.dictionary, "nonzeros": self.nonzeros}
        return container.pack(manifest, {**stored, "labels": small_labels(data.train)}, self.coding, hints)

    def _source(self, data: Dataset, seed: int) -> Source:
        return Source(self.dictionary, self.atoms, self.iterations, self.mini_batch, self.nonnegative, seed,
                      tuple(shape_of_tile(data.shape, self.tile)))

    def _dictionary(self, parts: _Parts, fixed: Tensor | None, report: Reporter,
                    seed: int) -> tuple[Tensor, dict[str, Any]]:
        """Atoms, and plain data of how they were learned."""
        if fixed is not None:
            return fixed, {"errors": [], "used": []}
        shape = shape_of_tile(parts.data.shape, self.tile)

        def images(state: State) -> str:
            """The atoms so far."""
            return atoms_so_far(state, shape)

        truth = parts.data.origin.get("atoms")
        found = None
        if truth is not None and truth.shape[1] == parts.tiles.shape[1]:
            planted = torch.tensor(truth).to(parts.tiles)

            def found(atoms: Tensor) -> float:
                return recovered(atoms, planted)
        return self._source(parts.data, seed).learned(parts.tiles, self.nonzeros, report, parts.unit, images, found)

    def _projected_numbers(self, data: Dataset, size: int) -> int:
        """The number of random projections of each example that take `size` bytes; at least 1."""
        return max(1, min(size // len(data.train), prod(data.shape)))

    def _projected(self, data: Dataset, size: int, device: torch.device, report: Reporter,
                   seed: int) -> tuple[dict[str, Tensor], Network]:
        """As many random projections of each example, one byte each, as take the bytes of the codes and their dictionary."""
        count = self._projected_numbers(data, size)
        generator = torch.Generator().manual_seed(seed)
        matrix = torch.randn(prod(data.shape), count, generator=generator).to(device) / count ** 0.5
        whole = Projection(Tiling(data.shape, 0), torch.zeros(prod(data.shape), device=device), matrix)
        features = whole(on_device(data.train, device)[0])
        scale = features.abs().max().clamp_min(1e-12) / 127
        levels = (features / scale).round().to(torch.int8)
        network = behind(whole, levels.float() * scale, data, self.epochs, report, seed)
        return {"projections": levels, "scale": scale}, network


def _points(wanted: Sequence[DataCodes], parts: _Parts, report: Reporter, seed: int) -> Iterator[Candidate]:
    """Candidates of methods with one kind of dictionary."""
    fixing, networks = report.phases(Phase("dictionary"), Phase("networks", len(wanted)))
    fixed = wanted[0]._source(parts.data, seed).fixed(parts.tiles, fixing)
    for method, part in zip(wanted, networks.each("network", len(wanted)), strict=True):
        candidate = (method._components(parts, part, seed) if method.dictionary == "components" else
                     method._codes(parts, fixed, part, seed))
        part(1.0, f"{method.nonzeros} non-zeros")
        yield candidate


class _Parts:
    """Shared by all points: the data, the training tiles less `mean`, and their principal components."""

    def __init__(self, data: Dataset, tiling: Tiling, tiles: Tensor, mean: Tensor) -> None:
        self.data, self.tiling, self.mean = data, tiling, mean
        self.tiles = tiles = tiles - mean
        self.components = Components(tiles)
        self.centre = mean + self.components.centre
        # Converts shares of the tiles' energy to shares of the examples' energy around their mean, the unit of all errors.
        train = torch.tensor(data.train.inputs, device=tiles.device).flatten(1)
        spread, times = float((train - train.mean(0)).square().sum()), tiles.numel() / train.numel()
        self.unit = float(tiles.square().sum()) / max(spread * times, 1e-30)
