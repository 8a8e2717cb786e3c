"""Compressing the data instead of the network: examples, or tiles of them, as sums of few learned atoms."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from compress import files
from compress.batches import CHUNK, device_of, on_device
from compress.bit_packing import bits_for, packed
from compress.codes_view import pictures_of, tile_shape, view_of
from compress.compressed_data import EXAMPLES, raw_file, shown, shown_labels, small_labels, with_inputs
from compress.datasets import Dataset
from compress.dictionary import STARTS, initial
from compress.ksvd import KSVD, learn
from compress.method import Candidate, Method
from compress.networks import MLP, Architecture, Network, build
from compress.omp import Codes, omp
from compress.progress import Tell, silent
from compress.settings import setting
from compress.tiling import Tiling
from compress.training import Training, train


@dataclass(frozen=True)
class DataCodes(Method):
    r"""Keep a few atoms of a dictionary for each example instead of its pixels: $x \approx \mu + c D$.

    Examples are coded whole, or in square tiles (windows of a sequence) that do not overlap. The dictionary $D$ is learned
    by K-SVD (Aharon, Elad & Bruckstein 2006) on training tiles; codes $c$ with at most $s$ non-zeros are found by orthogonal
    matching pursuit. What is stored is the dictionary (one byte a number), the mean, for each tile the indices of its atoms
    in as few bits as tell them apart and its coefficients in one byte each, and the labels: the file's length is the size of
    the point.

    A new classifier of one hidden layer is trained on what is left: on *reconstructions* (and then reads real examples), on
    the *codes* themselves (a pursuit stands in front of it), or, for comparison, on as many random *projections* of the
    whole example as the codes take bytes (compressed sensing: Candès & Tao 2006; Calderbank, Jafarpour & Schapire 2009). The
    baseline is the same classifier on the raw data in the same kind of file.

    When it fails: with few atoms for each tile only strokes and edges survive; codes of like examples may use unlike atoms,
    so a classifier on codes is worse than one on reconstructions; and a large dictionary is itself a part of the file.
    """

    name = "data_codes"
    title = "Sparse codes of the data"
    dial = "terms"
    values = (1, 2, 3, 4, 6, 8, 12)
    subject = "data"

    terms: int = setting(4, low=1, high=64, step=1, label="Non-zeros", help="Atoms that a tile may use (s).")
    dictionary_size: int = setting(144, low=2, high=4096, step=1, help="Atoms of the dictionary.")
    tile: int = setting(0, low=0, high=64, step=1, label="Side of a tile",
                        help="Samples along a tile's side; 0 codes whole examples.")
    classify: str = setting("reconstructions", choices=("reconstructions", "codes", "projections"),
                            help="What the classifier is trained on.")
    source: str = setting("ksvd", choices=("ksvd", *STARTS),
                              label="Dictionary",
                         help="Learned by K-SVD, or examples as they are, cosines, random atoms, for comparison.")
    learning_rounds: int = setting(8, low=1, high=200, step=1, help="Iterations of K-SVD.")
    epochs: int = setting(15, low=1, high=500, help="Passes of the classifier's training, the same for every point.")

    def misfit(self, value: Any, data: Dataset) -> str:
        """No tile uses more atoms than it has numbers, or than there are; and tiles must fill an example."""
        tiling = Tiling(data.shape, self.tile)
        if tiling.misfit():
            return f"DataCodes: {tiling.misfit()}"
        most = min(self.dictionary_size, tiling.features)
        if value <= most:
            return ""
        return (f"DataCodes: terms must be between 1 and {most} (the smaller of dictionary_size and a tile's numbers), but "
                f"got {value}. Choose fewer.")

    def curve(self, teacher: Network, data: Dataset, values: Sequence[Any], tell: Tell = silent,
              seed: int = 0) -> Iterator[Candidate]:
        """A dictionary and a classifier for each number of non-zeros."""
        device, tiling = device_of(teacher), Tiling(data.shape, self.tile)
        for number, value in enumerate(values):
            if self.misfit(value, data):
                raise ValueError(self.misfit(value, data))
            part = tell.part(number / len(values), (number + 1) / len(values))
            tiles = tiling.cut(on_device(data.train, device)[0])
            mean = tiles.mean(0)
            learned, errors = self._dictionary(tiles - mean, value, part.part(0.0, 0.4), seed)
            dictionary, atoms = atoms_in_bytes(learned)
            stored, codes = in_bytes(omp(tiles - mean, atoms, value, tell=part.part(0.4, 0.5)), len(atoms))
            stored |= {**dictionary, "mean": mean}
            if self.classify == "projections":
                stored, network = self._projected(data, bytes_of(stored), device, part.part(0.5, 1.0), seed)
            elif self.classify == "codes":
                front = Pursuit(tiling, mean, atoms, value)
                features = codes.dense(len(atoms)).reshape(len(data.train), -1)
                network = self._behind(front, features, data, part.part(0.5, 1.0), seed)
            else:
                rebuilt = tiling.joined(codes.sums(atoms) + mean)
                network = self._trained(rebuilt, data, part.part(0.5, 1.0), seed)
            contents = files.pack({"compressed_data": data.name, "tile": self.tile, "kept": self.classify},
                                  {**stored, "labels": small_labels(data.train)})
            yield Candidate(value, network, contents=contents,
                            inside={**view_of(data, tiling, mean, atoms, codes, value), "errors": errors})

    def reference(self, teacher: Network, data: Dataset, tell: Tell = silent, seed: int = 0) -> Candidate:
        """The same classifier trained on the raw inputs, and the raw training data as a file."""
        inputs = on_device(data.train, device_of(teacher))[0]
        return Candidate(None, self._trained(inputs, data, tell, seed), contents=raw_file(data))

    def inside(self, teacher: Network, data: Dataset, values: Sequence[Any], tell: Tell = silent,
               seed: int = 0) -> dict[str, Any]:
        """The examples that points show rebuilt, as they are, and the form of a tile."""
        inputs = on_device(data.validation, device_of(teacher))[0][:EXAMPLES]
        return {"original": shown(data, inputs), "labels": shown_labels(data), "tile": tile_shape(data.shape, self.tile)}

    def _dictionary(self, tiles: Tensor, nonzeros: int, tell: Tell, seed: int) -> tuple[Tensor, list[float]]:
        """Atoms, and the error after each iteration, which is told with the atoms so far."""
        if self.source != "ksvd":
            return initial(tiles, self.dictionary_size, self.source, seed), []
        settings = KSVD(atoms=self.dictionary_size, nonzeros=nonzeros, iterations=self.learning_rounds, seed=seed)
        errors: list[float] = []
        for state in learn(tiles, settings, tell=tell):
            errors.append(state.error)
            tell(state.iteration / self.learning_rounds, f"{nonzeros} non-zeros, iteration {state.iteration}", standing={
                "nonzeros": nonzeros, "errors": errors, "atoms": pictures_of(state.atoms, state.usage)})
        return state.atoms, errors

    def _projected(self, data: Dataset, size: int, device: torch.device, tell: Tell,
                   seed: int) -> tuple[dict[str, Tensor], Network]:
        """As many random numbers of each example, one byte each, as the codes and their dictionary take."""
        count = max(1, min(size // len(data.train), prod(data.shape)))
        generator = torch.Generator().manual_seed(seed)
        matrix = torch.randn(prod(data.shape), count, generator=generator).to(device) / count ** 0.5
        features = on_device(data.train, device)[0].flatten(1) @ matrix
        scale = features.abs().max().clamp_min(1e-12) / 127
        levels = (features / scale).round().to(torch.int8)
        network = self._behind(Projection(matrix), levels.float() * scale, data, tell, seed)
        return {"projections": levels, "scale": scale}, network

    def _behind(self, front: nn.Module, features: Tensor, data: Dataset, tell: Tell, seed: int) -> Network:
        """A classifier of features (n, count), with the front that turns examples into them before it."""
        inputs = on_device(data.validation, features.device)[0]
        with torch.inference_mode():
            held = torch.cat([front(chunk) for chunk in inputs.split(CHUNK)])
        scale = features.square().mean().sqrt().clamp_min(1e-12)
        coded = dataclasses.replace(data, train=with_inputs(data.train, features / scale),
                                    validation=with_inputs(data.validation, held / scale))
        trained = self._trained(features / scale, coded, tell, seed)
        whole = Network(front, Scale(scale), *list(trained))
        whole.architecture = Architecture(trained.architecture.family, data.shape, len(data.classes))
        return whole.eval()

    def _trained(self, inputs: Tensor, data: Dataset, tell: Tell, seed: int) -> Network:
        """A classifier of one hidden layer, trained on these inputs (n, *shape) in the place of the training ones."""
        kept = dataclasses.replace(data, train=with_inputs(data.train, inputs))
        architecture = Architecture(MLP(hidden=(100,)), kept.shape, len(data.classes))
        return train(build(architecture, seed).to(inputs.device), kept, Training(epochs=self.epochs), seed, tell).network


class Pursuit(nn.Module):
    """Examples (n, *shape) -> their codes (n, tiles x atoms), by orthogonal matching pursuit."""

    def __init__(self, tiling: Tiling, mean: Tensor, atoms: Tensor, nonzeros: int) -> None:
        super().__init__()
        self.tiling, self.nonzeros = tiling, nonzeros
        self.register_buffer("mean", mean)
        self.register_buffer("atoms", atoms)

    def forward(self, batch: Tensor) -> Tensor:
        codes = omp(self.tiling.cut(batch) - self.mean, self.atoms, self.nonzeros)
        return codes.dense(len(self.atoms)).reshape(len(batch), -1)


class Projection(nn.Module):
    """Examples (n, *shape) -> (n, count) random projections."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)

    def forward(self, batch: Tensor) -> Tensor:
        return batch.flatten(1) @ self.matrix


class Scale(nn.Module):
    """Features over one number."""

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, batch: Tensor) -> Tensor:
        return batch / self.scale


def in_bytes(codes: Codes, count: int) -> tuple[dict[str, Tensor], Codes]:
    """What is stored of codes for so many atoms, and the codes as they are read back: coefficients in one byte each."""
    scale = codes.values.abs().max().clamp_min(1e-12) / 127
    levels = (codes.values / scale).round().to(torch.int8)
    indices = torch.from_numpy(packed(codes.atoms.clamp_min(0).cpu().numpy(), bits_for(count)))
    return {"indices": indices, "levels": levels, "scale": scale}, Codes(codes.atoms, levels.to(scale.dtype) * scale)


def atoms_in_bytes(atoms: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """What is stored of atoms (count, features), one byte a number and one scale an atom, and the atoms as they are read
    back."""
    sizes = atoms.abs().amax(1).clamp_min(1e-12) / 127
    levels = (atoms / sizes[:, None]).round().to(torch.int8)
    return {"dictionary": levels, "sizes": sizes}, levels.to(atoms.dtype) * sizes[:, None]


def bytes_of(tensors: dict[str, Tensor]) -> int:
    """Bytes of their numbers."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
