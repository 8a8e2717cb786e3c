"""What the README says is true: its example is a method, its tree names real files, its commands are the ones used."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()
USE = """
from compress.networks.families import MLP, Architecture, build
network = build(Architecture(MLP(hidden=(6,)), (1, 4, 4), 3))
smaller = Round(digits=1).compress(network, None)
values = torch.cat([parameter.flatten() for parameter in smaller.parameters()])
assert torch.allclose(values * 10, (values * 10).round(), atol=1e-5)
assert not torch.equal(network[1].weight, smaller[1].weight)
assert len(Round.__doc__) > 100
assert Round.card()["dial"] == "digits" and Round.card()["settings"][0]["high"] == 7
print("ran")
"""


def _block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return next(block for block in blocks if containing in block)


def test_the_example_of_a_new_method_runs(tmp_path: Path) -> None:
    program = tmp_path / "round_method.py"
    program.write_text(_block("python", "class Round") + USE)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, cwd=ROOT,
                          env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, timeout=120)
    assert done.stdout.strip() == "ran", done.stderr


def test_the_reader_needs_safetensors_and_numpy_alone_and_predicts_what_the_network_predicts(mlp, digits,
                                                                                             tmp_path: Path) -> None:
    import numpy as np
    import torch

    from compress.files import network_file
    from compress.files.made_for import MadeFor
    from compress.methods.low_rank import LowRank
    from compress.methods.prune import Prune
    from compress.recipe import Step
    from compress.training.teachers import untrained
    from tests.compress.texts import toy_texts

    program = tmp_path / "reader.py"
    absent = "import sys; sys.modules.update(dict.fromkeys(('torch', 'compress')))\n"
    program.write_text(absent + _block("python", "safe_open"))
    texts = toy_texts()
    bag = untrained(Step.parse("embedding_bag(width=8,hidden=6)"), texts)
    images = [(digits, mlp, one) for one in (None, LowRank(keep=0.4), Prune(sparsity=0.6), Prune(sparsity=0.97))]
    for number, (data, network, method) in enumerate([*images, (texts, bag, None), (texts, bag, LowRank(keep=0.4))]):
        network = method.compress(network, data) if method else network
        network_file.write(network, tmp_path / f"{number}.safetensors", MadeFor.of(data))
        np.save(tmp_path / "examples.npy", data.normaliser.undo(data.validation.inputs))
        done = subprocess.run([sys.executable, str(program), str(tmp_path / f"{number}.safetensors"),
                               str(tmp_path / "examples.npy")], capture_output=True, text=True, timeout=60)
        with torch.no_grad():
            wanted = network(torch.tensor(data.validation.inputs)).argmax(1).tolist()
        assert json.loads(done.stdout or "null") == wanted, done.stderr


def test_the_tree_and_the_folders_agree() -> None:
    """Every folder of the program has its line, and so has every file at the top, of pages/ and directly in compress/."""
    tree = next(block for block in TEXT.split("```") if "app.py  " in block)
    named, parents = set(), {}
    for line in tree.strip().splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        parents[depth] = name
        named.add("".join(parents[level] for level in range(depth + 1)))
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                            check=True)
    files = [Path(line) for line in listed.stdout.splitlines() if line.startswith(("app.py", "pages/", "compress/"))]
    folders = {f"{parent}/" for file in files for parent in file.parents if str(parent) != "."}
    shallow = {str(file) for file in files if str(file.parent) in (".", "pages", "compress") and file.name != "__init__.py"}
    assert named == folders | shallow | {"tests/"}


def test_the_commands_for_a_shell_and_the_recipes_are_understood(prepared: None, tmp_path: Path, mnist5k: object,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the first training, in whose place nothing is measured."""
    from compress.__main__ import _parser, main
    from compress.curves import sweep
    from compress.curves.chains import run as chains
    from compress.recipe import Recipe

    monkeypatch.setenv("COMPRESS_HOME", str(tmp_path))
    monkeypatch.setattr(sweep, "run", lambda *_, checked: iter(()))
    monkeypatch.setattr(chains, "run", lambda *_, known: iter(()))
    commands = [shlex.split(line)[3:] for line in _block("bash", "python -m compress").splitlines()]
    assert {command[0] for command in commands} == {
        "data", "networks", "methods", "teacher", "curve", "race", "order", "duel", "solve", "evaluate", "export", "report",
        "points"}
    assert all(_parser().parse_args(command) for command in commands)
    assert not any(main(command) for command in commands if command[0] == "curve")
    recipes = re.findall(r"`((?:mnist5k|\.\.\.)/[^`]+/0)`", TEXT)
    assert len(recipes) == 2
    assert all(sweep.complete(Recipe.parse(recipe.replace("...", "mnist5k/mlp"))) for recipe in recipes)


def test_the_table_of_variables_has_those_that_the_program_reads() -> None:
    sources = [path.read_text() for top in ("compress", "pages") for path in (ROOT / top).rglob("*.py")]
    read = {name for source in sources for name in re.findall(r"\"(COMPRESS_[A-Z_]+)\"", source)}
    table = re.findall(r"^\| `(COMPRESS_[A-Z_]+)` \|", TEXT, re.MULTILINE)
    assert len(table) == len(set(table)) and set(table) == read


def test_ci_calls_the_readmes_test_command() -> None:
    assert "grep -m1 -- '-m pytest' README.md" in (ROOT / ".ci" / "run").read_text()
    command = next(line for line in TEXT.splitlines() if "-m pytest" in line)
    assert "-r requirements.txt" in command and "-r tests/requirements.txt" in command
    assert "ignore_errors" not in (ROOT / ".mypy.ini").read_text()  # no module is left out of the types' check
    assert "run: .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


@pytest.mark.parametrize("broken", ["", "ruff", "mypy"])
def test_ci_installs_then_checks_then_tests_and_stops_at_the_first_failure(broken: str, tmp_path: Path) -> None:
    """The script alone, beside a README whose installation makes checkers that only write their names down."""
    tools = {name: f"printf '#!/bin/sh\\necho {name} $* >> log{'; exit 1' if name == broken else ''}\\n' > .venv/bin/{name}"
             for name in ("ruff", "mypy")}
    steps = ["mkdir -p .venv/bin", *tools.values(), "chmod +x .venv/bin/*", "echo tests -m pytest >> log"]
    (tmp_path / "README.md").write_text("# Name\n" + " && ".join(steps) + "\n")
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "left over").touch()
    chromium = tmp_path / "chromium"
    chromium.touch(0o755)
    script = shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    done = subprocess.run([script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True)
    wanted = ["ruff check .", "mypy", "tests -m pytest"]
    assert [line.strip() for line in (tmp_path / "log").read_text().splitlines()] == (
        wanted[:["ruff", "mypy"].index(broken) + 1] if broken else wanted), done.stderr
    assert (done.returncode == 0) == (not broken)
    assert not (tmp_path / ".venv" / "left over").exists()


def test_the_first_screen_has_one_picture_and_the_two_commands() -> None:
    first = TEXT.partition("\n## ")[0]
    assert len(re.findall(r"!\[", first)) == 1
    commands = [line.rpartition(" && ")[2] for line in first.splitlines() if line.startswith("python3")]
    assert commands == [".venv/bin/streamlit run app.py", ".venv/bin/python -m pytest -n 2"]


def test_every_picture_and_every_linked_file_exists_and_no_picture_is_left_over() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert all((ROOT / picture).stat().st_size > 10_000 for picture in pictures)
    assert {f".github/{file.name}" for file in (ROOT / ".github").glob("*.png")} == set(pictures)
    linked = [target for target in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in target]
    assert not [target for target in linked if not (ROOT / target).exists()]
