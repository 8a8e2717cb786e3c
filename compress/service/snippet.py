"""A point as code: a program of a few lines that makes and measures the same network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compress.recipe import Recipe, Step


def snippet(recipe: Recipe, cards: dict[str, dict[str, Any]]) -> str:
    """A Python program that makes and measures the network of a recipe with this package.

    Args:
        recipe: with all settings written out and at least one method.
        cards: of the methods, with the modules of their classes.
    """
    last = recipe.methods[-1]
    imports = sorted({f"from {cards[step.name]['module']} import {cards[step.name]['class']}" for step in recipe.methods}
                     | {"from compress.data import datasets", "from compress.files.artefacts import Artefacts",
                        "from compress.networks import device",
                        "from compress.points.measure import Reference, measure", "from compress.recipe import Step",
                        "from compress.training import teachers"})
    lines = [
        *imports, "",
        "where = device.prepare()",
        f"data = datasets.load({recipe.data!r})",
        f"step = Step.parse({recipe.teacher.text()!r})",
        f"teacher = teachers.train_teacher(data, step, seed={recipe.seed}, device=where).network",
    ]
    network = "teacher"
    for step in recipe.methods[:-1]:
        lines.append(f"network = {_call(step, cards)}.compress({network}, data, seed={recipe.seed})")
        network = "network"
    lines += [
        f"method = {_call(last, cards)}",
        f"candidate = next(method.curve({network}, data, [method.value], seed={recipe.seed}))",
        f"baseline = method.compared_with({network}, data, seed={recipe.seed})",
        "reference = Reference.of(baseline.network if baseline else teacher, data)",
        "point = measure(candidate, data, reference, Artefacts(\"points\"))",
        "print(f\"{point.accuracy:.4f} {point.bytes} bytes\")",
    ]
    return "\n".join(lines) + "\n"


def chain_snippet(recipe: Recipe, cards: dict[str, dict[str, Any]], dial_step: int, values: Sequence[Any]) -> str:
    """A Python program that makes and measures the last network of a chain for each value of the dial of one of its steps.

    Args:
        recipe, cards: as for snippet().
        dial_step: number of the step whose dial varies, from 1; LAST for the last.
    """
    dial = cards[recipe.methods[dial_step - 1].name]["dial"]
    lines = snippet(recipe.at(dial, _Named(dial), dial_step), cards).splitlines()
    begin = next(place for place, line in enumerate(lines) if line.startswith("teacher = ")) + 1
    loop = [f"for {dial} in {tuple(values)!r}:", *(f"    {line}" for line in lines[begin:])]
    return "\n".join([*lines[:begin], *loop]) + "\n"


class _Named:
    """A value that a program calls by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def loading(file: str, data: str) -> str:
    """A Python program that reads a downloaded network, prints its accuracy on validation, and what it predicts for examples
    that are not normalised yet.

    Args:
        file: the network's; data: the data set's name.
    """
    return "\n".join([
        "import torch", "",
        "from compress.data import datasets", "from compress.files import network_file",
        "from compress.points.measure import evaluate", "",
        f"network = network_file.read({file!r})",
        f"described = network_file.made_for({file!r})",
        f"data = datasets.load({data!r})",
        "print(f\"{evaluate(network, data.validation)['accuracy']:.4f}\")", "",
        "new = data.normaliser.undo(data.validation.inputs[:5])  # examples as they come, an array of (n, *data.shape)",
        "with torch.no_grad():",
        "    logits = network(torch.from_numpy(described.normaliser.apply(new)))",
        "print([described.classes[number] for number in logits.argmax(1)])",
    ]) + "\n"


def _call(step: Step, cards: dict[str, dict[str, Any]]) -> str:
    inside = ", ".join(f"{name}={value!r}" for name, value in step.settings)
    return f"{cards[step.name]['class']}({inside})"
