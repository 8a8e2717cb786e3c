"""All layers of a network, ready to be quantized to any number of levels by any scheme."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from compress.data.datasets import Dataset
from compress.data.tensors import on_device
from compress.files.scratch import Scratch
from compress.layers.base import DenseLayer, bytes_of, bytes_of_weight, is_dense, with_layers
from compress.layers.input_moments import Moments, in_turn, input_moments
from compress.layers.opening import opened, parts_of
from compress.layers.rounded.corrected import Corrected
from compress.layers.rounded.half import FORMATS, Half
from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.layers.rounded.integer_matmul import InputRange
from compress.layers.rounded.quantized import Quantized
from compress.layers.rounded.quantized_codes import QuantizedCodes
from compress.layers.sensitivity import EXAMPLES
from compress.layers.titles import layer_title
from compress.memory import give_back_of, is_large
from compress.networks.evaluation import device_of, logits_of
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.quantization.activations import EXAMPLES as EXAMPLES_OF_INPUTS
from compress.quantization.activations import input_ranges
from compress.quantization.batch_norm import Statistics, measured, moved
from compress.quantization.codes import roundable
from compress.quantization.output_means import matched
from compress.quantization.rounding import Roundable, Rounding
from compress.quantization.straight_through import StraightThrough
from compress.training.loop import Training, train

HEADER = 250  # bytes by which the file's header grows against a dense layer's, about
Made = Quantized | QuantizedCodes | Corrected | Half


class Quantizer:
    """The layers of one network. Moments of their inputs and factorisations are computed once, for all levels and schemes.

    Attributes:
        network: the given network; layers: path -> dense layer of the open network; data: with the calibration examples.
        kept: what is computed once for a network and its owner wants to keep with it.
    """

    def __init__(self, network: Network, data: Dataset, output_layer: bool) -> None:
        """Raises ValueError if the network has no layer that can be quantized."""
        self.network, self.data = network, data
        self.open = opened(network)
        parts = parts_of(self.open, "Quantize", output_layer)
        self.layers: dict[str, DenseLayer] = {path: part for path, part in parts.items() if is_dense(part)}
        self._roundable: dict[str, Roundable] = {}
        self.kept: dict[Any, Any] = {}

    @property
    def calibration(self) -> Tensor:
        """The calibration examples (n, *shape)."""
        return on_device(self.data.calibration, device_of(self.network))[0]

    def roundable(self, report: Reporter = no_report) -> dict[str, Roundable]:
        """Path -> layer with the moments of its inputs on the calibration examples."""
        if not self._roundable:
            size = bytes_of(self.layers.values())
            scratch = Scratch() if is_large(size) else None
            found: dict[str, Roundable] = {}
            for group in in_turn(self.open, self.layers) if scratch else [list(self.layers)]:
                report(len(found) / len(self.layers), "reading calibration activations")
                moments = input_moments(self.open, self.calibration, group)
                for path in group:
                    found[path] = self._ready(path, moments.pop(path))
                    if scratch is not None:
                        found[path].in_file(scratch)
                give_back_of(size)
            self._roundable = found
        return self._roundable

    def _ready(self, path: str, moments: Moments | None) -> Roundable:
        return roundable(path, self.layers[path], moments, self.network.get_submodule(path))

    def prepare(self, rounding: Rounding, levels: Iterable[int], report: Reporter = no_report) -> None:
        """Rounds all layers to many numbers of levels at once."""
        if rounding.scheme not in FORMATS:
            for number, one in enumerate(self.roundable(report).values()):
                report(number / len(self.layers), "rounding")
                one.prepare(rounding, levels)

    def made(self, rounding: Rounding, levels: Mapping[str, int], report: Reporter = no_report,
             masked: bool = False) -> dict[str, Made]:
        """Path -> quantized layer, for all layers. masked: with a mask for weights that are 0, so that training leaves
        them so."""
        if rounding.scheme in FORMATS:
            return {path: Half.of(layer, rounding.scheme) for path, layer in self.layers.items()}
        found: dict[str, Made] = {}
        for number, (path, one) in enumerate(self.roundable(report).items()):
            report(number / len(self.layers), f"{levels[path]} levels: layer {path}")
            found[path] = one.quantized(one.rounded(rounding, levels[path]), masked)
        return found

    def smaller(self, made: dict[str, Made]) -> dict[str, Made]:
        """Those of the layers that take less room in a file than the ones that are there now."""
        return {path: layer for path, layer in made.items()
                if bytes_of_weight(layer) + HEADER * (3 if isinstance(layer, Corrected) else 1)
                < bytes_of_weight(self.network.get_submodule(path))}

    def finished(self, made: dict[str, Made]) -> Network:
        """A NEW network with these layers, its batch-norm statistics corrected."""
        return moved(with_layers(self.network, made), self.network, self._statistics, self.calibration)

    @cached_property
    def _statistics(self) -> Statistics:
        return measured(self.network, self.calibration)

    def loss(self, network: Network) -> float:
        """Mean cross-entropy on the calibration examples with which sensitivities are measured."""
        inputs, labels = on_device(self.data.calibration, device_of(network))
        logits = logits_of(network, inputs[:EXAMPLES]).double()
        return float(nn.functional.cross_entropy(logits, labels[:EXAMPLES]))

    def trained(self, made: dict[str, Made], plan: Training, numbers: bool, seed: int, report: Reporter) -> Network:
        """A NEW network with these layers after training on the labels: their values, or, with `numbers`, the numbers of
        the levels by gradients that pass through the rounding; biases and other layers in both cases."""
        start = with_layers(self.network, made)
        if numbers:
            start = with_layers(start, {path: StraightThrough(main, self.layers[of]) for path, of, main in _levels(made)})
        network = train(start, self.data, plan, seed, report).network
        open_layers = {path: layer for path, layer in network.named_modules() if isinstance(layer, StraightThrough)}
        return with_layers(network, {path: layer.closed() for path, layer in open_layers.items()})

    def with_integer_inputs(self, network: Network, calibrated: bool = True) -> Network:
        """A NEW network whose layers of levels round their inputs to 8 bits, within ranges that are measured on calibration
        examples while the network reads them. The mean errors of the outputs are made good.

        Args:
            calibrated: False: all ranges are from -1 to 1, for the network's structure alone.
        """
        there = {path: network.get_submodule(path) for path in self.layers}
        layers = {path: layer for path, _, layer in _levels(there) if layer.options["type"] != "Embedding"}
        inputs = self.calibration[:EXAMPLES_OF_INPUTS]
        ranges = input_ranges(network, inputs, layers) if calibrated else dict.fromkeys(layers, InputRange(1.0, 0))
        made = with_layers(network, {path: IntegerInputs(copy.deepcopy(layer), ranges[path].reach, ranges[path].zero)
                                     for path, layer in layers.items()})
        return matched(made, network, inputs) if calibrated else made

    def with_one(self, path: str, rounding: Rounding, levels: int) -> Network:
        """A NEW open network with one layer quantized, for its sensitivity."""
        one = self.roundable()[path]
        return with_layers(self.open, {path: one.quantized(one.rounded(rounding, levels))})

    def title(self, path: str) -> str:
        """A layer's name for people."""
        return layer_title(path, self.layers[path])

    def arbitrary(self, rounding: Rounding, levels: int, integers: bool = False) -> Network:
        """A network with the structure of finished(), or with integer inputs, without looking at the data."""
        network = with_layers(self.network, self.smaller(self._without_inputs(rounding, levels)))
        return self.with_integer_inputs(network, calibrated=False) if integers else network

    def _without_inputs(self, rounding: Rounding, levels: int) -> dict[str, Made]:
        if rounding.scheme in FORMATS:
            return self.made(rounding, dict.fromkeys(self.layers, levels))
        ones = {path: self._ready(path, None) for path in self.layers}
        return {path: one.quantized(one.rounded(rounding.to_nearest(), levels)) for path, one in ones.items()}


def _levels(made: Mapping[str, nn.Module]) -> Iterator[tuple[str, str, Quantized]]:
    """The path of each layer of levels, that of the layer in whose place it or its correction is, and the layer."""
    for path, layer in made.items():
        if isinstance(layer, Quantized):
            yield path, path, layer
        elif isinstance(layer, Corrected) and isinstance(layer.main, Quantized):
            yield f"{path}.main", path, layer.main
