"""Jobs about one kept network: looked into, and written as ONNX."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from compress.data import datasets
from compress.points import onnx_packages
from compress.progress import no_report
from compress.service.job_kinds import do
from compress.service.requests import (
    ONNX,
    PROGRAM,
    InspectRequest,
    OnnxRequest,
    ProgramRequest,
    inspection_key,
    onnx_key,
    program_key,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def curve(measured):
    return measured("low_rank", (0.1, 0.3))


def test_a_network_is_looked_into_once_and_kept_with_pictures(curve):
    point, store = curve.points[0], curve.store
    do(InspectRequest("digits", point["digest"], curve.teacher["digest"]), store, no_report, CPU)
    found = store.view(inspection_key(point["digest"]), curve.teacher["digest"])
    assert len(found["confidence"]) == point["examples"] and store.artefacts.has(found["pictures"], ".npy")


@pytest.mark.skipif(bool(onnx_packages.missing()), reason="the optional extra for ONNX is not installed")
def test_an_onnx_file_is_kept_with_how_it_runs(curve):
    point, store = curve.points[0], curve.store
    do(OnnxRequest("digits", point["digest"]), store, no_report, CPU)
    found = store.view(onnx_key(point["digest"]), ONNX)
    assert found["agreement"] == 1.0 and found["examples"] == point["examples"]
    assert len(store.artefacts.contents(found["digest"], ".onnx")) == found["bytes"]


def test_a_program_is_kept_with_how_it_runs(curve):
    point, store = curve.points[0], curve.store
    do(ProgramRequest("digits", point["digest"]), store, no_report, CPU)
    found = store.view(program_key(point["digest"]), PROGRAM)
    assert found["agreement"] == 1.0 and found["examples"] == point["examples"]
    assert len(store.artefacts.contents(found["digest"], ".pt2")) == found["bytes"]


def test_a_network_of_other_contents_is_refused(curve, monkeypatch):
    other = replace(datasets.load("digits"), digest="0" * 16)
    monkeypatch.setattr(datasets, "load", lambda name, report: other)
    with pytest.raises(ValueError, match="made for other contents of digits"):
        do(InspectRequest("digits", curve.points[0]["digest"], curve.teacher["digest"]), curve.store, no_report, CPU)


@pytest.mark.parametrize("packages", [("onnx",), ("onnxruntime",)])
def test_missing_packages_are_named_with_the_line_that_installs_them(monkeypatch, packages):
    monkeypatch.setattr(onnx_packages, "find_spec", lambda name: None if name in packages else object())
    assert onnx_packages.missing() == (f"ONNX files need {', '.join(packages)}, an optional extra. Install it with: "
                                       "pip install onnx onnxscript onnxruntime")
