"""Results belong to their data: other files under the same name have results of their own, and earlier ones come back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress.__main__ import main
from compress.curves.store import Store
from compress.data import datasets
from compress.files import network_file
from compress.progress import Reporter
from compress.recipe import Recipe
from compress.service.job_kinds import do
from compress.service.requests import FinalRequest

CURVE = ("curve", "--data", "local:swap", "--teacher", "mlp(hidden=8,epochs=2)", "--method", "low_rank", "--dial", "0.3,0.6")


def write(path: Path, examples: int, classes: int, seed: int = 0) -> None:
    numbers = np.random.default_rng(seed)
    labels = np.arange(examples) % classes
    np.savez(path, x=numbers.normal(size=(examples, 6)) + 3 * labels[:, None], y=labels)


@pytest.fixture
def swap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COMPRESS_DATA", str(tmp_path / "swap.npz"))
    return tmp_path / "swap.npz"


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[dict[str, Any]], str]:
    code = main(list(arguments))
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return [json.loads(line) for line in shown.out.splitlines()], shown.err


def test_replaced_files_have_results_of_their_own_and_the_first_come_back(swap: Path,
                                                                          capsys: pytest.CaptureFixture[str]) -> None:
    write(swap, 90, 3)
    first, said = rows(capsys, *CURVE)
    assert len(first) == 2 and "have changed" not in said
    kept = swap.read_bytes()
    write(swap, 300, 2)
    second, said = rows(capsys, *CURVE)
    assert {row["examples"] for row in second} == {60} and len(second) == 2
    assert "The contents of local:swap have changed: 3 points measured on earlier contents are kept" in said
    assert "have changed" not in rows(capsys, *CURVE)[1], "said once"
    swap.write_bytes(kept)
    again, said = rows(capsys, *CURVE)
    assert again == first and "epoch" not in said, "nothing is trained again"
    assert len(Store().teachers(Recipe.parse(Store().all_points()[0]["recipe"]).reference().key())) == 2


def test_data_that_differ_in_validation_alone_have_another_reference(swap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The teacher's weights are the same bit for bit; its file is not, because it names the data."""
    write(swap, 300, 3)
    first, _ = rows(capsys, *CURVE)
    data = datasets.load("local:swap")
    with np.load(swap) as arrays:
        inputs, labels = arrays["x"].copy(), arrays["y"]
    validation = {row.tobytes() for row in data.normaliser.undo(data.validation.inputs).round(3)}
    for place, row in enumerate(inputs.astype(np.float32).round(3)):
        if row.tobytes() in validation:
            inputs[place] += 0.5
    np.savez(swap, x=inputs, y=labels)
    second, _ = rows(capsys, *CURVE)
    assert {row["digest"] for row in first}.isdisjoint(row["digest"] for row in second)


def test_a_change_that_keeps_length_and_time_is_seen(swap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(swap, 90, 3)
    before, source = swap.stat(), datasets.source("local:swap")
    digest = datasets.load("local:swap").digest
    write(swap, 90, 3, seed=1)
    os.utime(swap, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert swap.stat().st_size == before.st_size
    assert datasets.source("local:swap") != source and datasets.load("local:swap").digest != digest


def test_the_source_depends_on_contents_alone(swap: Path) -> None:
    write(swap, 90, 3)
    source = datasets.source("local:swap")
    os.utime(swap)
    assert datasets.source("local:swap") == source != "" and datasets.load("local:swap").source == source
    assert datasets.source("digits") == "" == datasets.load("digits").source
    swap.unlink()
    assert datasets.source("local:swap") == datasets.source("local:nobody") == "unreadable"


def test_files_that_change_while_they_are_read_are_refused(swap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(swap, 90, 3)
    original, turns = datasets._read, iter(range(1, 100))

    def disturbed(name: str) -> Any:
        found = original(name)
        write(swap, 90, 3, seed=next(turns))
        return found

    monkeypatch.setattr(datasets, "_read", disturbed)
    with pytest.raises(ValueError, match=r"The files of local:swap change while they are read\. Wait until"):
        datasets.load("local:swap")


def test_a_final_report_refuses_networks_of_earlier_contents(swap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(swap, 90, 3)
    digest = rows(capsys, *CURVE)[0][0]["digest"]
    write(swap, 90, 3, seed=1)
    with pytest.raises(ValueError, match="was made for other contents of local:swap than its files have now"):
        do(FinalRequest("local:swap", (digest,), "report"), Store(), Reporter(), "cpu")
    assert Store()._rows("SELECT * FROM counters") == []
    assert network_file.from_bytes(Store().artefacts.contents(digest)).architecture.classes == 3
