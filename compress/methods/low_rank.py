"""Low rank: the weight matrix of a layer as a product of two thin matrices."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files.scratch import Scratch
from compress.layers.base import Substitute, bytes_of, bytes_of_weight, merged_layer, with_layers
from compress.layers.input_moments import Moments, in_turn, input_moments, recalibrated
from compress.layers.opening import merged, parts_of
from compress.layers.sparse import Sparse
from compress.low_rank.factorisation import Factorisation, factorise, placeholder
from compress.low_rank.prefix_sums import PrefixSums
from compress.low_rank.rank_allocation import choose_ranks
from compress.low_rank.sequential import Sequential
from compress.low_rank.view import layer_views
from compress.memory import give_back_of, is_large
from compress.method import Candidate, Entrant, Exclusion, Method
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.settings import setting
from compress.training.loop import Training, train
from compress.workload import Phase

_factorised: weakref.WeakKeyDictionary[Network, dict[tuple[Any, ...], dict[str, Factorisation]]] = (
    weakref.WeakKeyDictionary())


@dataclass(frozen=True)
class LowRank(Method):
    r"""Replace the weight matrix $W$ ($m \times n$) of a layer by a product of two thin ones, $W' = B_r \, (B_r^\top W)$.

    The factors $B_r$ ($m \times r$) and $B_r^\top W$ ($r \times n$) store $r (m + n)$ numbers in the place of $m n$. At the
    break-even rank $m n / (m + n)$ and above, nothing is saved: the layer stays dense, and the point has a note.

    The **scheme** determines $B_r$, which has orthonormal columns:

    - **plain**: the first $r$ left singular vectors of $W$. No matrix of rank $r$ is nearer to $W$: the squared error is
      $\|W - W'\|^2 = \sum_{i > r} \sigma_i^2$, with the singular values $\sigma_i$ (Eckart & Young 1936).
    - **randomized**: an approximation of plain by random projection (Halko, Martinsson & Tropp 2011), for matrices too
      large for an exact SVD. The page shows its true error next to that of the exact SVD.
    - **whitened**: the first $r$ eigenvectors of $W C W^\top$, with the second moment $C = E[x x^\top]$ of the layer's
      inputs on calibration examples. No matrix of rank $r$ has a smaller error of the *outputs*, $E\,\|W x - W' x\|^2$
      (Zhang et al. 2015; Chen et al. 2021). $C$ may be singular.
    - **centred**: whitened, with the covariance of the inputs as $C$; the mean of the inputs is moved into the bias.
    - **sequential**: centred, and layer by layer. With the inputs $z$ that a layer has behind the layers made smaller
      before, and its outputs $y$ in the given network, $W'$ is the matrix of rank $r$ with the least $E\,\|y - W' z\|^2$, a
      reduced-rank regression (Izenman 1975; the update of SVD-LLM, Wang et al. 2025, solved exactly). So a layer makes up
      for what the layers before it lost. Ranks are chosen as for centred.

    A **convolution** is written as a matrix in one of two ways. *channel*: rows are output channels, columns are input
    channels and kernel positions; it becomes a convolution with $r$ channels and a 1x1 convolution. *spatial*: it becomes a
    vertical and a horizontal convolution (Jaderberg et al. 2014). The matrices of a GRU are factorised like linear layers.

    The **allocation** divides the share kept among the layers. *uniform*: this share of each layer's full rank. *energy*:
    in each layer the smallest rank with this share of the energy (the sum of the $\sigma_i^2$, or of the eigenvalues).
    *greedy*: at most this share of all dense parameters, by steps that decrease the relative error most for each stored
    number.

    A layer that is compressed already is factorised from its dense weight, and stays as it is at ranks that save no bytes.

    **When it fails.** A layer whose singular values fall slowly has no good approximation of low rank. A smaller error of
    the outputs does not always mean a higher accuracy. Two small products can be slower than one large product.
    """

    name = "low_rank"
    title = "Low rank"
    dial = "keep"
    values = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.22, 0.26, 0.3, 0.35, 0.4, 0.5, 0.6,
              0.7, 0.8, 0.9)

    exclusions = (Exclusion(
        {"convolution": ("spatial",), "scheme": ("whitened", "centred", "sequential")},
        "A spatial convolution goes with the schemes plain and randomized only, because the first of two spatial layers is "
        "not a matrix on the layer's outputs. Choose the scheme plain, or channel for the convolution.",
        {"scheme": "plain"}),)

    race = (
        Entrant("greedy", {"allocation": "greedy"}, (0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4)),
        Entrant("greedy, trained", {"allocation": "greedy", "recovery_steps": 200, "recovery_rate": 0.002},
                (0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4), effort=2),
    )

    keep: float = setting(0.15, low=0.001, high=1.0, step=0.01, share=True, label="Share kept",
                          help="Share of the ranks, of the energy or of the parameters that is kept (see allocation).")
    scheme: str = setting("whitened", choices=("plain", "whitened", "centred", "sequential", "randomized"),
                          tried=("whitened", "centred", "sequential"),
                          help="Least error of the weights (plain), of the outputs on calibration data (whitened, "
                               "centred), or of the outputs behind the layers made smaller before (sequential).")
    allocation: str = setting("uniform", choices=("uniform", "energy", "greedy"), tried=("uniform", "greedy"),
                              help="The same share of each rank, of each energy, or ranks by error saved for each number.")
    convolution: str = setting("channel", choices=("channel", "spatial"), idle={"family": ("logistic", "mlp", "gru")},
                               help="A convolution becomes two: with fewer channels, or a vertical and a horizontal one.")
    output_layer: bool = setting(False, help="Also factorise the last layer, whose outputs are the class scores.")
    recovery_steps: int = setting(0, low=0, high=20000, step=50, tried=(0, 200, 1000),
                                  help="Training steps on the labels after factorisation, the same for every point.")
    recovery_rate: float = setting(0.0005, low=1e-6, high=1.0, idle={"recovery_steps": (0,)}, tried=(0.0005, 0.002),
                                   help="Learning rate of the recovery steps.")

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[LowRank], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """One factorisation for all ranks, and running sums of the first layer's outputs."""
        factors, networks = report.phases(Phase("factors"), Phase("networks", len(wanted)))
        pieces = self.factorised(network, data, factors, seed)
        sums = PrefixSums.over(network, pieces, on_device(data.validation, device_of(network))[0])
        chain = self._sequential(network, data, pieces)
        for method, part in zip(wanted, networks.each("network", len(wanted)), strict=True):
            part(0.0, f"{self.dial} {method.keep:g}")
            yield method._candidate(network, data, pieces, sums, chain, part, seed)  # no name: it would keep the network

    def _candidate(self, network: Network, data: Dataset, pieces: dict[str, Factorisation], sums: PrefixSums | None,
                   chain: Sequential | None, report: Reporter, seed: int) -> Candidate:
        ranks = choose_ranks(pieces, self.allocation, self.keep)
        replaced = [path for path, piece in pieces.items() if ranks[path] < piece.useful]
        if chain is not None and replaced:
            smaller = chain.fitted(ranks, report)
        else:
            smaller = with_layers(network, {path: pieces[path].layer(ranks[path]) for path in replaced})
            smaller = recalibrated(smaller, on_device(data.calibration, device_of(network))[0])
        logits = None
        if self.recovery_steps and replaced:
            plan = Training(epochs=2000, learning_rate=self.recovery_rate)
            smaller = train(smaller, data, plan, seed, report, steps=self.recovery_steps).network
        elif sums is not None and sums.path in replaced:
            logits = sums.logits(smaller, ranks)
        report(1.0, f"{self.dial} {self.keep:g}")
        return Candidate(self, smaller, logits, inside={"ranks": ranks}, notes=_notes(pieces, ranks))

    def _sequential(self, network: Network, data: Dataset, pieces: dict[str, Factorisation]) -> Sequential | None:
        if self.scheme != "sequential":
            return None
        return Sequential.of(network, merged(network), pieces, on_device(data.calibration, device_of(network))[0])

    def preview(self, network: Network, data: Dataset) -> Network:
        """Factors of arbitrary directions, at the ranks of uniform allocation. Where trained weights decide whether a layer
        is factorised (by their spectrum, or because they were pruned), it is."""
        pieces = {path: placeholder(merged_layer(layer), self.convolution,
                                    None if isinstance(network.get_submodule(path), Sparse) else _stored(network, path))
                  for path, layer in parts_of(merged(network), "LowRank", self.output_layer).items()}
        ranks = choose_ranks(pieces, "uniform", self.keep)
        if self.allocation != "uniform":
            ranks = {path: min(ranks[path], piece.useful - 1) for path, piece in pieces.items()}
        return with_layers(network, {path: piece.layer(ranks[path]) for path, piece in pieces.items()
                                     if 0 < ranks[path] < piece.useful})

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Spectra of every layer, break-even, thresholds, predicted and measured errors, and each value's ranks."""
        factors, looking = report.phases(Phase("factors"), Phase("errors"))
        pieces = self.factorised(network, data, factors, seed)
        ranks = {value: choose_ranks(pieces, self.allocation, value) for value in values}
        layers = layer_views(merged(network), data, pieces, ranks, looking)
        return {"values": list(values), "layers": layers}

    def factorised(self, teacher: Network, data: Dataset, report: Reporter = no_report,
                   seed: int = 0) -> dict[str, Factorisation]:
        """Path -> factorisation of every layer that is factorised, for all ranks; cached while the network exists, because
        the inside view, the curve and other allocations share it."""
        kept = _factorised.setdefault(teacher, {})
        key = (self._criterion, self.convolution, self.output_layer, data.digest, seed)
        if key not in kept:
            kept[key] = self._factorise(teacher, data, report, seed)
        return kept[key]

    @property
    def _criterion(self) -> str:
        """The scheme of one layer alone: sequential is centred behind the same inputs."""
        return "centred" if self.scheme == "sequential" else self.scheme

    def _factorise(self, teacher: Network, data: Dataset, report: Reporter, seed: int) -> dict[str, Factorisation]:
        dense = merged(teacher)
        layers = parts_of(dense, "LowRank", self.output_layer)
        reads_inputs = self._criterion in ("whitened", "centred")
        pieces: dict[str, Factorisation] = {}
        size = bytes_of(layers.values())
        scratch = Scratch() if is_large(size) else None
        for group in in_turn(dense, layers) if reads_inputs else [list(layers)]:
            moments: dict[str, Moments] = {}
            if reads_inputs:
                reading = partial(report, len(pieces) / len(layers), "reading calibration activations")
                moments = input_moments(dense, on_device(data.calibration, device_of(teacher))[0], group, reading)
            for path in group:
                report(len(pieces) / len(layers), f"factorising layer {path}")
                piece = factorise(merged_layer(layers[path]), self._criterion, self.convolution,
                                  moments.pop(path, None), seed, _stored(teacher, path))
                pieces[path] = piece if scratch is None else piece.in_file(scratch)
                give_back_of(size)
        return pieces


def _stored(network: Network, path: str) -> int | None:
    """Bytes of a compressed layer's weight; None for a dense layer."""
    layer = network.get_submodule(path)
    return bytes_of_weight(layer) if isinstance(layer, Substitute) else None


def _notes(pieces: dict[str, Factorisation], ranks: dict[str, int]) -> tuple[str, ...]:
    return tuple(f"layer {path} stays {'dense' if piece.stored is None else 'as it is'}: rank {ranks[path]} is at or past "
                 f"its break-even {piece.break_even:.1f}, no gain"
                 for path, piece in pieces.items() if ranks[path] >= piece.useful)
