"""A point of every method, on every family of networks, predicts in ONNX Runtime what it predicts here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compress.files.made_for import MadeFor
from compress.methods import methods
from compress.networks.evaluation import logits_of
from compress.points import onnx_export
from tests.compress.points.onnx_graph.cases import CASES, MORE, network_of

onnx = pytest.importorskip("onnx", reason="the optional extra for ONNX is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the optional extra for ONNX is not installed")

TEACHERS = {"mlp": "mlp(hidden=48-32,epochs=6)", "cnn": "cnn(channels=4-8,hidden=24,epochs=1)",
            "resnet": "resnet(channels=8-16,epochs=2)", "gru": "gru(hidden=12,epochs=1)"}
QUICK = ("distilled", "hidden outputs by a pursuit")  # whose classifier says nothing of the family
OTHERS = [name for name in CASES if name not in QUICK]
PAIRS = [("mlp", name) for name in (*CASES, *MORE)] + [(family, name) for family in list(TEACHERS)[1:] for name in OTHERS]


@pytest.fixture(scope="module")
def described(digits):
    return MadeFor.of(digits)


def test_the_cases_are_of_every_method():
    assert {text.partition("(")[0] for text in (*CASES.values(), *MORE.values())} == set(methods())


@pytest.mark.parametrize(("family", "case"), PAIRS)
def test_every_validation_example_is_given_the_same_class(family, case, trained, digits, described):
    network, _ = network_of({**CASES, **MORE}[case], trained(TEACHERS[family]), digits)
    contents = onnx_export.written(network, described)
    onnx.checker.check_model(onnx.load_from_string(contents))
    raw = digits.normaliser.undo(digits.validation.inputs).astype(np.float32)
    theirs = onnx_export.session_of(contents).run(None, {"examples": raw})[0]
    ours = logits_of(network, torch.from_numpy(described.normaliser.apply(raw))).numpy()
    assert np.array_equal(ours.argmax(1), theirs.argmax(1))
    rounds_inputs = "8 bits" in case or "by a" in case or "components" in case  # a last digit may round to another number
    assert np.abs(ours - theirs).max() < (0.05 if rounds_inputs else 1e-5)
