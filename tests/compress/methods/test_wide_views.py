"""What pages show of a wide table has a bounded size, in every point, in every view and in the teacher's card."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from compress.data.datasets import prepare
from compress.data.pictures import MOST_IN_A_ROW, pictures_file
from compress.data.raw_data import RawData
from compress.methods import methods, named
from compress.networks.families import MLP, Architecture, build
from compress.points.teacher_card import wrong_examples

COLUMNS, MOST = 20_000, 400_000  # letters of JSON


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(40, COLUMNS)).astype(np.float32), np.arange(40) % 2
    return prepare(RawData("wide", "tabular", ("well", "ill"), inputs, labels), "wide", seed=0)


@pytest.fixture(scope="module")
def network(wide):
    return build(Architecture(MLP((8, 4)), wide.shape, 2), 0).eval()


@pytest.mark.parametrize("name", sorted(set(methods()) - {"distill"}))
def test_points_and_views_of_a_wide_table_are_small(name, wide, network):
    quick = {"data_svd": {"epochs": 1}, "data_codes": {"epochs": 1, "iterations": 1}, "activation_codes": {"iterations": 1},
             "quantize": {"scheme": "nearest", "compared": False}, "prune": {"pattern": "unstructured"}}
    dial = named(name).dial
    value = {"data_svd": 2, "data_codes": 2, "activation_codes": 2, "sparse_code": 2}.get(name, named(name).values[0])
    method = named(name).from_plain({**quick.get(name, {}), dial: value})
    assert not method.invalid_reason(network, wide)
    assert len(json.dumps(method.inside(network, wide, [value]))) < MOST
    candidate = next(iter(method.candidates(network, wide, [method])))
    assert len(json.dumps(candidate.inside)) < MOST


def test_the_pictures_of_a_wide_table_are_small(wide, network):
    logits = network(torch.tensor(wide.validation.inputs)).detach()
    shown = wrong_examples(logits, 1 - logits.argmax(1), wide)
    assert shown and len(json.dumps(shown)) < MOST
    assert len(pictures_file(wide)) < len(wide.validation) * MOST_IN_A_ROW + 1_000


def test_inputs_without_weights_are_counted_whole_though_few_are_shown(wide, network):
    method = named("prune").from_plain({"sparsity": 0.99})
    inside = next(iter(method.candidates(network, wide, [method]))).inside
    cut, inputs = inside["inputs_cut"]
    assert inputs == COLUMNS and len(inside["inputs"]) <= MOST_IN_A_ROW and COLUMNS / 2 < cut < COLUMNS
