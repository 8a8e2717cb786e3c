"""A file is complete: another process with the file alone has exactly the outputs of the network that was saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import torch

from compress.data.datasets import Dataset
from compress.files import network_file
from compress.methods.low_rank import LowRank
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.points.measure import evaluate
from tests.compress.helpers import python

SCRIPT = """
import hashlib, json, sys, torch
from compress.data import datasets
from compress.files import network_file
from compress.networks import device
from compress.networks.evaluation import logits_of
device.prepare()
inputs = torch.tensor(datasets.load("digits").validation.inputs)
for path in sys.argv[1:]:
    logits = logits_of(network_file.read(path), inputs)
    digest = hashlib.sha256(logits.numpy().tobytes()).hexdigest()
    sys.stdout.write(json.dumps([digest, logits.argmax(1).tolist()]) + chr(10))
"""


def test_a_reloaded_network_gives_identical_outputs(trained: Callable[[str], Network], digits: Dataset,
                                                    tmp_path: Path) -> None:
    networks = [LowRank(keep=0.2).compress(trained(text), digits) for text in
                ("mlp(hidden=48-32,epochs=6)", "resnet(channels=8-16,epochs=2)", "gru(hidden=24,epochs=2)")]
    for number, network in enumerate(networks):
        network_file.write(network, tmp_path / str(number))
    lines = python("-c", SCRIPT, *(str(tmp_path / str(number)) for number in range(3)), check=True).stdout.splitlines()
    inputs = torch.tensor(digits.validation.inputs)
    for network, line in zip(networks, lines, strict=True):
        logits = logits_of(network, inputs)
        digest, predicted = json.loads(line)
        assert predicted == logits.argmax(1).tolist()
        assert digest == hashlib.sha256(logits.numpy().tobytes()).hexdigest()


def test_evaluate_on_the_command_line_repeats_the_accuracy(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    small = LowRank(keep=0.15).compress(mlp, digits)
    network_file.write(small, tmp_path / "small")
    network_file.write(mlp, tmp_path / "teacher")
    done = python("-m", "compress", "evaluate", str(tmp_path / "small"), "--data", "digits",
                  "--teacher", str(tmp_path / "teacher"))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = evaluate(small, digits.validation, mlp)
    assert {name: found[name] for name in ("accuracy", "correct", "agreement", "negative_log_likelihood")} == {
        name: expected[name] for name in ("accuracy", "correct", "agreement", "negative_log_likelihood")}
    assert found["bytes"] == (tmp_path / "small").stat().st_size and found["split"] == "validation"
