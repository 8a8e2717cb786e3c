"""Quantization of inputs: what is measured multiplies whole numbers, and says where it only computes as if it did."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import compressed_layers
from compress.layers.rounded.corrected import Corrected
from compress.layers.rounded.integer_inputs import IntegerInputs
from compress.method import Method
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.methods.sparse_code import SparseCode
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from tests.compress.helpers import agreement, identical, poisoned, python, state
from tests.compress.test_fresh_process import SCRIPT

SMALL = Quantize(levels=255, per="channel", activations="int8")
TEACHERS = ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=1)", "resnet(channels=8-16,epochs=2)", "gru(hidden=24,epochs=2)"]
THEN: dict[str, Method] = {"quantize": Quantize(levels=5), "prune": Prune(sparsity=0.5), "low_rank": LowRank(keep=0.3),
                           "sparse_code": SparseCode(nonzeros=2, atoms=8, block=8, dictionary="data")}


@pytest.mark.parametrize("text", TEACHERS)
def test_eight_bits_of_inputs_and_weights_answer_as_the_teacher(text: str, digits: Dataset,
                                                              trained: Callable[[str], Network]) -> None:
    teacher = trained(text)
    candidate = next(SMALL.curve(teacher, digits, [255]))
    layers = compressed_layers(candidate.network)
    assert all(isinstance(layer, IntegerInputs) for layer in layers.values())
    assert agreement(candidate.network, teacher, digits) > 0.97
    said = " ".join(candidate.notes)
    assert ("multiplied as whole numbers of 8 bits" in said) == any(one.multiplies_integers for one in layers.values())
    assert ("float32, a simulation" in said) == (text[:3] in ("cnn", "res"))
    assert state(SMALL.preview(teacher, digits)).keys() == state(candidate.network).keys()


def test_ranges_are_those_of_the_inputs_on_calibration_examples(mlp: Network, digits: Dataset) -> None:
    small = SMALL.compress(mlp, digits)
    inputs = torch.tensor(digits.calibration.inputs).flatten(1)
    assert 0.5 * float(inputs.abs().max()) < float(small[1].reach) <= float(inputs.abs().max()) * 1.001
    again = SMALL.compress(mlp, dataclasses.replace(digits, train=poisoned(digits.train),
                                                    validation=poisoned(digits.validation)))
    assert identical(state(small), state(again))


def test_the_view_of_a_point_is_that_of_its_weights(mlp: Network, digits: Dataset) -> None:
    with_inputs, alone = (next(method.curve(mlp, digits, [255])).inside for method in (SMALL, Quantize(255, per="channel")))
    assert with_inputs == alone and all(layer["is_stored"] for layer in with_inputs["layers"])


def test_corrected_and_trained_layers_and_a_point_of_a_curve(mlp: Network, digits: Dataset) -> None:
    corrected = Quantize(levels=3, correction=2, output_layer=False, activations="int8")
    methods = [corrected, Quantize(levels=5, recovery_epochs=1, activations="int8"), SMALL.at(16)]
    for method, together in zip(methods, SMALL.candidates(copy.deepcopy(mlp), digits, methods), strict=True):
        alone = next(method.candidates(copy.deepcopy(mlp), digits, [method]))
        assert together.inside == alone.inside and identical(state(together.network), state(alone.network))
    layer = corrected.compress(mlp, digits)[1]
    assert isinstance(layer, Corrected) and isinstance(layer.main, IntegerInputs)


def test_later_methods_act_on_it_and_a_fresh_process_predicts_the_same(mlp: Network, digits: Dataset,
                                                                       tmp_path: Path) -> None:
    small = SMALL.compress(mlp, digits)
    made = {"alone": small, **{name: method.compress(small, digits) for name, method in THEN.items()},
            "behind pruning": SMALL.compress(Prune(sparsity=0.7).compress(mlp, digits), digits),
            "behind factors": SMALL.compress(LowRank(keep=0.4).compress(mlp, digits), digits)}
    paths = [tmp_path / name for name in made]
    for path, network in zip(paths, made.values(), strict=True):
        network_file.write(network, path)
    done = python("-c", SCRIPT, *map(str, paths), check=True)
    for line, network in zip(done.stdout.splitlines(), made.values(), strict=True):
        expected = logits_of(network, torch.tensor(digits.validation.inputs)).argmax(1).tolist()
        assert json.loads(line)[1] == expected
