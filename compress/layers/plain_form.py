"""Networks in the form that torch.export takes: dense layers, and a pursuit whose operations do not depend on examples."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compress.layers.base import DenseLayer, with_layers
from compress.layers.fronts import Coder, SparseBottleneck
from compress.layers.opening import opened
from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.layers.rounded.integer_matmul import rounded_inputs
from compress.networks.composite import Composite
from compress.solvers.codes import rounded
from compress.solvers.omp import DEPENDENT, ROUNDING
from compress.solvers.pursuit import SparseCoder


class RoundedInputs(nn.Module):
    """A dense layer whose inputs are rounded as IntegerInputs rounds them."""

    reach: Tensor

    def __init__(self, layer: DenseLayer, reach: Tensor, zero: int) -> None:
        super().__init__()
        self.layer, self.zero = layer, zero
        self.register_buffer("reach", reach)

    def forward(self, batch: Tensor) -> Tensor:
        return self.layer(rounded_inputs(batch, self.reach, self.zero))


class EvenPursuit(nn.Module):
    """Orthogonal matching pursuit in which every signal takes every step, those that are done with zeros: (n, features) ->
    coefficients (n, count). Batch-OMP as in solvers/omp.py, without lists of chosen atoms: each chosen atom, made orthogonal
    to those before it, is a combination m (count,) of all atoms (see points/onnx_graph/fronts.py)."""

    atoms: Tensor
    scales: Tensor

    def __init__(self, pursuit: SparseCoder, atoms: Tensor) -> None:
        """Raises ValueError for a pursuit of non-negative coefficients."""
        super().__init__()
        if pursuit.nonnegative:
            raise ValueError("A pursuit of coefficients that are not negative takes another number of steps for each "
                             "example, which an exported program cannot do. Export a network of another method, or of other "
                             "settings.")
        norms = atoms.detach().norm(dim=1)
        self.register_buffer("scales", torch.where(norms > 0, 1 / norms, 0.0))
        self.register_buffer("atoms", atoms.detach().clone())
        self.steps, self.tolerance = min(pursuit.nonzeros, *atoms.shape), pursuit.tolerance

    def forward(self, signals: Tensor) -> Tensor:
        unit = self.atoms * self.scales[:, None]
        gram, start = unit @ unit.mT, signals @ unit.mT
        left = signals.square().sum(1, keepdim=True)
        eps = torch.finfo(signals.dtype).eps * ROUNDING
        least, slack = (left * eps).clamp_min(self.tolerance**2), left.sqrt() * eps
        live, correlations, values = (left > least).to(signals), start, torch.zeros_like(start)
        rows: list[Tensor] = []
        for _ in range(self.steps):
            row, chosen = self._row(correlations, slack, gram, rows)
            taken = live * row[1]
            combination = row[0] * taken
            gain = (combination * start).sum(1, keepdim=True)
            values, left = values + gain * combination, left - gain.square()
            correlations = (correlations - gain * combination @ gram) * (1 - chosen * taken)
            live = taken * (left > least).to(signals)
            rows.append(combination)
        return values * self.scales

    @staticmethod
    def _row(correlations: Tensor, slack: Tensor, gram: Tensor, rows: list[Tensor]) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """The combination of the best atom with 1 where it can be taken, else 0; and the best atom (n, count) one-hot."""
        sizes, dependent = correlations.abs(), DEPENDENT[torch.float32]
        best = (sizes >= sizes.amax(1, keepdim=True) - slack).to(torch.uint8).argmax(1)
        chosen = nn.functional.one_hot(best, len(gram)).to(sizes)
        along, distance = torch.zeros_like(chosen), torch.ones_like(slack)
        for row in rows:
            projected = (row * gram[best]).sum(1, keepdim=True)
            along, distance = along + projected * row, distance - projected.square()
        fits = (distance > dependent) & ((chosen * sizes).sum(1, keepdim=True) > 0)
        return ((chosen - along) / distance.clamp_min(dependent).sqrt(), fits.to(sizes)), chosen


class EvenCoder(nn.Module):
    """A Coder with an EvenPursuit."""

    mean: Tensor

    def __init__(self, front: Coder) -> None:
        super().__init__()
        self.tiling, self.pursuit = front.tiling, EvenPursuit(front.pursuit, front.atoms)
        self.register_buffer("mean", front.mean)

    def forward(self, batch: Tensor) -> Tensor:
        return self.pursuit(self.tiling.cut(batch) - self.mean).reshape(batch.shape[0], -1)


class EvenBottleneck(nn.Module):
    """A SparseBottleneck with an EvenPursuit."""

    mean: Tensor
    scale: Tensor

    def __init__(self, front: SparseBottleneck) -> None:
        super().__init__()
        self.pursuit = EvenPursuit(front.pursuit, front.atoms)
        self.register_buffer("mean", front.mean)
        self.register_buffer("scale", front.scale)

    def forward(self, batch: Tensor) -> Tensor:
        values = self.pursuit(batch.reshape(-1, self.mean.shape[0]) - self.mean)
        return (rounded(values, self.scale) @ self.pursuit.atoms + self.mean).reshape(batch.shape)


def plain_form(network: nn.Module) -> nn.Module:
    """A NEW network with the same predictions whose operations are the same for all examples: compressed layers are dense,
    factors two layers, inputs of 8 bits are rounded inputs.

    Raises:
        ValueError: a pursuit of non-negative coefficients.
    """
    rounding = {path: RoundedInputs(layer.merged(), layer.reach.detach().clone(), layer.zero)
                for path, layer in network.named_modules() if isinstance(layer, IntegerInputs)}
    made = opened(with_layers(network, rounding)) if rounding else opened(network)
    if not isinstance(made, Composite):
        return made
    stages = [EvenCoder(stage) if isinstance(stage, Coder) else EvenBottleneck(stage)
              if isinstance(stage, SparseBottleneck) else stage for stage in made]
    return nn.Sequential(*stages)
