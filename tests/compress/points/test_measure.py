"""What is measured of a network is what is in its file."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from compress.data.datasets import Dataset
from compress.files import container, network_file
from compress.files.artefacts import Artefacts
from compress.files.made_for import MadeFor
from compress.files.waterfall import waterfall
from compress.method import Candidate
from compress.methods.low_rank import LowRank
from compress.networks.families import Network
from compress.points.measure import Reference, calibration_error, counts, evaluate, measure, measured, scores
from compress.points.statistics import wilson
from tests.compress.helpers import identical, poisoned, state


def test_a_network_agrees_with_itself(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    point = measure(Candidate(LowRank(), mlp), digits, Reference.of(mlp, digits), Artefacts(tmp_path), latency=False)
    assert point.agreement == 1.0 and point.bytes == Artefacts(tmp_path).path(point.digest).stat().st_size
    assert (point.latency, point.latency_low, point.latency_high) == (None, None, None)


def test_a_point_has_the_values_counted_by_hand(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    reference = Reference.of(mlp, digits)
    candidate = next(LowRank(scheme="plain").curve(mlp, digits, [0.1]))
    point = measure(candidate, digits, reference, Artefacts(tmp_path), "the recipe", 3, latency=False)
    with torch.inference_mode():
        reloaded = network_file.read(Artefacts(tmp_path).path(point.digest))
        predicted = reloaded(torch.tensor(digits.validation.inputs)).argmax(1).numpy()
    right = int((predicted == digits.validation.labels).sum())
    examples = len(digits.validation)
    assert (point.correct, point.examples, point.accuracy) == (right, examples, right / examples)
    assert (point.accuracy_low, point.accuracy_high) == wilson(right, examples)
    assert point.agreement == pytest.approx(float((predicted == reference.predictions.numpy()).mean()))
    assert np.array_equal(np.frombuffer(point.predictions, dtype="<u2"), predicted)
    ranks = candidate.inside["ranks"]
    by_hand = ranks["1"] * (64 + 48) + ranks["3"] * (48 + 32) + 320
    assert point.macs == by_hand and point.parameters == by_hand + 48 + 32 + 10 == point.nonzeros
    assert (point.dial, point.seed, point.recipe, point.inside) == (
        0.1, 3, "the recipe", {"ranks": ranks, "waterfall": waterfall(Artefacts(tmp_path).contents(point.digest), 4 * 5018)})
    assert point.inside["waterfall"]["steps"][0]["bytes"] == 4 * network_file.nonzeros(mlp)
    assert len(point.digest) == 16 and Artefacts(tmp_path).has(point.digest)


def test_a_point_is_plain_data_without_the_predictions(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    point = measure(Candidate(LowRank(keep=0.5), mlp), digits, Reference.of(mlp, digits), Artefacts(tmp_path),
                    latency=False)
    plain = json.loads(json.dumps(point.plain(), allow_nan=False))
    assert "predictions" not in plain and plain["dial"] == 0.5
    assert set(plain) == {field.name for field in dataclasses.fields(point)} - {"predictions"}


def test_contents_that_are_not_the_network_are_what_is_weighed(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    contents = container.pack({"compressed_data": "digits"}, {"codes": torch.arange(40.0)})
    candidate = Candidate(LowRank(), mlp, contents=contents)
    point = measure(candidate, digits, Reference.of(mlp, digits), Artefacts(tmp_path), latency=False)
    assert point.bytes == len(contents) and Artefacts(tmp_path).contents(point.digest) == contents
    assert point.inside["waterfall"]["parts"]["values"]["stored"] == 160


def test_what_is_measured_is_what_was_read_back_from_the_file(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    """A network that its file does not give back, and outputs that are not the file's network's, leave no trace."""
    wrong = copy.deepcopy(mlp)
    wrong.append(nn.Softmin(dim=1))  # no tensors, so that nothing in the file says that it was there
    reference = Reference.of(mlp, digits)
    point = measure(Candidate(LowRank(), wrong), digits, reference, Artefacts(tmp_path), latency=False)
    assert point.agreement == 1.0 and Reference.of(wrong, digits).predictions.ne(reference.predictions).any()
    lying = copy.deepcopy(mlp)
    lying.append(nn.Linear(10, 10))
    with pytest.raises(ValueError, match="does not fit its own manifest"):
        measure(Candidate(LowRank(), lying), digits, reference, Artefacts(tmp_path), latency=False)


def test_measuring_reads_validation_and_nothing_else(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    alone = dataclasses.replace(digits, train=poisoned(digits.train), calibration=poisoned(digits.calibration),
                                _test=poisoned(digits.open_test()))
    points = [measure(Candidate(LowRank(), mlp), data, Reference.of(mlp, data), Artefacts(tmp_path), latency=False)
              for data in (digits, alone)]
    assert points[0] == points[1]


def test_every_ratio_has_one_baseline_the_teachers_own_file(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    """The teacher is written, counted and scored by the same code as its students."""
    reference = Reference.of(mlp, digits)
    teacher = measured(mlp, network_file.to_bytes(mlp, MadeFor.of(digits)), digits, reference)
    same = next(LowRank(coding="none").curve(mlp, digits, [1.0]))
    student = measure(same, digits, reference, Artefacts(tmp_path), latency=False)
    for name in ("bytes", "parameters", "nonzeros", "macs", "accuracy", "agreement", "negative_log_likelihood",
                 "expected_calibration_error", "digest", "predictions"):
        assert getattr(student, name) == getattr(teacher, name), name


def test_measuring_changes_no_network(resnet: Network, digits: Dataset, tmp_path: Path) -> None:
    before = state(resnet)
    measure(Candidate(LowRank(), resnet), digits, Reference.of(resnet, digits), Artefacts(tmp_path))
    assert identical(before, state(resnet)) and not resnet.training


def test_zeros_are_parameters_but_not_nonzeros() -> None:
    layer = nn.Linear(4, 3)
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)
    assert counts(Network(layer), torch.zeros(1, 4)) == {"parameters": 15, "nonzeros": 12, "macs": 12}


def test_any_split_can_be_evaluated_with_or_without_a_reference(mlp: Network, digits: Dataset) -> None:
    assert evaluate(mlp, digits.calibration)["agreement"] is None
    found = evaluate(mlp, digits.calibration, mlp)
    assert found["agreement"] == 1.0 and found["examples"] == len(digits.calibration)


def test_the_likelihood_of_certain_and_even_answers() -> None:
    labels = torch.tensor([0, 1])
    assert scores(torch.zeros(2, 4), labels, None)["negative_log_likelihood"] == pytest.approx(np.log(4))
    assert scores(torch.eye(4)[:2] * 100, labels, None)["negative_log_likelihood"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_outputs_that_are_no_numbers_have_no_accuracy(value: float, mlp: Network, digits: Dataset) -> None:
    broken = copy.deepcopy(mlp)
    broken[-1].bias.data[3] = value
    words = rf"NaN or infinite for {len(digits.validation)} of {len(digits.validation)} examples.*lower learning rate"
    with pytest.raises(ValueError, match=words):
        evaluate(broken, digits.validation)
    with pytest.raises(ValueError, match=words):
        measured(broken, b"", digits, Reference.of(mlp, digits))
    logits = torch.zeros(4, 3)
    logits[1, 2] = value
    with pytest.raises(ValueError, match="for 1 of 4 examples"):
        calibration_error(logits, torch.zeros(4, dtype=torch.long))


def test_the_calibration_error_of_a_case_made_by_hand() -> None:
    """Ten answers given with 90 %, of which 7 are right, and ten with 60 %, of which 8 are right: (0.2 + 0.2) / 2."""
    sure, unsure = [np.log(0.9), np.log(0.1)], [np.log(0.6), np.log(0.4)]
    logits = torch.tensor([sure] * 10 + [unsure] * 10)
    labels = torch.tensor([0] * 7 + [1] * 3 + [0] * 8 + [1] * 2)
    assert calibration_error(logits, labels) == pytest.approx(0.2, abs=1e-6)


def test_a_calibration_error_is_zero_for_certainty_that_is_right_and_one_for_certainty_that_is_wrong() -> None:
    logits = torch.eye(3, dtype=torch.float64)[torch.tensor([0, 1, 2, 0])] * 1000
    assert calibration_error(logits, torch.tensor([0, 1, 2, 0])) == 0.0
    assert calibration_error(logits, torch.tensor([1, 2, 0, 1])) == 1.0


def test_gaps_of_opposite_sign_do_not_cancel_between_bins() -> None:
    logits = torch.log(torch.tensor([[0.95, 0.05]] * 10 + [[0.55, 0.45]] * 10, dtype=torch.float64))
    labels = torch.tensor([0] * 5 + [1] * 5 + [0] * 10)
    assert calibration_error(logits, labels) == pytest.approx((0.45 + 0.45) / 2)
