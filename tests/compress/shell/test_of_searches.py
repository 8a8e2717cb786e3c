"""python -m compress solve: the front as it grows, the answer with its file and code, and mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compress import __main__ as command_line
from compress.methods.low_rank import LowRank
from compress.methods.quantize import Quantize
from compress.search.space import Choices, Space
from tests.compress.helpers import python

TEACHER = ("--data", "digits", "--teacher", "mlp(hidden=16,epochs=3)")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: None) -> None:
    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path / "home"))
    small = Space({"quantize": Choices(Quantize, (), (3, 4, 5, 6)), "low_rank": Choices(LowRank, (), (0.5, 0.6))}, {})
    monkeypatch.setattr(Space, "of", lambda *_: small)


def test_a_search_prints_its_front_and_an_answer_whose_code_makes_it_again(tmp_path: Path,
                                                                           capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna")
    code = command_line.main(["solve", *TEACHER, "--at-most", "3", "--measurements", "4", "--fresh", "1", "--save",
                              str(tmp_path / "answer")])
    out, _ = capsys.readouterr()
    *grown, answer = (json.loads(line) for line in out.splitlines())
    assert code == 0 and grown and {"front", "bytes", "accuracy", "points_lost", "recipe"} <= grown[0].keys()
    assert answer["points_lost"] <= 3 and answer["target"] == "at_most=3" and "1 fresh seed" in answer["luck"]
    assert Path(answer["file"]).stat().st_size == answer["bytes"] == min(
        one["bytes"] for one in grown if one["points_lost"] <= 3)
    assert len(answer["fresh"]) == 1 and answer["measured"] >= 3
    (program,) = (tmp_path / "answer").glob("*.py")
    assert program.read_text() == answer["code"]
    done = python("-c", f"import os, runpy; os.chdir({str(tmp_path)!r}); runpy.run_path({str(program)!r})", check=True)
    assert done.stdout.strip() == f"{answer['accuracy']:.4f} {answer['bytes']} bytes"


@pytest.mark.parametrize(("options", "said"), [
    (("--at-most", "-1"), "at_most must be between 0 and 100, but got -1."),
    (("--within", "small"), "within must be a size of a file, but got 'small'."),
    (("--minutes", "0"), "minutes must be between 0.05 and 1440"),
    (("--fresh", "many"), "fresh must be a whole number between 0 and 20, but got 'many'."),
    (("--at-most", "1", "--save", ""), "--save needs the name of a folder"),
])
def test_a_mistake_is_one_line_and_exit_code_2(options: tuple[str, ...], said: str, capsys: Any) -> None:
    assert command_line.main(["solve", *TEACHER, *options]) == 2
    out, err = capsys.readouterr()
    assert not out and said in err and len(err.splitlines()) == 1
