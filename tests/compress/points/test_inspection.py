"""A network beside its teacher: how sure it is, its layers, what each of them changed."""

from __future__ import annotations

import json

import pytest
import torch

from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers import base
from compress.methods.distill import Distill
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.quantize import Quantize
from compress.points.inspection import EXAMPLES, calibration, changes, inspection, linear_cka
from compress.points.measure import calibration_error


@pytest.mark.parametrize("method", [LowRank(keep=0.3), Prune(sparsity=0.7), Quantize(levels=8)], ids=lambda one: one.name)
def test_what_is_found_is_plain_and_adds_up(method, mlp, digits):
    network = network_file.from_bytes(network_file.to_bytes(method.compress(mlp, digits), MadeFor.of(digits), method.stored))
    contents = network_file.to_bytes(network, MadeFor.of(digits), method.stored)
    found = inspection(network, mlp, contents, digits)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert len(found["confidence"]) == len(digits.validation) and all(0 <= one <= 100 for one in found["confidence"])
    example = torch.tensor(digits.validation.inputs[:1])
    assert sum(row["macs"] for row in found["layers"]) == base.macs(network, example)
    assert sum(row["parameters"] for row in found["layers"]) == sum(one.numel() for one in network.parameters())
    assert 0 < sum(row["bytes"] for row in found["layers"]) < len(contents)
    for row in found["changes"]:
        assert 0 < row["cosine"] < 1.0001 and 0 < row["cka"] <= 1.0001
        weights = mlp.get_submodule(row["path"]).weight
        assert sum(row["histogram"]["before"]) == sum(row["histogram"]["after"]) == weights.numel()
        assert row["spectrum"]["before"][0] == pytest.approx(1.0)


def test_the_teacher_itself_is_unchanged(mlp, digits):
    for row in changes(mlp, mlp, torch.tensor(digits.validation.inputs[:EXAMPLES])):
        assert row["cosine"] == pytest.approx(1) and row["error"] == 0 and row["cka"] == pytest.approx(1)
        assert row["spectrum"]["before"] == row["spectrum"]["after"]


def test_layers_of_other_sizes_are_compared_by_their_outputs_alone(mlp, digits):
    student = Distill(width=0.5, epochs=1).compress(mlp, digits)
    rows = changes(student, mlp, torch.tensor(digits.validation.inputs[:EXAMPLES]))
    assert len(rows) == 3 and all("cosine" not in row and 0 < row["cka"] < 1 for row in rows)


def test_alignment_sees_neither_rotation_nor_scale_but_another_network():
    numbers = torch.Generator().manual_seed(0)
    one, other = torch.randn(40, 6, generator=numbers), torch.randn(40, 6, generator=numbers)
    rotation = torch.linalg.qr(torch.randn(6, 6, generator=numbers)).Q
    assert linear_cka(one, 3 * one @ rotation + 2) == pytest.approx(1, abs=1e-5)
    assert linear_cka(one, other) < 0.5
    assert linear_cka(one, torch.ones(40, 2)) is None


def test_bins_hold_all_examples_and_give_the_calibration_error_of_ten_bins(mlp, digits):
    numbers = torch.Generator().manual_seed(0)
    logits, labels = 3 * torch.randn(500, 10, generator=numbers), torch.randint(10, (500,), generator=numbers)
    found = calibration(logits, labels)
    assert sum(one["examples"] for one in found) == 500
    assert sum(one["right"] for one in found) == int((logits.argmax(1) == labels).sum())
    error = sum(abs(one["right"] - one["confidence"] * one["examples"]) for one in found) / 500
    assert error == pytest.approx(calibration_error(logits, labels), abs=0.03)
