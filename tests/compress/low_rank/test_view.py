"""The inside view of low rank: what its charts show is true."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import numpy as np
import pytest
import torch

from compress.data.datasets import Dataset
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from compress.progress import Cancelled, LayersSoFar, Reporter


@pytest.fixture(scope="module")
def view(trained: Callable[[str], Network], digits: Dataset) -> dict:
    return LowRank(scheme="whitened").inside(trained("mlp(hidden=48-32,epochs=6)"), digits, [0.1, 0.5])


def test_there_is_one_layer_for_each_that_takes_part_and_it_is_plain_data(view: dict) -> None:
    assert [layer["path"] for layer in view["layers"]] == ["1", "3"]
    assert [layer["ranks"] for layer in view["layers"]] == [[5, 24], [3, 16]]
    json.loads(json.dumps(view, allow_nan=False))


def test_singular_values_and_errors_are_numpys(view: dict, mlp: Network) -> None:
    for layer in view["layers"]:
        values = np.linalg.svd(mlp.get_submodule(layer["path"]).weight.detach().double().numpy(), compute_uv=False)
        assert np.allclose(layer["sigma"], values / values[0], rtol=1e-4)
        left = 1 - np.concatenate([[0], np.cumsum(values**2)]) / (values**2).sum()
        assert np.allclose(layer["weight_error"], left, atol=1e-4)
        assert np.allclose(np.array(layer["energy"]) + layer["weight_error"], 1, atol=1e-4)


def test_the_errors_shown_on_validation_are_those_measured_there(view: dict, mlp: Network, digits: Dataset) -> None:
    held = torch.tensor(digits.validation.inputs)
    pieces = {scheme: LowRank(scheme=scheme).factorised(mlp, digits) for scheme in ("plain", "whitened")}
    with torch.inference_mode():
        for layer, before in zip(view["layers"], (1, 3), strict=True):
            inputs = mlp[:before](held).double()
            weights = mlp[before].weight.double()
            wanted = inputs @ weights.mT
            for scheme in ("plain", "whitened"):
                basis = pieces[scheme][layer["path"]].subspace.basis[0, :, :6]
                gap = inputs @ (weights - basis @ (basis.mT @ weights)).mT
                shown = layer[f"output_error_{scheme}"][6]
                assert shown == pytest.approx(float(gap.square().sum() / wanted.square().sum()), rel=1e-3)


def test_whitening_is_shown_to_leave_less_output_error_than_plain_svd(view: dict) -> None:
    for layer in view["layers"]:
        pairs = list(zip(layer["output_error_whitened"], layer["output_error_plain"], strict=True))
        assert sum(ours < plain for ours, plain in pairs) > 0.8 * len(pairs)


def test_the_spectra_of_layers_that_are_done_are_reported_one_after_another(mlp: Network, digits: Dataset) -> None:
    told: list[LayersSoFar] = []
    report = Reporter(lambda progress: told.append(progress.live) if isinstance(progress.live, LayersSoFar) else None)
    whole = LowRank(scheme="whitened", output_layer=True).inside(mlp, digits, [0.1, 0.5], report)
    assert [len(one.layers) for one in told][-2:] == [1, 2] and {one.count for one in told} == {3}
    assert all(one.values == (0.1, 0.5) for one in told)
    for early, late in zip(told[-1].layers, whole["layers"], strict=False):
        assert early.items() <= late.items() and {"sigma", "whitened_sigma", "ranks", "title"} <= early.keys()
    json.dumps(told[-1].plain())


def test_it_is_cancelled_between_two_layers_and_while_examples_are_read(mlp: Network, digits: Dataset) -> None:
    for text in ("spectra of layer 3", "reading calibration activations"):
        told: list[str] = []
        report = Reporter(lambda progress, told=told: told.append(progress.text),
                          lambda text=text, told=told: told.count(text) == 1 + ("reading" in text))
        with pytest.raises(Cancelled):
            LowRank(scheme="whitened").inside(copy.deepcopy(mlp), digits, [0.1], report)
        assert told[-1] == text
