"""Quantization: every weight of a layer becomes one of a few values, stored as a whole number of few bits."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers.opening import opened
from compress.layers.rounded.half import FORMATS
from compress.method import Candidate, Entrant, Method, Run
from compress.networks.families import Network
from compress.progress import Reporter, no_report
from compress.quantization import activations
from compress.quantization.allocation import Allocator, Shares
from compress.quantization.file_budget import within_file
from compress.quantization.quantizer import Quantizer
from compress.quantization.refusal import refusal_of_memory
from compress.quantization.rounding import PER, Rounding
from compress.quantization.view import inside_view, point_view
from compress.recipe import BASELINE, CONTROL
from compress.settings import setting
from compress.solvers.uniform_grid import MOST_LEVELS
from compress.stored import BITS, ENTROPY
from compress.training.batches import refusal
from compress.training.loop import Training
from compress.workload import Phase

_quantizers: deque[tuple[tuple[Any, ...], Network, Quantizer]] = deque(maxlen=4)  # of the last calls
WITHOUT_A_GRID = {"scheme": ("codebook", "ternary", *FORMATS)}
WITHOUT_STEPS = {"scheme": ("codebook", *FORMATS)}
UNTRAINED = {"recovery_epochs": (0,), "scheme": tuple(FORMATS)}
IN_ALL_LEVELS = 1 << 16
Built = tuple[Network, list[str]]  # a network, and the paths of layers that stay as they are
MOST_SHARED = 1024  # values of a codebook


@dataclass(frozen=True)
class Quantize(Method):
    r"""Replace every weight of a layer by one of $K$ values, its levels, and store the number of the level.

    A number of $K$ levels takes $\log_2 K$ bits or fewer in the place of 32. Where the file is entropy-coded, it takes
    about the entropy $-\sum_k p_k \log_2 p_k$ of the shares $p_k$ of the levels: most weights are near zero, so that few
    of the levels are used often. Levels are equally spaced, $q_k = c + \Delta\,(k - (K - 1)/2)$; a symmetric grid ($c$ is
    0, or half a step where $K$ is even) has zero among its levels. The grid spans all weights, or is clipped where this
    makes the squared error least (weights of large inputs count more). Each layer, output or group of inputs has its own
    step.

    The **scheme** says which level a weight gets:

    - **gptq**: weights are rounded one input after the other, and the error $e$ of each is made good by the weights that
      follow, so that the *outputs* change least: with the covariance $H = E[(x - \bar x)(x - \bar x)^\top]$ of the inputs
      on calibration examples and $H + \lambda I = U D U^\top$ ($U$ unit upper triangular), weight $j$ is rounded from $w_j
      + \sum_{i<j} e_i U_{ij}$ (GPTQ, Frantar et al. 2023, in the form of Chee et al. 2023). The inputs of the largest
      variance come first. What is left of the mean error is added to the bias; a layer without a bias has the second
      moment $E[x x^\top]$ as $H$. $\lambda$ is the *damping* as a share of the mean variance; a large one makes less use
      of the calibration examples, and leaves more zeros. No row has a larger error than rounding to nearest.
    - **nearest**: the nearest level, whatever the inputs are. The control of gptq.
    - **codebook**: levels anywhere, shared by the weights of a layer, by k-means; each weight gets the nearest (Deep
      Compression, Han, Mao & Dally 2016).
    - **ternary**: $-a$, 0 and $a$ with the least squared error (Li & Liu 2016).
    - **float16**, **bfloat16**: the baselines, 16-bit floating-point numbers (65,536 levels).

    The **allocation** divides the levels among the layers. *uniform*: the same number for each. *measured*: the loss on
    calibration examples is measured with one layer at a time quantized; the layers then get those numbers of levels whose
    losses add up to the least, within the bytes (at their entropy) that the dial's number takes for all layers. The least is
    found by dynamic programming; its sum stands beside the loss of the whole network. With a *budget* the bytes are those of
    the whole file, which never has one more; the dial's number is then the most that a layer may get.

    A **correction** of rank $r$ (LQER, Zhang et al. 2024) stores beside the levels $Q$ two thin factors, $Q + A B$, whose
    product is that part of $W - Q$ which gives the outputs back most, exactly: the first $r$ eigenvectors of $(W - Q) H
    (W - Q)^\top$. The factors are stored as the *precision* says. A few ranks make good what a few large errors cost; a
    level more often takes fewer bytes.

    **Activations**: the *inputs* of the layers stay floating-point numbers, or become whole numbers of 8 bits, too, in that
    range with which the outputs have the least squared error on calibration examples; inputs behind ReLU need no negative
    numbers, so that their steps are half as large. What many equal inputs (the background of pictures) add to the mean of
    an output is taken off its bias, or the mean of batch normalisation. A linear layer of up to 256 equally spaced levels,
    without groups, then multiplies whole numbers, which takes less time for batches on a processor that can; a convolution
    or a codebook computes in float32 as if it did. The point says which layers do. A later method sees floating-point
    inputs.

    **Recovery** trains on the labels. *values*: the levels' values, each by the sum of the gradients of its weights, while
    the numbers stay. *levels*: which level a weight has, while the values stay; gradients pass the rounding as if it were
    not there (Jacob et al. 2018). Biases are trained in both cases. With *compared*, rounding to nearest is trained as
    long.

    Biases stay in float32. Without recovery, the statistics of batch normalisation move by as much as rounding moves them
    on calibration examples. In a network that is compressed already, the two layers of factors are quantized, the remaining
    weights of pruned layers (a weight that is zero stays zero), and the atoms and the coefficients of sparsely coded layers,
    which get their nearest level. A layer whose levels would take more room than it takes now stays as it is. For Deep
    Compression, prune with recovery first, and follow with a codebook and recovery.

    **When it fails.** With 2 or 3 levels, a large step leaves most weights at zero. A layer with one very large weight
    gets a step too large for the others: clip, or give each output its own step. Networks in which the outputs are added
    up again (residual, recurrent) lose more than perceptrons. Few levels save bytes and no time: the layer computes with
    its weights in float32, unless its inputs are whole numbers, too.
    """

    name = "quantize"
    title = "Quantization"
    dial = "levels"
    values = (2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 24, 32, 64, 128, 256)
    race = (Entrant("GPTQ", {"compared": False}, (2, 3, 4, 5, 7, 16, 32)),)

    levels: int = setting(5, low=2, high=MOST_LEVELS, step=1, help="Different values that a layer's weights may have.")
    scheme: str = setting("gptq", choices=("gptq", "nearest", "codebook", "ternary", *FORMATS),
                          tried=("gptq", "codebook"),
                          help="Least error of the outputs on calibration data (gptq), nearest level, levels by k-means "
                               "(codebook), -a, 0 and a (ternary), or 16-bit floats.")
    per: str = setting("tensor", choices=tuple(PER), label="One step for", idle=WITHOUT_STEPS, tried=("tensor", "channel"),
                       help="What has a step of its own: a layer, each of its outputs, or each group of an output's inputs.")
    group: int = setting(64, low=2, high=4096, step=1, label="Inputs of a group",
                         idle={"per": ("tensor", "channel"), **WITHOUT_STEPS}, help="Inputs that share a step.")
    symmetric: bool = setting(True, idle=WITHOUT_A_GRID,
                              help="Zero is a level, with others around it; else from the smallest weight to the largest.")
    clipping: str = setting("none", choices=("none", "least_error"), idle=WITHOUT_A_GRID,
                            help="The grid spans all weights, or is clipped where this makes the squared error least. "
                                 "(Two levels are always clipped.)")
    damping: float = setting(0.3, low=0.0001, high=1.0, tried=(0.1, 0.3, 1.0),
                             idle={"scheme": ("nearest", "codebook", "ternary", *FORMATS)},
                             help="Added to the variances of the inputs, as a share of their mean (for gptq).")
    correction: int = setting(0, low=0, high=1024, step=1, label="Rank of a correction", idle={"scheme": tuple(FORMATS)},
                              help="Store a low rank of what rounding lost beside the levels of each layer (0: nothing).")
    activations: str = setting("float32", choices=("float32", "int8"), label="Inputs of layers",
                               idle={"scheme": tuple(FORMATS)},
                               help="The numbers that weights are multiplied with: as they are, or rounded to 8 bits within "
                                    "ranges measured on calibration examples.")
    allocation: str = setting("uniform", choices=("uniform", "measured"), tried=("uniform", "measured"),
                              idle={"scheme": ("ternary", *FORMATS)},
                              help="The same levels for all layers; or those with the least measured losses that take as "
                                   "many bytes in all.")
    budget: int = setting(0, low=0, high=1_000_000_000, step=1, label="Bytes of the file at most",
                          idle={"allocation": ("uniform",), "scheme": ("ternary", *FORMATS)},
                          help="The measured allocation has a file of so many bytes; the dial then limits the levels of "
                               "each layer. 0: as many bytes as the dial's number takes.")
    output_layer: bool = setting(True, help="Also quantize the last layer, whose outputs are the class scores.")
    recovery_epochs: int = setting(0, low=0, high=500, step=1, tried=(0, 3, 10), idle={"scheme": tuple(FORMATS)},
                                   help="Passes of training on the labels after rounding, the same for every point.")
    recovery_rate: float = setting(0.0005, low=1e-6, high=1.0, idle=UNTRAINED, tried=(0.0005, 0.002),
                                   help="Learning rate of recovery training.")
    recovery: str = setting("values", choices=("values", "levels"), tried=("values", "levels"), idle=UNTRAINED,
                          label="What is trained",
                            help="The values of the levels, or which level each weight has (straight-through gradients).")
    compared: bool = setting(True, of_sweep=True, label="Compare",
                             help="Also measure rounding to nearest at each number of levels, codebooks, and 16-bit floats.")

    @property
    def rounding(self) -> Rounding:
        """The settings that determine how matrices are rounded to any number of levels."""
        return Rounding(self.scheme, self.per, self.group, self.symmetric, self.clipping, self.damping,
                        self.correction)

    def plan(self, values: Sequence[Any]) -> tuple[Run, ...]:
        """The curve; if compared is set, its control, rounding to nearest, and its baselines: codebooks of 2, 4, 8 values
        and so on, and 16-bit floats."""
        own = [self.at(value) for value in values]
        if not self.compared or self.scheme in FORMATS:
            return tuple(map(Run, own))
        controls = [Run(dataclasses.replace(one, scheme="nearest"), CONTROL, "nearest") for one in own
                    if one.scheme != "nearest"]
        codebooks = [Run(dataclasses.replace(one, scheme="codebook"), BASELINE, "codebook") for one in own
                     if one.scheme in ("gptq", "nearest") and one.levels.bit_count() == 1 and one.levels <= MOST_SHARED]
        return (*map(Run, own), *controls, *codebooks,
                *(Run(self._in_floats(form), BASELINE, form) for form in FORMATS))

    def _in_floats(self, form: str) -> Quantize:
        """The method with a scheme of 16-bit floats, and settings without effect on it at their defaults."""
        idle = {entry["name"]: entry["default"] for entry in self.describe() if form in entry["idle"].get("scheme", ())}
        return self.from_plain({**self.plain(), **idle, "scheme": form, "levels": IN_ALL_LEVELS})

    def invalid_reason(self, network: Network, data: Dataset) -> str:
        """Some schemes have their own number of levels; the inputs' second moments must fit into memory."""
        own = {"ternary": 3, **dict.fromkeys(FORMATS, IN_ALL_LEVELS)}.get(self.scheme, self.levels)
        if self.levels != own:
            return (f"Quantize: levels must be {own} with the scheme {self.scheme}, but got {self.levels}. Choose "
                    f"levels={own}, or another scheme.")
        if self.scheme in FORMATS:
            return ""
        if self.scheme == "codebook" and self.levels > MOST_SHARED:
            return (f"Quantize: levels must be between 2 and {MOST_SHARED} with the scheme codebook, but got {self.levels}. "
                    "Choose fewer.")
        training = refusal(network, "Quantize", "the batch of recovery", Training().batch) if self.recovery_epochs else ""
        return training or refusal_of_memory(opened(network), self.scheme == "gptq")

    def candidates(self, network: Network, data: Dataset, wanted: Sequence[Quantize], report: Reporter = no_report,
                   seed: int = 0) -> Iterator[Candidate]:
        """Moments and factorisations are computed once for all levels and schemes."""
        sharing, networks = report.phases(Phase("rounding"), Phase("networks", len(wanted)))
        for rounding in dict.fromkeys(method.rounding for method in wanted):
            self.quantizer(network, data).prepare(rounding, [method.levels for method in wanted
                                                             if method.rounding == rounding], sharing)
        for method, part in zip(wanted, networks.each("network", len(wanted)), strict=True):
            part(0.0, f"{method.levels} levels")
            candidate = method._candidate(method.quantizer(network, data), part, seed)
            part(1.0, f"{method.levels} levels")
            yield candidate

    def preview(self, network: Network, data: Dataset) -> Network:
        """Every layer rounded to nearest."""
        return Quantizer(network, data, self.output_layer).arbitrary(self.rounding, self.levels, self._is_integer)

    def inside(self, network: Network, data: Dataset, values: Sequence[Any], report: Reporter = no_report,
               seed: int = 0) -> dict[str, Any]:
        """Each layer's weights as a histogram, and how sensitive it is."""
        if self.scheme in FORMATS:
            return {}
        reading, looking = report.phases(Phase("moments"), Phase("sensitivity"))
        quantizer = self.quantizer(network, data)
        quantizer.roundable(reading)
        return inside_view(quantizer, self.rounding, list(values), looking)

    def quantizer(self, network: Network, data: Dataset) -> Quantizer:
        """The layers with their moments; the last ones are cached, because the inside view needs them too."""
        key = (self.output_layer, data.digest)
        found = next((one for known, of, one in _quantizers if known == key and of is network and one.data is data), None)
        if found is None:
            found = Quantizer(network, data, self.output_layer)
            _quantizers.append((key, network, found))
        return found

    def _candidate(self, quantizer: Quantizer, report: Reporter, seed: int) -> Candidate:
        sharing, making = report.phases(Phase("shares"), Phase("network"))
        shares, (network, unchanged) = self._made(quantizer, self._allocator(quantizer, sharing), making, seed)
        levels = shares.levels if shares else dict.fromkeys(quantizer.layers, self.levels)
        view = {} if self.scheme in FORMATS else point_view(quantizer, self.rounding, levels, network, BITS[self.precision])
        network = self._with_inputs(quantizer, network)
        notes = activations.words(network)
        notes += [f"layer {path} stays as it is: its levels would take more room, no gain" for path in unchanged]
        if shares:
            view["allocation"] = {**dataclasses.asdict(shares), "measured": quantizer.loss(network)}
            notes.append("levels of the layers: " + ", ".join(f"{path}: {count}" for path, count in levels.items()))
        return Candidate(self, network, inside=view, notes=tuple(notes))

    def _made(self, quantizer: Quantizer, allocator: Allocator | None, report: Reporter,
              seed: int) -> tuple[Shares | None, Built]:
        """The network of the levels that the allocation gives to the layers."""
        def build(shares: Shares) -> Built:
            return self._built(quantizer, shares.levels, report, seed)

        def size(built: Built) -> int:
            network = self._with_inputs(quantizer, built[0])
            return len(network_file.to_bytes(network, MadeFor.of(quantizer.data), self.stored))

        if allocator is None:
            return None, self._built(quantizer, dict.fromkeys(quantizer.layers, self.levels), report, seed)
        if not self.budget:
            shares = allocator.within(self.levels)
            return shares, build(shares)
        coded = self.coding == ENTROPY
        return within_file(self.budget, allocator.least_in_file(coded),
                           lambda limit: allocator.within_file(limit, self.levels, coded), build, size)

    def _built(self, quantizer: Quantizer, levels: dict[str, int], report: Reporter, seed: int) -> Built:
        """A network with these levels, and the layers that stay as they are."""
        rounding, training = report.phases(Phase("rounding"), Phase("training"))
        made = quantizer.made(self.rounding, levels, rounding, masked=self.recovery_epochs > 0)
        smaller = quantizer.smaller(made)
        unchanged = [path for path in made if path not in smaller]
        if self.recovery_epochs and self.scheme not in FORMATS and smaller:
            plan = Training(epochs=self.recovery_epochs, learning_rate=self.recovery_rate)
            return quantizer.trained(smaller, plan, self.recovery == "levels", seed, training), unchanged
        return quantizer.finished(smaller), unchanged

    def _with_inputs(self, quantizer: Quantizer, network: Network) -> Network:
        return quantizer.with_integer_inputs(network) if self._is_integer else network

    @property
    def _is_integer(self) -> bool:
        return self.activations == "int8" and self.scheme not in FORMATS

    def _allocator(self, quantizer: Quantizer, report: Reporter) -> Allocator | None:
        if self.allocation == "uniform" or self.scheme in FORMATS:
            return None
        key = "allocator", self.rounding
        if key not in quantizer.kept:
            quantizer.kept[key] = Allocator(quantizer, self.rounding, report)
        return quantizer.kept[key]
