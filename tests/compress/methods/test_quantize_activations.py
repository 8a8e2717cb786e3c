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
from compress.quantization.activations import EXAMPLES, input_ranges
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
    width = float(inputs.max()) - min(0.0, float(inputs.min()))
    assert 0.4 * width < 2 * float(small[1].reach) <= 1.001 * width
    assert small[3].zero == -127, "no input behind ReLU is negative"
    again = SMALL.compress(mlp, dataclasses.replace(digits, train=poisoned(digits.train),
                                                    validation=poisoned(digits.validation)))
    assert identical(state(small), state(again))


@pytest.mark.parametrize("text", ["mlp(hidden=48-32,epochs=6)", "cnn(epochs=1)"])
def test_biases_take_up_the_mean_errors_of_the_outputs(text: str, digits: Dataset,
                                                       trained: Callable[[str], Network]) -> None:
    weights, small = (Quantize(levels=255, per="channel", activations=inputs).compress(trained(text), digits)
                      for inputs in ("float32", "int8"))
    calibration = torch.tensor(digits.calibration.inputs)[:EXAMPLES]
    means = [logits_of(one, calibration).double().mean(0) for one in (weights, small)]
    assert torch.allclose(*means, atol=1e-5) and not torch.equal(*means)


def test_batch_normalisation_takes_them_up_where_layers_have_no_bias(digits: Dataset,
                                                                      trained: Callable[[str], Network]) -> None:
    weights, small = (Quantize(levels=255, per="channel", activations=inputs).compress(
        trained("resnet(channels=8-16,epochs=2)"), digits) for inputs in ("float32", "int8"))
    calibration = torch.tensor(digits.calibration.inputs)[:EXAMPLES]
    paths = [path for path, norm in small.named_modules() if isinstance(norm, torch.nn.BatchNorm2d)]
    assert len(paths) > 3
    before, after = (outputs_of(one, calibration, paths) for one in (weights, small))
    for path in paths:
        assert torch.allclose(before[path].mean((0, 2, 3)), after[path].mean((0, 2, 3)), atol=2e-6)
        assert torch.allclose(before[path].std((0, 2, 3)), after[path].std((0, 2, 3)), rtol=1e-4)
        small.get_submodule(path).load_state_dict(weights.get_submodule(path).state_dict())
    untouched = outputs_of(small, calibration, paths)
    assert any(not torch.allclose(before[path].mean((0, 2, 3)), untouched[path].mean((0, 2, 3)), atol=1e-5)
               for path in paths)


def outputs_of(network: Network, inputs: torch.Tensor, paths: list[str]) -> dict[str, torch.Tensor]:
    seen: dict[str, torch.Tensor] = {}
    hooks = [network.get_submodule(path).register_forward_hook(
        lambda _, arguments, output, path=path: seen.update({path: output.double()})) for path in paths]
    logits_of(network, inputs)
    for hook in hooks:
        hook.remove()
    return seen


def test_inputs_that_are_not_finite_are_refused(mlp: Network, digits: Dataset) -> None:
    with torch.no_grad():
        quantized = Quantize(levels=255).compress(mlp, digits)
        quantized[1].bias[0] = float("inf")
    inputs = torch.tensor(digits.calibration.inputs)
    with pytest.raises(ValueError, match="the inputs of layer 3 on calibration examples must be finite"):
        input_ranges(quantized, inputs, ["1", "3"])


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
