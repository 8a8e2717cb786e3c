"""Truncated SVD of the data: each training example as few principal components."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from compress.data.datasets import Dataset
from compress.data.pictures import steps_of
from compress.data.tensors import on_device, with_inputs
from compress.files import container
from compress.files.data_file import EXAMPLES, raw_file, shown, shown_labels, small_labels
from compress.files.quantised import numbers_in_bytes
from compress.layers.fronts import Projection, Scale
from compress.layers.tiling import Tiling
from compress.method import Candidate, Method
from compress.networks.composite import Composite
from compress.networks.evaluation import device_of
from compress.networks.families import Architecture, Family, Logistic, Network, build
from compress.progress import Reporter, no_report
from compress.settings import setting
from compress.solvers.svd import break_even, hard_threshold, principal, projection_energies
from compress.sparse_coding.classifier import CLASSIFIER, OF_TEXTS, untrained
from compress.stored import FLOAT32
from compress.training.loop import Training, train


@dataclass(frozen=True)
class DataSVD(Method):
    r"""Store $k$ numbers for each training example in the place of all its pixels: $X \approx \mu + Z V_k^\top$.

    The columns of $V_k$ ($d \times k$) are the first eigenvectors of the covariance of the training inputs (principal
    component analysis): no matrix of rank $k$ is nearer to the centred data (Eckart & Young 1936).

    **What is stored**, and gives the size of the point: the codes $Z = (X - \mu) V_k$ ($n \times k$), the basis $V_k$, the
    mean $\mu$ and the labels. A new classifier is trained on the stored codes alone. Validation examples are projected onto
    the same basis.

    **Baseline**: the same classifier on the raw data, stored in the same file format (one byte for each pixel where the
    source has bytes).

    **When it fails.** Codes of 32 bits save nothing for images of bytes until $k$ is below a quarter of the pixels. Small
    classes and rare details are mostly in the directions that are removed first.
    """

    name = "data_svd"
    title = "SVD of the data"
    dial = "components"
    values = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100)
    applies_to = "data"
    precision: ClassVar[str] = FLOAT32  # type: ignore[misc]  # no setting: what the file holds is no network's weights
    trains_new_network = True

    components: int = setting(32, low=1, high=4096, step=1, help="Numbers stored for each example (k).")
    storage: str = setting("float32", choices=("float32", "float16", "int8"),
                           help="Number type of the stored codes; int8 has one scale for each component.")
    classifier: str = setting("mlp", choices=("linear", "mlp"),
                              help="The classifier of the codes: linear, or with one hidden layer of 100 units.")
    epochs: int = setting(15, low=1, high=500, help="Passes of the classifier's training, the same for every point.")

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[DataSVD], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """One eigendecomposition for all k; a classifier is trained for each k."""
        mean, basis = self._basis(data, device_of(network))
        inputs = on_device(data.train, mean.device)[0].flatten(1)
        for method, part in zip(wanted, report.each("network", len(wanted)), strict=True):
            part(0.0, f"{method.components} components")
            kept = basis[:, :method.components]
            stored, codes = quantised((inputs - mean) @ kept, self.storage)
            classifier = self._classifier(codes, (mean, kept), data, part, seed)
            contents = container.pack({"compressed_data": data.name, "storage": self.storage},
                                      {**stored, "basis": kept, "mean": mean, "labels": small_labels(data.train)},
                                      method.coding)
            part(1.0, f"{method.components} components")
            yield Candidate(method, classifier, contents=contents)

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """There are no more components than numbers in an example, or examples."""
        if data.kind == "text":
            return f"DataSVD: {OF_TEXTS}"
        numbers, rows = int(np.prod(data.shape)), len(data.train)
        most = min(numbers, rows)
        if self.components <= most:
            return ""
        what = "numbers of one example" if numbers <= rows else "training examples"
        return (f"DataSVD: components must be between 1 and {most} (the {what} of {data.name}), but got {self.components}. "
                "Choose fewer.")

    def preview(self, network: Network, data: Dataset) -> Network:
        """An untrained classifier behind an arbitrary projection."""
        count = int(np.prod(data.shape))
        front = Projection(Tiling(data.shape, 0), torch.zeros(count), torch.zeros(count, self.components))
        return untrained(front, data, self._family)

    @property
    def _family(self) -> Family:
        return Logistic() if self.classifier == "linear" else CLASSIFIER

    def baseline(self, network: Network, data: Dataset, report: Reporter = no_report, seed: int = 0) -> Candidate:
        """The same classifier trained on the raw inputs, and the raw training data as a file."""
        return Candidate(self, self._trained(data, device_of(network), report, seed), contents=raw_file(data))

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """The data matrix's spectrum, error left at every k on train and validation, and examples rebuilt at each k."""
        device = device_of(network)
        mean, basis = self._basis(data, device)
        train_inputs, held = (on_device(split, device)[0].flatten(1).double() - mean.double()
                              for split in (data.train, data.validation))
        energies = projection_energies(basis, train_inputs.mT)
        rows, columns = train_inputs.shape
        sigma = energies.sqrt()
        return {
            "shape": [rows, columns], "sigma": _numbers(sigma / sigma[0]), "break_even": break_even(rows, columns),
            "threshold": hard_threshold(sigma, rows, columns) / float(sigma[0]),
            "error_predicted": _error_by_rank(energies, train_inputs), "error_measured":
                _error_by_rank(projection_energies(basis, held.mT), held),
            "examples": _rebuilt(data, mean, basis, values),
        }

    def _basis(self, data: Dataset, device: torch.device) -> tuple[Tensor, Tensor]:
        """Mean (d,) and principal directions (d, d) of the normalised training inputs."""
        inputs = on_device(data.train, device)[0].flatten(1)
        mean = inputs.double().mean(0)
        return mean.float(), principal_directions(inputs.double() - mean).float()

    def _classifier(self, codes: Tensor, projection: tuple[Tensor, Tensor], data: Dataset, report: Reporter,
                    seed: int) -> Network:
        """Trained on codes (n, k); returned with the projection (mean, basis) in front, so that it reads raw examples."""
        mean, basis = projection
        scale = codes.double().square().mean().sqrt().float()
        held = (on_device(data.validation, codes.device)[0].flatten(1) - mean) @ basis
        coded = dataclasses.replace(data, train=with_inputs(data.train, codes / scale),
                                    validation=with_inputs(data.validation, held / scale))
        classifier = self._trained(coded, codes.device, report, seed)
        whole = Composite(Projection(Tiling(data.shape, 0), mean, basis), Scale(scale), classifier)
        whole.eval()
        return whole

    def _trained(self, data: Dataset, device: torch.device, report: Reporter, seed: int) -> Network:
        """The classifier of this method's family, trained on these data."""
        architecture = Architecture(self._family, data.shape, len(data.classes))
        return train(build(architecture, seed).to(device), data, Training(epochs=self.epochs), seed, report).network


def principal_directions(centred: Tensor) -> Tensor:
    """(d, min(n, d)) orthonormal directions of centred rows (n, d), most energy first."""
    return principal(centred.mT).basis


def quantised(codes: Tensor, storage: str) -> tuple[dict[str, Tensor], Tensor]:
    """The stored tensors of codes (n, k), and the codes that are read back from them."""
    if storage == "float32":
        return {"codes": codes}, codes
    if storage == "float16":
        half = codes.half()
        return {"codes": half}, half.float()
    stored, back = numbers_in_bytes(codes)
    return {"codes": stored["levels"], "scale": stored["scale"]}, back


def _error_by_rank(energies: Tensor, centred: Tensor) -> list[float]:
    """Relative squared error left at 0, 1, ..., d components."""
    total = float(centred.square().sum())
    left = total - torch.cat([energies.new_zeros(1), energies.cumsum(0)])
    return _numbers((left / total).clamp_min(0.0))


def _rebuilt(data: Dataset, mean: Tensor, basis: Tensor, values: Sequence[Any]) -> dict[str, Any]:
    """Some validation examples, original and rebuilt from k components, scaled to 0..255."""
    chosen = torch.tensor(data.validation.inputs[:EXAMPLES]).flatten(1).to(mean.device)
    codes = (chosen - mean) @ basis
    rebuilt = {str(value): shown(data, mean + codes[:, :value] @ basis[:, :value].mT) for value in values
               if value <= basis.shape[1]}
    return {"step": steps_of(data.shape)[-1], "labels": shown_labels(data), "original": shown(data, chosen),
            "rebuilt": rebuilt}


def _numbers(values: Tensor) -> list[float]:
    return [float(f"{value:.5g}") for value in values.tolist()]
