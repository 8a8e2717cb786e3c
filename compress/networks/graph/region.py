"""A part of a graph with branches: operators in order, with one input and one output.

Its linear, convolutional and recurrent layers are modules, so that methods can replace them; what else it stores are its
constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from compress.networks.graph.elementwise import ELEMENTWISE, Operator, Options
from compress.networks.graph.shapes import SHAPES, of_layer
from compress.networks.graph.shaping import SHAPING, sized
from compress.networks.graph.weighing import WEIGHING
from compress.networks.plain_values import LARGEST, mapping, wholes
from compress.settings import shown

OPERATORS: dict[str, Operator] = {**ELEMENTWISE, **SHAPING, **WEIGHING}
LAYER = "Layer"
INPUT = "x"
MOST_PLAIN = 1 << 16  # numbers that a region keeps as plain data, such as indices
MOST_NODES = 20_000
MOST_LISTED = 1024  # of an option
Watch = Callable[[str, Tensor], None]


@dataclass(frozen=True)
class Step:
    """One operator of a region: its name, the names of what it reads and makes, and its options. `layer` is the name of the
    module where the operator is LAYER."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: dict[str, Any]
    layer: str = ""

    def plain(self) -> list[Any]:
        """JSON-able and short; the opposite of from_plain()."""
        return [self.layer or self.operator, list(self.inputs), list(self.outputs), self.options]

    @classmethod
    def from_plain(cls, plain: Any, layers: list[str]) -> Step:
        """Raises ValueError for what is no operator, or has options that none has."""
        if not isinstance(plain, list) or len(plain) != 4:
            raise ValueError("an operator of a region is a list of four parts")
        operator, inputs, outputs, options = plain
        for names in (inputs, outputs):
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError("an operator names what it reads and makes")
        if not all(_is_option(value) for value in mapping(options, "options").values()):
            raise ValueError(f"options of an operator are numbers, words and lists of numbers, but got {shown(options)}")
        if isinstance(operator, str) and operator in layers:
            return cls(LAYER, tuple(inputs), tuple(outputs), options, operator)
        if operator not in list(OPERATORS):
            raise ValueError(f"a region has the operator {shown(operator)}, which is not known")
        return cls(operator, tuple(inputs), tuple(outputs), options)


def computed(operator: str, given: Sequence[Tensor], options: Options) -> Any:
    """What an operator makes of its inputs; its shape alone where one of them is a shape (torch's device "meta")."""
    if operator in SHAPES and any(one.is_meta for one in given):
        return SHAPES[operator](given, options)
    return OPERATORS[operator](given, options)


def _applied(layer: nn.Module, given: Sequence[Tensor]) -> Any:
    shape = of_layer(layer, given) if given[0].is_meta else None
    return layer(*given) if shape is None else shape


class Region(nn.Module):
    """Operators in order.

    Args:
        constants: trained numbers by their names; numbers: whole numbers, truth values and single numbers as plain data.
        result: the name of the value that is returned.
    """

    def __init__(self, steps: tuple[Step, ...], layers: dict[str, nn.Module], constants: dict[str, Tensor],
                 numbers: dict[str, Any], result: str) -> None:
        super().__init__()
        self.steps, self.numbers, self.result = steps, numbers, result
        self.layers = nn.ModuleDict(layers)
        self.constants = nn.ParameterDict({name: nn.Parameter(value) for name, value in constants.items()})

    def forward(self, batch: Tensor) -> Tensor:
        return self.run(batch)

    def run(self, batch: Tensor, watch: Watch = lambda operator, made: None) -> Tensor:
        """The result for a batch. watch: called with each operator and each value that it makes."""
        values: dict[str, Tensor] = {INPUT: batch}
        last = {name: place for place, step in enumerate(self.steps) for name in step.inputs}
        for place, step in enumerate(self.steps):
            given = [self._value(name, values, batch) for name in step.inputs]
            made = _applied(self.layers[step.layer], given) if step.layer else computed(
                step.operator, given, sized(step.options, batch.shape[0]))
            made = made if isinstance(made, tuple | list) else (made,)
            for name, value in zip(step.outputs, made, strict=False):
                values[name] = value.to(batch.device)
                watch(step.operator, value)
            for name in step.inputs:
                if last[name] == place and name != self.result:
                    values.pop(name, None)
        return values[self.result]

    def _value(self, name: str, values: dict[str, Tensor], batch: Tensor) -> Tensor:
        if name in values:
            return values[name]
        if name in self.numbers:
            return torch.tensor(self.numbers[name], device=batch.device)
        return self.constants[name]

    def plain(self, plain_of: Callable[[nn.Module], dict[str, Any]]) -> dict[str, Any]:
        """JSON-able; the opposite of rebuild(). plain_of: describes a layer."""
        return {"steps": [step.plain() for step in self.steps], "numbers": self.numbers, "result": self.result,
                "layers": {name: plain_of(layer) for name, layer in self.layers.items()},
                "constants": {name: list(value.shape) for name, value in self.constants.items()}}

    @classmethod
    def rebuild(cls, plain: dict[str, Any], part_of: Callable[[Any], nn.Module]) -> Region:
        """Raises ValueError where a value is read that nothing made, or for operators that are not known."""
        layers = {name: part_of(one) for name, one in mapping(plain.get("layers"), "layers").items()}
        constants = mapping(plain.get("constants"), "constants")
        kept = {name: torch.empty(wholes({"sizes": sizes}, "sizes", 0, tuple(range(9))), dtype=torch.float32)
                for name, sizes in constants.items()}
        numbers = mapping(plain.get("numbers"), "numbers")
        if sum(_count(value) for value in numbers.values()) > MOST_PLAIN:
            raise ValueError(f"a region keeps at most {MOST_PLAIN:,} numbers as plain data")
        listed = plain.get("steps")
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_NODES:
            raise ValueError(f"a region has 1 to {MOST_NODES:,} operators")
        steps = tuple(Step.from_plain(one, list(layers)) for one in listed)
        known = {INPUT, *kept, *numbers}
        for step in steps:
            if not known.issuperset(step.inputs):
                raise ValueError("an operator of a region reads a value that nothing makes")
            known |= set(step.outputs)
        if plain.get("result") not in known:
            raise ValueError("nothing makes the result of a region")
        return cls(steps, layers, kept, numbers, plain["result"])

    def extra_repr(self) -> str:
        return " ".join(step.operator for step in self.steps)


def _is_option(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= MOST_LISTED and all(_is_number(one) or (isinstance(one, list) and len(one) == 1 and
                                                                   _is_number(one[0])) for one in value)
    return value is None or isinstance(value, str) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | float) or (isinstance(value, int) and abs(value) <= LARGEST)


def _count(value: Any) -> int:
    """Numbers of nested lists. Raises ValueError for anything else in them."""
    if isinstance(value, list):
        return sum(map(_count, value)) + 1
    if _is_number(value):
        return 1
    raise ValueError(f"constants that are kept as plain data are numbers, but got {shown(value)}")
