"""An ONNX file as a network of this program: read, simplified, and written as a sequence of parts."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass

import torch

from compress.networks.families import MOST_CLASSES, Network
from compress.networks.graph.architecture import graph_network
from compress.networks.graph.reading import OneScore, Reading
from compress.networks.graph.refused import Refused
from compress.networks.onnx import tail
from compress.networks.onnx.evaluation import FAULTS, THREE, TWO, Evaluation, Known, Simple
from compress.networks.onnx.layering import Layering
from compress.networks.onnx.model import Declared, Model, read
from compress.networks.onnx.parting import in_order, parts
from compress.networks.onnx.tail import Scores
from compress.networks.onnx.tensors import BOOL, WHOLES
from compress.settings import shown

MOST_AXES = 3
AXES = "1 axis (a table), 2 axes (features, length) or 3 axes (channels, height, width)"


@dataclass(frozen=True, eq=False)
class Opened:
    """A network that came in a file.

    Attributes:
        network: maps examples (n, *shape), float32 as the file wants them, to scores (n, classes).
        shape: of an example; reads_whole: whether the file wants whole numbers.
        producer: the program that wrote the file; classes: their names, where the file has them.
        source: the file's own input and output, and whether its output is probabilities.
        operators: how many operators of each name the file has.
    """

    network: Network
    shape: tuple[int, ...]
    reads_whole: bool
    producer: str
    classes: tuple[str, ...]
    source: Source
    operators: dict[str, int]


@dataclass(frozen=True)
class Source:
    """Input and output of the file by their names, the input's type, and the number of examples for which it was written, 0
    for any."""

    input: str
    output: str
    kind: int
    examples: int
    has_probabilities: bool
    is_one_score: bool


def opened(contents: bytes | memoryview, called: str, shape: tuple[int, ...] = (),
           after: Callable[[float], None] = lambda share: None) -> Opened:
    """The network in an ONNX file. No code of the file runs, and nothing larger than its own tensors is made.

    Args:
        called: the network's name for people; shape: of an example, where the file leaves sizes open.
        after: called after each operator of the file, with the share of them that have become layers: what was read of the
            file may be given back then. What it raises ends the work.

    Raises:
        ValueError: the reason in a sentence, with the operator's name where one is not known.
    """
    model = tail.rewritten(read(contents))
    declared = _input(model)
    sizes = shape or _shape(declared)
    if len(declared.sizes) != len(sizes) + 1 or any(
            known not in (None, size) for known, size in zip(declared.sizes[1:], sizes, strict=True)):
        raise Refused(f"its input {shown(declared.name)} has the sizes {_shown(declared)}, which examples of the shape "
                      f"{list(sizes)} do not fit")
    operators: dict[str, int] = {}
    for node in model.nodes:
        operators[node.operator] = operators.get(node.operator, 0) + 1
    problem: Refused | None = None
    for scores in tail.candidates(model):
        try:
            network, one_score, examples = _network(model, declared, sizes, scores, called, after)
        except Refused as error:
            problem = problem or error
            continue
        except FAULTS as error:
            raise Refused("its operators or their options do not fit each other, or are not supported") from error
        source = Source(declared.name, scores.output, declared.kind, declared.sizes[0] or examples,
                        scores.has_probabilities, one_score)
        return Opened(network, sizes, declared.kind in WHOLES, model.producer, scores.classes, source, operators)
    raise problem or Refused("it has no output")


def _network(model: Model, declared: Declared, sizes: tuple[int, ...], scores: Scores, called: str,
             after: Callable[[float], None]) -> tuple[Network, bool, int]:
    """The network, whether it makes one score of two classes, and the number of examples for which it was written."""
    simple, evaluation = _evaluated(model, declared, sizes, scores.value)
    after(0)
    target = evaluation.values[scores.value]
    if target.is_constant or not target.is_by_examples or target.two[0].numel() not in target.two.shape[1:]:
        raise Refused(f"its output {shown(scores.output)} has the sizes {list(target.two.shape)} for two examples; one "
                      "row of scores for each example is needed")
    width = target.two[0].numel()
    one_score = scores.is_one_score and width == 1
    if not 2 <= width <= MOST_CLASSES and not one_score:
        raise Refused(f"its output {shown(scores.output)} has {width} score{'s' if width > 1 else ''} for an example; 2 "
                      f"to {MOST_CLASSES:,} are needed, one for each class")
    readers: dict[str, int] = {scores.value: 1}
    for node in simple:
        for name in node.inputs:
            readers[name] = readers.get(name, 0) + 1
    layered = in_order(Layering(evaluation.values, readers, after).of(simple), scores.value)
    values = dict(evaluation.values)
    for node in layered:  # a padding that was put before a convolution
        for name in node.outputs:
            values.setdefault(name, Known(torch.empty(0), torch.empty(1)))
    modules = parts(layered, declared.name, scores.value, values)
    evaluation.values.clear()
    gc.collect()
    reading = Reading(sizes, sizes, whole=declared.kind in (*WHOLES, BOOL))
    flat = [] if target.two.dim() == 2 else [torch.nn.Flatten()]
    made = graph_network(called, sizes, 2 if one_score else width,
                         [reading, *modules, *flat, *([OneScore()] if one_score else [])],
                         scores.classes)
    type(made.architecture).from_plain(made.architecture.plain())  # as its file will be read again
    for name, tensor in made.state_dict().items():
        if not bool(torch.isfinite(tensor).all()):
            raise Refused(f"it holds weights that are no numbers ({name}): NaN or infinity")
    return made, one_score, evaluation.examples


def _evaluated(model: Model, declared: Declared, sizes: tuple[int, ...], target: str) -> tuple[list[Simple], Evaluation]:
    """The nodes that the target needs, with their sizes as options, and what is known of every value."""
    needed, wanted = [], {target}
    for node in reversed(model.nodes):
        if wanted & set(node.outputs):
            needed.append(node)
            wanted |= set(node.inputs)
    evaluation = Evaluation({name: array for name, array in model.constants.items() if name in wanted}, model.version)
    kind = torch.int64 if declared.kind in WHOLES else torch.bool if declared.kind == BOOL else torch.float32
    two, three = (torch.empty(count, *sizes, dtype=kind, device="meta") for count in (TWO, THREE))
    evaluation.values[declared.name] = Known(two, three)
    simple = [one for node in reversed(needed) for one in evaluation.add(node)]
    if target not in evaluation.values:
        raise Refused(f"nothing makes its output {shown(target)} as an array of numbers")
    return simple, evaluation


def _input(model: Model) -> Declared:
    if len(model.inputs) != 1:
        names = ", ".join(shown(one.name) for one in model.inputs) or "none"
        raise Refused(f"it has {len(model.inputs)} inputs ({names}), but one is needed: the examples. Export the network "
                      "with the others fixed")
    (declared,) = model.inputs
    if not 2 <= len(declared.sizes) <= MOST_AXES + 1:
        raise Refused(f"its input {shown(declared.name)} has {len(declared.sizes)} sizes, but the number of examples and "
                      f"{AXES} are needed")
    return declared


def _shape(declared: Declared) -> tuple[int, ...]:
    sizes = declared.sizes[1:]
    if any(size is None for size in sizes):
        raise Refused(f"its input {shown(declared.name)} has the sizes {_shown(declared)}, which leave the shape of an "
                      "example open. Say it with --shape, for example --shape 1-28-28")
    return tuple(size for size in sizes if size is not None)


def _shown(declared: Declared) -> str:
    names = declared.names or ("",) * len(declared.sizes)
    return " x ".join(str(size or name or "?") for size, name in zip(declared.sizes, names, strict=True))[:100]
