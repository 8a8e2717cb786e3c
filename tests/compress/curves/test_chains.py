"""Every ordered pair of methods: the second acts on what the first left, or is refused before anything is trained."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch

from compress.curves import kept_teachers
from compress.curves.kept_teachers import Teacher
from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.data import datasets
from compress.data.datasets import Dataset, Split
from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.methods import methods
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.points.measure import Point
from compress.recipe import Recipe
from tests.compress.helpers import python, quick
from tests.compress.test_fresh_process import SCRIPT

TEACHERS = {"mlp": "mlp(hidden=48-32,epochs=6)", "cnn": "cnn(epochs=1)", "gru": "gru(hidden=24,epochs=2)"}
BUDGETS = {"low_rank": "low_rank(keep=0.3,output_layer=true)", "prune": "prune(sparsity=0.6)",
           "sparse_code": "sparse_code(nonzeros=2,atoms=8,block=8,dictionary=data,output_layer=true)",
           "quantize": "quantize(levels=5,compared=false)",
           "distill": "distill(width=0.5,epochs=1,seeds=1,temperatures=none,alpha=0.9)",
           "data_svd": "data_svd(components=6,epochs=1)",
           "data_codes": "data_codes(nonzeros=2,atoms=16,iterations=1,epochs=1,classify=codes,pca_baseline=false)",
           "activation_codes": "activation_codes(nonzeros=2,atoms=16,iterations=1,pca_baseline=false)"}
STEPS = {name: BUDGETS.get(name, quick(kind).step().text()) for name, kind in methods().items()}
FIRST = ("data_svd", "data_codes")  # these train a new network on compressed data
PAIRS = list(product(TEACHERS, STEPS, STEPS))
Outcome = Callable[[str, str, str], Point | str]


def cut_twice(teacher: str) -> str:
    """Activation codes as a first method; behind its cut there is a hidden layer left to cut, where the teacher has two."""
    return STEPS["activation_codes"].replace(")", f",cut={int(teacher != 'gru')})")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("chains") / "store.sqlite")


@pytest.fixture(scope="module")
def small(digits: Dataset) -> Dataset:
    """A part of the digits' training examples; validation is whole."""
    train, calibration = (Split(split.inputs[:size], split.labels[:size])
                          for split, size in ((digits.train, 400), (digits.calibration, 100)))
    return dataclasses.replace(digits, train=train, calibration=calibration)


@pytest.fixture(scope="module")
def outcome(store: Store, small: Dataset, trained: Callable[[str], Network]) -> Iterator[Outcome]:
    """outcome("mlp", "low_rank", "prune"): the point of this chain, or the sentence with which it was refused."""
    asked: list[Recipe] = []

    def obtain(recipe: Recipe, *others: object, **more: object) -> Teacher:
        asked.append(recipe)
        network = trained(next(text for name, text in TEACHERS.items() if name == recipe.teacher.name))
        return Teacher(network, store.artefacts.put(network_file.to_bytes(network, MadeFor.of(small))), {})

    @cache
    def measured(teacher: str, *chain: str) -> Point | str:
        first = cut_twice(teacher) if chain[0] == "activation_codes" else STEPS[chain[0]]
        text = "+".join([first, *(STEPS[name] for name in chain[1:])])
        recipe = Recipe.parse(f"digits/{TEACHERS[teacher]}/{text}/0")
        dial = methods()[chain[-1]].dial
        value = recipe.methods[-1].values.get(dial, getattr(methods()[chain[-1]](), dial))
        asked.clear()
        try:
            points = list(run(sweep_of(recipe, [value]), store, latency=False))
        except ValueError as error:
            assert not asked, "refused only after a teacher was asked for"
            return str(error)
        return next(point for point in points if "alpha=0.0" not in point.recipe)

    def alone_and_then(teacher: str, first: str, second: str) -> Point | str:
        if methods()[first].applies_to == "network":
            measured(teacher, first)  # is kept, and taken up by the chain
        return measured(teacher, first, second)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", lambda name, seed=0, report=None: small)
        patch.setattr(kept_teachers, "obtain", obtain)
        yield alone_and_then


def refusal(teacher: str, first: str, second: str) -> str:
    """What a sentence of refusal says of this pair; empty for one that works."""
    if second in FIRST:
        return f"{second} trains a new network on compressed data, so that nothing of the methods before it would remain."
    if (first, second) == ("activation_codes", "distill") and teacher != "mlp":
        return "needs images or sequences, but an example has shape"
    if (first, second, teacher) == ("activation_codes", "activation_codes", "gru"):
        return "this network has no hidden layer, and so no hidden outputs. Choose another teacher"
    return ""


def test_the_methods_that_can_only_come_first_are_those_that_train_a_new_network() -> None:
    assert set(FIRST) == {name for name, kind in methods().items() if kind.trains_new_network}
    assert set(BUDGETS) <= set(methods())  # a method that is not in this table has its defaults and little training


@pytest.mark.parametrize(("teacher", "first", "second"), PAIRS)
def test_a_pair_works_or_is_refused_with_a_sentence(teacher: str, first: str, second: str, outcome: Outcome, store: Store,
                                                    small: Dataset) -> None:
    found, expected = outcome(teacher, first, second), refusal(teacher, first, second)
    if expected:
        assert isinstance(found, str) and expected in found
        return
    assert isinstance(found, Point), found
    contents = store.artefacts.contents(found.digest)
    assert found.bytes == len(contents) and found.recipe.count("+") == 1
    if methods()[second].applies_to == "network":
        network = network_file.from_bytes(contents)
        predicted = logits_of(network, torch.tensor(small.validation.inputs)).argmax(1)
        assert np.array_equal(np.frombuffer(found.predictions, "<u2"), predicted.numpy())
        assert network_file.to_bytes(network, MadeFor.of(small), methods()[second]().stored) == contents


def test_a_fresh_process_predicts_the_same_from_every_file(outcome: Outcome, store: Store) -> None:
    compressed = [pair for pair in PAIRS if methods()[pair[2]].applies_to == "network" and not refusal(*pair)]
    points = [found for pair in compressed if isinstance(found := outcome(*pair), Point)]
    done = python("-c", SCRIPT, *(str(store.artefacts.path(point.digest)) for point in points), check=True)
    lines = [json.loads(line)[1] for line in done.stdout.splitlines()]
    assert len(points) == len(compressed) == len(lines) >= 3 * 8 * 5 - 2
    for point, predicted in zip(points, lines, strict=True):
        assert np.frombuffer(point.predictions, "<u2").tolist() == predicted, point.recipe
