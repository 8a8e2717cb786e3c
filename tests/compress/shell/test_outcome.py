"""Which exit code and which line an error becomes."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.recipe import Step
from compress.shell import outcome


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    return tmp_path


def ended(action: Callable[[], int], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = outcome.outcome(action)
    out, errors = capsys.readouterr()
    assert out == "" and errors.count("\n") == 1 and "Traceback" not in errors
    return code, errors.strip()


def test_a_mistake_that_this_program_found_is_its_sentence(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert ended(lambda: len(Step.parse("low rank(").name), capsys) == (
        2, "'low rank(' is not a name with settings; write it like low_rank(keep=0.1) or mlp.")
    assert not list(home.iterdir())


@pytest.mark.parametrize("action", [
    lambda: torch.zeros(2) @ torch.zeros(3), lambda: np.zeros((2, 2)).reshape(3), lambda: json.loads("{"),
    lambda: {"one": 1}["name"], lambda: "\udcff".encode(), lambda: [][1]],
    ids=["torch", "numpy", "json", "key", "unicode", "index"])
def test_a_librarys_words_are_kept_for_the_log(action: Any, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, said = ended(action, capsys)
    (log,) = home.iterdir()
    report = log.read_text()
    assert code == 1 and said.startswith("An unexpected ") and str(log) in said
    last = report.strip().splitlines()[-1]
    assert said.split()[2] in last and last.partition(": ")[2] not in said.partition(". The full")[0]


def test_an_error_of_the_system_names_the_file_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(lambda: len(Path("/does/not/exist").read_bytes()), capsys) == (
        2, "/does/not/exist: No such file or directory.")

    def full() -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert ended(full, capsys) == (2, "No space left on device")


def test_memory_that_is_not_there_has_its_own_sentence(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, said = ended(lambda: len(np.zeros(1 << 60, np.uint8)), capsys)
    assert code == 2 and said.startswith("There is not enough memory") and not list(home.iterdir())
