"""An exported network predicts in ONNX Runtime what it predicts here, from examples as they come."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.methods.data_codes import DataCodes
from compress.methods.low_rank import LowRank
from compress.points import onnx_export
from compress.shell import of_files
from tests.compress.helpers import python

onnx = pytest.importorskip("onnx", reason="the optional extra for ONNX is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the optional extra for ONNX is not installed")
pytest.importorskip("onnxscript", reason="the optional extra for ONNX is not installed")


@pytest.fixture(scope="module")
def factors(trained, digits):
    return LowRank(keep=0.3, scheme="centred").compress(trained("mlp(hidden=48-32,epochs=6)"), digits)


@pytest.fixture(scope="module")
def made(factors, digits):
    return onnx_export.to_onnx(factors, MadeFor.of(digits))


def test_the_file_reads_raw_examples_of_any_number_and_names_its_classes(made, factors, digits):
    model = onnx.load_from_string(made)
    onnx.checker.check_model(model)
    assert {one.key: one.value for one in model.metadata_props} == {
        "classes": "\n".join(digits.classes), "data": "digits", "made_by": "Compression Explorer"}
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    raw = digits.normaliser.undo(digits.validation.inputs).astype(np.float32)
    with torch.no_grad():
        ours = factors(torch.tensor(digits.validation.inputs)).numpy()
    for count in (1, 7, len(raw)):
        (theirs,) = session.run(None, {"examples": raw[:count]})
        assert np.abs(theirs - ours[:count]).max() < 1e-4


def test_factors_stay_two_layers(made, factors):
    weights = sum(np.prod(one.dims) for one in onnx.load_from_string(made).graph.initializer)
    assert weights < 1.1 * sum(parameter.numel() for parameter in factors.parameters()) + 100


def test_agreement_is_of_all_validation_examples_and_sees_another_network(made, factors, mlp, digits):
    described = MadeFor.of(digits)
    found = onnx_export.agreement(made, factors, described, digits)
    assert (found.examples, found.agreement) == (len(digits.validation), 1.0)
    assert found.largest_difference < 1e-4 and found.latency_low <= found.latency <= found.latency_high
    assert onnx_export.agreement(made, mlp, described, digits).agreement < 1.0


def test_batch_norm_and_convolutions_are_exported(resnet, digits):
    described = MadeFor.of(digits)
    assert onnx_export.agreement(onnx_export.to_onnx(resnet, described), resnet, described, digits).agreement == 1.0


def test_a_pursuit_of_nonnegative_coefficients_is_refused_in_words(mlp, digits):
    coded = DataCodes(nonzeros=2, atoms=20, iterations=1, epochs=1, classify="codes", nonnegative=True).compress(mlp, digits)
    with pytest.raises(ValueError, match="A pursuit of coefficients that are not negative"):
        onnx_export.to_onnx(coded, MadeFor.of(digits))


def test_the_command_writes_the_file_and_says_what_agrees(factors, digits, elsewhere):
    network_file.write(factors, "net.safetensors", MadeFor.of(digits))
    said = of_files.exported("net.safetensors", "onnx", None, None)
    assert said["onnx"] == "net.onnx" and said["agreement"] == 1.0 and said["data"] == "digits"
    assert (elsewhere / "net.onnx").stat().st_size == said["onnx_bytes"]
    json.dumps(said)


def test_a_file_that_predicts_otherwise_is_not_written(factors, made, digits, elsewhere, monkeypatch):
    monkeypatch.setattr(onnx_export, "to_onnx", lambda *given: made)
    network_file.write(factors, "net.safetensors", MadeFor.of(digits))
    found = onnx_export.Agreement(400, 0.9, 3.0, 1.0, 1.0, 1.0)
    monkeypatch.setattr(onnx_export, "agreement", lambda *given: found)
    with pytest.raises(ValueError, match=r"was not exported: ONNX Runtime predicts the same class for 90\.0 % of 400"):
        of_files.exported("net.safetensors", "onnx", None, None)
    assert not (elsewhere / "net.onnx").exists()


def test_without_the_packages_the_line_that_installs_them_is_said(factors, digits, elsewhere):
    network_file.write(factors, "net.safetensors", MadeFor.of(digits))
    program = ("import importlib.util as u, sys; real = u.find_spec; "
               "u.find_spec = lambda name, *more: None if name.startswith('onnx') else real(name, *more); "
               "from compress.__main__ import main; sys.exit(main(['export', 'net.safetensors', '--to', 'onnx']))")
    ran = python("-c", program)
    assert ran.returncode == 2 and "pip install onnx onnxscript onnxruntime" in ran.stderr, ran.stderr
    assert not (elsewhere / "net.onnx").exists()


def test_a_file_without_a_description_is_refused(factors, elsewhere):
    network_file.write(factors, "net.safetensors")
    with pytest.raises(ValueError, match="does not say which data it was made for"):
        of_files.exported("net.safetensors", "onnx", None, None)
