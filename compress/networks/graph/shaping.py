"""Operators of a graph that move numbers, change shapes, or sum over axes, named as in ONNX.

Sizes and axes stand in the options, never in tensors: a graph's sizes are known when it is read, but for the number of
examples n. A size [k] stands for k times n; see sized().
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from compress.networks.graph.elementwise import Operator, Options
from compress.networks.graph.refused import Refused

MOST_NUMBERS = 1 << 26  # of a value of a graph, for two examples


def sized(options: Options, examples: int) -> Options:
    """Options with numbers in the place of sizes [k]: k times the number of examples."""
    return {name: [one[0] * examples if isinstance(one, list) else one for one in value] if isinstance(value, list) else
            value for name, value in options.items()}


def _reshape(inputs: Sequence[Tensor], options: Options) -> Tensor:
    wanted, given = options["shape"], inputs[0].shape
    if not options.get("allowzero", 0):
        wanted = [given[place] if size == 0 else size for place, size in enumerate(wanted)]
    return inputs[0].reshape(wanted)


def _flatten(inputs: Sequence[Tensor], options: Options) -> Tensor:
    axis = options.get("axis", 1)
    axis += inputs[0].dim() if axis < 0 else 0
    return inputs[0].flatten(1) if axis == 1 else inputs[0].reshape(inputs[0].shape[:axis].numel(), -1)


def _transpose(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return inputs[0].permute(options.get("perm") or tuple(range(inputs[0].dim()))[::-1])


def _squeeze(inputs: Sequence[Tensor], options: Options) -> Tensor:
    axes = options.get("axes")
    return inputs[0].squeeze() if axes is None else inputs[0].squeeze(tuple(axes))


def _unsqueeze(inputs: Sequence[Tensor], options: Options) -> Tensor:
    result, dimensions = inputs[0], inputs[0].dim() + len(options["axes"])
    for axis in sorted(axis % dimensions for axis in options["axes"]):
        result = result.unsqueeze(axis)
    return result


def _slice(inputs: Sequence[Tensor], options: Options) -> Tensor:
    result = inputs[0]
    axes = options.get("axes") or list(range(len(options["starts"])))
    steps = options.get("steps") or [1] * len(axes)
    for axis, start, end, step in zip(axes, options["starts"], options["ends"], steps, strict=True):
        length = result.shape[axis]
        if step < 0:
            places = range(length)[slice(start, None if end < -length else end, step)]
            chosen = torch.arange(places.start, places.stop, places.step, device=result.device)
            result = result.index_select(axis, chosen)
        else:
            kept = [slice(None)] * result.dim()
            kept[axis] = slice(start, min(end, length) if end >= 0 else end, step)
            result = result[tuple(kept)]
    return result


def _gather(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """Rows (n, ...) of a table at indices of any shape; along another axis likewise."""
    table, indices = inputs
    axis = options.get("axis", 0) % table.dim()
    indices = indices.to(table.device)
    if not indices.is_meta:  # whose numbers are not known
        indices = torch.where(indices < 0, indices + table.shape[axis], indices)
    chosen = table.index_select(axis, indices.flatten())
    return chosen.unflatten(axis, indices.shape) if indices.dim() else chosen.squeeze(axis)


def _gather_elements(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """One number for each index: of the same place along the other axes, of this index along one axis."""
    table, indices = inputs
    axis = options.get("axis", 0)
    return table.gather(axis, torch.where(indices < 0, indices + table.shape[axis], indices))


def _gather_places(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """Parts of a table (n, m, ..., *rest) at places (*sizes, k), the indices along its first k axes: (*sizes, *rest)."""
    table, places = inputs
    if options.get("batch_dims", 0):
        raise Refused("its option batch_dims is not 0, which is not supported")
    found = [torch.where(one < 0, one + size, one) for one, size in zip(places.unbind(-1), table.shape, strict=False)]
    return table[tuple(found)]


def _expand(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return inputs[0].expand(np.broadcast_shapes(inputs[0].shape, tuple(options["shape"])))


def _split(inputs: Sequence[Tensor], options: Options) -> tuple[Tensor, ...]:
    axis, length = options.get("axis", 0), inputs[0].shape[options.get("axis", 0)]
    parts = options.get("num_outputs", 1)
    return inputs[0].split(options.get("split") or -(-length // parts), axis)


def _pad(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """pads: numbers before each axis, then numbers behind each."""
    pads, dimensions = options["pads"], inputs[0].dim()
    axes = options.get("axes") or list(range(dimensions))
    around = [0] * (2 * dimensions)
    for place, axis in enumerate(axes):
        last = dimensions - 1 - axis % dimensions
        around[2 * last], around[2 * last + 1] = pads[place], pads[place + len(axes)]
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}[options.get("mode", "constant")]
    if mode == "constant":
        return functional.pad(inputs[0], around, value=options.get("value", 0.0))
    return functional.pad(inputs[0], around[:2 * (dimensions - 2)], mode)


def _constant_of_shape(inputs: Sequence[Tensor], options: Options) -> Tensor:
    _few(prod(options["shape"]))
    return torch.full(options["shape"], options.get("value", 0.0))


def _range(inputs: Sequence[Tensor], options: Options) -> Tensor:
    start, end, step = options["range"]
    _few((end - start) / step if step else 0)
    return torch.arange(start, end, step)


def _few(count: float) -> None:
    """Raises Refused for more numbers than a value of a graph has."""
    if not 0 <= count <= MOST_NUMBERS:
        raise Refused(f"a value of {count:,.0f} numbers; at most {MOST_NUMBERS:,} are possible")


def _axes(one: Tensor, options: Options) -> tuple[int, ...]:
    return tuple(options.get("axes") or range(one.dim()))


def _keeps(options: Options) -> bool:
    return bool(options.get("keepdims", 1))


def _product(inputs: Sequence[Tensor], options: Options) -> Tensor:
    result = inputs[0]
    for axis in sorted((axis % result.dim() for axis in _axes(result, options)), reverse=True):
        result = result.prod(axis, keepdim=_keeps(options))
    return result


def _extreme(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return inputs[0].amax(_axes(inputs[0], options), _keeps(options))


def _sum(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return inputs[0].sum(_axes(inputs[0], options), _keeps(options))


def _joined(inputs: Sequence[Tensor], options: Options) -> Tensor:
    return torch.cat(list(inputs), options["axis"])


def _largest_place(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """The index of the first largest number along an axis."""
    if options.get("select_last_index", 0):
        raise Refused("its option select_last_index is not 0, which is not supported")
    return inputs[0].argmax(options.get("axis", 0), _keeps(options))


def _running_sum(inputs: Sequence[Tensor], options: Options) -> Tensor:
    """Sums of the numbers up to each place along an axis, with or without the place's own."""
    one, (axis,), backwards = inputs[0], options["axis"], options.get("reverse", 0)
    one = one.flip(axis) if backwards else one
    total = one.cumsum(axis) - one if options.get("exclusive", 0) else one.cumsum(axis)
    return total.flip(axis) if backwards else total


SHAPING: dict[str, Operator] = {
    "Reshape": _reshape, "Flatten": _flatten, "Transpose": _transpose, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Slice": _slice, "Gather": _gather, "Expand": _expand, "Split": _split, "Pad": _pad, "Concat": _joined,
    "ConstantOfShape": _constant_of_shape, "Range": _range, "GatherElements": _gather_elements, "GatherND": _gather_places,
    "Shape": lambda inputs, options: torch.tensor(list(inputs[0].shape)[slice(options.get("start", 0), options.get("end"))]),
    "Tile": lambda inputs, options: inputs[0].repeat(options["repeats"]),
    "ReduceMean": lambda inputs, options: inputs[0].mean(_axes(inputs[0], options), _keeps(options)),
    "ArgMax": _largest_place, "CumSum": _running_sum, "ReduceSum": _sum, "ReduceProd": _product, "ReduceMax": _extreme,
    "ReduceMin": lambda inputs, options: inputs[0].amin(_axes(inputs[0], options), _keeps(options)),
    "ReduceL2": lambda inputs, options: _sum([inputs[0].square()], options).sqrt(),
    "ReduceSumSquare": lambda inputs, options: _sum([inputs[0].square()], options),
}


