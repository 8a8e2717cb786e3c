"""Quantization with a low rank of what rounding lost: less error, its bytes counted, open to later methods."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import pytest
import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.layers.base import compressed_layers
from compress.layers.input_moments import input_moments
from compress.layers.rounded.corrected import Corrected
from compress.layers.rounded.quantized import Quantized
from compress.method import Method
from compress.methods.distill import Distill
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.methods.sparse_code import SparseCode
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from tests.compress.helpers import agreement, identical, python, state
from tests.compress.test_fresh_process import SCRIPT

SMALL = Quantize(levels=3, correction=4, output_layer=False)
THEN: dict[str, Method] = {
    "quantize": Quantize(levels=16), "prune": Prune(sparsity=0.5),
    "low_rank": LowRank(keep=0.3), "sparse_code": SparseCode(nonzeros=2, atoms=8, block=8, dictionary="data"),
    "distill": Distill(width=0.5, epochs=1, seeds=1, alpha=0.9)}


@pytest.mark.parametrize("scheme", ["gptq", "nearest", "codebook", "ternary"])
@pytest.mark.parametrize("per", ["tensor", "group"])
def test_each_rank_leaves_less_error_and_takes_more_bytes(scheme: str, per: str, mlp: Network, digits: Dataset) -> None:
    shown, sizes = [], []
    for rank in (0, 2, 8):
        method = Quantize(levels=3, scheme=scheme, per=per, correction=rank, output_layer=False)
        candidate = next(method.curve(mlp, digits, [3]))
        shown.append([layer["error"] for layer in candidate.inside["layers"]])
        sizes.append(len(network_file.to_bytes(candidate.network)))
    assert all(small > large > largest for small, large, largest in zip(*shown, strict=True))
    assert sizes == sorted(sizes) and len(set(sizes)) == 3


def test_the_error_that_is_shown_is_that_of_the_outputs_and_its_bits_count_the_factors(mlp: Network,
                                                                                      digits: Dataset) -> None:
    candidate = next(SMALL.curve(mlp, digits, [3]))
    layer, shown = candidate.network[1], candidate.inside["layers"][0]
    inputs = torch.tensor(digits.calibration.inputs).flatten(1)
    with torch.no_grad():
        lost = (mlp[1](inputs) - layer(inputs)).double()
        energy = (inputs.double() @ mlp[1].weight.double().mT).square().sum()
    assert shown["error"] == pytest.approx(float(lost.square().sum() / energy), rel=1e-3)
    assert torch.allclose(lost.mean(0), torch.zeros(len(lost.T)).double(), atol=1e-4)
    rows, columns = mlp[1].weight.shape
    assert shown["correction"] == pytest.approx(32 * 4 * (rows + columns) / (rows * columns))
    half = next(dataclasses.replace(SMALL, precision="float16").curve(mlp, digits, [3])).inside["layers"][0]
    assert half["correction"] == shown["correction"] / 2 and half["bits"] == shown["bits"]


def test_no_correction_of_this_rank_leaves_less(mlp: Network, digits: Dataset) -> None:
    moments = input_moments(mlp, torch.tensor(digits.calibration.inputs), ["1"])["1"]
    layer = SMALL.compress(mlp, digits)[1]
    lost = mlp[1].weight.detach().double() - layer.main.weight.detach()
    covariance = moments.full("1")[0] - moments.mean[0][:, None] * moments.mean[0]
    energies = torch.linalg.eigvalsh(lost @ covariance @ lost.mT)
    left = mlp[1].weight.detach().double() - layer.weight.detach()
    assert float(torch.trace(left @ covariance @ left.mT)) == pytest.approx(float(energies[:-4].sum()), rel=1e-4)


@pytest.mark.parametrize("recovery", ["values", "levels"])
def test_recovery_trains_the_levels_and_the_factors(recovery: str, mlp: Network, digits: Dataset) -> None:
    before = SMALL.compress(mlp, digits)
    method = Quantize(levels=3, correction=4, output_layer=False, recovery_epochs=1, recovery=recovery)
    after = method.compress(mlp, digits)
    assert not identical(state(before[1].correction), state(after[1].correction))
    name = "numbers" if recovery == "levels" else "step"
    assert not torch.equal(getattr(before[1].main.levels, name), getattr(after[1].main.levels, name))


def test_a_point_of_a_curve_is_the_point_alone_and_the_preview_has_its_structure(mlp: Network, digits: Dataset) -> None:
    methods = [SMALL, Quantize(levels=3), SMALL.at(7)]
    for method, together in zip(methods, SMALL.candidates(copy.deepcopy(mlp), digits, methods), strict=True):
        alone = next(method.candidates(copy.deepcopy(mlp), digits, [method]))
        assert together.inside == alone.inside and identical(state(together.network), state(alone.network))
        assert state(method.preview(mlp, digits)).keys() == state(alone.network).keys()


def test_a_rank_that_saves_nothing_leaves_the_layer_as_it_is(mlp: Network, digits: Dataset) -> None:
    candidate = next(Quantize(levels=3, correction=1024).curve(mlp, digits, [3]))
    assert not compressed_layers(candidate.network)
    assert any("stays as it is: its levels would take more room, no gain" in note for note in candidate.notes)


def test_later_methods_act_on_it_and_a_fresh_process_predicts_the_same(mlp: Network, digits: Dataset,
                                                                       tmp_path: Path) -> None:
    small = SMALL.compress(mlp, digits)
    assert all(isinstance(layer, Corrected) for layer in compressed_layers(small).values())
    assert agreement(small, mlp, digits) > 0.9
    made = {"alone": small, **{name: method.compress(small, digits) for name, method in THEN.items()},
            "behind pruning": SMALL.compress(Prune(sparsity=0.7).compress(mlp, digits), digits),
            "behind factors": Quantize(levels=3, correction=1).compress(LowRank(keep=0.4).compress(mlp, digits), digits)}
    paths = [tmp_path / name for name in made]
    for path, network in zip(paths, made.values(), strict=True):
        network_file.write(network, path)
    assert all(isinstance(part, Quantized) for part in made["quantize"][1].correction)
    assert paths[1].stat().st_size < paths[0].stat().st_size
    done = python("-c", SCRIPT, *map(str, paths), check=True)
    for line, network in zip(done.stdout.splitlines(), made.values(), strict=True):
        expected = logits_of(network, torch.tensor(digits.validation.inputs)).argmax(1).tolist()
        assert json.loads(line)[1] == expected
