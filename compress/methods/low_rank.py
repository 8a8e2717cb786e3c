"""Low rank: each layer's matrix as a product of two thin ones."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.layers.base import Substitute, bytes_of_weight, merged_layer, with_layers
from compress.layers.input_moments import Moments, input_moments, recalibrated
from compress.layers.opening import merged, parts_of
from compress.low_rank.factorisation import Factorisation, factorise, placeholder
from compress.low_rank.prefix_sums import PrefixSums
from compress.low_rank.rank_allocation import choose_ranks
from compress.low_rank.view import layer_views
from compress.method import Candidate, Exclusion, Method
from compress.networks.evaluation import device_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.settings import setting
from compress.training.loop import Training, train

_factorised: weakref.WeakKeyDictionary[Network, dict[tuple[Any, ...], dict[str, Factorisation]]] = (
    weakref.WeakKeyDictionary())


@dataclass(frozen=True)
class LowRank(Method):
    r"""Replace a layer's matrix $W$ ($m \times n$) by two thin ones of rank $r$: $W' = B_r \, (B_r^\top W)$.

    They hold $r (m + n)$ numbers instead of $m n$, so a rank at or past the break-even $m n / (m + n)$ saves nothing:
    such a layer stays dense, and the point says so. What $B_r$ is depends on the scheme:

    - **plain**: the leading left singular vectors. No other matrix of rank $r$ is nearer to $W$; the squared error is
      $\sum_{i > r} \sigma_i^2$, the singular values left out (Eckart & Young 1936).
    - **randomized**: the same by random projection (Halko, Martinsson & Tropp 2011), for matrices too large for an
      exact SVD; its true error is shown beside the exact one.
    - **whitened**: the leading eigenvectors of $W C W^\top$, where $C = E\,x x^\top$ is the second moment of the layer's
      inputs on calibration examples. No other matrix of rank $r$ is nearer in the layer's *outputs*,
      $E\,\|(W - W')x\|^2$ (Zhang et al. 2015; Chen et al. 2021). $C$ may be singular.
    - **centred**: the same around the inputs' mean, which moves into the bias.

    Convolutions are seen as matrices in two ways: *channel* (output channels x inputs and kernel) and *spatial*
    (vertical kernels, then horizontal ones: Jaderberg et al. 2014). The matrices of a GRU are factorised like
    linear layers.

    The share kept is divided among layers in one of three ways: *uniform*, the same share of every layer's full
    rank; *energy*, in each layer the smallest rank that keeps this share of its energy; *greedy*, at most this share
    of the dense parameters, spent where it saves the most relative error for each number stored.

    When it fails: a layer whose singular values fall slowly has no good low rank; a smaller output error does not
    always mean a better accuracy; and two small products can be slower than one large one.
    """

    name = "low_rank"
    title = "Low rank"
    dial = "keep"
    values = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.22, 0.26, 0.3, 0.35, 0.4, 0.5, 0.6,
              0.7, 0.8, 0.9)

    exclusions = (Exclusion(
        {"convolution": ("spatial",), "scheme": ("whitened", "centred")},
        "convolution=spatial goes with scheme=plain or randomized only, because the first of two spatial layers is not a "
        "matrix on the layer's outputs. Choose scheme=plain, or convolution=channel.", {"scheme": "plain"}),)

    keep: float = setting(0.15, low=0.001, high=1.0, step=0.01, label="Share kept",
                          help="How much is kept of the ranks, the energy, or the parameters (see allocation).")
    scheme: str = setting("whitened", choices=("plain", "whitened", "centred", "randomized"),
                          help="Nearest weights (plain), or nearest outputs on calibration data (whitened, centred).")
    allocation: str = setting("uniform", choices=("uniform", "energy", "greedy"),
                              help="Same share everywhere, same energy everywhere, or where a number saves most error.")
    convolution: str = setting("channel", choices=("channel", "spatial"),
                               help="How a convolution becomes two: fewer channels, or vertical then horizontal.")
    output_layer: bool = setting(False, help="Factorise the last layer (the one that gives the class scores) too.")
    recovery_steps: int = setting(0, low=0, high=20000, step=50,
                                  help="Training steps on the labels after the cut, the same for every point.")
    recovery_rate: float = setting(0.0005, low=1e-6, high=1.0, help="Learning rate of these steps.")

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[LowRank], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """One factorisation for all ranks, and running sums of the first layer's outputs where ranks rise."""
        pieces = self.factorised(network, data, report.part(0.0, 0.2), seed)
        inputs = on_device(data.validation, device_of(network))[0]
        sums = PrefixSums.over(network, pieces, inputs)
        for number, method in enumerate(wanted):
            part = report.part(0.2 + 0.8 * number / len(wanted), 0.2 + 0.8 * (number + 1) / len(wanted))
            part(0.0, f"{self.dial} {method.keep:g}")
            yield method._candidate(network, data, pieces, sums, part, seed)

    def _candidate(self, network: Network, data: Dataset, pieces: dict[str, Factorisation], sums: PrefixSums | None,
                   report: Reporter, seed: int) -> Candidate:
        ranks = choose_ranks(pieces, self.allocation, self.keep)
        replaced = {path: piece.layer(ranks[path]) for path, piece in pieces.items() if ranks[path] < piece.useful}
        smaller = recalibrated(with_layers(network, replaced), on_device(data.calibration, device_of(network))[0])
        logits = None
        if self.recovery_steps and replaced:
            plan = Training(epochs=2000, learning_rate=self.recovery_rate)
            smaller = train(smaller, data, plan, seed, report, steps=self.recovery_steps).network
        elif sums is not None and sums.path in replaced:
            logits = sums.logits(smaller, ranks)
        return Candidate(self, smaller, logits, inside={"ranks": ranks}, notes=_notes(pieces, ranks))

    def preview(self, network: Network, data: Dataset) -> Network:
        """Factors of arbitrary directions, at the ranks of allocation=uniform."""
        pieces = {path: placeholder(merged_layer(layer), self.convolution, _stored(network, path))
                  for path, layer in parts_of(merged(network), "LowRank", self.output_layer).items()}
        ranks = choose_ranks(pieces, "uniform", self.keep)
        return with_layers(network, {path: piece.layer(ranks[path]) for path, piece in pieces.items()
                                     if ranks[path] < piece.useful})

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Spectra of every layer, break-even, thresholds, predicted and measured errors, and each value's ranks."""
        pieces = self.factorised(network, data, report.part(0.0, 0.5), seed)
        ranks = [choose_ranks(pieces, self.allocation, value) for value in values]
        layers = layer_views(self, merged(network), data, pieces, ranks, report.part(0.5, 1.0))
        return {"values": list(values), "layers": layers}

    def factorised(self, teacher: Network, data: Dataset, report: Reporter = no_report,
                   seed: int = 0) -> dict[str, Factorisation]:
        """Path -> factorisation of every layer that takes part, good for all ranks at once; kept as long as the
        teacher is, because the inside view, the curve and other allocations share it."""
        kept = _factorised.setdefault(teacher, {})
        key = (self.scheme, self.convolution, self.output_layer, data.digest, seed)
        if key not in kept:
            kept[key] = self._factorise(teacher, data, report, seed)
        return kept[key]

    def _factorise(self, teacher: Network, data: Dataset, report: Reporter, seed: int) -> dict[str, Factorisation]:
        dense = merged(teacher)
        layers = parts_of(dense, "LowRank", self.output_layer)
        moments: dict[str, Moments] = {}
        if self.scheme in ("whitened", "centred"):
            report(0.0, "reading calibration activations")
            moments = input_moments(dense, on_device(data.calibration, device_of(teacher))[0], layers)
        pieces = {}
        for number, (path, layer) in enumerate(layers.items()):
            report(number / len(layers), f"factorising layer {path}")
            pieces[path] = factorise(merged_layer(layer), self.scheme, self.convolution, moments.get(path), seed,
                                     _stored(teacher, path))
        return pieces


def _stored(network: Network, path: str) -> int | None:
    """Bytes of a compressed layer's weight; None for a dense layer."""
    layer = network.get_submodule(path)
    return bytes_of_weight(layer) if isinstance(layer, Substitute) else None


def _notes(pieces: dict[str, Factorisation], ranks: dict[str, int]) -> tuple[str, ...]:
    return tuple(f"layer {path} stays {'dense' if piece.stored is None else 'as it is'}: rank {ranks[path]} is at or past "
                 f"its break-even {piece.break_even:.1f}, no gain"
                 for path, piece in pieces.items() if ranks[path] >= piece.useful)
