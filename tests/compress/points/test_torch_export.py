"""Programs of torch.export predict what their networks predict, also where there is only torch."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from compress.files import network_file
from compress.files.made_for import MadeFor
from compress.layers.plain_form import EvenPursuit
from compress.methods import methods
from compress.methods.data_codes import DataCodes
from compress.networks.evaluation import logits_of
from compress.points import torch_export
from compress.shell import of_files
from compress.solvers.pursuit import SparseCoder
from tests.compress.points.onnx_graph.cases import CASES, MORE, network_of

MLP = "mlp(hidden=48-32,epochs=6)"
SHOWN = ("low rank", "distilled", "hidden outputs by a pursuit", "pruned, codebook", "projected examples",
         "codes of examples", "256 levels, inputs of 8 bits", "sparse code, 32 levels")
READER = """
import json, sys, numpy, torch
assert not any(name.startswith("compress") for name in sys.modules)
examples = torch.from_numpy(numpy.load("raw.npy"))
for name in sys.argv[1:]:
    extra = {"about.json": ""}
    program = torch.export.load(name, extra_files=extra)
    print(json.dumps([json.loads(extra["about.json"])["classes"], program.module()(examples).argmax(1).tolist()]))
"""


def test_a_process_with_torch_alone_predicts_the_same_from_a_program_of_every_method(trained, digits, elsewhere):
    cases, described, teacher, wanted = {**CASES, **MORE}, MadeFor.of(digits), trained(MLP), []
    raw = digits.normaliser.undo(digits.validation.inputs).astype(np.float32)
    np.save("raw.npy", raw)
    for number, case in enumerate(SHOWN):
        network, _ = network_of(cases[case], teacher, digits)
        (elsewhere / f"{number}.pt2").write_bytes(torch_export.to_program(network, described))
        wanted.append(logits_of(network, torch.from_numpy(described.normaliser.apply(raw))).argmax(1).tolist())
    ran = subprocess.run([sys.executable, "-I", "-c", READER, *(f"{number}.pt2" for number in range(len(SHOWN)))],
                         capture_output=True, text=True, timeout=300)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [predicted for _, predicted in found] == wanted, ran.stderr
    assert all(tuple(classes) == digits.classes for classes, _ in found)
    assert {cases[case].partition("(")[0] for case in SHOWN} == set(methods())


@pytest.mark.parametrize(("family", "case"), [("resnet(channels=8-16,epochs=2)", "codebook, inputs of 8 bits"),
                                              ("cnn(channels=4-8,hidden=24,epochs=1)", "low rank, 32 levels"),
                                              ("gru(hidden=12,epochs=1)", "pruned weights")])
def test_other_families_agree_on_all_validation_examples(family, case, trained, digits):
    network, _ = network_of(CASES[case], trained(family), digits)
    described = MadeFor.of(digits)
    found = torch_export.agreement(torch_export.to_program(network, described), network, described, digits)
    assert (found.examples, found.agreement) == (len(digits.validation), 1.0) and found.largest_difference < 1e-3


@pytest.mark.parametrize("tolerance", [0.0, 2.0])
def test_a_pursuit_of_even_steps_has_the_coefficients_of_the_pursuit(tolerance):
    generator = torch.Generator().manual_seed(0)
    atoms = torch.randn(20, 12, generator=generator) * torch.rand(20, 1, generator=generator) * 3
    signals = torch.cat([torch.randn(50, 12, generator=generator), torch.zeros(1, 12), atoms[3:4] * 2])
    atoms[5] = 0  # never chosen
    coder = SparseCoder(5, tolerance)
    expected = coder(signals, atoms).dense(len(atoms))
    assert torch.allclose(EvenPursuit(coder, atoms)(signals), expected, atol=1e-4)
    assert int((expected != 0).sum(1).max()) == 5 and not bool(expected[:, 5].any())


def test_a_pursuit_of_nonnegative_coefficients_is_refused_in_words(mlp, digits):
    coded = DataCodes(nonzeros=2, atoms=20, iterations=1, epochs=1, classify="codes", nonnegative=True).compress(mlp, digits)
    with pytest.raises(ValueError, match=r"A pursuit of coefficients that are not negative .* Export a network of another"):
        torch_export.to_program(coded, MadeFor.of(digits))


def test_the_command_writes_the_program_and_says_what_agrees(mlp, digits, elsewhere):
    network_file.write(mlp, "net.safetensors", MadeFor.of(digits))
    said = of_files.exported("net.safetensors", "torch", None, None)
    assert said["torch"] == "net.pt2" and said["agreement"] == 1.0
    assert (elsewhere / "net.pt2").stat().st_size == said["torch_bytes"]


def test_a_program_that_predicts_otherwise_is_not_written(mlp, digits, elsewhere, monkeypatch):
    network_file.write(mlp, "net.safetensors", MadeFor.of(digits))
    monkeypatch.setattr(torch_export, "agreement", lambda *given: torch_export.Agreement(400, 0.9, 3.0))
    with pytest.raises(ValueError, match=r"program of torch\.export predicts the same class for 90\.0 % of 400"):
        of_files.exported("net.safetensors", "torch", None, None)
    assert not (elsewhere / "net.pt2").exists()
