"""The test split: opened in one place only, for finished networks, and counted."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import compress
from compress.curves.final_report import final_report
from compress.curves.sink import opened_counter
from compress.curves.store import Store
from compress.curves.sweep import run, sweep_of
from compress.data import datasets
from compress.data.datasets import Dataset, Split
from compress.files import container, network_file
from compress.networks.families import Network
from compress.progress import Reporter
from compress.recipe import Recipe
from compress.service.job_kinds import do
from compress.service.requests import FinalRequest
from tests.compress.helpers import toy_data

PACKAGE = Path(compress.__file__).parent


def names_used(path: Path) -> set[str]:
    """Every attribute and name that a source file uses."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    return ({node.attr for node in nodes if isinstance(node, ast.Attribute)}
            | {node.id for node in nodes if isinstance(node, ast.Name)}
            | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)})


def test_only_the_final_report_opens_the_test_split() -> None:
    openers = {path.name for path in PACKAGE.rglob("*.py") if "open_test" in names_used(path)}
    assert openers == {"final_report.py"}
    insiders = {path.name for path in PACKAGE.rglob("*.py") if "_test" in names_used(path)}
    assert insiders <= {"datasets.py"}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of every data set whose test split is opened."""
    names: list[str] = []
    original = Dataset.open_test

    def spy(data: Dataset) -> Split:
        names.append(data.name)
        return original(data)

    monkeypatch.setattr(Dataset, "open_test", spy)
    return names


def test_teaching_and_sweeping_never_open_it(opened: list[str], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    data = toy_data((16,))
    monkeypatch.setattr(datasets, "load", lambda name, seed=0, report=None: data)
    recipe = Recipe.parse("toy/mlp(hidden=16-16,epochs=2)/low_rank(allocation=greedy,recovery_steps=3)/0")
    assert list(run(sweep_of(recipe, [0.2, 0.4]), store)) and opened == []


def test_a_report_opens_the_test_split_once_counts_it_and_has_the_accuracy(opened: list[str], mlp: Network, digits: Dataset,
                                                                store: Store, tmp_path: Path) -> None:
    report = final_report("digits", {"a": mlp, "b": mlp}, store)
    assert opened == ["digits"] and report["opened"] == 1 == store.counter(opened_counter("digits", digits.digest))
    split = digits.open_test()
    with torch.inference_mode():
        right = (mlp(torch.tensor(split.inputs)).argmax(1).numpy() == split.labels).mean()
    assert [row["name"] for row in report["rows"]] == ["a", "b"]
    assert [row["accuracy"] for row in report["rows"]] == pytest.approx([float(right)] * 2)
    assert report["examples"] == len(split) and report["rows"][0]["accuracy_low"] < right
    assert final_report("digits", {"a": mlp}, store)["opened"] == 2


def test_it_reports_on_the_test_split_and_not_on_validation(mlp: Network, digits: Dataset, store: Store, tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.inference_mode():
        test = digits.open_test()
        wrong = (mlp(torch.tensor(test.inputs)).argmax(1).numpy() + 1) % 10
    all_wrong = dataclasses.replace(digits, _test=Split(test.inputs, wrong.astype(np.int64)))
    monkeypatch.setattr(datasets, "load", lambda name, seed=0, report=None: all_wrong)
    assert final_report("digits", {"net": mlp}, store)["rows"][0]["accuracy"] == 0.0


def test_a_file_that_cannot_be_tested_leaves_it_closed_and_uncounted(opened: list[str], mlp: Network, digits: Dataset,
                                                                    store: Store, tmp_path: Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"digits": digits, "toy": toy_data((6,), classes=10), "few": toy_data((1, 8, 8))}
    monkeypatch.setattr(datasets, "load", lambda name, seed=0, report=None: dataclasses.replace(named[name], name=name))
    codes = container.pack({"compressed_data": "digits"}, {"codes": torch.zeros(3)})
    kept = {"net": store.artefacts.put(network_file.to_bytes(mlp)), "codes": store.artefacts.put(codes), "gone": "0" * 16}
    for data, name, answer in (("digits", "gone", "is missing or damaged"), ("digits", "codes", "holds compressed data"),
                               ("toy", "net", "expects examples of shape .* in 10 classes, but toy has .* in 10"),
                               ("few", "net", "in 10 classes, but few has .* in 3")):
        with pytest.raises(ValueError, match=answer):
            do(FinalRequest(data, (kept[name],), "report"), store, Reporter(), torch.device("cpu"))
    assert opened == []
    assert not any(store.counter(opened_counter(name, data.digest)) for name, data in named.items())
