"""Bad requests, from the shell and as jobs of the app: whatever is wrong, no words of a library are the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress import __main__ as command_line
from compress.curves.store import Store
from compress.networks import device
from compress.progress import Reporter
from compress.service.failures import sentence_of
from compress.service.job_kinds import do
from compress.service.requests import request_of

FOREIGN = ("Expected more than 1 value per channel", "mat1 and mat2", "DefaultCPUAllocator", "sqlite3.",
           "database is locked", "Traceback", "as_frame", "index out of range in self", "unsupported autocast",
           "could not convert string", "operands could not be broadcast", "got an unexpected keyword", "invalid literal",
           "Errno", "object has no attribute")
RECIPES = ("digits", "digits/mlp", "digits/mlp/low_rank/x", "nowhere/mlp/low_rank/0", "digits/vgg/low_rank/0",
           "digits/mlp(epochs=x)/low_rank/0", "digits/mlp(width=3)/low_rank/0", "digits/mlp(hidden=0)/low_rank/0",
           "digits/mlp(batch=1e9)/low_rank/0", "digits/mlp/magic/0", "digits/mlp/low_rank(keep=nan)/0",
           "digits/mlp/low_rank(scheme=3)/0", "digits/mlp/low_rank(keep=[1])/0", "digits/mlp/low_rank+data_svd/0",
           "local:nowhere/mlp/low_rank/0", "openml:x/mlp/low_rank/0", "digits/mlp/low_rank/99999999999999999999",
           "digits/mlp(learning_rate=1e999)/low_rank/0")


def checked(said: str) -> None:
    assert said.strip() and not [part for part in FOREIGN if part in said], said


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_bad_job_fails_with_a_sentence_of_this_program(recipe: str, store: Store) -> None:
    with pytest.raises((ValueError, RuntimeError, OSError)) as found:
        do(request_of("curve", {"recipe": recipe, "values": ["x"] if recipe == "digits/mlp" else [0.5]}), store,
           Reporter(lambda _: None), device.prepare())
    checked(sentence_of(found.value))


@pytest.mark.parametrize("arguments", [
    ["curve", "--data", "digits", "--method", "low_rank", "--dial", "x"],
    ["curve", "--data", "digits", "--method", "low_rank", "--dial", ","],
    ["curve", "--data", "digits", "--method", "low_rank", "--set", "scheme"],
    ["curve", "--data", "digits", "--method", "low_rank", "--set", "keep=0.1"],
    ["teacher", "--data", "digits", "--teacher", "mlp(epochs=two)"], ["teacher", "--data", "digits", "--seed", "1.5"],
    ["evaluate", "nowhere.safetensors", "--data", "digits"], ["evaluate", "text.safetensors", "--data", "digits"],
    ["evaluate", ".", "--data", "digits"]])
def test_a_bad_command_ends_with_a_sentence_of_this_program(
        arguments: list[str], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.safetensors").write_text("no network")
    assert command_line.main(arguments) == 2
    checked(capsys.readouterr().err)
